"""From an accepted invite to the ring at an agent's console: two ends that may be seen by two processes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests import moments


class End(msgspec.Struct, frozen=True):
    """One end of a conversation's way: `at` is a moment of `host`."""

    cid: str
    rang: bool
    at: float
    host: str = moments.HOST


class Pairs:
    """Meets the two ends of each conversation, whichever comes first; `met(seconds)` once for each."""

    def __init__(self, met: Callable[[float], None]) -> None:
        self._met = met
        self._waiting: dict[str, End] = {}
        self._done: set[str] = set()

    def saw(self, end: End) -> None:
        """One end. Ends of different machines cannot be compared; a conversation's second ring does not count."""
        if end.cid in self._done:
            return
        other = self._waiting.get(end.cid)
        if other is None or other.rang == end.rang:
            self._waiting.setdefault(end.cid, end)
            return
        del self._waiting[end.cid]
        self._done.add(end.cid)
        if other.host == end.host:
            self._met(abs(end.at - other.at))
