"""What a compiled condition is: closures that say whether it holds, when that may change, and why it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from router.core import facts
from router.core.facts import Zero
from router.core.reasons import Reason
from router.core.session import Session

Test = Callable[[Session, int], bool]
Change = Callable[[Session, int], int | None]
Why = Callable[[Session, int], tuple[Reason, ...]]

OPPOSITE: Final = {"eq": "ne", "gte": "lt", "gt": "lte", "lte": "gt", "lt": "gte", "in": "not_in"}


@dataclass(frozen=True, slots=True)
class Predicate:
    """`change` gives the earliest moment after now at which `test` may answer differently if nothing more
    happens: never later than the true one. `change` is None where time changes nothing; `why` is asked only
    while it holds. `gate` is what time cannot change of it: while that is false, so is `test`, and `change`
    knows no moment.
    """

    test: Test
    why: Why
    reads: int
    change: Change | None = None
    scope: frozenset[str] = frozenset()
    gate: Test | None = None


ALWAYS: Final = Predicate(lambda session, now: True, lambda session, now: (), 0)


def crossing(zero: Zero, threshold_ms: int) -> Change:
    """When a running clock reaches the threshold."""

    def change(session: Session, now: int) -> int | None:
        start = zero(session)
        if start is None:
            return None
        moment = start + threshold_ms
        return moment if moment > now else None

    return change


# --- comparisons with a value --------------------------------------------------------------------------------


def _eq(read: facts.Read, wanted: Any) -> Test:
    return lambda session, now: read(session, now) == wanted


def _ne(read: facts.Read, wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value != wanted


def _gte(read: Callable[[Session, int], Any], wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value >= wanted


def _gt(read: Callable[[Session, int], Any], wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value > wanted


def _lte(read: Callable[[Session, int], Any], wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value <= wanted


def _lt(read: Callable[[Session, int], Any], wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value < wanted


def _in(read: facts.Read, wanted: Any) -> Test:
    return lambda session, now: read(session, now) in wanted


def _not_in(read: facts.Read, wanted: Any) -> Test:
    return lambda session, now: (value := read(session, now)) is not None and value not in wanted


TESTS: Final[dict[str, Callable[[Any, Any], Test]]] = {
    "eq": _eq, "ne": _ne, "gte": _gte, "gt": _gt, "lte": _lte, "lt": _lt, "in": _in, "not_in": _not_in,
}  # fmt: skip
