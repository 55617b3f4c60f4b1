"""Conditions as closures: whether one holds, when that may change if nothing more happens, and why it holds.

Unknown facts make a comparison false and its negation false too, so a negation is pushed down to the
comparisons here, once; what is left are plain true-or-false closures.
"""

from __future__ import annotations

from typing import Final

from router.core import facts, hours
from router.core.facts import CART, FACTS, PROFILE, Elapsed
from router.core.reasons import Reason
from router.core.rules.counts import repeats, signs
from router.core.rules.model import (
    All,
    AnyOf,
    Attribute,
    Available,
    Compare,
    Condition,
    Dates,
    Known,
    Leaving,
    Not,
    Open,
    Repeats,
    Sequence,
    Shortfall,
    Signs,
    Silence,
)  # fmt: skip
from router.core.rules.predicate import ALWAYS, OPPOSITE, TESTS, Change, Predicate, Test, Why, crossing
from router.core.rules.sequences import sequence
from router.core.session import Session

LEAVING_MS: Final = 5_000


def build(condition: Condition, holds: bool = True) -> Predicate:
    """The condition as closures; with `holds` False its negation."""
    match condition:
        case Compare():
            return _compare(condition, holds)
        case Repeats():
            return repeats(condition, holds)
        case Signs():
            return signs(condition, holds)
        case Leaving():
            return _leaving(condition, holds)
        case Shortfall():
            return _shortfall(condition, holds)
        case Attribute():
            return _attribute(condition, holds)
        case Sequence():
            return sequence(condition, holds)
        case Silence():
            return _silence(condition, holds)
        case Known():
            return _known(condition, holds)
        case Dates():
            return _dates(condition, holds)
        case Open():
            return _open(condition, holds)
        case Available():
            return ALWAYS
        case Not():
            return build(condition.part, not holds)
        case All() | AnyOf():
            parts = tuple(build(part, holds) for part in condition.parts)
            return _joined(parts, every=isinstance(condition, All) == holds)


# --- comparisons -------------------------------------------------------------------------------------------


def _compare(condition: Compare, holds: bool) -> Predicate:
    fact = FACTS[condition.fact]
    op = condition.op if holds else OPPOSITE[condition.op]
    value = condition.value
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason(fact.name, op, fact.read(session, now), shown, condition.unit),)

    change = None
    if fact.zero is not None and isinstance(value, int):
        change = crossing(fact.zero, value + (op in ("gt", "lte")))
    scope = frozenset({fact.scope} - {""})
    wanted = frozenset(value) if isinstance(value, tuple) else value
    return Predicate(TESTS[op](fact.read, wanted), why, fact.reads, change, scope)


def _known(condition: Known, holds: bool) -> Predicate:
    fact = FACTS[condition.fact]
    read = fact.read

    def test(session: Session, now: int) -> bool:
        return (read(session, now) is not None) is holds

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("known", "eq", holds, holds, about=fact.name),)

    return Predicate(test, why, fact.reads, None, frozenset({fact.scope} - {""}))


# --- leaving, shortfall, attributes --------------------------------------------------------------------------


def _leaving(condition: Leaving, holds: bool) -> Predicate:
    kind = condition.kind

    def seen(session: Session, now: int) -> bool:
        return session.exit == kind and now - session.exit_at < LEAVING_MS

    def change(session: Session, now: int) -> int | None:
        return session.exit_at + LEAVING_MS if seen(session, now) else None

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("exit", "eq", holds, True, about=kind),)

    return Predicate(lambda session, now: seen(session, now) is holds, why, facts.reading("exit"), change)


def _shortfall(condition: Shortfall, holds: bool) -> Predicate:
    to, most = condition.to, condition.most

    def test(session: Session, now: int) -> bool:
        value = session.cart.value
        return value is not None and (0 < to - value <= most) is holds

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        value = session.cart.value
        missing = None if value is None else round(to - value, 4)
        return (Reason("cart.shortfall", "lte" if holds else "gt", missing, most, condition.unit, f"{to:g}"),)

    return Predicate(test, why, CART, None, frozenset({"cart"}))


def _attribute(condition: Attribute, holds: bool) -> Predicate:
    name, op = condition.name, condition.op if holds else OPPOSITE[condition.op]

    def read(session: Session, now: int) -> str | float | None:
        return _like(session.profile.attributes.get(name), condition.value)

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("visitor.attribute", op, read(session, now), condition.value, about=name),)

    return Predicate(TESTS[op](read, condition.value), why, 1 << PROFILE | facts.reading("page"))


def _like(value: str | float | bool | None, wanted: str | float) -> str | float | None:
    """The value as the kind that it is compared with; a word is no number, so it is unknown as one."""
    if value is None:
        return None
    if isinstance(wanted, str):
        return (
            str(value).lower()
            if isinstance(value, bool)
            else f"{value:g}"
            if _is_number(value)
            else str(value)
        )
    return float(value) if _is_number(value) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- silence, dates, hours -----------------------------------------------------------------------------------


def _silence(condition: Silence, holds: bool) -> Predicate:
    elapsed, zero, reads = facts.silence(condition.of, condition.since, condition.clock)
    op, threshold = ("gte" if holds else "lt"), condition.for_ms
    about = f"{condition.of} since {condition.since}"
    why = _why_silence(elapsed, op, condition, about)
    return Predicate(TESTS[op](elapsed, threshold), why, reads, crossing(zero, threshold))


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


def _open(condition: Open, holds: bool) -> Predicate:
    """Says nothing about the shopper, so it gives no reason."""
    week = condition.hours
    return Predicate(
        lambda session, now: hours.is_open(week, now) is holds,
        lambda session, now: (),
        0,
        lambda session, now: hours.turns(week, now),
    )


# --- all and any -------------------------------------------------------------------------------------------


def _joined(parts: tuple[Predicate, ...], every: bool) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    ordered = tuple(sorted(parts, key=lambda part: part.change is not None))  # cheap ones decide first
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


def _why_joined(parts: tuple[Predicate, ...]) -> Why:
    """The reasons of the parts that hold: of all of them under `all`, of the lucky ones under `any`."""

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return tuple(reason for part in parts if part.test(session, now) for reason in part.why(session, now))

    return why


def _turning(parts: tuple[Predicate, ...], every: bool) -> Change:
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


def _turning_timed(timed: tuple[tuple[Test, Change], ...], every: bool) -> Change:
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
