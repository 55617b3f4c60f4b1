"""Many rules at once: for each fact a table that says which rules a value of it allows.

A rule is split into its comparisons, each of a fact with a fixed value, and a rest that has to be asked rule by rule.
The comparisons of all rules with one fact make a column: their values, sorted, and between them masks of the rules that
are still possible. One search in a column answers for a thousand rules as fast as for ten. Bit `n` of a mask stands for
the rule of rank `n`.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from router.core import facts
from router.core.facts import FACTS, Zero
from router.core.rules.model import All, AnyOf, Compare, Condition, Not, Silence
from router.core.rules.predicates import OPPOSITE
from router.core.session import Session

Read = Callable[[Session, int], Any]
Leaf = tuple[Condition, bool]  # a condition and whether it has to hold, or to be false

_HOLDS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq, "ne": operator.ne, "gte": operator.ge, "gt": operator.gt, "lte": operator.le,
    "lt": operator.lt, "in": lambda value, wanted: value in wanted, "not_in": lambda value, wanted: value not in wanted,
}  # fmt: skip


def bits(mask: int) -> Iterator[int]:
    """The ranks in a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


# --- taking rules apart --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fact called `key` compared by `op` with `value`. `zero` is None for a fact that does not run by itself."""

    key: str
    read: Read
    zero: Zero | None
    op: str
    value: Any


def split(condition: Condition) -> tuple[list[Comparison], list[Condition]]:
    """What columns can answer of a condition, and the rest; all of both have to hold."""
    comparisons, rest = [], []
    for leaf, holds in _leaves(condition, True):
        found = _comparison(leaf, holds)
        if found is not None:
            comparisons.append(found)
        else:
            rest.append(leaf if holds else Not(leaf))
    return comparisons, rest


def _leaves(condition: Condition, holds: bool) -> Iterator[Leaf]:
    match condition:
        case Not():
            yield from _leaves(condition.part, not holds)
        case All() if holds:
            for part in condition.parts:
                yield from _leaves(part, True)
        case AnyOf() if not holds:
            for part in condition.parts:
                yield from _leaves(part, False)
        case _:
            yield condition, holds


def _comparison(leaf: Condition, holds: bool) -> Comparison | None:
    match leaf:
        case Compare():
            fact = FACTS[leaf.fact]
            op = leaf.op if holds else OPPOSITE[leaf.op]
            return Comparison(leaf.fact, fact.read, fact.zero, op, leaf.value)
        case Silence():
            elapsed, zero, _ = facts.silence(leaf.of, leaf.since, leaf.clock)
            key = f"silence {leaf.of} {leaf.since} {leaf.clock}"
            return Comparison(key, elapsed, zero, "gte" if holds else "lt", leaf.for_ms)
    return None


# --- columns -------------------------------------------------------------------------------------------------


class Column:
    """All comparisons with one fact. `members`: the rules that have any; `running`: whether time alone changes it."""

    __slots__ = (
        "_flips",
        "_marks",
        "_masks",
        "_named",
        "_others",
        "_turns",
        "index",
        "members",
        "read",
        "zero",
    )

    def __init__(self, index: int, everyone: int, comparisons: dict[int, list[Comparison]]) -> None:
        """`comparisons` by rank; `everyone` is the mask of all rules, those without a comparison are always allowed."""
        first = next(iter(comparisons.values()))[0]
        self.index = index
        self.read, self.zero = first.read, first.zero
        self.members = _mask(comparisons)
        self._others = everyone & ~self.members
        by_value = _by_value(comparisons)
        self._named: dict[Any, int] | None = None
        self._marks: list[Any] = []
        self._turns, self._flips = _turns(comparisons) if self.running else ([], [])
        if all(_is_number(value) for value in by_value):
            self._marks = sorted(by_value)
            self._masks = _swept(self._others, comparisons, by_value)
        else:
            self._named = {value: self._others | _allowed(comparisons, value) for value in by_value}
            self._masks = [self._others | _allowed(comparisons, _Unnamed())]

    @property
    def running(self) -> bool:
        """Whether the fact is a clock."""
        return self.zero is not None

    def allows(self, session: Session, now: int) -> int:
        """The rules all of whose comparisons with this fact hold, and those that have none."""
        value = self.read(session, now)
        if value is None:
            return self._others
        named = self._named
        if named is not None:
            return named.get(value, self._masks[0])
        marks = self._marks
        place = bisect_left(marks, value)
        return self._masks[2 * place + (place < len(marks) and marks[place] == value)]

    def next(self, session: Session, now: int, alive: int) -> int | None:
        """The next moment after now at which time changes a comparison of one of the rules `alive`."""
        assert self.zero is not None
        zero = self.zero(session)
        if zero is None:
            return None
        turns, flips = self._turns, self._flips
        for place in range(bisect_right(turns, now - zero), len(turns)):
            if flips[place] & alive:
                return zero + turns[place]
        return None


def columns(everyone: int, comparisons: Iterable[tuple[int, Comparison]]) -> tuple[Column, ...]:
    """A column for each fact that the comparisons (rank, comparison) speak of; those with most members first."""
    by_key: dict[str, dict[int, list[Comparison]]] = defaultdict(lambda: defaultdict(list))
    for rank, comparison in comparisons:
        by_key[comparison.key][rank].append(comparison)
    ordered = sorted(by_key.values(), key=len, reverse=True)
    return tuple(Column(index, everyone, found) for index, found in enumerate(ordered))


class _Unnamed:
    """Stands for any value that no rule names."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mask(ranks: Iterable[int]) -> int:
    mask = 0
    for rank in ranks:
        mask |= 1 << rank
    return mask


def _by_value(comparisons: dict[int, list[Comparison]]) -> dict[Any, set[int]]:
    """The ranks that name each value."""
    found: dict[Any, set[int]] = defaultdict(set)
    for rank, own in comparisons.items():
        for one in own:
            for value in one.value if isinstance(one.value, tuple) else (one.value,):
                found[value].add(rank)
    return found


def _allowed(comparisons: dict[int, list[Comparison]], value: Any, among: Iterable[int] | None = None) -> int:
    """The ranks, all or `among` some, whose every comparison holds for the value."""
    ranks = comparisons if among is None else among
    return _mask(rank for rank in ranks if all(_HOLDS[one.op](value, one.value) for one in comparisons[rank]))


def _swept(others: int, comparisons: dict[int, list[Comparison]], by_value: dict[Any, set[int]]) -> list[int]:
    """Masks from left to right: below the first mark, at it, above it, at the second, ...

    From one to the next only the rules that name the mark can change.
    """
    marks = sorted(by_value)
    mask = others | _allowed(comparisons, marks[0] - 1)
    masks = [mask]
    for mark, following in zip(marks, [*marks[1:], marks[-1] + 2], strict=True):
        touched = by_value[mark]
        kept = ~_mask(touched)
        for value in (mark, (mark + following) / 2):
            mask = mask & kept | _allowed(comparisons, value, touched)
            masks.append(mask)
    return masks


def _turns(comparisons: dict[int, list[Comparison]]) -> tuple[list[int], list[int]]:
    """When a clock that began at zero changes answers, in order, and which rules' it changes."""
    flips: dict[int, int] = defaultdict(int)
    for rank, own in comparisons.items():
        for one in own:
            flips[one.value + (one.op in ("gt", "lte"))] |= 1 << rank
    turns = sorted(flips)
    return turns, [flips[turn] for turn in turns]
