"""Compiled rules: which of them read an event, which became true, and which have to be looked at when.

The hot path of every event is `RuleSet.edges`: a search in each column of the facts that matter, and bit operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from router.core.rules import index, predicates
from router.core.rules.index import Allows, Next, bits
from router.core.rules.model import (
    Action,
    All,
    Also,
    Available,
    Caps,
    Condition,
    Defaults,
    Entry,
    Mode,
    RuleFile,
)
from router.core.rules.predicate import Change, Predicate, Test, Why
from router.core.session import Session

MAX_RULES: Final = 1000
PLANS: Final = 1024  # plans remembered; a page sends a handful of mixtures, a hostile one no more than this

Due = dict[int, int]
"""When to look again: the number of a running column, or the count of columns and a rule's rank -> the moment."""


class Rule:
    """One rule, ready to run.

    `index` is its place in the file, `rank` its place by priority and `bit` that of its rank in masks; `reads` the mask
    of the event kinds that can change its answer; `timed` whether time alone can; `scope` holds "page" or "cart" if it
    speaks of the current page view or the cart. `mode` is live, shadow or off; `rollout` and `holdout` are shares.
    `rest` is what no column can answer of its condition, None if they answer it all. `gates` is no part of its truth:
    it is asked when the rule wants to act.
    """

    __slots__ = (
        "also", "bit", "caps", "change", "comparisons", "gates", "holdout", "id", "index", "mode", "patience_ms",
        "priority", "rank", "reads", "rest", "rollout", "scope", "test", "then", "timed", "valid_ms", "why",
    )  # fmt: skip

    test: Test
    change: Change
    why: Why

    def __init__(self, index_: int, entry: Entry, defaults: Defaults) -> None:
        whole = _whole(entry)
        compiled = predicates.build(whole)
        self.comparisons, rest = index.split(whole)
        self.gates = _gates(entry.when)
        self.rest: Predicate | None = predicates.build(All(tuple(rest))) if rest else None
        self.index = index_
        self.rank, self.bit = -1, 0
        self.id = entry.id
        self.priority = entry.priority
        self.mode: Mode = entry.mode
        self.rollout = entry.rollout
        self.holdout = defaults.holdout if entry.holdout is None else entry.holdout
        self.caps: Caps = entry.caps
        self.then: tuple[Action, ...] = entry.then
        self.also: tuple[Also, ...] = entry.also
        self.valid_ms = entry.valid_ms
        self.patience_ms = entry.patience_ms
        self.reads = compiled.reads
        self.timed = compiled.change is not None
        self.scope = compiled.scope
        self.test = compiled.test
        self.change = compiled.change or _never
        self.why = compiled.why

    def __repr__(self) -> str:
        return f"Rule({self.id})"


def _whole(entry: Entry) -> Condition:
    return entry.when if entry.dates is None else All((entry.dates, entry.when))


def _gates(condition: Condition) -> tuple[Available, ...]:
    """What has to be available when the rule wants to act: it stands in the condition's outermost `all`."""
    parts: tuple[object, ...] = condition.parts if isinstance(condition, All) else (condition,)
    return tuple(part for part in parts if isinstance(part, Available))


def _asked(rest: Predicate | None) -> Rest:
    return (_always, None, None) if rest is None else (rest.test, rest.change, rest.gate)


def _always(session: Session, now: int) -> bool:
    return True


def _never(session: Session, now: int) -> int | None:
    return None


Rest = tuple[Test, Change | None, Test | None]
"""What is asked rule by rule: whether it holds, when time may change that, and what time cannot change of it."""


class Fixed(NamedTuple):
    """A column that only events change, as a plan uses it."""

    members: int
    allows: Allows


class Running(NamedTuple):
    """A column that time changes as well; `number` is its key in `due`, `outside` those of its members that the plan
    leaves out: they may wait for this clock too, so they are taken for possible, and looked at when it comes.
    """

    number: int
    members: int
    outside: int
    allows: Allows
    next: Next


class Plan(NamedTuple):
    """How to look at some rules: `rules` is their mask, `rests` that of those with a rest, `timed` of those whose rest
    time can change.
    """

    rules: int
    fixed: tuple[Fixed, ...]
    running: tuple[Running, ...]
    rests: int
    timed: int


class RuleSet:
    """A site's rules. `version` is 8 hex digits of what the file says; `rules` stand in the file's order, and
    `entries` beside them as they were written.
    """

    def __init__(self, file: RuleFile) -> None:
        self.version = file.digest()
        self.entries = file.rules
        self.defaults = file.defaults
        self.site_holdout = file.site_holdout
        self.rules = tuple(Rule(place, entry, file.defaults) for place, entry in enumerate(file.rules))
        self._by_id = {rule.id: rule for rule in self.rules}
        self._ranked = _ranked(self.rules)
        self._columns = index.columns(
            (1 << len(self._ranked)) - 1,
            ((rule.rank, comparison) for rule in self._ranked for comparison in rule.comparisons),
        )
        self._rests = tuple(_asked(rule.rest) for rule in self._ranked)
        self._plans: dict[int, Plan] = {}
        self._wakes: dict[int, Plan] = {}
        self._all = self._plan(self._ranked)

    def find(self, rule_id: str) -> Rule | None:
        """The rule of this id."""
        return self._by_id.get(rule_id)

    def true(self, session: Session) -> tuple[Rule, ...]:
        """The rules that the session remembers as true, highest priority first."""
        return tuple(self._ranked[rank] for rank in bits(int.from_bytes(session.truth, "little")))

    def edges(self, session: Session, mask: int, now: int, due: Due) -> list[Rule]:
        """The rules that turned true by events of the kinds in the mask, highest priority first.

        Keeps `session.truth` and the moments in `due` up to date.
        """
        plan = self._plans.get(mask) or self._remember(self._plans, mask, self._reading(mask))
        return self._look(plan, session, now, now, due)

    def wake(self, session: Session, now: int, due: Due) -> list[Rule]:
        """The rules that turned true by time alone: looks at those whose due moment has come."""
        late = 0
        for key, moment in due.items():
            if moment <= now:
                late |= 1 << key
        if not late:
            return []
        plan = self._wakes.get(late) or self._remember(self._wakes, late, self._waiting(late))
        return self._look(plan, session, now, now, due)

    def adopt(self, session: Session, now: int, due: Due) -> None:
        """Take the session up, at attach: fill `due` anew for every timed rule.

        A session that lived under other rules adopts what is true now without firing. A moment in `due` that
        is not after `now` passed while nobody watched: the next `wake` looks at it, that much too late.
        """
        due.clear()
        known, truth = session.ruleset == self.version, session.truth
        self._look(self._all, session, now, min(now, session.newest), due)
        if known or not session.events:
            session.truth = truth if known else b""
        session.ruleset = self.version

    # --- plans -----------------------------------------------------------------------------------------------

    def _reading(self, mask: int) -> Iterable[Rule]:
        """The rules whose answer an event of a kind in the mask can change."""
        return (rule for rule in self._ranked if rule.reads & mask)

    def _waiting(self, late: int) -> Iterable[Rule]:
        """The rules whose answer time may have changed, by the numbers that `due` uses."""
        count = len(self._columns)
        ranks = late >> count
        for column in self._columns:
            if late >> column.number & 1:
                ranks |= column.members
        return (self._ranked[rank] for rank in bits(ranks))

    def _remember(self, plans: dict[int, Plan], key: int, rules: Iterable[Rule]) -> Plan:
        if len(plans) >= PLANS:
            plans.clear()
        plan = plans[key] = self._plan(rules)
        return plan

    def _plan(self, rules: Iterable[Rule]) -> Plan:
        mask = rests = timed = 0
        for rule in rules:
            mask |= rule.bit
            if rule.rest is not None:
                rests |= rule.bit
                timed |= rule.bit if rule.rest.change is not None else 0
        used = [column for column in self._columns if column.members & mask]
        fixed = tuple(Fixed(column.members, column.allows) for column in used if column.next is None)
        running = tuple(
            Running(column.number, column.members, column.members & ~mask, column.allows, column.next)
            for column in used
            if column.next is not None
        )
        return Plan(mask, fixed, running, rests, timed)

    # --- looking ---------------------------------------------------------------------------------------------

    def _look(self, plan: Plan, session: Session, now: int, since: int, due: Due) -> list[Rule]:
        """Bring the plan's rules up to date, and arm whatever time could make true, or false, after `since`."""
        alive, fixed, running, rests, timed = plan
        for members, allows in fixed:
            if alive & members:
                alive &= allows(session, now)
        true = alive
        for number, members, outside, allows, following in running:
            if true & members:
                true &= allows(session, now)
            waiting = alive & members | outside
            moment = following(session, since, waiting) if waiting else None
            if moment is not None:
                due[number] = moment
            elif number in due:
                del due[number]
        if rests and (alive & rests or due):
            true &= ~self._failing(alive & rests, timed, session, now, since, due)
        truth = session.truth
        before = int.from_bytes(truth, "little") if truth else 0
        after = before & ~plan.rules | true
        if after == before:
            return []
        session.truth = after.to_bytes((after.bit_length() + 7) // 8, "little")
        return [self._ranked[rank] for rank in bits(after & ~before)]

    def _failing(self, asked: int, timed: int, session: Session, now: int, since: int, due: Due) -> int:
        """Those of the asked rules whose rest does not hold; of the timed ones, only those that time can change stay in
        `due`.
        """
        rests, count, failing = self._rests, len(self._columns), 0
        while asked:
            bit = asked & -asked
            asked ^= bit
            rank = bit.bit_length() - 1
            test, change, gate = rests[rank]
            if gate is not None and not gate(session, now):
                failing |= bit
                continue
            if not test(session, now):
                failing |= bit
            if change is not None and (moment := change(session, since)) is not None:
                due[count + rank] = moment
                timed ^= bit
        if due and timed:
            for key in [key for key in due if key >= count and timed >> key - count & 1]:
                del due[key]
        return failing


def _ranked(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that run, highest priority first, ties as written; each learns its rank."""
    ranked = tuple(sorted((rule for rule in rules if rule.mode != "off"), key=lambda rule: -rule.priority))
    for rank, rule in enumerate(ranked):
        rule.rank, rule.bit = rank, 1 << rank
    return ranked
