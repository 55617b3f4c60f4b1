"""How long each routing script holds the store up with 1,000 conversations waiting and 500 agents.

`python -m loadtests.scripts` fills a store of its own and then lets a day's work happen at random: talks end and free
slots pull the next, nine of ten rings are answered, agents come and go, supervisors take and assign. The store's slow
log has the time of every call. Exit status 1 if a script's p99 is over the bound; the longest call is shown beside it,
since on a shared machine it also counts the moments at which the store had no processor.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from router.core.lines import Terms
from router.core.routing import Reply, Talk, signature
from router.errors import Refused
from router.store import keys, scripts
from router.store.embedded import Embedded
from router.store.routing import Routing, talk_of

SITE: Final = "load"
QUEUES: Final = tuple(f"queue-{n}" for n in range(5))
SKILLS: Final = ("ja", "en", "zh", "gold", "returns", "gifts")
BOUND_US: Final = 1_000
START: Final = 1_700_000_000_000
NODE: Final = "load"
FOLDER: Final = Path(scripts.__file__).parent / "lua" / "routing"
NAMES: Final = {scripts.sha(f"routing/{file.stem}"): file.stem for file in FOLDER.glob("*.lua")}
ANSWERED: Final = 0.9


class Floor:
    """A site with many agents and many who wait."""

    def __init__(self, redis: Redis, chance: random.Random) -> None:
        self.redis = redis
        self.chance = chance
        self.now = START
        self.routing = Routing(redis, NODE, lambda: self.now, 0)
        self.agents: list[str] = []
        self.talks: list[str] = []
        self.ringing: list[tuple[str, str]] = []
        self._count = 0

    async def run(self, script: Awaitable[Reply]) -> Any:
        """The value; what is refused is part of the day. Whoever rings is remembered."""
        reply = await script
        self.ringing += [
            (event["agent"], event["cid"]) for event in reply.events if event["kind"] == "ringing"
        ]
        try:
            return reply.checked()
        except Refused:
            return None

    async def hire(self, count: int) -> None:
        """Agents of one to three queues with some skills, there and available."""
        for n in range(count):
            login = f"agent-{n:03}"
            queues = self.chance.sample(QUEUES, self.chance.randint(1, 3))
            skills = [f"{name}:{self.chance.randint(1, 5)}" for name in self.chance.sample(SKILLS, 3)]
            fields: dict[str, str | int] = {
                "name": login, "queues": f",{','.join(queues)},", "skills": f",{','.join(skills)},", "capacity": 3
            }  # fmt: skip
            await self.run(self.routing.enroll(SITE, login, fields))
            await self.run(self.routing.join(SITE, [(login, "s1")]))
            await self.run(self.routing.presence(SITE, login, "available"))
            self.agents.append(login)

    def terms(self) -> Terms:
        """Of a random queue: languages and a skill, of which it lets go while it waits."""
        queue, language = self.chance.choice(QUEUES), self.chance.choice(SKILLS[:3])
        skill = self.chance.choice((*SKILLS[3:], ""))
        wanted = [language, f"{skill}:2"] if skill else [language]
        steps = ((0, signature(queue, wanted)), (30_000, signature(queue, [language])))
        return Terms(queue=queue, steps=steps[: 2 if skill else 1], ring_ms=20_000, wrap_ms=0)

    async def open(self) -> None:
        """Somebody said yes."""
        self._count += 1
        self.now += 3
        cid = f"talk-{self._count:06}"
        self.talks.append(cid)
        card = msgspec.json.encode({"who": {"visitor": "v"}, "journey": [{"label": "x" * 40}] * 20})
        await self.run(
            self.routing.open(SITE, cid, terms=self.terms(), secret="s" * 22, language="ja", card=card)
        )
        await self.answer()

    async def answer(self) -> None:
        """Those for whom it rang say yes, most of them."""
        rung, self.ringing = self.ringing, []
        for login, cid in rung:
            if self.chance.random() < ANSWERED:
                await self.run(self.routing.answer(SITE, login, cid))

    async def fill(self, waiting: int) -> None:
        """Until so many wait."""
        while await self._waiting() < waiting:
            for _ in range(100):
                await self.open()

    async def _waiting(self) -> int:
        sigs = cast("set[bytes]", await self.redis.smembers(keys.routing(SITE, "sigs")))
        lines = [await self.redis.zcard(keys.routing(SITE, f"line:{sig.decode()}")) for sig in sigs]
        return sum(lines)

    async def talk(self) -> Talk | None:
        """Any conversation as it is."""
        records = await self.run(self.routing.look(SITE, [self.chance.choice(self.talks)]))
        return talk_of(records[0]) if records else None

    async def step(self) -> None:
        """Something happens."""
        self.now += self.chance.randint(1, 80)
        await self.answer()
        agent, other = self.chance.choice(self.agents), self.chance.choice(self.agents)
        talk = await self.talk()
        match self.chance.randrange(11):
            case 0 | 1:
                await self.open()
            case 2 | 3 | 4 if talk and talk.agent:
                await self.run(self.routing.close(SITE, talk.agent, talk.cid, "done", ""))
                self.talks.remove(talk.cid)
            case 5 if talk and talk.agent:
                await self.run(self.routing.transfer(SITE, talk.agent, talk.cid, other, "note"))
            case 6 if talk:
                await self.run(self.routing.take(SITE, agent, talk.cid, whatever=True))
            case 7:
                await self.run(self.routing.presence(SITE, agent, self.chance.choice(("available", "away"))))
                await self.run(self.routing.presence(SITE, agent, "available"))
            case 8:
                await self.run(
                    self.routing.seen(SITE, self.chance.sample(self.talks, min(50, len(self.talks))))
                )
                await self.run(
                    self.routing.join(
                        SITE,
                        [(name, "s1") for name in self.chance.sample(self.agents, min(50, len(self.agents)))],
                    )
                )
            case 9:
                did, limit = f"did-{self.now}", self.now + 60_000
                sig = self.terms().steps[0][1]
                queue, _, skills = sig.partition("|")
                await self.run(self.routing.hold(SITE, did, queue, skills.split(","), limit))
                await self.run(self.routing.release(SITE, did))
            case _:
                await self.run(self.routing.sweep(SITE, QUEUES))
                await self.run(self.routing.duty(SITE, agent))


async def measure(agents: int, waiting: int, steps: int, seed: int) -> dict[str, list[int]]:
    """Microseconds of every call of each script, after the floor has filled."""
    with Embedded() as store:
        async with Redis.from_url(store.url) as redis:
            floor = Floor(redis, random.Random(seed))
            await floor.hire(agents)
            await floor.fill(waiting)
            await redis.config_set("slowlog-max-len", 1_000_000)
            await redis.config_set("slowlog-log-slower-than", 0)
            for _ in range(steps):
                await floor.step()
            await redis.config_set("slowlog-log-slower-than", -1)
            found: defaultdict[str, list[int]] = defaultdict(list)
            for entry in await redis.slowlog_get(1_000_000):
                words = entry["command"].split(b" ", 2)
                if words[0] == b"EVALSHA":
                    found[NAMES[words[1].decode()]].append(entry["duration"])
            return {name: sorted(found[name]) for name in sorted(found)}


def at(times: list[int], share: float) -> int:
    """The value below which this share of the sorted times lies."""
    return times[min(len(times) - 1, int(len(times) * share))]


def main(words: list[str]) -> int:
    """The table; 1 if a script takes too long."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.scripts", description=(__doc__ or "").split("\n", 1)[0]
    )
    for name, default in (
        ("agents", 500),
        ("waiting", 1_000),
        ("steps", 6_000),
        ("seed", 1),
        ("bound", BOUND_US),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{default} if it is left out")
    chosen = parser.parse_args(words)
    found = asyncio.run(measure(chosen.agents, chosen.waiting, chosen.steps, chosen.seed))
    table = Table("script", *(f"{name}" for name in ("calls", "p50 us", "p99 us", "longest us")))
    for name, times in found.items():
        table.add_row(
            name, f"{len(times):,}", *(f"{time:,}" for time in (at(times, 0.5), at(times, 0.99), times[-1]))
        )
    Console().print(table)
    slow = [name for name, times in found.items() if at(times, 0.99) > chosen.bound]
    print(f"too slow: {', '.join(slow)}" if slow else f"ok: with {chosen.waiting:,} waiting and {chosen.agents} agents "
          f"no script's p99 is over {chosen.bound:,} us")  # fmt: skip
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
