"""router.live.agents: what consoles see of transfers, of what supervisors do, and what their roles refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core import console
from router.errors import Refused
from router.live.desk import Desk
from router.store.embedded import Embedded
from tests.floor import RING_MS
from tests.live.test_desk import CID, Console, House, Shopper, accept, talking
from tests.waiting import until


@pytest.fixture
async def house(redis: Redis, valkey: Embedded) -> AsyncIterator[House]:
    house = House(redis, valkey.url)
    yield house
    await house.close()


async def supervisor(house: House, desk: Desk) -> Console:
    """A supervisor who is there and takes nothing."""
    await house.floor.enroll("sue", queues=["none"], capacity=1)
    sue = Console(desk, "sue")
    sue.agent["role"] = "supervisor"
    return await sue.connect()


def last(agent: Console, kind: str = "conversation") -> dict[str, Any]:
    found: dict[str, Any] = agent.of(kind)[-1]["conversation"]
    return found


def pass_to(agent: str = "", queue: str = "", note: str = "likes blue") -> console.Transfer:
    return console.Transfer(1, CID, console.Target(agent, queue), note)


async def test_a_transfer_rings_with_all_lines_and_the_sender_sees_it_go(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    ann, shopper = await talking(house, here)
    bob = await house.agent(there, "bob")
    await ann.ask(console.Say(2, CID, "m-000001", "one moment"))
    await ann.ask(pass_to("bob"))
    await until(lambda: bob.of("ring"))
    ring = last(bob, "ring")
    assert (ring["state"], ring["agent"], ring["transfer"]) == (
        "ringing", "bob", {"from": "Ann", "note": "likes blue", "to": "bob"}
    )  # fmt: skip
    assert ring["why_agent"]["kind"] == "transfer"
    assert [line["text"] for line in ring["messages"]] == ["joined", "one moment"]
    assert last(ann)["transfer"]["to"] == "bob" and last(ann)["agent"] == "ann"
    answer = await bob.ask(console.Accept(3, CID))
    assert (answer["conversation"]["state"], answer["conversation"]["agent"]) == ("active", "bob")
    await until(lambda: last(ann)["agent"] == "bob")
    await bob.ask(console.Say(4, CID, "m-000002", "hello"))
    await until(lambda: shopper.has("joined", "one moment", "joined", "hello"))
    with pytest.raises(Refused, match="not_yours"):
        await ann.ask(console.Say(5, CID, "m-000003", "still here"))


async def test_a_missed_transfer_ends_its_ring_and_the_talk_goes_on_where_it_was(house: House) -> None:
    desk = await house.desk()
    ann, _ = await talking(house, desk)
    bob = await house.agent(desk, "bob")
    await ann.ask(pass_to("bob"))
    await house.advance(RING_MS)
    assert bob.of("ring_over")[-1] == {"t": "ring_over", "cid": CID, "reason": "missed"}
    assert last(ann)["transfer"] == {"from": "Ann", "note": "likes blue", "to": None}
    assert await ann.ask(console.Say(2, CID, "m-000001", "still with me"))


async def test_a_transfer_to_a_queue_keeps_the_languages_asked_for(house: House) -> None:
    desk = await house.desk()
    ann, _ = await talking(house, desk)
    await house.floor.enroll("bob", queues=["style"])
    bob = await Console(desk, "bob").connect()
    await bob.ask(console.Presence(1, "available"))
    await ann.ask(pass_to(queue="style"))
    ring = last(bob, "ring")
    assert (ring["queue"], ring["transfer"]["note"], last(ann)["agent"]) == ("style", "likes blue", "bob")


@pytest.mark.parametrize("frame", [pass_to(), pass_to("bob", "style"), pass_to(queue="nowhere")])
async def test_a_transfer_goes_to_one_agent_or_one_known_queue(house: House, frame: console.Transfer) -> None:
    ann, _ = await talking(house, await house.desk())
    with pytest.raises(Refused, match="bad_request"):
        await ann.ask(frame)


async def test_a_supervisor_takes_assigns_and_sends_on_a_break(house: House) -> None:
    desk = await house.desk()
    ann, _ = await talking(house, desk)
    sue = await supervisor(house, desk)
    answer = await sue.ask(console.Take(1, CID))
    assert answer["conversation"]["agent"] == "sue" and last(ann)["agent"] == "sue"
    await sue.ask(console.Assign(2, CID, "ann"))
    assert last(ann, "ring")["why_agent"]["kind"] == "assigned"
    await ann.ask(console.Accept(3, CID))
    await sue.ask(console.SetPresence(4, "ann", "break", "lunch"))
    assert ann.of("presence")[-1] == {"t": "presence", "state": "break", "reason": "lunch"}
    with pytest.raises(Refused, match="bad_request"):
        await sue.ask(console.SetPresence(5, "ann", "break", "nap"))


async def test_an_agent_does_not_what_supervisors_do(house: House) -> None:
    desk = await house.desk()
    ann, _ = await talking(house, desk)
    bob = await house.agent(desk, "bob")
    for frame in (console.Assign(1, CID, "bob"), console.SetPresence(2, "ann", "away")):
        with pytest.raises(Refused, match="forbidden"):
            await bob.ask(frame)
    with pytest.raises(Refused, match="too_late"):
        await bob.ask(console.Take(3, CID))
    assert not ann.of("presence")[1:]


async def test_an_agent_on_a_break_may_pull_a_waiting_conversation(house: House) -> None:
    desk = await house.desk()
    ann = await house.agent(desk)
    await ann.ask(console.Presence(1, "break", "lunch"))
    await accept(desk)
    shopper = Shopper()
    desk.watch("shop", CID, shopper)
    answer = await ann.ask(console.Take(2, CID))
    assert answer["conversation"]["state"] == "active"
    assert shopper.states[-1] == "active" and shopper.has("waiting", "joined")


async def test_who_is_disabled_is_logged_out_everywhere_and_their_talk_goes_to_the_front(
    house: House,
) -> None:
    here, there = await house.desk(), await house.desk()
    agent, _ = await talking(house, here)
    second = Console(there, agent.seat.login)
    await second.connect()
    await house.floor.routing.disable("shop", agent.seat.login, True)
    await until(lambda: agent.closed and second.closed)
    for console_, desk in ((agent, here), (second, there)):
        await desk.agents.disconnect(console_.seat)
    duty = await house.floor.talk(CID)
    assert (duty.state, duty.agent) == ("waiting", "")
    again = Console(there, agent.seat.login)
    await again.connect()
    await until(lambda: again.closed)
    assert not again.of("hello")
    await there.agents.disconnect(again.seat)
    await house.floor.routing.disable("shop", agent.seat.login, False)
    back = await Console(there, agent.seat.login).connect()
    assert back.of("hello")[0]["presence"] == "away"
