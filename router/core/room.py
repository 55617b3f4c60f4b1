"""Who waits and who is there, as consoles show it, and who could take whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

BEST: Final = 5  # skill levels go from 1 to this
UNSAID: Final = 3  # a skill without a level


def level(queues: Iterable[str], skills: Iterable[str], sig: str) -> int:
    """How well an agent fits a signature: the lowest of their levels in what it asks for, BEST if it asks for nothing;
    0: they do not. `skills` with their levels, as `gold:4`. Says the same as `fits` in the scripts.
    """
    wanted, _, asked = sig.partition("|")
    if not set(wanted.split("+")) & set(queues):
        return 0
    mine = {name: int(known or UNSAID) for name, _, known in (one.partition(":") for one in skills)}
    lowest = BEST
    for name, _, least in (one.partition(":") for one in asked.split(",") if one):
        if mine.get(name, 0) < int(least or 1):
            return 0
        lowest = min(lowest, mine[name])
    return lowest


class Waiter(Struct, frozen=True, kw_only=True):
    """A conversation that waits: `place` is its place in line (ms), `opened` when it began; `card` as JSON."""

    cid: str
    sig: str
    queue: str
    opened: int
    place: int
    step: int
    language: str
    card: str


class Colleague(Struct, frozen=True, kw_only=True):
    """An agent as the others see them; `skills` with levels, `there`: has a socket open, `talks`: the conversations in
    their slots.
    """

    login: str
    name: str
    presence: str
    reason: str
    load: int
    capacity: int
    there: bool
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    talks: tuple[str, ...] = ()
