"""Conditions as closures: whether one holds, when that may change if nothing more happens, and why it holds.

Unknown facts make a comparison false and its negation false too, so a negation is pushed down to the
comparisons here, once; what is left are plain true-or-false closures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from router.core import facts
from router.core.facts import FACTS, Elapsed, Times, Zero
from router.core.reasons import Reason
from router.core.rules.model import All, AnyOf, Compare, Condition, Dates, Known, Not, Repeats, Silence
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


def build(condition: Condition, holds: bool = True) -> Predicate:
    """The condition as closures; with `holds` False its negation."""
    match condition:
        case Compare():
            return _compare(condition, holds)
        case Repeats():
            return _repeats(condition, holds)
        case Silence():
            return _silence(condition, holds)
        case Known():
            return _known(condition, holds)
        case Dates():
            return _dates(condition, holds)
        case Not():
            return build(condition.part, not holds)
        case All() | AnyOf():
            parts = tuple(build(part, holds) for part in condition.parts)
            return _joined(parts, every=isinstance(condition, All) == holds)


# --- comparisons -------------------------------------------------------------------------------------------


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


_TESTS: Final[dict[str, Callable[[Any, Any], Test]]] = {
    "eq": _eq, "ne": _ne, "gte": _gte, "gt": _gt, "lte": _lte, "lt": _lt, "in": _in, "not_in": _not_in,
}  # fmt: skip


def _compare(condition: Compare, holds: bool) -> Predicate:
    fact = FACTS[condition.fact]
    op = condition.op if holds else OPPOSITE[condition.op]
    value = condition.value
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason(fact.name, op, fact.read(session, now), shown, condition.unit),)

    change = None
    if fact.zero is not None and isinstance(value, int):
        change = _crossing(fact.zero, value + (op in ("gt", "lte")))
    scope = frozenset({fact.scope} - {""})
    wanted = frozenset(value) if isinstance(value, tuple) else value
    return Predicate(_TESTS[op](fact.read, wanted), why, fact.reads, change, scope)


def _crossing(zero: Zero, threshold_ms: int) -> Change:
    """When a running clock reaches the threshold."""

    def change(session: Session, now: int) -> int | None:
        start = zero(session)
        if start is None:
            return None
        moment = start + threshold_ms
        return moment if moment > now else None

    return change


def _known(condition: Known, holds: bool) -> Predicate:
    fact = FACTS[condition.fact]
    read = fact.read

    def test(session: Session, now: int) -> bool:
        return (read(session, now) is not None) is holds

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("known", "eq", holds, holds, about=fact.name),)

    return Predicate(test, why, fact.reads, None, frozenset({fact.scope} - {""}))


# --- repeats, silence, dates -------------------------------------------------------------------------------


def _repeats(condition: Repeats, holds: bool) -> Predicate:
    count, window = condition.count, condition.window_ms
    if condition.of == "page":
        times, reads = facts.page_times(condition.path)
    else:
        times, reads = facts.product_times, facts.reading("product")

    def test(session: Session, now: int) -> bool:
        seen = times(session)
        return seen is not None and (len(seen) >= count and now - seen[-count] < window) is holds

    def change(session: Session, now: int) -> int | None:
        seen = times(session)
        if seen is None or len(seen) < count:
            return None
        moment = seen[-count] + window
        return moment if moment > now else None

    def gate(session: Session, now: int) -> bool:
        seen = times(session)
        return seen is not None and len(seen) >= count

    scope = frozenset({"page"}) if condition.of == "page" and condition.path is None else frozenset[str]()
    why = _why_repeats(condition, times, "gte" if holds else "lt")
    return Predicate(test, why, reads, change, scope, gate if holds else None)


def _why_repeats(condition: Repeats, times: Times, op: str) -> Why:
    window = condition.window_ms

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        within = sum(now - at < window for at in times(session) or ())
        about = condition.path or _subject(condition, session)
        return (Reason(f"repeats.{condition.of}", op, within, condition.count, f"in {window}", about),)

    return why


def _subject(condition: Repeats, session: Session) -> str:
    if condition.of == "product":
        return "" if session.product is None else session.product.name or session.product.id
    return "" if session.view is None else session.view.path


def _silence(condition: Silence, holds: bool) -> Predicate:
    elapsed, zero, reads = facts.silence(condition.of, condition.since, condition.clock)
    op, threshold = ("gte" if holds else "lt"), condition.for_ms
    about = f"{condition.of} since {condition.since}"
    why = _why_silence(elapsed, op, condition, about)
    return Predicate(_TESTS[op](elapsed, threshold), why, reads, _crossing(zero, threshold))


def _why_silence(elapsed: Elapsed, op: str, condition: Silence, about: str) -> Why:
    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("silence", op, elapsed(session, now), condition.for_ms, condition.clock, about),)

    return why


def _dates(condition: Dates, holds: bool) -> Predicate:
    """Says nothing about the shopper, so it gives no reason."""
    begin, end = condition.from_ms, condition.until_ms
    edges = tuple(moment for moment in (begin, end) if moment is not None)

    def test(session: Session, now: int) -> bool:
        return ((begin is None or now >= begin) and (end is None or now < end)) is holds

    def change(session: Session, now: int) -> int | None:
        return min((moment for moment in edges if moment > now), default=None)

    return Predicate(test, lambda session, now: (), 0, change)


# --- all and any -------------------------------------------------------------------------------------------


def _joined(parts: Sequence[Predicate], every: bool) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts, key=lambda part: part.change is not None)  # cheap ones decide first
    tests = tuple(part.test for part in ordered)
    reads, scope = 0, frozenset[str]()
    for part in parts:
        reads |= part.reads
        scope |= part.scope
    change = None if all(part.change is None for part in parts) else _turning(ordered, every)
    fixed = tuple(part.test for part in parts if part.change is None)
    gate = _every(fixed) if every and fixed and change is not None else None
    return Predicate((_every if every else _some)(tests), _why_joined(parts), reads, change, scope, gate)


def _every(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda session, now: first(session, now) and second(session, now)
    if len(tests) == 3:
        one, two, three = tests
        return lambda session, now: one(session, now) and two(session, now) and three(session, now)

    def test(session: Session, now: int) -> bool:
        for part in tests:  # noqa: SIM110  (a generator costs twice the loop)
            if not part(session, now):
                return False
        return True

    return test


def _some(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(session: Session, now: int) -> bool:
        for part in tests:  # noqa: SIM110
            if part(session, now):
                return True
        return False

    return test


def _why_joined(parts: Sequence[Predicate]) -> Why:
    """The reasons of the parts that hold: of all of them under `all`, of the lucky ones under `any`."""

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return tuple(reason for part in parts if part.test(session, now) for reason in part.why(session, now))

    return why


def _turning(parts: Sequence[Predicate], every: bool) -> Change:
    """When an `all` (`every`) or an `any` may turn.

    A part that answers `not every` decides alone. Time cannot change a fixed one; of the timed ones every
    deciding one has to turn first, so the earliest moment is the latest of theirs. While none decides, any
    timed part may do it.
    """
    fixed = tuple(part.test for part in parts if part.change is None)
    timed = tuple((part.test, part.change) for part in parts if part.change is not None)
    turn = timed[0][1] if len(timed) == 1 else _turning_timed(timed, every)
    if not fixed:
        return turn
    decided = (_every if every else _some)(fixed)

    def change(session: Session, now: int) -> int | None:
        return turn(session, now) if decided(session, now) is every else None

    return change


def _turning_timed(timed: Sequence[tuple[Test, Change]], every: bool) -> Change:
    def change(session: Session, now: int) -> int | None:
        soonest: int | None = None
        latest: int | None = None
        for test, turn in timed:
            moment = turn(session, now)
            if test(session, now) is not every:
                if moment is None:
                    return None
                latest = moment if latest is None else max(latest, moment)
            elif moment is not None:
                soonest = moment if soonest is None else min(soonest, moment)
        return soonest if latest is None else latest

    return change
