"""What a session remembers of its way, packed into bytes.

A session is encoded at every commit. As objects its journey and what it has seen would be some two hundred, scattered
in memory, and walking over them cost more than everything else of a commit; packed, they are copied. The bytes are
changed in place: what a `bytearray` forgets at its front costs nothing, and what comes at its end makes no new copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

JOURNEY: Final = 20
LABEL_CHARS: Final = 60  # at most 240 bytes, so that a step's size fits into one
SEEN: Final = 48
SEEN_TIMES: Final = 10  # a rule may ask for so many sightings of one thing

_STEP: Final = Layout(">BBq")  # size of the whole step, kind, moment; the label follows
_SEEN: Final = Layout(">8sq")  # what was seen, moment
_STEP_BYTES: Final = _STEP.size
_SEEN_BYTES: Final = _SEEN.size
_FULL: Final = SEEN * _SEEN_BYTES


class Step(Struct, frozen=True, gc=False):
    """One step of the journey: event kind's number, moment, and a short label (path, product name, ...)."""

    kind: int
    at: int
    label: str


class Journey(Struct, array_like=True, gc=False):
    """The latest `JOURNEY` steps in the order in which they came. Iterating gives them, oldest first."""

    count: int = 0
    packed: bytearray = bytearray()

    def add(self, kind: int, at: int, label: str) -> None:
        """Another step; the oldest one is forgotten for it."""
        text = label[:LABEL_CHARS].encode()
        packed = self.packed
        if self.count < JOURNEY:
            self.count += 1
        else:
            del packed[: packed[0]]
        packed += _STEP.pack(_STEP_BYTES + len(text), kind, at) + text

    def __iter__(self) -> Iterator[Step]:
        packed, begin = self.packed, 0
        while begin < len(packed):
            size, kind, at = _STEP.unpack_from(packed, begin)
            yield Step(kind, at, packed[begin + _STEP_BYTES : begin + size].decode())
            begin += size

    def __len__(self) -> int:
        return self.count


class Sightings(Struct, array_like=True, gc=False):
    """When pages ("p:/path") and products ("i:id") were seen: the latest `SEEN` of all together."""

    packed: bytearray = bytearray()

    def add(self, what: str, at: int) -> None:
        """It was seen."""
        packed = self.packed
        if len(packed) >= _FULL:
            del packed[:_SEEN_BYTES]
        packed += _SEEN.pack(_mark(what), at)

    def times(self, what: str, least: int = 1) -> Sequence[int]:
        """The latest moments, `SEEN_TIMES` at most, at which it was seen, oldest first; none if fewer than `least`."""
        packed, mark = self.packed, _mark(what)
        if packed.count(mark) < least:
            return ()  # nearly always, and the rest would cost ten times as much
        found: list[int] = []
        begin = packed.rfind(mark)
        while begin >= 0 and len(found) < SEEN_TIMES:
            found.append(_SEEN.unpack_from(packed, begin)[1])
            begin = packed.rfind(mark, 0, begin)
        found.sort()  # a late event was seen earlier than it came
        return found

    def __len__(self) -> int:
        return len(self.packed) // _SEEN_BYTES


@lru_cache(maxsize=4096)
def _mark(what: str) -> bytes:
    """Eight bytes that stand for it, in every process and after every restart."""
    return blake2b(what.encode(), digest_size=8).digest()
