"""A thousand shoppers ask for a person at once, for fifty agents at four processes; one process and one agent die.

`python -m loadtests.arrivals` starts a private Valkey and the processes, lets everybody in, kills a process when a
third is answered and makes an agent vanish in the midst of a talk, and waits until everybody was answered. Then it
checks what the consoles saw, what the store said all along, and what the journal tells. Exit status 1 if a check fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from redis.asyncio import Redis
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from loadtests import servers
from loadtests.people import ORIGIN, Answerer, Town, Visitor
from router.store import keys
from router.store.agents import Agents
from router.store.embedded import Embedded
from router.store.journal import read
from router.store.logins import Logins
from router.store.routing import Routing, talk_of

SITE: Final = "rush"
QUEUE: Final = "help"
CAPACITY: Final = 2
BOUND_MS: Final = 50.0
LIMIT_S: Final = 240.0
LOOK_S: Final = 0.1
RULES: Final = """
version: 1
rules:
  - {id: none, mode: shadow, when: {cart.lines: {gte: 99}}, then: [{invite: {queue: help, message: help}}]}
"""
TEXTS: Final = """
version: 1
invites:
  help: {en: {title: Help, text: Ask us., accept: Chat, dismiss: No}}
"""
SITE_FILE: Final = f"""
version: 1
sites:
  {SITE}:
    name: Rush
    origins: ["{ORIGIN}"]
    currency: JPY
    language: en
    consent: notice
    rules: rules.yaml
    texts: texts.yaml
    queues:
      {QUEUE}:
        name: {{ja: ご案内, en: Help}}
        wrap_up: 0s
        rings: at_once
        dispositions: [{{id: answered, name: {{ja: 回答済み, en: Answered}}}}]
"""


@dataclass
class Outcome:
    """What a rush came to. `faults`: sentences, none if all is well."""

    seconds: float = 0.0
    answered: int = 0
    most: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def check(self, holds: bool, fault: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.faults.append(fault)


class Rush:
    """One run. `doors`: the processes; the first of them is killed. `agent_dies`: so is an agent, whose talk goes on
    elsewhere 45 s later.
    """

    def __init__(
        self,
        redis: Redis,
        doors: list[servers.Server],
        shoppers: int,
        agents: int,
        seed: int,
        agent_dies: bool,
    ) -> None:
        self.agent_dies = agent_dies
        self.redis = redis
        self.doors = doors
        self.town = Town(SITE, [door.address for door in doors], random.Random(seed))
        self.visitors = [Visitor(self.town, number) for number in range(shoppers)]
        logins = Logins(redis)
        self.agents = [Answerer(self.town, logins, f"agent-{n}", CAPACITY) for n in range(agents)]
        self.outcome = Outcome()
        self._line = 0
        self.town.waiting = lambda: self._line > len(self.agents)

    async def run(self, progress: Progress) -> Outcome:
        """Everybody comes, two go, and the rest is waited for."""
        began = time.perf_counter()
        bar = progress.add_task("answered", total=len(self.visitors))
        working = [asyncio.create_task(agent.work()) for agent in self.agents]
        living = [asyncio.create_task(visitor.live()) for visitor in self.visitors]
        dying = asyncio.create_task(self._deaths())
        try:
            async with asyncio.timeout(LIMIT_S):
                while not all(visitor.done.is_set() for visitor in self.visitors):
                    await self._look()
                    progress.update(bar, completed=self._answered())
                    await asyncio.sleep(LOOK_S)
                await dying
        except TimeoutError:
            self.outcome.faults.append(f"not everybody was answered within {LIMIT_S:.0f} s")
        for task in (*working, *living, dying):
            task.cancel()
        await asyncio.gather(*working, *living, dying, return_exceptions=True)
        self.outcome.seconds = time.perf_counter() - began
        self.outcome.answered = self._answered()
        await self._checks()
        return self.outcome

    def _answered(self) -> int:
        return sum(visitor.done.is_set() for visitor in self.visitors)

    async def _deaths(self) -> None:
        while self._answered() < len(self.visitors) // 3:
            await asyncio.sleep(LOOK_S)
        self.town.addresses.remove(self.doors[0].address)
        self.doors[0].process.kill()
        while self._answered() < len(self.visitors) // 2:
            await asyncio.sleep(LOOK_S)
        if self.agent_dies:
            await self.agents[-1].vanish()

    async def _look(self) -> None:
        """The store's own word on slots and lines."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.zcard(keys.routing(SITE, f"line:{QUEUE}|"))
            for agent in self.agents:
                pipeline.scard(keys.routing(SITE, f"busy:{agent.login}"))
            self._line, *loads = await pipeline.execute()
        self.outcome.most = max(self.outcome.most, *loads)

    async def _checks(self) -> None:
        town, outcome = self.town, self.outcome
        outcome.gaps_ms = sorted(gap * 1000 for gap in town.gaps)
        outcome.check(outcome.most <= CAPACITY, f"an agent's slots held {outcome.most} conversations")
        outcome.check(not town.overshot, f"consoles showed more than {CAPACITY}: {dict(town.overshot)}")
        outcome.check(not town.doubled, f"with two agents at once: {sorted(town.doubled)[:5]}")
        ends = self._follow(await self._transitions())
        cids = [visitor.cid for visitor in self.visitors]
        replies = await Routing(self.redis, "", lambda: 0, 0).look(SITE, cids)
        talks = [talk_of(record) for record in replies.value if record]
        stuck = [talk.cid for talk in talks if (talk.state, talk.end) != ("closed", "closed")]
        outcome.check(
            len(set(cids)) == len(cids) == len(talks), f"{len(talks)} conversations for {len(cids)} shoppers"
        )
        outcome.check(not stuck, f"not closed by an agent: {stuck[:5]}")
        twice = [cid for cid, count in ends.items() if count > 1]
        outcome.check(not twice, f"ended twice: {twice[:5]}")

    async def _transitions(self) -> list[dict[str, Any]]:
        """What the journal tells of conversations, in the order of time; each process writes for itself."""
        told = [entry.record async for entry in read(self.redis) if entry.kind == "routing"]
        return sorted(told, key=lambda event: event["at_ms"])

    def _follow(self, transitions: list[dict[str, Any]]) -> Counter[str]:
        """Whose each conversation was, never two agents' at once; returns how often each ended."""
        held: dict[str, str] = {}
        ends: Counter[str] = Counter()
        for event in transitions:
            if event["kind"] == "accepted":
                other = held.setdefault(event["cid"], event["agent"])
                self.outcome.check(
                    other == event["agent"], f"{event['cid']} was {other}'s and {event['agent']}'s"
                )
            elif event["kind"] in ("agent_lost", "closed"):
                held.pop(event["cid"], None)
                ends[event["cid"]] += event["kind"] == "closed"
        return ends


async def enrol(redis: Redis, count: int) -> None:
    """The agents' accounts."""
    agents = Agents(redis, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    try:
        for n in range(count):
            login = f"agent-{n}"
            await agents.add(SITE, login, login, "simulated-and-harmless", queues=(QUEUE,), capacity=CAPACITY)
    finally:
        agents.close()


async def rush(
    shoppers: int, agents: int, processes: int, seed: int, progress: Progress, *, agent_dies: bool = True
) -> Outcome:
    """Start everything, let it happen, end everything."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-rush-")))
        (folder / "site.yaml").write_text(SITE_FILE)
        (folder / "rules.yaml").write_text(RULES)
        (folder / "texts.yaml").write_text(TEXTS)
        store = stack.enter_context(Embedded(folder / "valkey"))
        async with Redis.from_url(store.url) as redis:
            await enrol(redis, agents)
            more = {"ROUTER_SITES": str(folder / "site.yaml"), "ROUTER_SECRET": "rush" * 8}
            doors = [
                stack.enter_context(
                    servers.service(folder / str(n), store.url, "serve", "--port", "0", **more)
                )
                for n in range(processes)
            ]
            return await Rush(redis, doors, shoppers, agents, seed, agent_dies).run(progress)


def main(words: list[str]) -> int:
    """The table and the checks; 1 if one of them fails."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.arrivals", description=(__doc__ or "").split("\n", 1)[0]
    )
    for name, default in (("shoppers", 1_000), ("agents", 50), ("processes", 4), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{default} if it is left out")
    chosen = parser.parse_args(words)
    with Progress(transient=True) as progress:
        found = asyncio.run(rush(chosen.shoppers, chosen.agents, chosen.processes, chosen.seed, progress))
    gaps = found.gaps_ms or [0.0]
    p50, p99 = (gaps[min(len(gaps) - 1, int(len(gaps) * share))] for share in (0.5, 0.99))
    found.check(p99 <= BOUND_MS, f"a freed slot rang after {p99:.1f} ms at p99, over {BOUND_MS:.0f}")
    table = Table(
        "shoppers", "answered", "seconds", "most in an agent's slots", "freed to ring p50 ms", "p99 ms", "of"
    )
    table.add_row(
        f"{chosen.shoppers:,}", f"{found.answered:,}", f"{found.seconds:.1f}", f"{found.most} of {CAPACITY}",
        f"{p50:.1f}", f"{p99:.1f}", f"{len(found.gaps_ms):,}",
    )  # fmt: skip
    Console().print(table)
    for fault in found.faults:
        print(f"FAILED: {fault}")
    if not found.faults:
        print(
            "ok: nobody above capacity, nobody with two agents, nobody left behind; a process and an agent died"
        )
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
