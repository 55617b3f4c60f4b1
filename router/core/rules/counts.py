"""Conditions on how often something happened in a window that slides."""

from __future__ import annotations

from collections.abc import Callable

from router.core import facts
from router.core.facts import Times
from router.core.reasons import Reason
from router.core.rules.model import Repeats, Signs
from router.core.rules.predicate import Predicate
from router.core.session import Session


def repeats(condition: Repeats, holds: bool) -> Predicate:
    """A page, the current product or its category was seen so often."""
    times, reads = _sightings(condition)
    scope = frozenset({"page"}) if condition.of == "page" and condition.path is None else frozenset[str]()

    def about(session: Session) -> str:
        return condition.path or _subject(condition, session)

    return _counted(f"repeats.{condition.of}", times, condition, holds, reads, scope, about)


def _sightings(condition: Repeats) -> tuple[Times, int]:
    match condition.of:
        case "page":
            return facts.page_times(condition.path)
        case "product":
            return facts.product_times, facts.reading("product")
        case "category":
            return facts.category_times, facts.reading("product")


def _subject(condition: Repeats, session: Session) -> str:
    product, view = session.product, session.view
    match condition.of:
        case "page":
            return "" if view is None else view.path
        case "product":
            return "" if product is None else product.name or product.id
        case "category":
            return "" if product is None else product.category or ""


def signs(condition: Signs, holds: bool) -> Predicate:
    """Something that can be counted happened so often."""
    times, reads = facts.sign_times(condition.of)
    return _counted(condition.of, times, condition, holds, reads, frozenset(), lambda session: "")


def _counted(
    fact: str,
    times: Times,
    condition: Repeats | Signs,
    holds: bool,
    reads: int,
    scope: frozenset[str],
    about: Callable[[Session], str],
) -> Predicate:
    """At least `count` of the times lie in the window that ends now; unknown where there are no times at all."""
    count, window = condition.count, condition.window_ms
    op = "gte" if holds else "lt"

    def test(session: Session, now: int) -> bool:
        seen = times(session, count)
        return seen is not None and (bool(seen) and now - seen[-count] < window) is holds

    def change(session: Session, now: int) -> int | None:
        seen = times(session, count)
        if not seen:
            return None
        moment = seen[-count] + window
        return moment if moment > now else None

    def gate(session: Session, now: int) -> bool:
        return bool(times(session, count))

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        within = sum(now - at < window for at in times(session, 1) or ())
        return (Reason(fact, op, within, count, f"in {window}", about(session)),)

    return Predicate(test, why, reads, change, scope, gate if holds else None)
