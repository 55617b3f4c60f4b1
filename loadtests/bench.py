"""How fast the complete service is beside a bare echo: `python -m loadtests.bench` (or `make bench`).

The server under test has one core for itself; its Valkey and the load client share the other. Rounds of the service
and of the echo alternate, so whatever else the machine does meets both; medians and spread are shown.
`docs/bench.md` says what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from loadtests import client, due, rules, servers
from loadtests.client import Crowd, Measured
from loadtests.servers import Server, cpu_seconds, on_core
from router.store.embedded import Embedded

RESULTS: Final = Path(__file__).parent / "results"
ACTIVE: Final = 64
BUSY: Final = 0.9  # a core that is used to this share is the limit
GOAL: Final = 0.35


Figures = dict[str, float | bool | str]


@dataclass(frozen=True, slots=True)
class Load:
    """One way of loading a server. `window` frames in flight a socket; 0: half the service's rate, open loop."""

    name: str
    per_frame: int
    window: int


SINGLE: Final = Load("1 event a frame, 1 in flight", 1, 1)
ONE: Final = Load("1 event a frame, 8 in flight", 1, 8)
FIVE: Final = Load("5 events a frame, 8 in flight", 5, 8)
HALF: Final = Load("1 event a frame, half the rate", 1, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it all takes. `events`: how many the cost of rules is measured with, a round."""

    rounds: int
    seconds: float
    sockets: int
    events: int
    waiting: due.Waiting


FULL: Final = Plan(rounds=3, seconds=1.5, sockets=512, events=5000, waiting=due.FULL)
QUICK: Final = Plan(rounds=1, seconds=0.5, sockets=64, events=200, waiting=due.QUICK)


@dataclass(frozen=True, slots=True)
class Round:
    """One round's figures. Shares are of one core."""

    frames_per_s: float
    cpu_us: float
    server_share: float
    client_share: float
    store_share: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The rounds of both under one load."""

    load: Load
    service: tuple[Round, ...]
    echo: tuple[Round, ...]

    def middle(self, read: Callable[[Round], float]) -> tuple[float, float]:
        """The median of a figure: (service, echo)."""
        return median(map(read, self.service)), median(map(read, self.echo))

    @property
    def rate_ratio(self) -> float:
        """Frames a second, service to echo."""
        service, echo = self.middle(lambda r: r.frames_per_s)
        return service / echo

    @property
    def cpu_ratio(self) -> float:
        """Frames a CPU second of the server, service to echo."""
        service, echo = self.middle(lambda r: r.cpu_us)
        return echo / service

    @property
    def server_bound(self) -> bool:
        """Whether the server's core was the limit in both: only then rates can be compared."""
        return min(self.middle(lambda r: r.server_share)) >= BUSY

    @property
    def ratio(self) -> float:
        """Of rates where the servers were the limit, else of CPU times."""
        return self.rate_ratio if self.server_bound else self.cpu_ratio


class Bench:
    """Both servers, started, and the way to measure a round of either."""

    def __init__(self, plan: Plan, service: Server, echo: Server, store_pid: int) -> None:
        self.plan = plan
        self.service = service
        self.echo = echo
        self._store_pid = store_pid

    def pair(self, load: Load, rate: float = 0.0) -> Pair:
        """A B A B ...: the service and the echo in turn."""
        rounds = [
            (
                self._round(self.service, client.shopper, load, rate),
                self._round(self.echo, client.echoed, load, rate),
            )
            for _ in range(self.plan.rounds)
        ]
        return Pair(load, tuple(ours for ours, _ in rounds), tuple(bare for _, bare in rounds))

    def _round(self, server: Server, opener: client.Opener, load: Load, rate: float) -> Round:
        with client.crowd(opener, server.address, self.plan.sockets, load.per_frame) as crowd:
            used, stored = server.cpu, cpu_seconds(self._store_pid)
            measured = self._run(crowd, load, rate)
            used, stored = server.cpu - used, cpu_seconds(self._store_pid) - stored
        seconds = measured.seconds
        return Round(
            measured.rate,
            used / measured.frames * 1e6,
            used / seconds,
            measured.cpu_s / seconds,
            stored / seconds,
            measured.percentile_ms(0.5),
            measured.percentile_ms(0.99),
        )

    def _run(self, crowd: Crowd, load: Load, rate: float) -> Measured:
        if load.window:
            return crowd.flood(min(ACTIVE, self.plan.sockets), load.window, self.plan.seconds)
        return crowd.pace(rate, self.plan.seconds)


@contextmanager
def started(plan: Plan) -> Iterator[Bench]:
    """A service with a store of its own and an echo, each on the server's core; this process on the other."""
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-bench-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        with on_core(mine):
            service = stack.enter_context(servers.service(folder / "data", store.url))
            echo = stack.enter_context(servers.echo())
        yield Bench(plan, service, echo, store.process.pid)


def measure(plan: Plan) -> list[Pair]:
    """All loads, one after another. The last one runs at half the rate that the service reached with one in flight."""
    with started(plan) as bench:
        pairs = [bench.pair(load) for load in (ONE, FIVE, SINGLE)]
        half = pairs[-1].middle(lambda r: r.frames_per_s)[0] / 2
        return [*pairs, bench.pair(HALF, half)]


# --- telling ---------------------------------------------------------------------------------------------------


def table(pairs: list[Pair]) -> str:
    """The figures for a reader: medians, in brackets the smallest and the largest."""
    columns = f"{'frames/s':>24}{'CPU us/frame':>20}{'p50 ms':>9}{'p99 ms':>9}{'server':>8}{'client':>8}{'store':>7}"
    lines = [" " * 34 + columns]
    for pair in pairs:
        lines.append(pair.load.name)
        lines += [_row("service", pair.service), _row("echo", pair.echo)]
        basis = "rates" if pair.server_bound else "CPU times: a server was not the limit"
        lines.append(
            f"  ratio {pair.ratio:.2f} ({basis}); of rates {pair.rate_ratio:.2f}, of CPU {pair.cpu_ratio:.2f}"
        )
    return "\n".join(lines)


def _row(name: str, rounds: tuple[Round, ...]) -> str:
    def spread(read: Callable[[Round], float], digits: int) -> str:
        values = sorted(map(read, rounds))
        return f"{median(values):,.{digits}f} ({values[0]:,.{digits}f}-{values[-1]:,.{digits}f})"

    def share(read: Callable[[Round], float]) -> str:
        return f"{median(map(read, rounds)):.0%}"

    return (
        f"  {name:32}{spread(lambda r: r.frames_per_s, 0):>24}{spread(lambda r: r.cpu_us, 1):>20}"
        f"{median(r.p50_ms for r in rounds):>9.2f}{median(r.p99_ms for r in rounds):>9.2f}"
        f"{share(lambda r: r.server_share):>8}{share(lambda r: r.client_share):>8}{share(lambda r: r.store_share):>7}"
    )


def summary(pairs: list[Pair]) -> Figures:
    """The figures for a machine, each a ratio where it is a time."""
    one, five, single, half = pairs
    return {
        "ratio_to_echo": round(one.ratio, 3),
        "ratio_to_echo_5": round(five.ratio, 3),
        "ratio_to_echo_single": round(single.ratio, 3),
        "cpu_ratio_to_echo": round(half.cpu_ratio, 3),
        "frames_per_s": round(one.middle(lambda r: r.frames_per_s)[0]),
        "events_per_s_5": round(five.middle(lambda r: r.frames_per_s)[0] * FIVE.per_frame),
        "p50_ms": round(half.middle(lambda r: r.p50_ms)[0], 3),
        "p99_ms": round(half.middle(lambda r: r.p99_ms)[0], 3),
        "cpu_us_per_frame": round(one.middle(lambda r: r.cpu_us)[0], 2),
        "basis": "rates" if one.server_bound else "cpu",
        "goal_met": max(one.ratio, half.cpu_ratio) >= GOAL,
    }


def write(folder: Path, pairs: list[Pair], figures: Figures) -> Path:
    """Everything into `bench.json` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "bench.json"
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_average": os.getloadavg()[0],
    }
    file.write_text(json.dumps(about | figures | {"loads": [asdict(pair) for pair in pairs]}, indent=1))
    return file


def main(arguments: list[str]) -> int:
    """Measure, tell, and end with one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round each: does it run at all?")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder for bench.json (loadtests/results)"
    )
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    costs, pairs, punctual = (
        rules.measure(2 * plan.rounds + 1, plan.events),
        measure(plan),
        due.measure(plan.waiting),
    )
    figures = summary(pairs) | rules.summary(costs) | due.summary(punctual)
    print(table(pairs), rules.table(costs), due.table(punctual), sep="\n\n")
    print(f"\nwritten to {write(options.results, pairs, figures)}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
