"""The conversations that a console shows as its agent's, and for how long each was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadtests.ledger import Held


class Holding:
    """One console's. `record` gets each `Held` when it ends; `clock` is in seconds since the epoch."""

    def __init__(self, login: str, record: Callable[[Held], None], clock: Callable[[], float]) -> None:
        self._login = login
        self._record = record
        self._clock = clock
        self._mine: dict[str, Held] = {}

    def changed(self, conversation: dict[str, Any]) -> None:
        """What a frame says of a conversation."""
        cid = conversation["cid"]
        if conversation["agent"] != self._login or conversation["state"] == "closed":
            self.lost(cid)
        elif cid not in self._mine:
            self._mine[cid] = Held(cid, self._login, self._clock(), 0.0)

    def lost(self, cid: str) -> None:
        """It is not this agent's any more, or the ring is over."""
        held = self._mine.pop(cid, None)
        if held is not None:
            held.until = self._clock()
            self._record(held)

    def clear(self) -> None:
        """The console is closed."""
        for cid in list(self._mine):
            self.lost(cid)
