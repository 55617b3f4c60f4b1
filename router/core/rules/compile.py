"""Compiled rules: which of them read an event, which became true, and which have to be looked at when.

The hot path of every event is `RuleSet.edges`: closures and bit operations, no allocation but the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router.core.rules import predicates
from router.core.rules.model import Action, All, Caps, Condition, Defaults, Entry, Mode, RuleFile
from router.core.rules.predicates import Change, Test, Why
from router.core.session import Session

MAX_RULES: Final = 64  # one bit each in `session.truth`, which is stored as an unsigned 64-bit number
READERS: Final = 1024  # masks remembered; a page sends a handful of mixtures, a hostile one no more than this

Due = dict[int, int]


class Rule:
    """One rule, ready to run.

    `index` is its place in the file and its bit in `session.truth`; `reads` the mask of the event kinds that
    can change its answer; `timed` whether time alone can; `scope` holds "page" or "cart" if it speaks of the
    current page view or the cart. `mode` is live, shadow or off; `rollout` and `holdout` are shares.
    """

    __slots__ = (
        "bit", "caps", "change", "gate", "holdout", "id", "index", "mode", "patience_ms", "priority", "reads",
        "rollout", "scope", "test", "then", "timed", "valid_ms", "why",
    )  # fmt: skip

    test: Test
    change: Change
    why: Why

    def __init__(self, index: int, entry: Entry, defaults: Defaults) -> None:
        compiled = predicates.build(_whole(entry))
        self.index = index
        self.bit = 1 << index
        self.id = entry.id
        self.priority = entry.priority
        self.mode: Mode = entry.mode
        self.rollout = entry.rollout
        self.holdout = defaults.holdout if entry.holdout is None else entry.holdout
        self.caps: Caps = entry.caps
        self.then: tuple[Action, ...] = entry.then
        self.valid_ms = entry.valid_ms
        self.patience_ms = entry.patience_ms
        self.reads = compiled.reads
        self.timed = compiled.change is not None
        self.scope = compiled.scope
        self.test = compiled.test
        self.change = compiled.change or _never
        self.gate = compiled.gate
        self.why = compiled.why

    def __repr__(self) -> str:
        return f"Rule({self.id})"


def _whole(entry: Entry) -> Condition:
    return entry.when if entry.dates is None else All((entry.dates, entry.when))


def _never(session: Session, now: int) -> int | None:
    return None


class RuleSet:
    """A site's rules. `version` is 8 hex digits of what the file says; `rules` stand in the file's order, and
    `entries` beside them as they were written.
    """

    def __init__(self, file: RuleFile) -> None:
        self.version = file.digest()
        self.entries = file.rules
        self.defaults = file.defaults
        self.site_holdout = file.site_holdout
        self.rules = tuple(Rule(index, entry, file.defaults) for index, entry in enumerate(file.rules))
        self._running = _by_priority(rule for rule in self.rules if rule.mode != "off")
        self._timed = tuple(rule for rule in self._running if rule.timed)
        self._by_id = {rule.id: rule for rule in self.rules}
        self._readers: dict[int, tuple[Rule, ...]] = {}

    def find(self, rule_id: str) -> Rule | None:
        """The rule of this id."""
        return self._by_id.get(rule_id)

    def reading(self, mask: int) -> tuple[Rule, ...]:
        """The rules, highest priority first, whose answer an event of a kind in the mask can change."""
        found = self._readers.get(mask)
        if found is None:
            if len(self._readers) >= READERS:
                self._readers.clear()
            found = self._readers[mask] = tuple(rule for rule in self._running if rule.reads & mask)
        return found

    def edges(self, session: Session, mask: int, now: int, due: Due) -> list[Rule]:
        """The rules that turned true by events of the kinds in the mask, highest priority first.

        Keeps `session.truth` and, for timed rules, `due` (rule's index -> its next moment) up to date.
        """
        return self._look(self._readers.get(mask) or self.reading(mask), session, now, due)

    def wake(self, session: Session, now: int, due: Due) -> list[Rule]:
        """The rules that turned true by time alone: looks at those whose due moment has come."""
        late = [index for index, moment in due.items() if moment <= now]
        if not late:
            return []
        return self._look(_by_priority(self.rules[index] for index in late), session, now, due)

    def adopt(self, session: Session, now: int, due: Due) -> None:
        """Take the session up, at attach: fill `due` anew for every timed rule.

        A session that lived under other rules adopts what is true now without firing. A moment in `due` that
        is not after `now` passed while nobody watched: the next `wake` looks at it, that much too late.
        """
        if session.ruleset != self.version:
            session.truth = self._true_now(session, now) if session.events else 0
            session.ruleset = self.version
        due.clear()
        for rule in self._timed:
            _arm(rule, session, min(now, session.newest), due)

    def _true_now(self, session: Session, now: int) -> int:
        return sum(rule.bit for rule in self._running if rule.test(session, now))

    def _look(self, rules: tuple[Rule, ...], session: Session, now: int, due: Due) -> list[Rule]:
        truth = session.truth
        fired = []
        for rule in rules:
            if rule.gate is not None and not rule.gate(session, now):
                truth &= ~rule.bit
                due.pop(rule.index, None)
                continue
            if rule.test(session, now):
                if not truth & rule.bit:
                    truth |= rule.bit
                    fired.append(rule)
            elif truth & rule.bit:
                truth ^= rule.bit
            if rule.timed:
                _arm(rule, session, now, due)
        session.truth = truth
        return fired


def _arm(rule: Rule, session: Session, now: int, due: Due) -> None:
    moment = rule.change(session, now)
    if moment is not None:
        due[rule.index] = moment
    elif rule.index in due:
        del due[rule.index]


def _by_priority(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda rule: (-rule.priority, rule.index)))
