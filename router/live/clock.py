"""Time as an argument: the wall's clock in service, a driven one in replay and tests. Milliseconds since the epoch."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Protocol


class Handle(Protocol):
    """Something planned that can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless if it ran."""


class Clock(Protocol):
    """What the service knows of time. `grain_ms`: it may be as much later than it says, and no more."""

    grain_ms: int

    def now(self) -> int:
        """The moment it is."""

    def timestamp_for_scripts(self) -> int:
        """What scripts get as `now_ms`: 0 lets them use the server's own TIME."""

    def call_at(self, moment: int, callback: Callable[[], None]) -> Handle:
        """Run `callback` at `moment` or as soon after as can be; never before."""


class WallClock:
    """The real time."""

    grain_ms = 1

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> int:
        """The moment it is."""
        return time.time_ns() // 1_000_000

    def timestamp_for_scripts(self) -> int:
        """0: scripts use the store's own time, which all processes share."""
        return 0

    def call_at(self, moment: int, callback: Callable[[], None]) -> Handle:
        """Run `callback` at `moment`; the loop's timers count whole milliseconds, so one is added."""
        return self._loop.call_later(max(0, moment - self.now() + self.grain_ms) / 1000, callback)


class DrivenClock:
    """A clock that stands still until it is moved; what was planned runs in order at its own moment."""

    grain_ms = 0

    def __init__(self, start: int) -> None:
        self._now = start
        self._planned: list[tuple[int, int, _Planned]] = []
        self._order = itertools.count()

    def now(self) -> int:
        """The moment it was moved to."""
        return self._now

    def timestamp_for_scripts(self) -> int:
        """The driven moment itself: the store's own time means nothing here."""
        return self._now

    def call_at(self, moment: int, callback: Callable[[], None]) -> Handle:
        """Run `callback` when the clock is moved to `moment` or past it."""
        planned = _Planned(callback)
        heapq.heappush(self._planned, (moment, next(self._order), planned))
        return planned

    def next_due(self) -> int | None:
        """The earliest moment at which something is planned."""
        while self._planned and self._planned[0][2].callback is None:
            heapq.heappop(self._planned)
        return self._planned[0][0] if self._planned else None

    async def advance(self, moment: int, settled: Callable[[], Awaitable[None]]) -> None:
        """Move to `moment`, stopping at everything planned on the way; `settled` waits until its effects are done."""
        while (due := self.next_due()) is not None and due <= moment:
            self._now = max(self._now, due)
            callback = heapq.heappop(self._planned)[2].take()
            if callback is not None:
                callback()
                await settled()
        self._now = max(self._now, moment)


class _Planned:
    """A callback until it is taken or cancelled."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def take(self) -> Callable[[], None] | None:
        callback, self.callback = self.callback, None
        return callback

    def cancel(self) -> None:
        self.callback = None
