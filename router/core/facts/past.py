"""Facts with parameters: how often something happened in a window, and for how long something did not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from router.core import events as ev
from router.core.facts.fact import VIEW, Elapsed, Times, Zero, reading
from router.core.session import Session, visible_clock

# What a silence or a sequence can speak of: what a shopper does, not what is measured or what was shown to them.
DEEDS: Final = tuple(kind for kind in ev.KINDS if ev.number(kind) < ev.number("dwell"))

# What can be counted: its name in rules -> (its name in `session.signs`, the events that it follows from).
SIGNS: Final[dict[str, tuple[str, int]]] = {
    "search.count": ("search", reading("search")),
    "search.empty": ("search.empty", reading("search")),
    "coupon.tried": ("coupon", reading("coupon")),
    "coupon.refused": ("coupon.refused", reading("coupon")),
    "friction.rage": ("rage", reading("rage")),
    "friction.dead": ("dead", reading("dead")),
    "friction.errors": ("error.script", reading("error")),
    "friction.requests": ("error.request", reading("error")),
}


# --- counts ------------------------------------------------------------------------------------------------


def page_times(path: str | None) -> tuple[Times, int]:
    """When the page of this path (None: the current one) was seen, oldest first, and the mask it reads."""
    if path is None:
        return _current_page_times, VIEW
    key = "p:" + path
    return lambda session, least: session.seen.times(key, least), reading("page")


def _current_page_times(session: Session, least: int) -> Sequence[int] | None:
    page = session.pages.get(session.current)
    return None if page is None or not page.path else session.seen.times("p:" + page.path, least)


def product_times(session: Session, least: int) -> Sequence[int] | None:
    """When the product that was seen last was seen, oldest first."""
    product = session.product
    return None if product is None else session.seen.times("i:" + product.id, least)


def category_times(session: Session, least: int) -> Sequence[int] | None:
    """When products of the category of the product that was seen last were seen, oldest first."""
    product = session.product
    if product is None or not product.category:
        return None
    return session.signs.times("c:" + product.category, least)


def sign_times(name: str) -> tuple[Times, int]:
    """When this sign was seen, oldest first, and the mask it reads."""
    sign, reads = SIGNS[name]
    return lambda session, least: session.signs.times(sign, least), reads


# --- silences ----------------------------------------------------------------------------------------------

Start = Callable[[Session], tuple[int, int] | None]


def silence(of: str, since: str, clock: str) -> tuple[Elapsed, Zero, int]:
    """Time since the later of the last `since` and the last `of`, by the visible clock or the wall's; unknown before
    the first `since`. Gives (elapsed, zero, the mask it reads).
    """
    start = _start(ev.number(of), ev.number(since))
    if clock == "wall":
        return *_wall(start), reading(of, since)
    return *_visible(start), reading(of, since) | VIEW


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
