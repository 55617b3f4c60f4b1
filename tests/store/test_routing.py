"""router.store.routing: who rings for whom, and what becomes of a conversation in every situation."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import BlockingConnectionPool, Redis

from router.core.routing import invite_limits, why_agent
from router.errors import Refused
from router.store import keys
from router.store.embedded import Embedded
from router.store.routing import Routing, talk_of
from tests.floor import AWAY_MS, LOST_MS, PARK_MS, REST_MS, RING_MS, SITE, START, WRAP_MS, Floor, plain_terms


@pytest.fixture
def floor(redis: Redis) -> Floor:
    return Floor(redis)


# --- who rings ---------------------------------------------------------------------------------------------


async def test_an_accepted_invite_rings_a_free_agent_at_once(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    assert (talk.state, talk.agent, talk.deadline) == ("ringing", "ann", floor.now + RING_MS)


async def test_the_agent_with_the_least_load_is_rung_then_the_one_who_was_idle_longest(floor: Floor) -> None:
    for login in ("ann", "bob", "cem"):
        await floor.agent(login, capacity=2)
    assert [(await floor.open()).agent for _ in range(4)] == ["ann", "bob", "cem", "ann"]


async def test_only_agents_of_the_queue_with_every_skill_are_rung(floor: Floor) -> None:
    await floor.agent("ann", queues=["style"], skills=["ja", "gold"])
    await floor.agent("bob", skills=["ja"])
    await floor.agent("cem", skills=["en", "gold", "ja"])
    assert (await floor.open(skills=["ja", "gold"])).agent == "cem"
    assert (await floor.open(skills=["fr"])).state == "waiting"


async def test_opening_twice_is_opening_once(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    first = await floor.open("talk-same")
    again = await floor.open("talk-same")
    assert again == first
    assert len((await floor.duty("ann")).talks) == 1


async def test_nobody_free_means_a_place_in_line_with_an_honest_wait(floor: Floor) -> None:
    await floor.agent("ann")
    first = await floor.active("ann", wrap_ms=0)
    second, third = await floor.open(), await floor.open(skills=["ja"])
    assert (second.state, second.position) == ("waiting", 1)
    assert (third.position, third.staffed) == (2, 0), "nobody on duty has the skill"
    assert second.pace == 0, "nothing has ended yet, so nobody knows how long one takes"
    await floor.advance(60_000)
    await floor.run(floor.routing.close(SITE, "ann", first.cid, "sold", ""))
    fourth = await floor.open()
    assert (fourth.pace, fourth.staffed) == (floor.now - 1 - first.accepted, 1)


async def test_simultaneous_arrivals_never_overshoot_and_fill_every_slot(
    floor: Floor, valkey: Embedded
) -> None:
    logins = [f"agent{n}" for n in range(15)]
    for n, login in enumerate(logins):
        await floor.agent(login, capacity=n % 3 + 1)
    pool = BlockingConnectionPool.from_url(valkey.url, max_connections=20, timeout=None)
    racing = Routing(Redis(connection_pool=pool), "n2", lambda: floor.now, 0)
    talks = [f"talk-{n:04}" for n in range(300)]
    await asyncio.gather(
        *(
            racing.open(
                SITE, cid, terms=plain_terms(wrap_ms=0), secret="s", language="ja", card="{}"
            )
            for cid in talks
        )
    )  # fmt: skip
    await pool.aclose()
    duties = [await floor.duty(login) for login in logins]
    assert [len(duty.talks) for duty in duties] == [duty.capacity for duty in duties]
    ringing = [talk.cid for duty in duties for talk in duty.talks]
    assert len(set(ringing)) == len(ringing) == sum(n % 3 + 1 for n in range(15))
    assert await floor.redis.zcard(keys.routing(SITE, "line:help|")) == 300 - len(ringing)


# --- rings -------------------------------------------------------------------------------------------------


async def test_accepting_in_time_makes_it_active_and_tells_the_shopper(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    floor.now += RING_MS - 1
    await floor.run(floor.routing.answer(SITE, "ann", talk.cid))
    assert (await floor.talk(talk.cid)).state == "active"
    assert '"joined","Ann"' in floor.replies[-2].lines[0]


async def test_accepting_again_from_another_tab_is_harmless(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.answer(SITE, "ann", talk.cid))
    assert floor.replies[-1].lines == []


async def test_at_the_deadline_it_is_too_late_and_the_next_agent_rings(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.open()
    floor.now += RING_MS
    with pytest.raises(Refused, match="too_late"):
        await floor.run(floor.routing.answer(SITE, "ann", talk.cid))
    later = await floor.talk(talk.cid)
    assert (later.state, later.agent, later.opened) == ("ringing", "bob", talk.opened)


async def test_an_agent_who_declines_is_not_asked_again_while_others_are_free(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    await floor.agent("bob")
    await floor.agent("cem")
    talk = await floor.open()
    asked = []
    while (talk := await floor.talk(talk.cid)).state == "ringing":
        asked.append(talk.agent)
        await floor.run(floor.routing.decline(SITE, talk.agent, talk.cid))
    assert asked == ["ann", "bob", "cem"]
    assert [(await floor.duty(login)).presence for login in asked] == ["available"] * 3


async def test_with_nobody_else_it_goes_back_in_line_with_its_age_and_rings_again_after_a_rest(
    floor: Floor,
) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    await floor.run(floor.routing.decline(SITE, "ann", talk.cid))
    younger = await floor.open()
    assert younger.agent == "ann", "whoever declines one still takes another"
    back = await floor.talk(talk.cid)
    assert (back.state, back.position, back.opened) == ("waiting", 1, talk.opened)
    await floor.run(floor.routing.decline(SITE, "ann", younger.cid))
    await floor.advance(REST_MS)
    assert (await floor.talk(talk.cid)).agent == "ann"


async def test_declining_what_does_not_ring_here_is_too_late(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.open()
    for login, cid, name in (("bob", talk.cid, "too_late"), ("ann", "talk-none", "no_conversation")):
        with pytest.raises(Refused, match=name):
            await floor.run(floor.routing.decline(SITE, login, cid))
        with pytest.raises(Refused, match=name):
            await floor.run(floor.routing.answer(SITE, login, cid))
    assert (await floor.talk(talk.cid)).agent == "ann"


async def test_two_missed_rings_set_the_agent_away_and_say_why(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    await floor.advance(RING_MS)
    assert (await floor.duty("ann")).presence == "available"
    await floor.advance(REST_MS + RING_MS)
    duty = await floor.duty("ann")
    assert (duty.presence, duty.reason) == ("away", "missed_rings")
    assert floor.events(talk.cid).count("missed") == 2
    assert (await floor.talk(talk.cid)).state == "waiting"


async def test_an_answered_ring_forgives_the_missed_one(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    first = await floor.open()
    await floor.advance(RING_MS)
    second = await floor.active("ann")
    await floor.advance(REST_MS + RING_MS)
    assert floor.events(first.cid).count("missed") == 2
    assert (await floor.duty("ann")).presence == "available"
    assert (await floor.talk(second.cid)).state == "active"


# --- agents come and go ------------------------------------------------------------------------------------


async def test_an_agent_who_becomes_available_gets_those_who_wait_oldest_first(floor: Floor) -> None:
    await floor.enroll("ann", queues=["help", "style"], skills=["ja"], capacity=3)
    talks = [
        await floor.open(skills=["ja"]), await floor.open(queue="style"), await floor.open(skills=["fr"]),
        await floor.open(), await floor.open(),
    ]  # fmt: skip
    await floor.join("ann")
    await floor.run(floor.routing.presence(SITE, "ann", "available"))
    states = [(await floor.talk(talk.cid)).state for talk in talks]
    assert states == ["ringing", "ringing", "waiting", "ringing", "waiting"]


async def test_leaving_for_a_break_gives_back_what_rings_and_keeps_what_is_active(floor: Floor) -> None:
    await floor.agent("ann", capacity=2)
    active, ringing = await floor.active("ann"), await floor.open()
    await floor.agent("bob")
    await floor.run(floor.routing.presence(SITE, "ann", "break"))
    assert (await floor.talk(active.cid)).agent == "ann"
    assert (await floor.talk(ringing.cid)).agent == "bob"
    assert "missed" not in floor.events(ringing.cid)


async def test_an_agent_lost_while_ringing_passes_it_on_at_once(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    await floor.agent("bob")
    await floor.leave("ann")
    assert (await floor.talk(talk.cid)).agent == "bob"
    assert "missed" not in floor.events(talk.cid)


async def test_several_sockets_of_an_agent_are_one_agent(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.join("ann", "s2")
    talk = await floor.open()
    assert (await floor.open()).state == "waiting"
    await floor.leave("ann", "s1")
    assert (await floor.talk(talk.cid)).agent == "ann"
    await floor.leave("ann", "s2")
    assert (await floor.talk(talk.cid)).state == "waiting"


async def test_an_agent_back_within_45_s_goes_on_talking(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.leave("ann")
    await floor.advance(LOST_MS - 1)
    await floor.join("ann")
    await floor.advance(LOST_MS)
    assert (await floor.talk(talk.cid)).agent == "ann"
    assert (await floor.duty("ann")).presence == "available"


async def test_an_agent_who_stays_lost_leaves_the_talk_at_the_front_of_the_queue(floor: Floor) -> None:
    older = await floor.open(skills=["ja"])
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.leave("ann")
    await floor.advance(LOST_MS)
    back = await floor.talk(talk.cid)
    assert (back.state, back.agent, back.position, back.opened) == ("waiting", "", 1, talk.opened)
    assert (await floor.talk(older.cid)).position == 2
    assert any('"agent_lost"' in line for reply in floor.replies for line in reply.lines)
    assert (await floor.duty("ann")).reason == "lost"
    await floor.agent("bob", skills=["ja"])
    assert (await floor.talk(talk.cid)).agent == "bob"


async def test_sockets_of_a_node_that_died_are_gone_when_their_lease_is_over(redis: Redis) -> None:
    floor = Floor(redis, lease_ms=15_000)
    await floor.agent("ann")
    talk = await floor.open()
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    floor.now += 14_000
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    floor.now += 1_000
    assert (await floor.talk(talk.cid)).state == "waiting"
    assert "agent_gone" in floor.events()
    await floor.join("ann")
    assert (await floor.talk(talk.cid)).state == "waiting", "whom it was tried with rests"
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    floor.now += REST_MS
    assert (await floor.talk(talk.cid)).agent == "ann"


async def test_an_agent_taken_on_again_keeps_talks_and_rings_for_what_is_new(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    waiting = await floor.open(queue="style", skills=["ja"])
    await floor.enroll("ann", queues=["help", "style"], skills=["ja"], capacity=2)
    await floor.advance(0)
    assert {t.cid for t in (await floor.duty("ann")).talks} == {talk.cid, waiting.cid}
    await floor.enroll("ann", queues=["help"], capacity=1)
    assert (await floor.open(queue="style")).state == "waiting"


async def test_who_is_not_enrolled_cannot_join(floor: Floor) -> None:
    with pytest.raises(Refused, match="unauthorized"):
        await floor.join("nobody")


# --- shoppers come and go ----------------------------------------------------------------------------------


async def test_a_shopper_gone_while_it_rings_takes_the_ring_back_without_a_miss(floor: Floor) -> None:
    await floor.agent("ann")
    talk, next_one = await floor.open(), await floor.open()
    await floor.run(floor.routing.gone(SITE, talk.cid))
    gone = await floor.talk(talk.cid)
    assert (gone.state, gone.agent, gone.present) == ("away", "", False)
    assert "missed" not in floor.events(talk.cid)
    assert (await floor.talk(next_one.cid)).agent == "ann", "the freed slot pulls"


async def test_a_shopper_back_within_3_min_has_the_old_place(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.active("ann")
    talk, younger = await floor.open(), await floor.open()
    await floor.run(floor.routing.gone(SITE, talk.cid))
    assert (await floor.talk(younger.cid)).position == 1
    await floor.advance(AWAY_MS - 1)
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    assert (await floor.talk(talk.cid)).position == 1
    await floor.advance(AWAY_MS)
    assert (await floor.talk(talk.cid)).state == "waiting"


async def test_a_shopper_who_stays_away_3_min_has_abandoned_it(floor: Floor) -> None:
    talk = await floor.open()
    await floor.run(floor.routing.gone(SITE, talk.cid))
    await floor.advance(AWAY_MS)
    closed = await floor.talk(talk.cid)
    assert (closed.state, closed.end) == ("closed", "abandoned")


async def test_an_active_talk_without_its_shopper_is_parked_after_10_min_and_frees_the_slot(
    floor: Floor,
) -> None:
    await floor.agent("ann")
    talk, waiting = await floor.active("ann"), await floor.open()
    await floor.run(floor.routing.gone(SITE, talk.cid))
    await floor.advance(PARK_MS - 1)
    kept = await floor.talk(talk.cid)
    assert (kept.state, kept.present) == ("active", False)
    await floor.advance(1)
    assert ((await floor.talk(talk.cid)).end, (await floor.talk(waiting.cid)).agent) == ("parked", "ann")


async def test_a_navigation_is_not_going_away(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    await floor.run(floor.routing.gone(SITE, talk.cid, 3_000))
    await floor.advance(2_999)
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    await floor.advance(10_000)
    assert (await floor.talk(talk.cid)).state == "ringing"
    await floor.run(floor.routing.gone(SITE, talk.cid, 3_000))
    await floor.advance(3_000)
    assert (await floor.talk(talk.cid)).state == "away"


async def test_agent_and_shopper_both_lost_leaves_it_away_and_then_at_the_front(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.gone(SITE, talk.cid))
    await floor.leave("ann")
    await floor.advance(LOST_MS)
    assert (await floor.talk(talk.cid)).state == "away"
    await floor.agent("bob")
    await floor.run(floor.routing.seen(SITE, [talk.cid]))
    assert (await floor.talk(talk.cid)).agent == "bob"


# --- the end -----------------------------------------------------------------------------------------------


async def test_closing_leads_through_wrap_up_and_the_freed_slot_pulls(floor: Floor) -> None:
    await floor.agent("ann")
    talk, waiting = await floor.active("ann"), await floor.open()
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "sold", "two cups"))
    wrapping = await floor.talk(talk.cid)
    assert (wrapping.state, wrapping.deadline) == ("wrap-up", floor.now + WRAP_MS)
    assert (await floor.talk(waiting.cid)).state == "waiting"
    await floor.advance(WRAP_MS)
    closed = await floor.talk(talk.cid)
    assert (closed.state, closed.end, closed.disposition, closed.note) == (
        "closed",
        "closed",
        "sold",
        "two cups",
    )
    assert (await floor.talk(waiting.cid)).agent == "ann"


async def test_closing_twice_is_closing_once_and_another_disposition_is_too_late(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "sold", ""))
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "sold", ""))
    with pytest.raises(Refused, match="too_late"):
        await floor.run(floor.routing.close(SITE, "ann", talk.cid, "other", ""))
    assert floor.events(talk.cid).count("wrap-up") == 1


async def test_after_the_shopper_ended_it_the_disposition_frees_the_slot(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.end(SITE, talk.cid))
    await floor.run(floor.routing.end(SITE, talk.cid))
    assert (await floor.talk(talk.cid)).state == "wrap-up"
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "other", ""))
    closed = await floor.talk(talk.cid)
    assert (closed.state, closed.end, closed.disposition) == ("closed", "ended", "other")


async def test_a_disposition_can_be_said_after_the_wrap_up_is_over(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    await floor.run(floor.routing.end(SITE, talk.cid))
    await floor.advance(WRAP_MS)
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "other", ""))
    assert (await floor.talk(talk.cid)).disposition == "other"
    assert floor.events(talk.cid)[-1] == "disposed"


async def test_a_shopper_may_end_it_in_every_state(floor: Floor) -> None:
    await floor.agent("ann")
    ringing, waiting, away = await floor.open(), await floor.open(), await floor.open()
    await floor.run(floor.routing.gone(SITE, away.cid))
    for talk in (away, waiting, ringing):
        await floor.run(floor.routing.end(SITE, talk.cid))
        closed = await floor.talk(talk.cid)
        assert (closed.state, closed.end) == ("closed", "ended")
    assert (await floor.open()).agent == "ann"


async def test_only_its_agent_may_close_or_note(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    talk = await floor.active("ann")
    for script in (
        floor.routing.close(SITE, "bob", talk.cid, "sold", ""),
        floor.routing.note(SITE, "bob", talk.cid, "mine"),
    ):
        with pytest.raises(Refused, match="not_yours"):
            await floor.run(script)
    await floor.run(floor.routing.note(SITE, "ann", talk.cid, "likes blue"))
    assert (await floor.talk(talk.cid)).note == "likes blue"


async def test_what_is_closed_leaves_nothing_behind_but_a_record_for_a_day(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    record = keys.routing(SITE, f"talk:{talk.cid}")
    assert await floor.redis.ttl(record) == -1, "an open conversation does not expire under an agent's hands"
    await floor.run(floor.routing.close(SITE, "ann", talk.cid, "sold", ""))
    await floor.advance(WRAP_MS)
    assert 0 < await floor.redis.ttl(record) <= 24 * 3600
    assert await floor.due() == []
    assert await floor.redis.scard(keys.routing(SITE, "busy:ann")) == 0


# --- invites -----------------------------------------------------------------------------------------------


async def hold(floor: Floor, did: str, *skills: str, queue: str = "help", for_ms: int = 60_000) -> bool:
    return bool(await floor.run(floor.routing.hold(SITE, did, queue, skills, floor.now + for_ms)))


async def test_no_invite_without_a_free_slot(floor: Floor) -> None:
    assert not await hold(floor, "invite-1")
    await floor.agent("ann")
    await floor.active("ann")
    assert not await hold(floor, "invite-1")


async def test_invites_are_admitted_up_to_the_limit_and_a_second_ask_is_no_second_hold(floor: Floor) -> None:
    await floor.agent("ann")
    limit = invite_limits()[1]
    assert limit == 7
    admitted = [await hold(floor, f"invite-{n}") for n in range(limit + 2) for _ in range(2)]
    assert admitted == [True] * limit * 2 + [False] * 4


async def test_a_released_or_expired_invite_makes_room(floor: Floor) -> None:
    await floor.agent("ann")
    for n in range(7):
        assert await hold(floor, f"invite-{n}", for_ms=10_000 if n else 60_000)
    await floor.run(floor.routing.release(SITE, "invite-0"))
    assert await hold(floor, "invite-7", for_ms=10_000)
    assert not await hold(floor, "invite-8")
    floor.now += 10_000
    assert await hold(floor, "invite-8")
    await floor.advance(0)
    assert await floor.due() == ["hold|invite-8"]


async def test_who_has_accepted_and_types_keeps_a_slot_until_a_minute_after_the_last_key(
    floor: Floor,
) -> None:
    await floor.agent("ann")
    await hold(floor, "invite-1")
    talk = await floor.open("invite-1", later="named")
    assert (talk.state, talk.agent, talk.named) == ("opened", "", True)
    assert not await hold(floor, "invite-2"), "the one slot is for who is about to write"
    floor.now += 50_000
    assert await floor.run(floor.routing.typed(SITE, "invite-1"))
    floor.now += 59_999
    assert not await hold(floor, "invite-2")
    floor.now += 2
    assert await hold(floor, "invite-2"), "nobody seems to write"
    await floor.run(floor.routing.route(SITE, "invite-1"))
    talk = await floor.talk("invite-1")
    assert (talk.state, talk.agent, talk.sig) == ("ringing", "ann", "help|")
    assert not await floor.run(floor.routing.typed(SITE, "invite-1"))


@pytest.mark.parametrize("how", ["gone", "end", "route"])
async def test_the_slot_of_who_has_not_written_is_given_up_with_what_follows(floor: Floor, how: str) -> None:
    await floor.agent("ann")
    talk = await floor.open(later="named")
    assert await floor.redis.zcard(keys.routing(SITE, "sure:help|")) == 1
    assert 0 < await floor.redis.pttl(keys.routing(SITE, "sure:help|")) <= 60_000
    steps = {
        "gone": floor.routing.gone, "end": floor.routing.end, "route": floor.routing.route
    }  # fmt: skip
    await floor.run(steps[how](SITE, talk.cid))
    assert await floor.redis.zcard(keys.routing(SITE, "sure:help|")) == 0


async def test_an_invite_that_is_accepted_ends_its_hold(floor: Floor) -> None:
    await floor.agent("ann")
    assert await hold(floor, "invite-1")
    await floor.open("invite-1")
    assert "hold|invite-1" not in await floor.due()
    assert await floor.redis.zcard(keys.routing(SITE, "holds:help|")) == 0


async def test_an_expired_invite_may_still_be_accepted(floor: Floor) -> None:
    await floor.agent("ann")
    assert await hold(floor, "invite-1", for_ms=1_000)
    floor.now += 2_000
    assert (await floor.open("invite-1")).agent == "ann"


async def test_invites_for_different_skills_of_the_same_agents_share_their_slots(floor: Floor) -> None:
    await floor.agent("ann", skills=["ja", "en"])
    held = [await hold(floor, f"invite-{n}", "ja" if n % 2 else "en") for n in range(10)]
    assert sum(held) == 7


async def test_slots_that_somebody_waits_for_are_not_offered(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    await floor.run(floor.routing.decline(SITE, "ann", talk.cid))
    assert (await floor.talk(talk.cid)).state == "waiting", "ann is free, but the one who waits comes first"
    assert not await hold(floor, "invite-1")


async def test_simultaneous_invites_do_not_pass_the_limit(floor: Floor) -> None:
    for n in range(5):
        await floor.agent(f"agent{n}")
    answers = await asyncio.gather(
        *(floor.routing.hold(SITE, f"invite-{n}", "help", [], START + 60_000) for n in range(90))
    )
    assert sum(reply.value for reply in answers) == invite_limits()[5] < 90


# --- deadlines and outbox ----------------------------------------------------------------------------------


async def test_a_script_settles_at_most_4_deadlines_and_says_that_more_are_due(floor: Floor) -> None:
    for n in range(20):
        await floor.agent(f"agent{n:02}")
    talks = [await floor.open() for _ in range(20)]
    floor.now += RING_MS
    await floor.run(floor.routing.sweep(SITE))
    missed = [event for event in floor.replies[-1].events if event["kind"] == "missed"]
    assert len(missed) == 4
    assert floor.replies[-1].next <= floor.now
    for _ in range(4):
        await floor.run(floor.routing.sweep(SITE))
    assert floor.replies[-1].next > floor.now
    assert all(floor.events(talk.cid).count("missed") == 1 for talk in talks)


async def test_a_system_line_is_told_again_until_it_is_known_to_be_stored(floor: Floor) -> None:
    await floor.agent("ann")
    talk = await floor.active("ann")
    (line,) = [line for reply in floor.replies for line in reply.lines]
    await floor.run(floor.routing.sweep(SITE))
    assert floor.replies[-1].lines == [], "whoever ran the script gets 2 s for it"
    floor.now += 2_000
    await floor.run(floor.routing.sweep(SITE))
    assert floor.replies[-1].lines == [line] and talk.cid in line
    await floor.routing.stored(SITE, line)
    await floor.run(floor.routing.sweep(SITE))
    assert floor.replies[-1].lines == []


async def test_a_sweep_shows_every_queue_of_the_site_before_anybody_asked(floor: Floor) -> None:
    await floor.agent("ann", queues=["help", "style"], capacity=2)
    await floor.agent("bob", queues=["style"])
    rows = await floor.run(floor.routing.sweep(SITE, ["help", "style"]))
    assert {sig: (free, waiting, staff) for sig, free, waiting, _, staff in rows} == {
        "": (3, 0, 3),
        "help|": (2, 0, 2),
        "style|": (3, 0, 3),
    }


async def test_who_cannot_pass_transitions_on_brings_none_about(floor: Floor, redis: Redis) -> None:
    await floor.agent("ann")
    talk = await floor.open()
    outsider = Routing(redis, "", lambda: floor.now + RING_MS, 0)
    await outsider.enroll(SITE, "bob", {"name": "Bob", "queues": ",help,", "skills": ",,", "capacity": 1})
    assert (await floor.talk(talk.cid)).agent == "ann"


async def test_without_a_given_time_the_servers_own_is_used(redis: Redis) -> None:
    reply = await Routing(redis, "n1", lambda: 0, 0).sweep(SITE)
    seconds, _ = await redis.time()
    assert abs(reply.now / 1000 - seconds) < 5


async def test_sites_do_not_meet(floor: Floor) -> None:
    await floor.agent("ann")
    other = await floor.routing.open(
        "other",
        "talk-0001",
        terms=plain_terms(),
        secret="s",
        language="ja",
        card="{}",
    )
    assert other.checked()["state"] == "waiting"


# --- coming back to a parked talk --------------------------------------------------------------------------


async def parked(floor: Floor) -> str:
    """A talk with ann whose shopper stayed away."""
    talk = await floor.active("ann")
    await floor.run(floor.routing.gone(SITE, talk.cid))
    await floor.advance(PARK_MS)
    assert (await floor.talk(talk.cid)).end == "parked"
    return talk.cid


async def test_a_parked_talk_goes_on_with_the_same_agent(floor: Floor) -> None:
    await floor.agent("ann")
    await floor.agent("bob")
    cid = await parked(floor)
    await floor.agent("cem")
    talk = talk_of(await floor.run(floor.routing.reopen(SITE, cid, 0)))
    assert (talk.state, talk.agent, talk.end, talk.present) == ("ringing", "ann", "", True)
    assert why_agent(talk.why) is not None and (why_agent(talk.why) or {})["kind"] == "again"
    assert await floor.redis.ttl(keys.routing(SITE, f"talk:{cid}")) == -1
    again = talk_of(await floor.run(floor.routing.reopen(SITE, cid, 0)))
    assert again.state == "ringing", "once more is harmless"
    await floor.run(floor.routing.answer(SITE, "ann", cid))
    await floor.run(floor.routing.close(SITE, "ann", cid, "sold", ""))
    assert (await floor.talk(cid)).end == "closed"


async def test_if_that_agent_cannot_take_it_the_talk_is_first_in_line(floor: Floor) -> None:
    await floor.agent("ann")
    cid = await parked(floor)
    await floor.run(floor.routing.presence(SITE, "ann", "away"))
    waiting = await floor.open()
    talk = talk_of(await floor.run(floor.routing.reopen(SITE, cid, 0)))
    assert (talk.state, talk.position) == ("waiting", 1)
    assert (await floor.talk(waiting.cid)).position == 2
    await floor.run(floor.routing.presence(SITE, "ann", "available"))
    assert (await floor.talk(cid)).agent == "ann"


async def test_a_missed_ring_of_a_talk_that_goes_on_passes_to_the_next(floor: Floor) -> None:
    await floor.agent("ann")
    cid = await parked(floor)
    await floor.run(floor.routing.reopen(SITE, cid, 0))
    await floor.agent("bob")
    await floor.advance(RING_MS)
    assert ((await floor.talk(cid)).state, (await floor.talk(cid)).agent) == ("ringing", "bob")


async def test_what_ended_otherwise_stays_ended_and_after_hours_there_is_the_form(floor: Floor) -> None:
    await floor.agent("ann")
    ended = await floor.active("ann", wrap_ms=0)
    await floor.run(floor.routing.close(SITE, "ann", ended.cid, "sold", ""))
    assert talk_of(await floor.run(floor.routing.reopen(SITE, ended.cid, 0))).end == "closed"
    cid = await parked(floor)
    talk = talk_of(await floor.run(floor.routing.reopen(SITE, cid, -1)))
    assert (talk.state, talk.end) == ("closed", "unanswered")
    assert not (await floor.duty("ann")).talks


async def test_a_talk_that_goes_on_ends_with_its_queues_hours(floor: Floor) -> None:
    await floor.agent("ann")
    cid = await parked(floor)
    await floor.run(floor.routing.presence(SITE, "ann", "away"))
    await floor.run(floor.routing.reopen(SITE, cid, floor.now + 60_000))
    await floor.advance(60_000)
    assert (await floor.talk(cid)).end == "unanswered"
