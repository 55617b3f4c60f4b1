"""Left messages in the store: made once, owned by one, done once; and what unanswered conversations leave behind."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from router.core.left import Left
from router.core.queue import Name, Queue
from router.errors import Refused
from router.store import keys
from router.store.room import Rooms
from tests.floor import AWAY_MS, SITE, Floor

DAY_MS = 86_400_000


@pytest.fixture
def floor(redis: Redis) -> Floor:
    return Floor(redis)


def message(floor: Floor, mid: str = "message-1", cid: str = "") -> Left:
    return Left(
        id=mid, queue="help", at=0, due=floor.now + DAY_MS, cid=cid, name="Hana", contact="h@example.jp", text="When?"
    )  # fmt: skip


async def leave(floor: Floor, left: Left, session: str = "sid-1", most: int = 5) -> int:
    return int(await floor.run(floor.routing.leave_message(SITE, left, session, most)))


async def worklist(floor: Floor) -> list[Left]:
    return await Rooms(floor.redis).left(SITE)


def kinds(floor: Floor) -> list[str]:
    return [event["kind"] for reply in floor.replies for event in reply.events]


async def test_a_message_is_kept_once_and_as_it_was_first_said(floor: Floor) -> None:
    first = await leave(floor, message(floor))
    floor.now += 1_000
    assert await leave(floor, message(floor)) == first == floor.now - 1_000 + DAY_MS
    (left,) = await worklist(floor)
    assert (left.name, left.contact, left.text, left.at, left.due) == (
        "Hana", "h@example.jp", "When?", floor.now - 1_000, first,
    )  # fmt: skip
    assert kinds(floor).count("message_left") == 1
    assert 0 < await floor.redis.ttl(keys.routing(SITE, "left:message-1")) <= 90 * 86_400


async def test_nobody_leaves_more_than_a_few_an_hour(floor: Floor) -> None:
    for n in range(2):
        await leave(floor, message(floor, f"message-{n}"), most=2)
    with pytest.raises(Refused, match="too_many"):
        await leave(floor, message(floor, "message-3"), most=2)
    await leave(floor, message(floor, "message-4"), session="sid-2", most=2)
    assert 0 < await floor.redis.ttl(keys.routing(SITE, "leaves:sid-1")) <= 3_600


@pytest.mark.parametrize("state", ["waiting", "ringing", "away"])
async def test_a_conversation_that_waits_ends_with_the_message(floor: Floor, state: str) -> None:
    if state == "ringing":
        await floor.agent("ann")
    talk = await floor.open()
    if state == "away":
        await floor.run(floor.routing.gone(SITE, talk.cid))
    assert (await floor.talk(talk.cid)).state == state
    await leave(floor, message(floor, cid=talk.cid))
    talk = await floor.talk(talk.cid)
    assert (talk.state, talk.end) == ("closed", "message")
    if state == "ringing":
        assert not (await floor.duty("ann")).talks
        assert (await floor.open()).agent == "ann", "the slot is free"


async def test_an_active_talk_goes_on(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await leave(floor, message(floor, cid=talk.cid))
    assert (await floor.talk(talk.cid)).state == "active"


async def test_one_answers_for_it_and_a_supervisor_may_change_that(floor: Floor) -> None:
    await leave(floor, message(floor))

    async def take(login: str, owner: str, whatever: bool = False) -> Any:
        return await floor.run(floor.routing.take_left(SITE, login, "message-1", owner, whatever=whatever))

    await take("ann", "ann")
    with pytest.raises(Refused, match="not_yours"):
        await take("bob", "bob")
    await take("ann", "")
    await take("bob", "bob")
    await take("boss", "ann", whatever=True)
    (left,) = await worklist(floor)
    assert left.owner == "ann"
    with pytest.raises(Refused, match="not_found"):
        await floor.run(floor.routing.take_left(SITE, "ann", "message-9", "ann", whatever=True))


async def test_it_is_done_once_with_an_outcome(floor: Floor) -> None:
    await leave(floor, message(floor))
    await floor.run(floor.routing.take_left(SITE, "ann", "message-1", "ann", whatever=False))

    async def done(login: str, outcome: str, whatever: bool = False) -> Any:
        script = floor.routing.finish_left(
            SITE, login, "message-1", outcome, "called back", whatever=whatever
        )
        return await floor.run(script)

    with pytest.raises(Refused, match="not_yours"):
        await done("bob", "answered")
    await done("ann", "answered")
    await done("ann", "answered")
    with pytest.raises(Refused, match="too_late"):
        await done("boss", "spam", whatever=True)
    assert await worklist(floor) == []
    record = await floor.redis.hgetall(keys.routing(SITE, "left:message-1"))
    assert (record[b"outcome"], record[b"note"], record[b"owner"]) == (b"answered", b"called back", b"ann")
    assert kinds(floor).count("message_done") == 1


@pytest.mark.parametrize("said", [False, True])
async def test_what_was_written_before_a_shopper_gave_up_waiting_is_left(floor: Floor, said: bool) -> None:
    talk = await floor.open()
    if said:
        await floor.run(floor.routing.said(SITE, talk.cid))
    await floor.run(floor.routing.gone(SITE, talk.cid))
    await floor.advance(AWAY_MS)
    assert (await floor.talk(talk.cid)).end == "abandoned"
    assert [(left.id, left.cid, left.contact) for left in await worklist(floor)] == (
        [(talk.cid, talk.cid, "")] if said else []
    )
    if said:
        script = floor.routing.left_words(SITE, talk.cid, "Where is my order?", floor.now + 5)
        await floor.run(script)
        (left,) = await worklist(floor)
        assert (left.text, left.due) == ("Where is my order?", floor.now + 5)


async def test_an_end_by_the_shopper_leaves_nothing(floor: Floor) -> None:
    talk = await floor.open()
    await floor.run(floor.routing.said(SITE, talk.cid))
    await floor.run(floor.routing.end(SITE, talk.cid))
    assert await worklist(floor) == []


async def test_who_waits_when_the_queue_closes_is_let_go_and_who_talks_is_not(floor: Floor) -> None:
    await floor.agent("ann")
    rules = Queue(Name(ja="ご案内", en="Help"), (), ring_ms=120_000)
    closing = floor.now + 60_000
    talks = [await floor.open(rules=rules, closes=closing) for _ in range(2)]
    await floor.run(floor.routing.answer(SITE, "ann", talks[0].cid))
    await floor.advance(60_000)
    active, waited = [await floor.talk(talk.cid) for talk in talks]
    assert (active.state, waited.state, waited.end) == ("active", "closed", "unanswered")


async def test_a_full_worklist_takes_no_more(floor: Floor) -> None:
    await floor.redis.zadd(keys.routing(SITE, "left"), {f"message-{n}": floor.now for n in range(1_000)})
    with pytest.raises(Refused, match="overloaded"):
        await leave(floor, message(floor, "message-new"))


async def test_what_nobody_did_for_ninety_days_is_forgotten_with_its_record(floor: Floor) -> None:
    old = floor.now - 90 * DAY_MS - 1
    await floor.redis.zadd(keys.routing(SITE, "left"), {"message-old": old, "message-late": old + 2})
    await leave(floor, message(floor))
    assert await floor.redis.zrange(keys.routing(SITE, "left"), 0, -1) == [b"message-late", b"message-1"]
