"""A crowd for a minute, on a service of its own: `python -m loadtests.run` (or `make load`).

Starts a private Valkey and the service on a free loopback port, runs Locust without its web page (alone, or as a master
with `--workers`), writes `results/load.html` (graphs), `results/load_*.csv` and `results/load_latency.json`, and then
compares what was sent and seen with what is stored. Exit status: that of `loadtests.checks`, and 1 if a request failed.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from redis.asyncio import Redis as AsyncRedis

from loadtests import checks, recorded, servers, shapes
from loadtests.ledger import Ledger
from router.store.agents import Agents
from router.store.embedded import Embedded
from router.web.demo_seed import SITE

HERE: Final = Path(__file__).parent
RESULTS: Final = HERE / "results"
AGENTS: Final = 6
CAPACITY: Final = 5
PASSWORD: Final = "simulated-and-harmless"
STOP_S: Final = 20  # what is under way when all is over may still end


async def enrol(url: str, capacity: int = CAPACITY) -> list[str]:
    """Make the agents' accounts; their logins."""
    logins = [f"load-{number}" for number in range(1, AGENTS + 1)]
    redis: AsyncRedis = AsyncRedis.from_url(url)
    agents = Agents(redis, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    try:
        for login in logins:
            await agents.add(
                SITE,
                login,
                login,
                PASSWORD,
                queues=("checkout-help", "style"),
                skills=("ja",),
                capacity=capacity,
            )
    finally:
        agents.close()
        await redis.aclose()
    return logins


def _locust(*more: str) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--loglevel", "WARNING", *more]


def crowd(asked: argparse.Namespace, host: str, logins: list[str], ledger: Path) -> int:
    """Run Locust; its exit status, 1 if any request failed."""
    command = _locust(
        "--headless", "--only-summary", "--host", host, "--users", str(asked.users), "--shape", asked.shape,
        "--run-time", f"{asked.seconds}s", "--stop-timeout", str(STOP_S), "--seed", str(asked.seed),
        "--behaviour", asked.behaviour, "--data", str(asked.data), "--pace", str(asked.pace),
        "--burst", str(asked.burst), "--html", str(asked.results / "load.html"),
        "--csv", str(asked.results / "load"), "--agents", ",".join(logins), "--agent-password", PASSWORD,
        "--ledger", str(ledger),
    )  # fmt: skip
    if not asked.workers:
        return subprocess.run(command, cwd=HERE.parent, check=False).returncode
    port = str(free_port())
    command += ["--master", "--expect-workers", str(asked.workers)]
    command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    with ExitStack() as stack:
        for _ in range(asked.workers):
            worker = _locust("--worker", "--master-host", "127.0.0.1", "--master-port", port)
            process = subprocess.Popen(worker, cwd=HERE.parent)
            stack.enter_context(servers.Server(process, ""))
        return subprocess.run(command, cwd=HERE.parent, check=False).returncode


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def run(asked: argparse.Namespace) -> int:
    """Everything; the exit status."""
    asked.results.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-load-")))
        store = stack.enter_context(Embedded(folder / "valkey"))
        logins = asyncio.run(enrol(store.url))
        service = stack.enter_context(servers.service(folder / "data", store.url))
        status = crowd(asked, f"http://{service.address}", logins, folder / "ledger.json")
        if not (folder / "ledger.json").exists():
            print("FAILED: Locust ended without a record of what it did")
            return checks.FAILED
        ledger = Ledger.read(folder / "ledger.json")
        limits = checks.Limits(
            checks.site_of(checks.DEMO, SITE), CAPACITY, checks.LIMITS_MS | dict(asked.limit)
        )
        found = asyncio.run(checks.check(ledger, store.url, limits))
    print(f"graphs: {asked.results / 'load.html'}")
    return tell(ledger, found, status)


def tell(ledger: Ledger, found: list[checks.Check], status: int) -> int:
    """The figures and the checks for a reader; the exit status."""
    sessions = len({page.sid for page in ledger.pages})
    print(
        f"{sessions} sessions, {len(ledger.pages)} pages, {ledger.events} events, {len(ledger.lines)} lines"
    )
    for row in ledger.rows:
        print(
            f"{row.name}: {', '.join(f'{label} {ms:.2f}' for label, ms in row.ms.items())} ms of {row.count}"
        )
    for report in ledger.health:
        print(
            f"generator {report.source}: {report.lag_p99_ms:.1f} ms late at p99, {report.cpu:.0%} of its core"
        )
    print("\n".join(checks.tell(found)))
    if status:
        print(f"FAILED: Locust ended with status {status}: some requests failed, see above")
        return checks.FAILED
    if checks.verdict(found) == checks.HELD:
        print("ok: everything sent was acknowledged, and stored exactly once")
    return checks.verdict(found)


def options() -> argparse.ArgumentParser:
    """What can be asked for; docs/loadtests.md says it at length."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.run", description=__doc__)
    add: Any = parser.add_argument
    add("--shape", choices=list(shapes.SHAPES), default="steady", help="who arrives when (steady)")
    add("--seconds", type=int, help="how long (60; a soak an hour)")
    add("--users", type=int, default=60, help="shoppers at a time (60)")
    add(
        "--burst", type=int, default=-1, help="checkouts at once at a shape's bursts (a quarter of the users)"
    )
    add("--pace", type=float, default=30.0, help="how much faster than people (30)")
    add(
        "--behaviour",
        choices=("auto", "recorded", "synthetic"),
        default="auto",
        help="where visits come from",
    )
    add("--data", type=Path, default=recorded.folder(), help="folder of recordings (../shared/data)")
    add("--workers", type=int, default=0, help="Locust workers beside a master (0: one process does all)")
    add("--seed", type=int, default=1, help="seed of the arrivals and the shoppers' behaviour (1)")
    add("--limit", type=checks.parse_limit, action="append", default=[], metavar="ENTRY=MS", help="p99 limit")
    add("--results", type=Path, default=RESULTS, help="folder for graphs and tables")
    return parser


def main(arguments: list[str]) -> int:
    """Read the options and run."""
    asked = options().parse_args(arguments)
    asked.results = asked.results.resolve()
    asked.seconds = asked.seconds or round(shapes.SHAPES[asked.shape].seconds)
    return run(asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
