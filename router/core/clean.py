"""Events without card numbers: what was typed or stands in addresses is masked in the event itself, before anybody
stores, folds or shows it.
"""

from __future__ import annotations

from typing import Any, Final

from router.core import events as ev
from router.core.redact import redacted

TYPED: Final[dict[type[ev.Event], tuple[str, ...]]] = {
    ev.Page: ("path", "title", "referrer"),
    ev.Search: ("terms",),
    ev.Checkout: ("coupon",),
    ev.Purchase: ("coupon",),
    ev.Visit: ("source", "medium", "campaign"),
}
"""The fields of each event that a shopper may have written."""


def clean(event: Any) -> None:
    """Mask what is typed in an event. Of a clean one nothing changes."""
    for name in TYPED.get(type(event), ()):
        if value := getattr(event, name):
            setattr(event, name, redacted(value))
