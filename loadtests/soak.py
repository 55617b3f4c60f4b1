"""Five minutes with two thousand open sockets: does memory stay flat, does anything leak? `python -m loadtests.soak`.

First every session is filled to its bounds, as fast as it goes; that is the warm-up. Then each page sends an event
every few seconds, and some shoppers turn pages all the time, so sockets come and go. Each few seconds the service's
memory, tasks and open files are read. At last everybody leaves, and no socket, task or file may be left. Exit status
1 if a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from redis import Redis
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from loadtests import client, mix, servers, turns
from loadtests.client import Crowd
from loadtests.servers import Server, on_core
from loadtests.turns import Tabs
from loadtests.watched import Watch
from router.store.embedded import Embedded

QUIET_S: Final = (
    8.0  # each page sends an event this often: well before the service asks whether it is still there
)
LAPS: Final = 2
WARM_RATE: Final = 8000.0
TURNING: Final = 64
TURNS_A_SECOND: Final = 40.0
SAMPLE_S: Final = 5.0
GROWTH: Final = 0.03
POOL: Final = 32  # connections to the store that the service may keep beside the hot path
SPARE_TASKS: Final = 4
SPARE_FILES: Final = 300
LEAVE_S: Final = 20.0
MIB: Final = 1024 * 1024
SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the service: seconds since the warm-up, bytes, tasks of its loop, files it holds open."""

    at_s: float
    memory: int
    store: int
    tasks: int
    files: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was found. `before` and `after`: with nobody there; `left`: sockets that the service still counted then."""

    sockets: int
    before: Sample
    samples: tuple[Sample, ...]
    after: Sample
    left: int

    def ends(self) -> tuple[Sequence[Sample], Sequence[Sample]]:
        """The first and the last quarter of the samples, at least one each."""
        size = max(1, len(self.samples) // 4)
        return self.samples[:size], self.samples[-size:]

    @property
    def growth(self) -> float:
        """By which share the service's memory grew, from the first quarter to the last: medians."""
        first, last = (median(sample.memory for sample in part) for part in self.ends())
        return last / first - 1

    def faults(self) -> list[str]:
        """Sentences, none if all is well."""
        first, last = self.ends()
        more = max(sample.tasks for sample in last) - max(sample.tasks for sample in first)
        files = max(sample.files for sample in last) - max(sample.files for sample in first)
        checks = (
            (self.growth <= GROWTH, f"the service's memory grew by {self.growth:.1%}, over {GROWTH:.0%}"),
            (more <= SPARE_TASKS, f"the service has {more} tasks more than in the beginning"),
            (files <= POOL, f"the service holds {files} files more than in the beginning"),
            (not self.left, f"the service still counts {self.left} sockets though all are closed"),
            (
                self.after.tasks <= self.before.tasks + SPARE_TASKS,
                f"{self.after.tasks} tasks are left of {self.before.tasks} before",
            ),
            (
                self.after.files <= self.before.files + POOL,
                f"{self.after.files} files are open, {self.before.files} before",
            ),
        )
        return [fault for holds, fault in checks if not holds]


class Soak:
    """A service of its own, and the crowd at it."""

    def __init__(self, server: Server, watch: Watch, redis: Redis, sockets: int, progress: Progress) -> None:
        self.server = server
        self.watch = watch
        self.redis = redis
        self.sockets = sockets
        self.progress = progress
        self._begin = time.perf_counter()

    def run(self, seconds: float) -> Soaked:
        """Warm up, soak, leave."""
        self._one_turn()
        before = self._look()
        bar = self.progress.add_task("filling sessions", total=None)
        with ExitStack() as stack:
            crowd = stack.enter_context(client.crowd(client.shopper, self.server.address, self.sockets, 1))
            tabs = stack.enter_context(
                Tabs([turns.shopper(self.server.address, number) for number in range(TURNING)])
            )
            tabs.once(TURNING, tuple)
            crowd.pace(WARM_RATE, self.sockets * mix.EVENTS * LAPS / WARM_RATE)
            samples = self._soak(crowd, tabs, seconds, bar)
        return Soaked(self.sockets, before, samples, *self._left())

    def _one_turn(self) -> None:
        """What the service imports and keeps at the first shopper is no growth."""
        with Tabs([turns.shopper(self.server.address, 0)]) as tabs:
            tabs.once(1, tuple)
        time.sleep(1.0)

    def _soak(self, crowd: Crowd, tabs: Tabs, seconds: float, bar: TaskID) -> tuple[Sample, ...]:
        samples: list[Sample] = []
        self._begin = time.perf_counter()
        self.progress.update(bar, description="soaking", total=seconds)
        while not samples or samples[-1].at_s < seconds:
            crowd.pace(self.sockets / QUIET_S, min(SAMPLE_S, seconds / 8) * 0.8)
            tabs.pace(TURNS_A_SECOND, min(SAMPLE_S, seconds / 8) * 0.2, tuple)
            samples.append(self._look())
            self.progress.update(bar, completed=samples[-1].at_s)
        return tuple(samples)

    def _look(self) -> Sample:
        return Sample(
            time.perf_counter() - self._begin,
            servers.memory_bytes(self.server.pid),
            int(self.redis.info("memory")["used_memory"]),
            self.watch.tasks(),
            len(list(Path(f"/proc/{self.server.pid}/fd").iterdir())),
        )

    def _left(self) -> tuple[Sample, int]:
        """When everybody has left: a last look, and how many sockets the service still counts."""
        deadline = time.perf_counter() + LEAVE_S
        while (left := self._counted()) and time.perf_counter() < deadline:
            time.sleep(0.2)
        time.sleep(1.0)
        return self._look(), left

    def _counted(self) -> int:
        with urllib.request.urlopen(f"http://{self.server.address}/readyz", timeout=10) as answer:
            return int(json.load(answer)["sockets"])


def soak(sockets: int, seconds: float, progress: Progress) -> Soaked:
    """Start a service on a core of its own with a store beside, and soak it."""
    sockets = min(sockets, servers.allow_files(sockets + SPARE_FILES) - SPARE_FILES)
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-soak-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        redis = stack.enter_context(Redis.from_url(store.url))
        watch = Watch(folder / "watched")
        variables = watch.variables | {
            "ROUTER_BEHAVIOUR_MB": "1"
        }  # so that it is full before the soak begins
        with on_core(mine):
            server = stack.enter_context(
                servers.service(folder / "data", store.url, program="loadtests.watched", **variables)
            )
        return Soak(server, watch, redis, sockets, progress).run(seconds)


def table(found: Soaked) -> Table:
    """Some of the samples for a reader."""
    shown = Table("s", "service MiB", "store MiB", "tasks", "files", title=f"{found.sockets:,} open sockets")
    step = max(1, len(found.samples) // SHOWN)
    for name, sample in (
        ("before", found.before),
        *((f"{sample.at_s:.0f}", sample) for sample in found.samples[::step]),
        ("after", found.after),
    ):
        shown.add_row(
            name,
            f"{sample.memory / MIB:.1f}",
            f"{sample.store / MIB:.1f}",
            str(sample.tasks),
            str(sample.files),
        )
    return shown


def main(words: list[str]) -> int:
    """The table and the checks; 1 if one of them fails."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.soak", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--sockets", type=int, default=2000, help="open at a time (2000)")
    parser.add_argument("--seconds", type=float, default=300, help="how long after the warm-up (300)")
    chosen = parser.parse_args(words)
    with Progress(transient=True) as progress:
        found = soak(chosen.sockets, chosen.seconds, progress)
    Console().print(table(found))
    faults = found.faults()
    for fault in faults:
        print(f"FAILED: {fault}")
    if not faults:
        print(
            f"ok: memory grew by {found.growth:.1%} in {found.samples[-1].at_s:.0f} s after the warm-up, "
            "no socket, task or file was left"
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
