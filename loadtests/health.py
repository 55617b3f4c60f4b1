"""Whether the load generator itself kept up: a generator that is late measures itself, not the service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from loadtests import moments
from loadtests.latency import Latencies

LAG_LIMIT_MS: Final = 5.0  # at p99: as much again as a good answer takes
CPU_LIMIT: Final = 0.8  # above it greenlets wait for each other
PULSE_S: Final = 0.01


class Report(msgspec.Struct, frozen=True):
    """One process: how late it woke at p99 (ms), of how many wakes, and its share of one core."""

    source: str
    lag_p99_ms: float
    wakes: int
    cpu: float

    def faults(self) -> Iterator[str]:
        """Why its figures do not count, if so."""
        if self.lag_p99_ms > LAG_LIMIT_MS:
            yield f"generator {self.source} was {self.lag_p99_ms:.1f} ms late at p99, over {LAG_LIMIT_MS:.0f}"
        if self.cpu > CPU_LIMIT:
            yield f"generator {self.source} used {self.cpu:.0%} of its core, over {CPU_LIMIT:.0%}"
        if not self.wakes:
            yield f"generator {self.source} did not watch itself"


class Health:
    """What one process notes of itself. `clock` and `cpu` are in seconds."""

    def __init__(
        self, clock: Callable[[], float] = moments.now, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._cpu = cpu
        self.begin()

    def begin(self) -> None:
        """From now on; what was before is forgotten."""
        self._lags = Latencies()
        self._began, self._used = self._clock(), self._cpu()
        self._ended: tuple[float, float] | None = None

    def end(self) -> None:
        """The load is over: what comes now does not count."""
        self._ended = self._clock(), self._cpu()

    def woke(self, due: float) -> None:
        """Something that waited for the moment `due` goes on now."""
        self._lags.record("lag", (self._clock() - due) * 1000)

    def report(self, source: str) -> Report:
        """Everything from `begin` to `end`, or until now."""
        at, used = self._ended or (self._clock(), self._cpu())
        share = (used - self._used) / max(1e-9, at - self._began)
        for row in self._lags.rows():
            return Report(source, row.ms["p99"], row.count, share)
        return Report(source, 0.0, 0, share)
