"""How fast the complete service is beside three yardsticks: `python -m loadtests.bench` (or `make bench`).

A picows echo, an echo of starlette on uvicorn, and the service as one would write it first get the same frames on the
same core as the service, in turn, so whatever else the machine does meets all of them. Then come page changes,
memory, durability, two processes behind HAProxy, rules and silences. It ends with the goals and one line of JSON.
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

from rich.console import Console
from rich.progress import Progress

from loadtests import client, contest, due, durable, fleet, goals, idle, picture, rules, servers, turns, where
from loadtests.contest import (
    FIVE,
    HALF,
    ONE,
    RATE,
    SINGLE,
    Comparison,
    Contest,
    Contestant,
    Load,
    Pace,
    Round,
)
from loadtests.goals import Figure, Verdict
from loadtests.servers import on_core
from loadtests.turns import Visited
from router.store.embedded import Embedded

RESULTS: Final = Path(__file__).parent / "results"
SERVICE: Final = "service"
ECHO: Final = "picows echo"
PLAIN: Final = "starlette echo"
NAIVE: Final = "naive"
LOADS: Final = Load("page changes, session loaded from the store", 1, 1)
SECRET: Final = "two-processes-and-harmless-in-a-bench"

Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it all takes. `events`: how many the cost of rules is measured with, a round; `idle`: how many shoppers
    stand still; `half_s`: seconds of a round at half the rate, of which p99.9 is read.
    """

    pace: Pace
    half_s: float
    events: int
    idle: int
    waiting: due.Waiting
    explain: bool


FULL: Final = Plan(Pace(3, 1.5, 512), 3.0, 5000, 10_000, due.FULL, explain=True)
QUICK: Final = Plan(Pace(1, 0.3, 64), 0.5, 200, 200, due.QUICK, explain=False)


@dataclass(frozen=True, slots=True)
class Yards:
    """The servers that stand for the whole of the first part, each on the server's core; `second`: another process
    of the service on the same store, to which sessions are new.
    """

    service: Contestant
    second: Contestant
    echo: Contestant
    plain: Contestant
    naive: Contestant

    @property
    def all(self) -> tuple[Contestant, ...]:
        """In the order of a round."""
        return self.service, self.echo, self.plain, self.naive


@dataclass(frozen=True, slots=True)
class Found:
    """The contests, and the service beside the others in them."""

    contests: tuple[Contest, ...]
    beside: dict[str, Comparison]
    rate: Contest
    half: Contest
    turns: Comparison
    loads: tuple[Round, ...]


@contextmanager
def started() -> Iterator[Yards]:
    """A service and all yardsticks, each on the server's core; this process and the store on the other."""
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-bench-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        with on_core(mine):
            service, second = (
                stack.enter_context(servers.service(folder / name, store.url, ROUTER_SECRET=SECRET))
                for name in ("first", "second")
            )
            echo = stack.enter_context(servers.yardstick("loadtests.echo"))
            plain = stack.enter_context(servers.yardstick("loadtests.plain"))
            naive = stack.enter_context(servers.yardstick("loadtests.naive", REDIS_URL=store.url))
        pid = store.process.pid
        yield Yards(
            Contestant(SERVICE, service, client.shopper, pid),
            Contestant("second process", second, client.shopper, pid),
            Contestant(ECHO, echo, client.echoed),
            Contestant(PLAIN, plain, client.echoed),
            Contestant(NAIVE, naive, client.echoed, pid),
        )


Step = Callable[[str], None]


def contests(plan: Plan, step: Step) -> Found:
    """Every load; then open loops, at half of the rate with one frame in flight, and at half of what the service's core
    carries at the CPU seconds a frame found there; then page changes.
    """
    pace = plan.pace
    with started() as yards:
        found, beside = [], {}
        step("warming up")
        contest.warm((*yards.all, yards.second), pace)
        for load in (ONE, FIVE, SINGLE):
            step(f"{load.name}: {', '.join(each.name for each in yards.all)} in turn")
            found.append(contest.run(load, yards.all, pace))
            for other in (yards.echo, yards.plain, yards.naive):
                beside[f"{load.name} {other.name}"] = contest.compare(found[-1], yards.service, other, pace)
        step("open loops, service and echo in turn")
        longer, both = Pace(pace.rounds, plan.half_s, pace.sockets), (yards.service, yards.echo)
        reached = found[-1].middle(SERVICE, lambda one: one.frames_per_s)
        rate = contest.run(RATE, both, pace, reached / 2)
        half = contest.run(HALF, both, longer, rate.capacity(SERVICE) / 2)
        step("page changes")
        ours, bare = Visited(yards.service, turns.shopper), Visited(yards.echo, turns.bare)
        turned = turns.compare(ours, bare, pace)
        step("page changes to a process that has to load the session")
        loads = turns.loads(yards.service, yards.second, pace)
        return Found(tuple(found), beside, rate, half, turned, loads)


# --- telling -----------------------------------------------------------------------------------------------------


def summary(found: Found) -> Figures:
    """The figures of the contests for a machine, each a ratio where it is a time."""
    one, five, single = found.contests
    rate, half, turned = found.rate, found.half, found.turns.contest
    return {
        "ratio_to_echo": _ratio(found, ONE.name, ECHO),
        "ratio_to_echo_5": _ratio(found, FIVE.name, ECHO),
        "ratio_to_echo_single": _ratio(found, SINGLE.name, ECHO),
        "ratio_to_starlette_echo": _ratio(found, ONE.name, PLAIN),
        "ratio_to_starlette_echo_5": _ratio(found, FIVE.name, PLAIN),
        "ratio_to_naive": _ratio(found, ONE.name, NAIVE),
        "ratio_to_naive_5": _ratio(found, FIVE.name, NAIVE),
        "ratio_to_naive_single": _ratio(found, SINGLE.name, NAIVE),
        "cpu_ratio_to_echo_at_half_load": _over(half, ECHO, SERVICE, lambda each: each.cpu_us),
        "p99_ratio_to_echo_at_half_load": _over(half, SERVICE, ECHO, lambda each: each.p99_ms),
        "p50_ms_at_half_load": round(half.middle(SERVICE, lambda each: each.p50_ms), 3),
        "p99_ms_at_half_load": round(half.middle(SERVICE, lambda each: each.p99_ms), 3),
        "p999_ms_at_half_load": round(half.middle(SERVICE, lambda each: each.p999_ms), 3),
        "p99_ratio_to_echo_at_half_rate": _over(rate, SERVICE, ECHO, lambda each: each.p99_ms),
        "p99_ms_at_half_rate": round(rate.middle(SERVICE, lambda each: each.p99_ms), 3),
        "p999_ms_at_half_rate": round(rate.middle(SERVICE, lambda each: each.p999_ms), 3),
        "handshakes_ratio_to_echo": round(found.turns.ratio, 3),
        "loads_ratio_to_echo": round(_loads_ratio(found), 3),
        "page_changes_per_s": round(turned.middle(SERVICE, lambda each: each.frames_per_s)),
        "frames_per_s": round(one.middle(SERVICE, lambda each: each.frames_per_s)),
        "events_per_s_5": round(five.middle(SERVICE, lambda each: each.frames_per_s) * FIVE.per_frame),
        "cpu_us_per_frame": round(one.middle(SERVICE, lambda each: each.cpu_us), 2),
        "redis_cpu_us_per_event": round(one.middle(SERVICE, lambda each: each.store_us), 3),
        "redis_cpu_us_per_event_5": round(
            five.middle(SERVICE, lambda each: each.store_us) / FIVE.per_frame, 3
        ),
        "redis_cpu_us_per_event_single": round(single.middle(SERVICE, lambda each: each.store_us), 3),
        "client_share": round(max(_client(each, SERVICE) for each in found.contests), 3),
        "compared_by_cpu": "; ".join(
            name for name, each in (found.beside | {turns.LOAD.name: found.turns}).items() if each.offered
        ),
    }


def _ratio(found: Found, load: str, other: str) -> float:
    return round(found.beside[f"{load} {other}"].ratio, 3)


def _loads_ratio(found: Found) -> float:
    """CPU seconds of an echo's handshake to those of a page change that loads the session from the store."""
    return found.turns.contest.middle(ECHO, lambda each: each.cpu_us) / median(
        one.cpu_us for one in found.loads
    )


def _over(one: Contest, above: str, below: str, read: contest.Read) -> float:
    return round(one.middle(above, read) / one.middle(below, read), 3)


def _client(one: Contest, name: str) -> float:
    return one.middle(name, lambda each: each.client_share)


def tables(found: Found) -> str:
    """The contests for a reader, with the ratios below each and who was the limit."""
    parts = []
    for each in found.contests:
        beside = [found.beside[f"{each.load.name} {other}"] for other in (ECHO, PLAIN, NAIVE)]
        parts.append("\n".join([contest.table(each), *_told(beside)]))
    parts += [f"{contest.table(each)}\n{_waits(each)}" for each in (found.rate, found.half)]
    loads = Contest(LOADS, {SERVICE: found.loads})
    parts.append("\n".join([contest.table(found.turns.contest), *_told([found.turns])]))
    parts.append(
        f"{contest.table(loads)}\n  {_loads_ratio(found):.2f} of the echo's handshake (CPU seconds each)"
    )
    parts.append(limits(found))
    return "\n\n".join(parts)


def _waits(one: Contest) -> str:
    ours, bare = (one.middle(name, lambda each: each.late_ms) for name in (SERVICE, ECHO))
    return (
        f"  p99 is {_over(one, SERVICE, ECHO, lambda each: each.p99_ms):.2f} times the echo's; in 99 % of its turns "
        f"the client sent at most {ours:.2f} ms late (echo: {bare:.2f})"
    )


def _told(comparisons: list[Comparison]) -> list[str]:
    return [contest.sentence(each) for each in comparisons]


def limits(found: Found) -> str:
    """Whether the load client could have been what was measured."""
    lines = ["the load client: a single process on the other core, which the store shares"]
    for each in found.contests:
        busy = ", ".join(f"{name} {_client(each, name):.0%}" for name in each.rounds)
        lines.append(f"  {each.load.name}: its CPU while it loaded the {busy}")
    lines.append(
        "  a rate counts only where the server's own core was used to 90 % and more; else CPU times are compared"
    )
    return "\n".join(lines)


def write(
    folder: Path, found: Found, figures: Figures, more: dict[str, object], verdicts: list[Verdict]
) -> list[Path]:
    """Everything into `bench.json` and the picture into `bench.svg` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    at = datetime.now(UTC).isoformat(timespec="seconds")
    about: dict[str, object] = {"at": at, "machine": machine, "load_average": os.getloadavg()[0]}
    kept = {
        "loads": [asdict(each) for each in found.contests],
        "offered": {name: asdict(each.offered) for name, each in found.beside.items() if each.offered},
        "open_loops": [asdict(found.rate), asdict(found.half)],
        "turns": asdict(found.turns),
        "turns_loaded": [asdict(each) for each in found.loads],
        "goals": [asdict(each) | {"met": each.met} for each in verdicts],
    }
    file = folder / "bench.json"
    file.write_text(json.dumps(about | figures | kept | more, indent=1))
    return [
        file,
        picture.draw(folder / "bench.svg", found.contests, found.half, verdicts, f"{machine}, {at}"),
    ]


# --- all of it ---------------------------------------------------------------------------------------------------


def run(plan: Plan, results: Path, step: Step) -> Figures:
    """Measure everything, tell it, write it; the figures of the last line."""
    step("rules")
    costs = rules.measure(2 * plan.pace.rounds + 1, plan.events)
    found = contests(plan, step)
    step(f"memory of {plan.idle:,} idle shoppers")
    idlers = idle.measure(plan.idle, plan.half_s)
    step("appendfsync always beside no persistence")
    synced = durable.measure(plan.pace)
    step("two processes behind HAProxy")
    pair = fleet.measure(plan.pace)
    step(f"{plan.waiting.sessions:,} silences")
    punctual = due.measure(plan.waiting)
    figures = summary(found) | rules.summary(costs) | idle.summary(idlers) | fleet.summary(pair)
    figures |= due.summary(punctual) | {"always_over_none": round(durable.ratio(synced), 3)}
    verdicts = goals.judged(figures)
    missed = goals.unexplained(verdicts) if plan.explain else []
    if missed:
        step("profiles of what missed its goal")
    profiles = where.measure(missed, found.half.rate) if missed else []
    figures["goals_missed"] = sum(each.met is False for each in verdicts)
    print(tables(found), idle.table(idlers), contest.table(synced), fleet.table(pair), sep="\n\n", end="\n\n")
    print(rules.table(costs), due.table(punctual), *map(where.table, profiles), sep="\n\n", end="\n\n")
    print(goals.table(verdicts), end="\n\n")
    more: dict[str, object] = {
        "idle": asdict(idlers),
        "durable": asdict(synced),
        "fleet": asdict(pair) if pair else fleet.ABSENT,
        "profiles": [asdict(each) for each in profiles],
    }
    for file in write(results, found, figures, more, verdicts):
        print(f"written to {file}")
    return figures


def main(words: list[str]) -> int:
    """Measure, tell, and end with one line of JSON; 0 also where a goal was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--quick", action="store_true", help="one short round each: does it run at all?")
    parser.add_argument("--idle", type=int, help=f"idle shoppers ({FULL.idle:,}; {QUICK.idle} with --quick)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for what is written")
    chosen = parser.parse_args(words)
    plan = QUICK if chosen.quick else FULL
    if chosen.idle:
        plan = Plan(plan.pace, plan.half_s, plan.events, chosen.idle, plan.waiting, plan.explain)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=None)
        figures = run(plan, chosen.results, lambda what: progress.update(bar, description=what))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
