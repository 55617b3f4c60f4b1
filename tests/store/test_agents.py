"""router.store.agents: accounts and passwords, with hashing that cannot be made to eat the machine."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys
from router.store.agents import THREADS, WAITING, Agents
from tests.floor import SITE, Floor
from tests.waiting import until

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def agents(redis: Redis) -> Iterator[Agents]:
    agents = Agents(redis, hasher=QUICK)
    yield agents
    agents.close()


async def add(agents: Agents, **changes: Any) -> None:
    fields: dict[str, Any] = {"login": "ann", "name": "Ann", "password": "correct horse", "queues": ["help"]}
    fields |= changes
    login, name, password = fields.pop("login"), fields.pop("name"), fields.pop("password")
    await agents.add(SITE, login, name, password, **fields)


async def test_an_agent_logs_in_with_their_password_and_no_other(agents: Agents) -> None:
    await add(agents, languages=["ja"], capacity=2)
    agent = await agents.check(SITE, "ann", "correct horse")
    assert (agent.name, agent.languages, agent.capacity, agent.role) == ("Ann", ("ja",), 2, "agent")
    assert agent == await agents.get(SITE, "ann")
    for login, password in (
        ("ann", "wrong horse"),
        ("bob", "correct horse"),
        ("a:b\n", "x"),
        ("ann", "\ud800"),
    ):
        with pytest.raises(Refused, match="bad_login"):
            await agents.check(SITE, login, password)


async def test_an_agent_of_one_site_is_nobody_at_another(agents: Agents) -> None:
    await add(agents)
    with pytest.raises(Refused, match="bad_login"):
        await agents.check("other", "ann", "correct horse")
    assert await agents.get("other", "ann") is None


async def test_the_password_is_stored_as_an_argon2id_hash_only(agents: Agents, redis: Redis) -> None:
    await add(agents)
    fields = str(await redis.hgetall(keys.agent(SITE, "ann")))
    assert "b'hash': b'$argon2id$" in fields
    assert "correct horse" not in fields


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "a b"}, {"login": ""}, {"login": "x" * 61}, {"login": "a#b"}, {"name": " "},
        {"name": "x" * 81},
        {"password": "short"}, {"password": "x" * 201}, {"queues": []}, {"queues": ["a|b"]},
        {"skills": ["a,b"]},
        {"languages": [""]}, {"capacity": 0}, {"capacity": 21}, {"role": "owner"},
    ],
)  # fmt: skip
async def test_what_cannot_be_an_agent_is_refused(agents: Agents, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="bad_request"):
        await add(agents, **changes)
    assert await agents.get(SITE, str(changes.get("login", "ann"))) is None


async def test_a_language_is_a_skill_that_rules_may_ask_for(agents: Agents, redis: Redis) -> None:
    await add(agents, languages=["ja"], skills=["gold"])
    floor = Floor(redis)
    await floor.join("ann")
    await floor.run(floor.routing.presence(SITE, "ann", "available"))
    assert (await floor.open(skills=["ja", "gold"])).agent == "ann"


async def test_a_skill_has_a_level_which_consoles_do_not_see(agents: Agents, redis: Redis) -> None:
    agent = await agents.add(
        SITE, "ann", "Ann", "correct horse", queues=["help"], skills=["gold:4"], languages=["ja:5"]
    )
    assert (agent.skills, agent.languages) == (("gold",), ("ja",))
    assert await redis.hget(keys.agent(SITE, "ann"), "skills") == b",gold:4,ja:5,"


class Held(PasswordHasher):
    """A hasher whose verdicts wait for `gate`, as those of a busy machine do."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.gate = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        assert self.gate.wait(10)
        return super().verify(hash, password)


async def test_more_tries_at_once_than_may_wait_are_refused(redis: Redis) -> None:
    """Those that wait get their verdict all the same."""
    hasher = Held()
    with closing(Agents(redis, hasher=hasher)) as agents:
        await add(agents)
        room = THREADS + WAITING
        tries = [asyncio.create_task(agents.check(SITE, "ann", "wrong horse")) for _ in range(room + 10)]
        await until(lambda: sum(each.done() for each in tries) == 10)
        hasher.gate.set()
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        names = Counter(outcome.name for outcome in outcomes if isinstance(outcome, Refused))
        assert names == {"too_many": 10, "bad_login": room}
        assert (await agents.check(SITE, "ann", "correct horse")).login == "ann"
