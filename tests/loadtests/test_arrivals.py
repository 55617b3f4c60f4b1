"""loadtests.arrivals: a small rush, through two processes of which one dies, and what its checks would find."""

from __future__ import annotations

import random

import pytest
from redis.asyncio import Redis
from rich.progress import Progress

from loadtests.arrivals import rush
from loadtests.people import Answerer, Town
from router.store.logins import Logins


async def test_everybody_is_answered_once_although_a_process_dies() -> None:
    with Progress(disable=True) as progress:
        found = await rush(40, 4, 2, 1, progress, agent_dies=False)
    assert found.faults == []
    assert (found.answered, found.most) == (40, 2)
    assert found.gaps_ms


@pytest.fixture
def town() -> Town:
    return Town("rush", ["127.0.0.1:1"], random.Random(1))


def told(agent: Answerer, cid: str, state: str, whose: str) -> None:
    agent._changed({"cid": cid, "state": state, "agent": whose})


async def test_a_talk_with_two_agents_and_an_overfull_one_are_found(town: Town) -> None:
    ann, bob = (Answerer(town, Logins(Redis()), login, 1) for login in ("ann", "bob"))
    told(ann, "one", "active", "ann")
    told(bob, "one", "active", "bob")
    assert town.doubled == {"one"}
    told(bob, "two", "wrap-up", "bob")
    assert town.overshot == {"bob": 1}
    for agent in (ann, bob):
        for task in agent._talking:
            task.cancel()


async def test_a_talk_that_goes_from_one_to_the_other_is_fine(town: Town) -> None:
    ann, bob = (Answerer(town, Logins(Redis()), login, 1) for login in ("ann", "bob"))
    told(ann, "one", "wrap-up", "ann")
    told(ann, "one", "closed", "ann")
    told(bob, "one", "wrap-up", "bob")
    assert not town.doubled and not town.overshot
