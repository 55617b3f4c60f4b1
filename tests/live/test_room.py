"""router.live.room: what consoles see of who waits and who is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core import console
from router.live.desk import Desk
from router.store.embedded import Embedded
from tests.live.test_desk import CID, SECRET, Console, House
from tests.live.test_handing import supervisor
from tests.waiting import until


@pytest.fixture
async def house(redis: Redis, valkey: Embedded) -> AsyncIterator[House]:
    house = House(redis, valkey.url)
    yield house
    await house.close()


def waiting(agent: Console) -> dict[str, dict[str, Any]]:
    """Who waits, by conversation, as the console was told last."""
    return {one["cid"]: one for one in agent.of("line")[-1]["waiting"]}


def team(agent: Console) -> dict[str, tuple[str, int, bool]]:
    return {
        one["login"]: (one["presence"], one["load"], one["here"]) for one in agent.of("team")[-1]["agents"]
    }


async def swept(house: House, *desks: Desk) -> None:
    """A second passes at these nodes."""
    for desk in desks:
        await desk._sweep("shop")


async def test_who_waits_is_shown_to_those_of_the_queue_with_whether_they_fit(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    await house.floor.enroll("ann", queues=["help"], skills=["en"], capacity=1)
    await house.floor.enroll("ben", queues=["help"], skills=["ja"], capacity=1)
    await house.floor.enroll("cat", queues=["style"], skills=["ja"], capacity=1)
    ann, ben, cat = [
        await Console(desk, name).connect() for desk, name in ((here, "ann"), (there, "ben"), (there, "cat"))
    ]
    sue = await supervisor(house, there)
    await here.accept(
        "shop", CID, SECRET, "help", ["ja"], "ja", {"who": {"visitor": "v1", "returning": True}}
    )
    await swept(house, here, there)
    assert waiting(ann)[CID]["fits"] is False and waiting(ben)[CID]["fits"] is True
    assert waiting(cat) == {} and list(waiting(sue)) == [CID]
    shown = waiting(ben)[CID]
    assert (shown["queue"], shown["since_ms"], shown["step"]) == ("help", house.clock.now(), 0)
    assert (shown["who"], shown["returning"], shown["why"]) == ("v1", True, None)
    frames = len(ben.of("line")), len(ben.of("team"))
    await swept(house, here, there)
    assert (len(ben.of("line")), len(ben.of("team"))) == frames  # nothing changed, nothing is said
    await there.agents.handle(ben.seat, console.Take(1, CID))
    await swept(house, here, there)
    assert waiting(ann) == {} and team(ann)["ben"] == ("away", 1, True)


async def test_the_team_is_shown_as_it_comes_and_goes(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    for name in ("ann", "ben"):
        await house.floor.enroll(name, queues=["help"], capacity=2)
    ann, ben = await Console(here, "ann").connect(), await Console(there, "ben").connect()
    await swept(house, here, there)
    assert team(ann) == {"ann": ("away", 0, True), "ben": ("away", 0, True)}
    await there.agents.handle(ben.seat, console.Presence(1, "break", "lunch"))
    await until(lambda: here.agents._rooms["shop"]._touched)
    await swept(house, here)
    assert team(ann)["ben"] == ("break", 0, True)
    await there.agents.disconnect(ben.seat)
    await until(lambda: here.agents._rooms["shop"]._touched)
    await swept(house, here)
    assert team(ann)["ben"][2] is False
    again = await Console(here, "ann").connect()
    assert team(again) == team(ann)  # with the hello, without waiting for a change
