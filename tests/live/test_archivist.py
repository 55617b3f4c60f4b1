"""router.live.archivist: conversations are written down once they end, also when a process fails in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from router.core import protocol as wire
from router.core.queue import Field, Name, Tag
from router.errors import Refused
from router.store import keys
from router.store.archive import KEPT, Archive
from router.store.journal import latest
from tests.agent import Agent
from tests.live.world import World, available, held_of, talking
from tests.shopper import Shopper
from tests.waiting import until


def with_forms(world: World) -> None:
    """The demo's queues ask for more when a conversation ends."""
    site = world.at.service.sites["demo"]
    name = Name(ja="名前", en="Name")
    more = {
        "tags": (Tag("gift", name), Tag("size", name)),
        "fields": (Field("order", name, True), Field("more", name)),
    }
    queues = {key: replace(queue, **more) for key, queue in site.queues.items()}
    world.at.service.sites["demo"] = replace(site, queues=queues)


async def transcripts(world: World, redis: Redis) -> list[dict[str, Any]]:
    return [entry.record for entry in await latest(redis, 200) if entry.kind == "transcript"]


async def closed(world: World, agent: Agent, cid: str, **more: Any) -> dict[str, Any]:
    return await agent.ask("close", cid=cid, disposition="answered", **more)


async def end(world: World, agent: Agent, shopper: Shopper) -> str:
    """A talk that was had and closed, with its wrap-up."""
    _, cid = await talking(world, shopper, agent)
    assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="hello"))["t"] == "ok"
    assert (await closed(world, agent, cid, note="kind", fields={"order": "A-1"}))["t"] == "ok"
    await world.later(31)
    await world.later(5)
    return cid


async def test_an_ended_talk_is_in_the_journal_with_its_lines_and_its_form(
    world: World, redis: Redis
) -> None:
    with_forms(world)
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        _, cid = await talking(world, shopper, agent)
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="hello"))["t"] == "ok"
        assert (await agent.ask("tag", cid=cid, tags=["gift"]))["t"] == "ok"
        assert (await agent.ask("tag", cid=cid, tags=["nonsense"]))["error"] == "bad_request"
        refused = await closed(world, agent, cid)
        assert (refused["error"], refused["text"]) == ("bad_request", "Required: order.")
        refused = await closed(world, agent, cid, fields={"order": "1", "other": "2"})
        assert refused["text"] == "The queue has no field other."
        fields = {"order": "A-1", "more": "4111 1111 1111 1111"}
        assert (await closed(world, agent, cid, note="kind", fields=fields))["t"] == "ok"
        await world.later(31)
        await world.later(5)
        (written,) = await transcripts(world, redis)
        assert written["fields"] == {"order": "A-1", "more": "•••• 1111"}
        assert {name: written[name] for name in ("cid", "end", "note", "tags")} == {
            "cid": cid, "end": "closed", "note": "kind", "tags": ["gift"],
        }  # fmt: skip
        assert [line["text"] for line in written["lines"]] == ["joined", "hello", "closed"]
        assert written["visitor"] == held_of(world.at, shopper).session.visitor


async def test_the_next_agent_reads_what_was_said_before(world: World, redis: Redis) -> None:
    with_forms(world)
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        cid = await end(world, agent, shopper)
        vid = held_of(world.at, shopper).session.visitor
        await world.at.service.desk.accept(
            "demo", "talk-again", "secret-0", "checkout-help", (), "ja", {"who": {}}, vid
        )
        await agent.next("ring")
        talks = (await agent.ask("before", cid="talk-again"))["talks"]
        assert [(one["cid"], one["note"], one["name"]) for one in talks] == [(cid, "kind", "葵 Aoi")]
        assert [line["text"] for line in talks[0]["lines"]] == ["joined", "hello", "closed"]


async def test_what_could_not_be_written_down_is_written_down_later(
    world: World, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_forms(world)
    archivist = world.at.service.desk.archivist
    write = archivist._write_down

    async def refuses(transcripts: Sequence[dict[str, Any]]) -> None:
        raise Refused("overloaded")

    monkeypatch.setattr(archivist, "_write_down", refuses)
    async with Agent(world.at) as agent:
        await available(agent)
        cid = await end(world, agent, Shopper(world.at))
        assert await transcripts(world, redis) == []
        monkeypatch.setattr(archivist, "_write_down", write)
        await world.later(40)
        assert [one["cid"] for one in await transcripts(world, redis)] == [cid]
        assert await redis.zcard(keys.routing("demo", "unkept")) == 0


async def test_a_disposition_that_comes_after_the_end_is_written_down_too(world: World, redis: Redis) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="hello"))["t"] == "ok"
        page.send_message(wire.End(cid))
        await until(lambda: any(told.state == "wrap-up" for told in shopper.all(wire.Conversation)))
        await world.later(31)
        await world.later(5)
        assert [one["disposition"] for one in await transcripts(world, redis)] == [""]
        assert (await closed(world, agent, cid, note="left early"))["t"] == "ok"
        await world.later(5)
        assert [one["disposition"] for one in await transcripts(world, redis)] == ["answered", ""]


async def test_one_that_cannot_be_written_down_keeps_no_other_waiting(
    world: World, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    archivist = world.at.service.desk.archivist
    write = archivist._write_down
    poison = ""

    async def refuses_one(transcripts: Sequence[dict[str, Any]]) -> None:
        if poison in [one["cid"] for one in transcripts]:
            raise ValueError(poison)
        await write(transcripts)

    monkeypatch.setattr(archivist, "_write_down", refuses_one)
    async with Agent(world.at) as agent:
        await available(agent)
        _, poison = await talking(world, Shopper(world.at), agent)
        assert (await agent.ask("say", cid=poison, mid="mid-agent-1", text="hello"))["t"] == "ok"
        _, cid = await talking(world, Shopper(world.at), agent)
        assert (await agent.ask("say", cid=cid, mid="mid-agent-2", text="hello"))["t"] == "ok"
        for one in (poison, cid):
            assert (await closed(world, agent, one, note=""))["t"] == "ok"
        await world.later(31)
        await world.later(5)
        assert [one["cid"] for one in await transcripts(world, redis)] == [cid]
        assert await redis.zrange(keys.routing("demo", "unkept"), 0, -1) == [poison.encode()]


async def test_a_conversation_without_a_line_is_not_kept(world: World, redis: Redis) -> None:
    desk = world.at.service.desk
    await desk.accept("demo", "talk-0001", "secret-0", "checkout-help", (), "ja", {}, "vid")
    await desk.end("demo", "talk-0001")
    assert await redis.zcard(keys.routing("demo", "unkept")) == 1
    await world.later(5)
    assert not await redis.zcard(keys.routing("demo", "unkept"))
    assert await transcripts(world, redis) == []


async def test_a_visitors_newest_conversations_are_kept(redis: Redis) -> None:
    archive = Archive(redis)
    for n in range(KEPT + 2):
        talk = {"cid": f"talk-{n}", "closed": n, "visitor": "vid"}
        await archive.keep("shop", [talk, talk, {"cid": "nobody", "closed": n, "visitor": ""}])
    assert [one["closed"] for one in await archive.of("shop", "vid")] == list(range(KEPT + 1, 1, -1))
    assert 0 < await redis.ttl(keys.talks("shop", "vid")) <= keys.VISITOR_TTL_S
