"""One process's part of a crowd: who is there, what they did, what was measured, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gevent.event import Event

from loadtests import moments
from loadtests.health import PULSE_S, Health
from loadtests.latency import Latencies
from loadtests.ledger import Ledger
from loadtests.pairs import End

if TYPE_CHECKING:
    from loadtests.visit import Visit


class Crowd:
    """`stopping`: shoppers come to their end. `closed`: agents too. `saw`: gets the two ends of an invite's way to
    its ring.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.saw: Callable[[End], None] = self.ledger.ends.append
        self.latencies = Latencies()
        self.health = Health()
        self.visits: set[Visit] = set()
        self.stopping = Event()
        self.closed = Event()

    def begin(self) -> None:
        """A run begins: what was before is forgotten."""
        self.ledger.take()
        self.latencies.take()
        self.health.begin()
        self.visits.clear()
        self.stopping.clear()
        self.closed.clear()

    def end(self) -> None:
        """Nobody goes on."""
        self.stopping.set()
        self.closed.set()

    def until(self, due: float) -> bool:
        """Wait for a moment; whether the run goes on. Waking up late is the generator's own fault, and noted."""
        left = due - moments.now()
        if left <= 0:
            return not self.stopping.is_set()
        if self.stopping.wait(timeout=left):
            return False
        self.health.woke(due)
        return True

    def pause(self, seconds: float) -> bool:
        """Wait; whether the run goes on."""
        return self.until(moments.now() + seconds)

    def pulse(self) -> None:
        """Look at the generator's own lateness while shoppers come."""
        while self.until(moments.now() + PULSE_S):
            pass
        self.health.end()
