"""Where the service's time goes: a profile of it under a load, taken when a goal was missed.

A service of its own is loaded as it was in the bench while a sampler within notes which function runs (`watched`).
The share of the kernel is that of the process's system time. A profile costs a few per cent itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtests import client, servers, turns
from loadtests.client import Measured
from loadtests.contest import FIVE, HALF, ONE, Pace
from loadtests.servers import Server, on_core
from loadtests.watched import Watch
from router.store.embedded import Embedded

SHOWN: Final = 14
SECONDS: Final = 4.0
PACE: Final = Pace(1, SECONDS, 512)


@dataclass(frozen=True, slots=True)
class Profile:
    """What ran under a load: samples by "file:function", the most first, and the kernel's share of the CPU time."""

    load: str
    samples: tuple[tuple[str, int], ...]
    kernel: float

    @property
    def total(self) -> int:
        """All samples."""
        return sum(count for _, count in self.samples)

    def files(self) -> dict[str, float]:
        """Each file's share, the most first."""
        found: dict[str, int] = {}
        for name, count in self.samples:
            file = name.partition(":")[0]
            found[file] = found.get(file, 0) + count
        return {file: count / self.total for file, count in sorted(found.items(), key=lambda each: -each[1])}


def measure(loads: list[str], rate: float) -> list[Profile]:
    """A profile under each of these loads (`ONE`, `FIVE`, `HALF` at this rate, or page changes, by name)."""
    with _service() as (server, watch):
        return [_profiled(server, watch, name, rate) for name in loads]


@contextmanager
def _service() -> Iterator[tuple[Server, Watch]]:
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-where-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        watch = Watch(folder / "watched")
        with on_core(mine):
            server = stack.enter_context(
                servers.service(folder / "data", store.url, program="loadtests.watched", **watch.variables)
            )
        yield server, watch


def _profiled(server: Server, watch: Watch, name: str, rate: float) -> Profile:
    with _load(server, name, rate) as load:
        watch.profile(True)
        before = _times(server.pid)
        load()
        user, kernel = (now - old for now, old in zip(_times(server.pid), before, strict=True))
        watch.profile(False)
    samples = sorted(watch.samples().items(), key=lambda each: -each[1])
    return Profile(name, tuple(samples), kernel / (user + kernel))


@contextmanager
def _load(server: Server, name: str, rate: float) -> Iterator[Callable[[], Measured]]:
    """The load of this name, ready to go."""
    if name == turns.LOAD.name:
        made = [turns.shopper(server.address, number) for number in range(turns.TABS)]
        with turns.Tabs(made) as tabs:
            yield lambda: tabs.flood(PACE.active, PACE.seconds, tuple)
        return
    load = {each.name: each for each in (ONE, FIVE, HALF)}[name]
    with client.crowd(client.shopper, server.address, PACE.sockets, load.per_frame) as crowd:
        if load is HALF:
            yield lambda: crowd.pace(rate, PACE.seconds)
        else:
            yield lambda: crowd.flood(PACE.active, load.window, PACE.seconds)


def _times(pid: int) -> tuple[float, float]:
    """A process's time so far: (user, system)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])
    return user, system


def table(profile: Profile) -> str:
    """The profile for a reader."""
    if not profile.total:
        return f"where the time goes, {profile.load}: no samples"
    files = ", ".join(f"{file} {share:.0%}" for file, share in list(profile.files().items())[:SHOWN])
    lines = [f"where the time goes, {profile.load}: the kernel {profile.kernel:.0%}; by file: {files}"]
    lines += [f"  {count / profile.total:6.1%}  {name}" for name, count in profile.samples[:SHOWN]]
    return "\n".join(lines)
