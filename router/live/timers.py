"""Silences are scheduled, not polled: each session's earliest moment stands in one heap of the process."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from typing import Final

from router.live.clock import Clock, Handle
from router.live.held import Held

SLICE_S: Final = 0.002


class Timers:
    """Calls `wake(held, now)` when a session's earliest moment has come; never before it."""

    def __init__(self, clock: Clock, wake: Callable[[Held, int], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[tuple[int, int, Held]] = []
        self._order = itertools.count()
        self._handle: Handle | None = None
        self._armed = 0

    def __len__(self) -> int:
        return len(self._heap)

    def plan(self, held: Held) -> None:
        """The session's moments changed. A later moment keeps its earlier entry, which plans again when it comes."""
        if not held.due and not held.deadline:
            return
        moment = held.wake
        if not held.armed or moment < held.armed:
            held.armed = moment
            heapq.heappush(self._heap, (moment, next(self._order), held))
            self._arm()

    def forget(self, held: Held) -> None:
        """The session is not looked at any more: its entries end as they come up."""
        held.due.clear()
        held.deadline = 0

    def stop(self) -> None:
        """Plan nothing more."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if not self._heap:
            return
        earliest = self._heap[0][0]
        if self._armed and self._armed <= earliest:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._armed = earliest
        self._handle = self._clock.call_at(earliest, self._run)

    def _run(self) -> None:
        """Wake whoever is due, for 2 ms at a stretch: when a shop opens, all its sessions are due at once."""
        self._armed, self._handle = 0, None
        now, until = self._clock.now(), time.perf_counter() + SLICE_S
        passed = now - self._clock.grain_ms  # an event's own moment was cut to the grain as well
        while self._heap and self._heap[0][0] <= passed and time.perf_counter() < until:
            moment, _, held = heapq.heappop(self._heap)
            if held.armed != moment:
                continue
            held.armed = 0
            due = held.wake
            if due and due <= now:
                self._wake(held, now)
            self.plan(held)
        self._arm()
