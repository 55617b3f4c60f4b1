"""router.live.talks: a shopper's side of a conversation keeps its order, its bounds and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest
from msgspec.structs import replace
from redis.exceptions import ConnectionError as StoreAway

from router.core import events as ev
from router.core import protocol as wire
from router.live import holdings
from router.live.talks import MAX_WAITING
from tests.agent import Agent
from tests.live.world import World, available, farewell, heard, held_of, invited, left, talking
from tests.service import InLoop
from tests.shopper import Shopper
from tests.waiting import until


async def test_lines_that_are_sent_at_once_are_stored_in_their_order(world: World) -> None:
    """Each line was a task of its own, and the store took them in any order."""
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        mids = [f"mid-shop-{n:03d}" for n in range(20)]
        for mid in mids:
            page.send_message(wire.Say(cid, mid, mid))
        await until(lambda: len(shopper.all(wire.Stored)) == len(mids))
        said = sorted(shopper.all(wire.Stored), key=lambda line: line.offset)
        assert [line.mid for line in said] == mids
        await until(lambda: len(_lines(agent, "shopper")) == len(mids))
        assert _lines(agent, "shopper") == mids


def _lines(agent: Agent, author: str) -> list[str]:
    messages = (frame["message"] for frame in agent.all("message"))
    return [message["text"] for message in messages if message["author"] == author]


async def test_a_flood_of_chat_messages_is_refused_beyond_a_bound_and_hurts_nobody_else(
    service: InLoop,
) -> None:
    """Each frame was a task of its own: 20,000 of them kept the store's connections from everybody."""
    shopper = Shopper(service)
    page = await shopper.open()
    talks = service.service.engine.talks
    most = 0
    for n in range(1000):
        page.send_message(wire.Resume(f"no-such-talk-{n:04d}", "no-such-secret", 0))
        if n == 500:
            await (other := Shopper(service)).open()
            most = len(talks.tasks)
    await until(lambda: len(shopper.all(wire.Error)) == 1000, within_s=10)
    refusals = [error.name for error in shopper.all(wire.Error)]
    assert set(refusals) == {"no_conversation", "overloaded"} and refusals.count("overloaded") > MAX_WAITING
    assert most <= 1 and page.connected and other.all(wire.Welcome)
    await service.service.settled()
    assert not talks._waiting


async def test_a_page_that_comes_back_again_and_again_is_told_everything_once(world: World) -> None:
    """Its old sockets were not yet noticed dead, and each left a watch behind."""
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        secret = held_of(world.at, shopper).session.secret
        for _ in range(10):
            again = await shopper.open(page.page)
            again.send_message(wire.Resume(cid, secret, 0))
            await heard(shopper, again)
        await world.later(0)
        desk, talks = world.at.service.desk, world.at.service.engine.talks
        await until(lambda: len(talks._watches) == 1)
        assert len(desk._watches[cid]) == 1
        shopper.got.clear()
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="hello"))["t"] == "ok"
        await until(lambda: shopper.all(wire.Message))
        await world.later(0)
        await heard(shopper, again)
        assert [m.text for m in shopper.all(wire.Message) if m.author == "agent"] == ["hello"]


async def test_who_accepted_with_the_last_word_of_a_page_is_not_there_for_ever(world: World) -> None:
    """No page left after the talk began, so nobody ever said that the shopper had gone."""
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        await left(world.at, shopper, page)
        body = farewell(shopper, page.page, page.sent + 1, ev.Accepted(0, show.decision))
        await world.at.service.engine.farewell(body)
        await world.later(10)
        desk = world.at.service.desk
        assert show.decision not in desk._present
        assert (await desk._talk("demo", show.decision)).state == "away"
        assert (await agent.next("ring_over"))["reason"] == "cancelled"


async def test_a_chat_of_more_than_half_an_hour_is_still_there_on_the_next_page(calm: World) -> None:
    """Lines are no events: the session ended by silence in the middle of the talk."""
    async with Agent(calm.at) as agent:
        await available(agent)
        shopper = Shopper(calm.at)
        page, cid = await talking(calm, shopper, agent)
        for n in range(4):
            await calm.later(8 * 60)
            page.send_message(wire.Say(cid, f"mid-shopper-{n}", "still here"))
            assert (await shopper.next(wire.Stored)).mid == f"mid-shopper-{n}"
        await shopper.open(previous=page.page)
        talk = shopper.all(wire.Welcome)[-1].config["talk"]
        assert talk is not None and talk[0] == cid


class TestStoreAway:
    """The store does not answer for a while: the shopper is told, and nothing has to be done twice by hand."""

    async def test_an_acceptance_becomes_a_conversation_when_the_store_is_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page, show = await invited(world, shopper)
            async with _sweeping(world, monkeypatch):
                with monkeypatch.context() as away:
                    away.setattr(world.at.service.desk._routing, "open", _away)
                    page.send(ev.Accepted(0, show.decision))
                    for _ in range(2):  # the first try, and one of the sweep
                        refused = await shopper.next(wire.Error)
                        assert (refused.name, refused.about) == ("unavailable", show.decision)
                    assert not agent.all("ring")
                assert (await agent.next("ring"))["conversation"]["cid"] == show.decision
                assert (await shopper.next(wire.Conversation)).secret

    async def test_a_line_that_was_stored_but_not_answered_is_stored_once_when_it_is_sent_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page, cid = await talking(world, shopper, agent)
            chats = world.at.service.desk._chats
            append = chats.append

            async def unanswered(*args: Any) -> int:
                await append(*args)
                return await _away()

            say = wire.Say(cid, "mid-shop-1", "hello")
            with monkeypatch.context() as away:
                away.setattr(chats, "append", unanswered)
                page.send_message(say)
                refused = await shopper.next(wire.Error)
                assert (refused.name, refused.about) == ("unavailable", say.mid)
            page.send_message(say)
            assert (await shopper.next(wire.Stored)).mid == say.mid
            await until(lambda: _lines(agent, "shopper"))
            await world.later(0)
            history = await agent.ask("history", cid=cid, after=0)
            assert [m["text"] for m in history["messages"] if m["author"] == "shopper"] == ["hello"]
            assert _lines(agent, "shopper") == ["hello"]


async def _away(*_: object, **__: object) -> NoReturn:
    raise StoreAway("the store does not answer")


@asynccontextmanager
async def _sweeping(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The sweep of sessions, oftener than in service."""
    monkeypatch.setattr(holdings, "SWEEP_S", 0.01)
    task = asyncio.create_task(world.at.service.engine.holdings.sweep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("on", [False, True])
async def test_what_is_typed_is_seen_only_where_the_shop_wants_it(world: World, on: bool) -> None:
    site = world.at.service.sites["demo"]
    world.at.service.sites["demo"] = replace(site, sneak_peek=on)
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        assert {one.peek for one in shopper.all(wire.Conversation)} == {on}
        await until(
            lambda: any(told["conversation"]["state"] == "active" for told in agent.all("conversation"))
        )
        page.send_message(wire.Typing(cid, True, "my card is 4111 1111 11"))
        await agent.next("typing")
        page.send_message(wire.Typing(cid, False))
        await agent.next("typing")
        assert [frame["text"] for frame in agent.all("peek")] == (["my card is ••••"] if on else [])
