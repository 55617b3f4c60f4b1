"""Abuse: a block ends the conversation, and its shopper reaches nobody until it is over or lifted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from redis.asyncio import Redis

from router.core.left import Left
from router.core.lines import Terms
from router.core.routing import Reply
from router.errors import Refused
from router.store import keys
from router.store.room import Rooms
from tests.floor import SITE, WRAP_MS, Floor, plain_terms

DAY_MS = 86_400_000


@pytest.fixture
def floor(redis: Redis) -> Floor:
    return Floor(redis)


async def opened(floor: Floor, cid: str, session: str, visitor: str = "", terms: Terms | None = None) -> str:
    """Ask for a person; the state, or the refusal's name."""
    script = floor.routing.open(
        SITE, cid, terms=terms or plain_terms(), secret="s", language="ja", card="{}", visitor=visitor,
        session=session,
    )  # fmt: skip
    try:
        return str((await floor.run(script))["state"])
    except Refused as refused:
        return refused.name


async def blocked(floor: Floor) -> None:
    """A talk of session s-1, visitor v-1, that ann has ended and blocked."""
    await floor.agent("ann", capacity=5)
    await opened(floor, "talk-1", "s-1", "visitor-1")
    await floor.run(floor.routing.answer(SITE, "ann", "talk-1"))
    await floor.run(floor.routing.block(SITE, "ann", "talk-1", "insults", DAY_MS))


async def hold(floor: Floor, did: str, session: str, visitor: str) -> bool:
    ends = floor.now + 60_000
    return bool(await floor.run(floor.routing.hold(SITE, did, "help", [], ends, session, visitor)))


async def test_a_blocked_shopper_reaches_nobody_by_session_nor_by_visitor(floor: Floor) -> None:
    await blocked(floor)
    talk = await floor.talk("talk-1")
    assert (talk.state, talk.end, talk.deadline) == ("wrap-up", "blocked", floor.now + WRAP_MS)
    assert [event["kind"] for event in floor.replies[-2].events] == ["blocked", "wrap-up"]
    assert await opened(floor, "talk-2", "s-1") == "blocked"
    assert await opened(floor, "talk-3", "s-9", "visitor-1") == "blocked"
    assert await opened(floor, "talk-4", "s-2", "visitor-2") == "ringing"
    assert not await hold(floor, "invite-1", "s-1", "")
    assert not await hold(floor, "invite-2", "s-9", "visitor-1")
    assert await hold(floor, "invite-3", "s-2", "visitor-2")
    left = Left(id="message-1", queue="help", at=0, due=0)
    with pytest.raises(Refused, match="blocked"):
        await floor.run(floor.routing.leave_message(SITE, left, "s-1", 5))


async def test_a_block_ends_by_itself_and_leaves_no_name_behind(floor: Floor) -> None:
    await blocked(floor)
    rooms = Rooms(floor.redis)
    (block,) = await rooms.blocks(SITE, floor.now)
    assert block == {
        "cid": "talk-1", "by": "ann", "name": "Ann", "reason": "insults", "who": "visito",
        "at": floor.now, "until": floor.now + DAY_MS,
    }  # fmt: skip
    floor.now += DAY_MS
    assert await rooms.blocks(SITE, floor.now) == []
    assert await opened(floor, "talk-2", "s-1", "visitor-1") != "blocked"
    await floor.join("ann")
    await floor.run(floor.routing.presence(SITE, "ann", "available"))
    await opened(floor, "talk-3", "s-3")
    await floor.run(floor.routing.take(SITE, "ann", "talk-3", whatever=True))
    await floor.run(floor.routing.block(SITE, "ann", "talk-3", "spam", DAY_MS))
    assert await floor.redis.hkeys(keys.routing(SITE, "blocks")) == [b"talk-3"]
    assert await floor.redis.zrange(keys.routing(SITE, "blocked"), 0, -1) == [b"s-3"]


async def test_a_block_is_lifted_and_twice_is_once(floor: Floor) -> None:
    await blocked(floor)
    await floor.run(floor.routing.block(SITE, "ann", "talk-1", "again", DAY_MS))
    assert (await Rooms(floor.redis).blocks(SITE, floor.now))[0]["reason"] == "insults"
    for events in (["unblocked"], []):
        await floor.run(floor.routing.unblock(SITE, "mana", "talk-1"))
        assert [event["kind"] for event in floor.replies[-1].events] == events
    assert await opened(floor, "talk-2", "s-1", "visitor-1") == "ringing"


async def test_only_whose_talk_it_is_may_warn_and_block(floor: Floor) -> None:
    await floor.agent("ann")
    await opened(floor, "talk-1", "s-1")
    scripts: tuple[Callable[[str, str], Awaitable[Reply]], ...] = (
        partial(floor.routing.warn, SITE),
        lambda login, cid: floor.routing.block(SITE, login, cid, "why", DAY_MS),
    )
    for script in scripts:
        for login, cid, name in (("bob", "talk-1", "not_yours"), ("ann", "talk-9", "no_conversation")):
            with pytest.raises(Refused, match=name):
                await floor.run(script(login, cid))
        with pytest.raises(Refused, match="too_late"):
            await floor.run(script("ann", "talk-1"))
    await floor.run(floor.routing.answer(SITE, "ann", "talk-1"))
    await floor.run(floor.routing.warn(SITE, "ann", "talk-1"))
    assert '"warned"' in floor.replies[-1].lines[0]
    assert (await floor.talk("talk-1")).state == "active"
