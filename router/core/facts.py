"""What rules can read: each fact's type, which events can change it, its value, and whether it runs by
itself.

A fact whose value is None is unknown. A running fact is a clock that counts milliseconds: `zero` gives the
moment at which it would have stood at zero, or None while it stands still; from that follows when it crosses
a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router.core import events as ev
from router.core.session import Session, dwell_page, dwell_site, visible_clock

Value = str | float | int | bool
Read = Callable[[Session, int], Value | None]
Elapsed = Callable[[Session, int], int | None]
Zero = Callable[[Session], int | None]
Times = Callable[[Session], Sequence[int] | None]
Kind = Literal["page type", "path", "language", "duration", "money", "count", "flag"]
Clock = Literal["visible", "wall"]

PAGE_TYPES: Final = ("home", "list", "product", "cart", "shipping", "checkout", "payment", "thanks", "other")

# What a silence can speak of: what a shopper does, not what is measured or what was shown to them.
DEEDS: Final = tuple(kind for kind in ev.KINDS if ev.number(kind) < ev.number("dwell"))


def reading(*kinds: str) -> int:
    """The bit mask of these event kinds."""
    mask = 0
    for kind in kinds:
        mask |= 1 << ev.number(kind)
    return mask


# After these another page may be the current one, or it may be looked at differently.
VIEW: Final = reading("page", "dwell")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: `reads` is the mask of the event kinds that can change it, `scope` what it is bound to."""

    name: str
    kind: Kind
    reads: int
    read: Read
    zero: Zero | None = None
    scope: Literal["page", "cart", ""] = ""


# --- values ------------------------------------------------------------------------------------------------


def _page_type(session: Session, now: int) -> str | None:
    page = session.pages.get(session.current)
    return None if page is None else page.type or None


def _page_path(session: Session, now: int) -> str | None:
    page = session.pages.get(session.current)
    return None if page is None else page.path or None


def _page_language(session: Session, now: int) -> str | None:
    return session.language.partition("-")[0].lower() or None


def _dwell_page(session: Session, now: int) -> int | None:
    return dwell_page(session, now) if session.current in session.pages else None


def _dwell_page_zero(session: Session) -> int | None:
    page = session.pages.get(session.current)
    return None if page is None or page.state != ev.FOCUSED else page.since - page.focused_ms


def _dwell_site(session: Session, now: int) -> int | None:
    return dwell_site(session, now)


def _dwell_site_zero(session: Session) -> int | None:
    page = session.pages.get(session.current)
    return None if page is None or page.state != ev.FOCUSED else page.since - session.focused_ms


def _product_price(session: Session, now: int) -> float | None:
    return None if session.product is None else session.product.price


def _cart_value(session: Session, now: int) -> float | None:
    return session.cart.value


def _cart_lines(session: Session, now: int) -> int:
    return session.cart.count


def _cart_quantity(session: Session, now: int) -> int:
    return session.cart.quantity


_CHECKOUT: Final = ev.number("checkout")
_PURCHASE: Final = ev.number("purchase")


def _checkout_started(session: Session, now: int) -> bool:
    begun = session.last.get(_CHECKOUT)
    if begun is None:
        return False
    bought = session.last.get(_PURCHASE)
    return bought is None or bought[0] < begun[0]


_CART: Final = reading("cart_add", "cart_remove", "cart", "purchase")

FACTS: Final[dict[str, Fact]] = {
    fact.name: fact
    for fact in (
        Fact("page.type", "page type", VIEW, _page_type, scope="page"),
        Fact("page.path", "path", VIEW, _page_path, scope="page"),
        Fact("page.language", "language", reading("page"), _page_language),
        Fact("dwell.page", "duration", VIEW, _dwell_page, _dwell_page_zero, scope="page"),
        Fact("dwell.site", "duration", VIEW, _dwell_site, _dwell_site_zero),
        Fact("product.price", "money", reading("product"), _product_price),
        Fact("cart.value", "money", _CART, _cart_value, scope="cart"),
        Fact("cart.lines", "count", _CART, _cart_lines, scope="cart"),
        Fact("cart.quantity", "count", _CART, _cart_quantity, scope="cart"),
        Fact("checkout.started", "flag", reading("checkout", "purchase"), _checkout_started),
    )
}


# --- facts with parameters ---------------------------------------------------------------------------------


def page_times(path: str | None) -> tuple[Times, int]:
    """When the page of this path (None: the current one) was seen, oldest first, and the mask it reads."""
    if path is None:
        return _current_page_times, VIEW
    key = "p:" + path
    return lambda session: session.seen[key], reading("page")


def _current_page_times(session: Session) -> Sequence[int] | None:
    page = session.pages.get(session.current)
    return None if page is None or not page.path else session.seen["p:" + page.path]


def product_times(session: Session) -> Sequence[int] | None:
    """When the product that was seen last was seen, oldest first."""
    product = session.product
    return None if product is None else session.seen["i:" + product.id]


def silence(of: str, since: str, clock: Clock) -> tuple[Elapsed, Zero, int]:
    """Time since the later of the last `since` and the last `of`; unknown before the first `since`.

    Gives (elapsed, zero, the mask it reads).
    """
    start = _start(ev.number(of), ev.number(since))
    if clock == "wall":
        return *_wall(start), reading(of, since)
    return *_visible(start), reading(of, since) | VIEW


Start = Callable[[Session], tuple[int, int] | None]


def _start(of: int, since: int) -> Start:
    """(moment, visible clock) from which the silence counts."""

    def start(session: Session) -> tuple[int, int] | None:
        last = session.last
        begun = last.get(since)
        if begun is None:
            return None
        done = last.get(of)
        return begun if done is None or done[0] <= begun[0] else done

    return start


def _wall(start: Start) -> tuple[Elapsed, Zero]:
    def elapsed(session: Session, now: int) -> int | None:
        begun = start(session)
        return None if begun is None else now - begun[0]

    def zero(session: Session) -> int | None:
        begun = start(session)
        return None if begun is None else begun[0]

    return elapsed, zero


def _visible(start: Start) -> tuple[Elapsed, Zero]:
    def elapsed(session: Session, now: int) -> int | None:
        begun = start(session)
        return None if begun is None else visible_clock(session, now) - begun[1]

    def zero(session: Session) -> int | None:
        since = session.visible_since
        begun = start(session) if since else None
        return None if begun is None else since - session.visible_ms + begun[1]

    return elapsed, zero


# --- words of the vocabulary without a source --------------------------------------------------------------

NO_SOURCE: Final = "no source for this fact yet"
_FAMILIES: Final = ("time.", "availability.", "visitor.", "coupon.", "search.", "payment.", "exit.")
_WORDS: Final = (
    "exit",
    "sequence",
    "scroll",
    "rage",
    "dead",
    "struggle",
    "idle",
    "error",
    "referrer",
    "device",
)


def without_source(name: str) -> str | None:
    """Why a fact of the vocabulary cannot be read yet; None for a word that is not in it."""
    return NO_SOURCE if name in _WORDS or name.startswith(_FAMILIES) else None


def kind_without_source(name: str) -> str | None:
    """The same for an event kind that a silence names."""
    return "no source for this event yet" if name in _WORDS else None
