"""A crowd for a minute, on a service of its own: `python -m loadtests.run` (or `make load`).

Starts a private Valkey and the service on a free loopback port, runs Locust without its web page, writes
`results/load.html` (graphs) and `results/load_*.csv`, and then compares what was sent with what is stored.
Exit 1 if a request failed or a check did.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from loadtests import servers
from loadtests.ledger import Ledger, check
from router.store.agents import CAPACITY, Agents
from router.store.embedded import Embedded
from router.web.demo_seed import SITE

HERE: Final = Path(__file__).parent
RESULTS: Final = HERE / "results"
AGENTS: Final = 6
PASSWORD: Final = "simulated-and-harmless"
LINGER_S: Final = 20  # what is under way when the time is over may still end
SHOWN: Final = 10


async def enrol(url: str) -> list[str]:
    """Make the agents' accounts; they can take so much that invites never wait for capacity."""
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
                capacity=CAPACITY,
            )
    finally:
        agents.close()
        await redis.aclose()
    return logins


def crowd(host: str, logins: list[str], ledger: Path, results: Path, users: int, seconds: int) -> int:
    """Run Locust; its exit status, 1 if any request failed."""
    return subprocess.run(
        [
            sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary",
            "--host", host, "--users", str(users + len(logins)), "--spawn-rate", str(max(5, users // 5)),
            "--run-time", f"{seconds}s", "--stop-timeout", str(LINGER_S), "--loglevel", "WARNING",
            "--html", str(results / "load.html"), "--csv", str(results / "load"),
            "--agents", ",".join(logins), "--agent-password", PASSWORD, "--ledger", str(ledger),
        ],
        cwd=HERE.parent,
        check=False,
    ).returncode  # fmt: skip


def run(users: int, seconds: int, results: Path) -> int:
    """Everything; the exit status."""
    results.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-load-")))
        store = stack.enter_context(Embedded(folder / "valkey"))
        logins = asyncio.run(enrol(store.url))
        service = stack.enter_context(servers.service(folder / "data", store.url))
        status = crowd(f"http://{service.address}", logins, folder / "ledger.json", results, users, seconds)
        if not (folder / "ledger.json").exists():
            print("FAILED: Locust ended without a record of what it did")
            return 1
        ledger = Ledger.read(folder / "ledger.json")
        with Redis.from_url(store.url) as redis:
            wrong = check(ledger, redis)
    print(f"graphs: {results / 'load.html'}")
    return tell(ledger, wrong, status)


def tell(ledger: Ledger, wrong: list[str], status: int) -> int:
    """The checks for a reader; the exit status."""
    sessions = len({page.sid for page in ledger.pages})
    print(
        f"{sessions} sessions, {len(ledger.pages)} pages, {ledger.events} events, {len(ledger.lines)} lines"
    )
    if not ledger.events:
        wrong = [*wrong, "not one event was sent"]
    for fault in wrong[:SHOWN]:
        print(f"FAILED: {fault}")
    if len(wrong) > SHOWN:
        print(f"... and {len(wrong) - SHOWN} more")
    if status:
        print(f"FAILED: Locust ended with status {status}: some requests failed, see above")
    if not wrong and not status:
        print("ok: everything sent was acknowledged, and stored exactly once")
    return 1 if wrong or status else 0


def main(arguments: list[str]) -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.run", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long (60)")
    parser.add_argument("--users", type=int, default=60, help="shoppers at a time (60)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for graphs and tables")
    options = parser.parse_args(arguments)
    return run(options.users, options.seconds, options.results.resolve())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
