"""router.store.routing: talks that pass from one agent to another, what supervisors do, and the last chat of a day."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from router.core.queue import Overflow, Relaxation
from router.core.routing import Talk, why_agent
from router.errors import Refused
from router.store import keys
from tests.floor import LOST_MS, REST_MS, RING_MS, SITE, SITES, WRAP_MS, Floor, plain_terms


@pytest.fixture
def floor(redis: Redis) -> Floor:
    return Floor(redis)


async def busy(floor: Floor, login: str) -> list[str]:
    return sorted(talk.cid for talk in (await floor.duty(login)).talks)


async def transfer(floor: Floor, talk: Talk, to: str, sender: str = "ann") -> Talk:
    await floor.run(floor.routing.transfer(SITE, sender, talk.cid, to, "likes blue"))
    return await floor.talk(talk.cid)


def why(talk: Talk) -> dict[str, Any]:
    found = why_agent(talk.why)
    assert found is not None
    return found


# --- to an agent -------------------------------------------------------------------------------------------


async def test_a_transfer_rings_there_and_stays_with_its_sender_until_it_is_answered(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk, waiting = await floor.active("ann"), await floor.active("bob")
    await floor.run(floor.routing.close(SITE, "bob", waiting.cid, "sold", ""))
    await floor.advance(WRAP_MS)
    waiting = await floor.open(skills=["ja"])
    handed = await transfer(floor, talk, "bob")
    assert (handed.state, handed.agent, handed.to) == ("active", "ann", "bob")
    assert await busy(floor, "ann") == await busy(floor, "bob") == [talk.cid]
    await floor.run(floor.routing.answer(SITE, "bob", talk.cid))
    taken = await floor.talk(talk.cid)
    assert (taken.state, taken.agent, taken.to, taken.opened) == ("active", "bob", "", talk.opened)
    assert (taken.handed_by, taken.handed_note) == ("Ann", "likes blue")
    assert why(taken)["kind"] == "transfer"
    assert await busy(floor, "ann") == [], "the sender's slot is free"
    assert (await floor.open()).agent == "ann"


@pytest.mark.parametrize("how", ["declined", "missed", "break", "gone"])
async def test_a_refused_transfer_stays_with_its_sender_with_note_and_age(floor: Floor, how: str) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    await transfer(floor, talk, "bob")
    if how == "declined":
        await floor.run(floor.routing.decline(SITE, "bob", talk.cid))
    elif how == "missed":
        await floor.advance(RING_MS)
    elif how == "break":
        await floor.run(floor.routing.presence(SITE, "bob", "break", "lunch"))
    else:
        await floor.leave("bob")
    back = await floor.talk(talk.cid)
    assert (back.state, back.agent, back.to, back.opened) == ("active", "ann", "", talk.opened)
    assert (back.handed_note, back.over_of) == ("likes blue", "bob")
    assert await busy(floor, "bob") == []
    with pytest.raises(Refused, match="too_late"):
        await floor.run(floor.routing.answer(SITE, "bob", talk.cid))


async def test_a_refused_transfer_whose_sender_is_lost_goes_to_the_queue_with_its_note(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    await transfer(floor, talk, "bob")
    await floor.leave("ann")
    await floor.run(floor.routing.decline(SITE, "bob", talk.cid))
    await floor.run(floor.routing.presence(SITE, "bob", "away"))
    await floor.advance(LOST_MS)
    back = await floor.talk(talk.cid)
    assert (back.state, back.position, back.opened) == ("waiting", 1, talk.opened)
    assert back.handed_note == "likes blue"


async def test_a_missed_transfer_counts_as_a_missed_ring(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    for _ in range(2):
        await transfer(floor, talk, "bob")
        await floor.advance(RING_MS)
    assert (await floor.duty("bob")).reason == "missed_rings"


async def test_nobody_gets_a_transfer_they_have_no_slot_for(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    await floor.agent("bob")
    first = await floor.active("ann")
    await floor.active("bob")
    await floor.enroll("cem")
    for to in ("bob", "cem", "nobody", "ann"):
        with pytest.raises(Refused, match="full"):
            await transfer(floor, first, to)
    with pytest.raises(Refused, match="not_yours"):
        await transfer(floor, first, "ann", sender="bob")


async def test_a_talk_that_ends_while_a_transfer_rings_ends_the_ring(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    await transfer(floor, talk, "bob")
    await floor.run(floor.routing.end(SITE, talk.cid))
    assert await busy(floor, "bob") == []
    assert f"pass|{talk.cid}" not in await floor.due()


# --- to a queue --------------------------------------------------------------------------------------------


async def test_a_transfer_to_a_queue_frees_the_slot_at_once_and_keeps_age_and_note(floor: Floor) -> None:
    await floor.agent("ann", queues=["help", "style"])
    talk = await floor.active("ann")
    younger = await floor.open(queue="style")
    await floor.run(floor.routing.requeue(SITE, "ann", talk.cid, plain_terms("style"), "wants a gift"))
    back = await floor.talk(talk.cid)
    assert (back.state, back.queue, back.position, back.opened) == ("waiting", "style", 1, talk.opened)
    assert (await floor.talk(younger.cid)).agent == "ann", "whoever passed it on is not asked at once"
    await floor.agent("bob", queues=["style"])
    rings = await floor.talk(talk.cid)
    assert (rings.agent, rings.handed_by, rings.handed_note) == ("bob", "Ann", "wants a gift")


async def test_with_nobody_else_the_sender_is_asked_after_a_rest(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.requeue(SITE, "ann", talk.cid, plain_terms(), ""))
    assert (await floor.talk(talk.cid)).state == "waiting"
    await floor.advance(REST_MS)
    assert (await floor.talk(talk.cid)).agent == "ann"


# --- taking and assigning ----------------------------------------------------------------------------------


async def test_an_agent_pulls_a_waiting_conversation_that_fits_past_older_ones(floor: Floor) -> None:
    older, talk = await floor.open(), await floor.open()
    await floor.enroll("ann")
    await floor.join("ann")
    await floor.run(floor.routing.take(SITE, "ann", talk.cid, whatever=False))
    taken = await floor.talk(talk.cid)
    assert (taken.state, taken.agent, why(taken)["kind"]) == ("active", "ann", "taken")
    assert any('"joined","Ann"' in line for line in floor.replies[-2].lines)
    assert (await floor.talk(older.cid)).position == 1
    with pytest.raises(Refused, match="full"):
        await floor.run(floor.routing.take(SITE, "ann", older.cid, whatever=False))


async def test_an_agent_takes_neither_what_does_not_fit_nor_what_is_not_waiting(floor: Floor) -> None:
    await floor.agent("ann", capacity=3)
    foreign, other = await floor.open(skills=["fr"]), await floor.active("ann")
    await floor.agent("bob", capacity=3)
    with pytest.raises(Refused, match="forbidden"):
        await floor.run(floor.routing.take(SITE, "bob", foreign.cid, whatever=False))
    with pytest.raises(Refused, match="too_late"):
        await floor.run(floor.routing.take(SITE, "bob", other.cid, whatever=False))
    assert (await floor.talk(other.cid)).agent == "ann"


async def test_a_supervisor_takes_whatever_is_open_and_the_freed_slot_pulls(floor: Floor) -> None:
    await floor.agent("ann")
    talk, next_one, foreign = await floor.active("ann"), await floor.open(), await floor.open(queue="style")
    await floor.agent("sue", queues=["none"], capacity=2)
    for cid in (talk.cid, foreign.cid):
        await floor.run(floor.routing.take(SITE, "sue", cid, whatever=True))
        await floor.run(floor.routing.take(SITE, "sue", cid, whatever=True))
    assert await busy(floor, "sue") == sorted([talk.cid, foreign.cid])
    assert (await floor.talk(next_one.cid)).agent == "ann"


async def test_taking_what_rings_as_a_transfer_is_answering_it(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk, other = await floor.active("ann"), await floor.active("bob")
    await floor.run(floor.routing.close(SITE, "bob", other.cid, "sold", ""))
    await floor.advance(WRAP_MS)
    await transfer(floor, talk, "bob")
    waiting = await floor.open()
    await floor.run(floor.routing.take(SITE, "bob", talk.cid, whatever=False))
    assert (await busy(floor, "ann"), await busy(floor, "bob")) == ([waiting.cid], [talk.cid])


async def test_what_a_supervisor_assigns_rings_for_that_agent_and_goes_on_when_missed(floor: Floor) -> None:
    talk = await floor.open(skills=["fr"])
    await floor.agent("ann")
    await floor.run(floor.routing.assign(SITE, "sue", talk.cid, "ann"))
    rings = await floor.talk(talk.cid)
    assert (rings.state, rings.agent, why(rings)["kind"]) == ("ringing", "ann", "assigned")
    await floor.advance(RING_MS)
    assert (await floor.talk(talk.cid)).state == "waiting"
    await floor.run(floor.routing.presence(SITE, "ann", "break"))
    with pytest.raises(Refused, match="full"):
        await floor.run(floor.routing.assign(SITE, "sue", talk.cid, "ann"))


async def test_assigning_an_active_talk_is_a_transfer(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    await floor.run(floor.routing.assign(SITE, "sue", talk.cid, "bob"))
    assert ((await floor.talk(talk.cid)).agent, (await floor.talk(talk.cid)).to) == ("ann", "bob")
    await floor.run(floor.routing.answer(SITE, "bob", talk.cid))
    assert (await floor.talk(talk.cid)).agent == "bob"


# --- presence ----------------------------------------------------------------------------------------------


async def test_after_the_last_chat_the_agent_is_away_and_got_nothing_new(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    talk = await floor.active("ann")
    await floor.run(floor.routing.presence(SITE, "ann", "last_chat"))
    waiting = await floor.open()
    assert waiting.state == "waiting"
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "sold", ""))
    assert (await floor.duty("ann")).presence == "last_chat", "the wrap-up stays"
    await floor.advance(WRAP_MS)
    assert (await floor.duty("ann")).presence == "away"
    assert (await floor.talk(waiting.cid)).state == "waiting"


async def test_without_a_talk_the_last_chat_was_it(floor: Floor) -> None:
    await floor.agent("ann")
    ringing = await floor.open()
    await floor.run(floor.routing.presence(SITE, "ann", "last_chat"))
    assert (await floor.duty("ann")).presence == "away"
    assert (await floor.talk(ringing.cid)).state == "waiting"


async def test_a_break_has_its_reason_and_nobody_unknown_has_a_presence(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.run(floor.routing.presence(SITE, "ann", "break", "lunch"))
    assert ((await floor.duty("ann")).presence, (await floor.duty("ann")).reason) == ("break", "lunch")
    with pytest.raises(Refused, match="not_found"):
        await floor.run(floor.routing.presence(SITE, "nobody", "away"))
    assert not await floor.redis.exists(keys.agent(SITE, "nobody"))


# --- why this agent ----------------------------------------------------------------------------------------


async def test_the_record_and_the_journal_say_why_this_agent(floor: Floor) -> None:
    await floor.agent("ann", skills=["ja"], capacity=2)
    floor.now += 5_000
    free = await floor.active("ann", skills=["ja"])
    assert why(free) == {
        "kind": "free", "step": 0, "waited_ms": 0, "load": 0, "idle_ms": 5_001, "skills": ["ja"],
    }  # fmt: skip
    await floor.active("ann")
    waited = await floor.open()
    floor.now += 3_000
    await floor.run(floor.routing.end(SITE, free.cid))
    await floor.run(floor.routing.close(SITE, "ann", free.cid, "sold", ""))
    pulled = why(await floor.talk(waited.cid))
    assert (pulled["kind"], pulled["waited_ms"], pulled["load"], pulled["idle_ms"]) == ("freed", 3_000, 1, 0)
    told = [event for reply in floor.replies for event in reply.events if event["kind"] == "ringing"]
    assert why_agent(told[-1]["why_agent"]) == pulled


# --- levels, steps, priority -------------------------------------------------------------------------------


async def test_least_load_then_best_level_then_longest_idle(floor: Floor) -> None:
    await floor.agent("ann", skills=["gold:2"], capacity=2)
    await floor.agent("bob", skills=["gold"], capacity=2)
    await floor.agent("cem", skills=["gold:4"], capacity=2)
    await floor.agent("dan", skills=["gold:4"], capacity=1)
    asked = [(await floor.open(skills=["gold"])).agent for _ in range(5)]
    assert asked == ["cem", "dan", "bob", "ann", "cem"]


async def test_a_conversation_asks_for_less_as_it_waits_and_never_for_another_language(floor: Floor) -> None:
    rules = msgspec.structs.replace(
        SITES[SITE].queues["help"], level=3, relax=(Relaxation(30_000, level=1),),
        overflow=Overflow(45_000, ("style",)),
    )  # fmt: skip
    await floor.agent("ann", skills=["gold:2", "ja"])
    await floor.agent("bob", skills=["gold:2"], capacity=2)
    await floor.agent("cem", queues=["style"], skills=["gold:1", "fr"])
    first = await floor.open(skills=["gold", "ja"], rules=rules)
    french = await floor.open(skills=["gold", "fr"], rules=rules)
    await floor.advance(29_000)
    assert (await floor.talk(first.cid)).state == "waiting"
    await floor.advance(1_000)
    assert ((await floor.talk(first.cid)).agent, (await floor.talk(french.cid)).state) == ("ann", "waiting")
    assert why(await floor.talk(first.cid))["step"] == 1
    await floor.advance(15_000)
    overflown = await floor.talk(french.cid)
    assert (overflown.agent, overflown.queue, overflown.step) == ("cem", "help", 2)


async def test_a_queue_with_priority_counts_its_conversations_as_older(floor: Floor) -> None:
    urgent = msgspec.structs.replace(SITES[SITE].queues["style"], priority_ms=60_000)
    await floor.enroll("ann", queues=["help", "style"])
    oldest = await floor.open()
    floor.now += 60_000
    older = await floor.open()
    talk = await floor.open(queue="style", rules=urgent)
    await floor.join("ann")
    for expected in (oldest, talk, older):
        await floor.run(floor.routing.presence(SITE, "ann", "available"))
        assert (await floor.talk(expected.cid)).agent == "ann"
        await floor.run(floor.routing.end(SITE, expected.cid))
