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


KNOWN: Final = (
    4096  # texts remembered as clean, of nobody in particular: a shop's pages say the same again and again
)
_known: set[str] = set()


def clean(event: Any) -> None:
    """Mask what is typed in an event. Of a clean one nothing changes."""
    for name in TYPED.get(type(event), ()):
        value = getattr(event, name)
        if value and value not in _known:
            _look(event, name, value)


def _look(event: Any, name: str, value: str) -> None:
    masked = redacted(value)
    if masked != value:
        setattr(event, name, masked)
        return
    if len(_known) >= KNOWN:
        _known.clear()
    _known.add(value)
