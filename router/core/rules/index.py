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
from router.core.rules.model import All, AnyOf, Available, Compare, Condition, Not, Silence
from router.core.rules.predicate import OPPOSITE
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
    comparisons: list[Comparison] = []
    rest: list[Condition] = []
    for leaf, holds in _leaves(condition, True):
        found = _comparison(leaf, holds)
        if found is not None:
            comparisons.append(found)
        elif not isinstance(leaf, Available):
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
    """All comparisons with one fact: the `number`th column; `members` are the rules that have any.

    `allows(session, now)` gives the rules all of whose comparisons with this fact hold, and those that have none.
    `next(session, now, alive)` gives the next moment after now at which time changes a comparison of one of the rules
    `alive`; it is None for a fact that does not run by itself. Both are closures: they are called for every event.
    """

    __slots__ = ("allows", "members", "next", "number")

    def __init__(self, number: int, everyone: int, comparisons: dict[int, list[Comparison]]) -> None:
        """`comparisons` by rank; `everyone` is the mask of all rules."""
        first = next(iter(comparisons.values()))[0]
        self.number = number
        self.members = _mask(comparisons)
        others = everyone & ~self.members
        by_value = _by_value(comparisons)
        if all(_is_number(value) for value in by_value):
            self.allows = _search(first.read, sorted(by_value), _swept(others, comparisons, by_value), others)
        else:
            named = {value: others | _allowed(comparisons, value) for value in by_value}
            self.allows = _lookup(first.read, named, others | _allowed(comparisons, _Unnamed()), others)
        self.next = None if first.zero is None else _turning(first.zero, *_turns(comparisons))


Allows = Callable[[Session, int], int]
Next = Callable[[Session, int, int], int | None]


def _search(read: Read, marks: list[Any], masks: list[int], others: int) -> Allows:
    """For numbers: `masks` are those below the first mark, at it, above it, at the second, ..."""
    count = len(marks)

    def allows(session: Session, now: int) -> int:
        value = read(session, now)
        if value is None:
            return others
        place = bisect_left(marks, value)
        return masks[2 * place + 1 if place < count and marks[place] == value else 2 * place]

    return allows


def _lookup(read: Read, named: dict[Any, int], unnamed: int, others: int) -> Allows:
    """For words and flags."""
    masks = {**named, None: others}

    def allows(session: Session, now: int) -> int:
        return masks.get(read(session, now), unnamed)

    return allows


def _turning(zero: Zero, turns: list[int], flips: list[int]) -> Next:
    """A clock that began at zero changes the answers of the rules `flips[n]` after `turns[n]` ms."""
    count = len(turns)

    def following(session: Session, now: int, alive: int) -> int | None:
        began = zero(session)
        if began is None:
            return None
        for place in range(bisect_right(turns, now - began), count):
            if flips[place] & alive:
                return began + turns[place]
        return None

    return following


def columns(everyone: int, comparisons: Iterable[tuple[int, Comparison]]) -> tuple[Column, ...]:
    """A column for each fact that the comparisons (rank, comparison) speak of; those with most members first."""
    by_key: dict[str, dict[int, list[Comparison]]] = defaultdict(lambda: defaultdict(list))
    for rank, comparison in comparisons:
        by_key[comparison.key][rank].append(comparison)
    ordered = sorted(by_key.values(), key=len, reverse=True)
    return tuple(Column(number, everyone, found) for number, found in enumerate(ordered))


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
