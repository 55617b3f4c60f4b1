"""router.live.desk: what both sides of a conversation see, on one node and on two, once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec import structs
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from router.core import console
from router.core.chat import Line
from router.core.hours import Hours
from router.errors import Refused
from router.live.clock import DrivenClock
from router.live.desk import Changed, Desk, Missing, Said, Typed, Update, new_secret
from router.live.workplace import Seat
from router.store import keys
from router.store.agents import Agents
from router.store.embedded import Embedded
from tests.floor import LOST_MS, RING_MS, SITE, SITES, START, WRAP_MS, Floor, TestShop
from tests.waiting import until

CID = "talk-0001"
SECRET = "secret-of-it"


class Shopper:
    """A page that watches a conversation."""

    def __init__(self) -> None:
        self.updates: list[Update] = []

    def __call__(self, update: Update) -> None:
        self.updates.append(update)

    @property
    def states(self) -> list[str]:
        return [update.state.state for update in self.updates if isinstance(update, Changed)]

    @property
    def lines(self) -> list[Line]:
        return [update.line for update in self.updates if isinstance(update, Said)]

    def has(self, *texts: str) -> bool:
        return [line.text for line in self.lines] == list(texts)


AROUND = ("queue", "line", "team")  # what comes once a second


class Console:
    """An agent's socket."""

    def __init__(self, desk: Desk, login: str) -> None:
        self.desk = desk
        self.agent = {"login": login, "name": login.capitalize(), "queues": ["help"], "role": "agent"}
        self.frames: list[dict[str, Any]] = []
        self.closed = False
        self.seat: Seat

    async def connect(self) -> Console:
        self.frames.clear()
        self.seat = await self.desk.agents.connect(
            SITE, self.agent, "session", self.frames.append, self.leave
        )
        await self.desk.settled()
        return self

    def leave(self) -> None:
        self.closed = True

    async def ask(self, frame: console.Frame) -> dict[str, Any]:
        answer = await self.desk.agents.handle(self.seat, frame)
        await self.desk.settled()
        return answer

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["t"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [frame["t"] for frame in self.frames if frame["t"] not in AROUND]


class House:
    """Nodes on one store and one driven clock."""

    def __init__(self, redis: Redis, url: str) -> None:
        self.redis = redis
        self.url = url
        self.clock = DrivenClock(START)
        self.journal: list[dict[str, Any]] = []
        self.desks: list[Desk] = []
        self.floor = Floor(redis, node="")

    async def desk(self, **options: Any) -> Desk:
        node = f"n{len(self.desks)}"
        client: Redis = Redis.from_url(self.url)
        desk = Desk(client, SITES, self.clock, node, self.journal.append, **{"grace_ms": 0} | options)
        self.desks.append(desk)
        await desk.start()
        await desk._board.fanout.listening.wait()
        await desk.settled()
        return desk

    async def advance(self, ms: int) -> None:
        async def settled() -> None:
            for desk in self.desks:
                await desk.settled()

        await self.clock.advance(self.clock.now() + ms, settled)

    async def agent(self, desk: Desk, login: str = "ann", *, capacity: int = 1) -> Console:
        await self.floor.enroll(login, capacity=capacity)
        await self.advance(1)
        agent = await Console(desk, login).connect()
        await agent.ask(console.Presence(1, "available"))
        return agent

    async def close(self) -> None:
        for desk in self.desks:
            await desk.stop()
            await desk._board.fanout._redis.aclose()


@pytest.fixture
async def house(redis: Redis, valkey: Embedded) -> AsyncIterator[House]:
    house = House(redis, valkey.url)
    yield house
    await house.close()


async def accept(desk: Desk, cid: str = CID, secret: str = SECRET) -> Any:
    state = await desk.accept(SITE, cid, secret, "help", [], "ja", {"who": {"language": "ja"}})
    await desk.settled()
    return state


async def talking(house: House, desk: Desk) -> tuple[Console, Shopper]:
    """An agent and a shopper in an active conversation."""
    agent, shopper = await house.agent(desk), Shopper()
    await accept(desk)
    desk.watch(SITE, CID, shopper)
    await agent.ask(console.Accept(2, CID))
    return agent, shopper


# --- the whole way -----------------------------------------------------------------------------------------


async def test_from_the_accepted_invite_to_the_end(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await house.agent(desk), Shopper()
    assert await desk.hold(SITE, CID, "help", [], START + 60_000)
    assert (await accept(desk)).state == "ringing"
    desk.watch(SITE, CID, shopper)
    await desk.settled()
    (ring,) = agent.of("ring")
    assert ring["deadline_ms"] == house.clock.now() + RING_MS
    assert ring["conversation"]["card"] == {"who": {"language": "ja"}}
    answer = await agent.ask(console.Accept(2, CID))
    assert answer["conversation"]["state"] == "active"
    assert await desk.say(SITE, CID, "m-000001", "shopper", "hello") == 2
    assert await agent.ask(console.Say(3, CID, "m-000002", "welcome")) == {"offset": 3}
    await agent.ask(console.Close(4, CID, "sold", "two cups"))
    await house.advance(WRAP_MS)
    assert shopper.states == ["ringing", "active", "wrap-up", "closed"]
    assert shopper.has("joined", "hello", "welcome", "closed")
    assert [line.offset for line in shopper.lines] == [1, 2, 3, 4]
    assert [line.name for line in shopper.lines] == ["Ann", None, "Ann", None]
    assert [frame["message"]["text"] for frame in agent.of("message")] == [
        "joined",
        "hello",
        "welcome",
        "closed",
    ]
    kinds = [entry["kind"] for entry in house.journal if entry.get("cid") == CID]
    assert kinds == ["opened", "ringing", "accepted", "wrap-up", "closed"]
    last = house.journal[-1]
    assert (last["site"], last["agent"], last["disposition"], last["end"]) == (SITE, "ann", "sold", "closed")
    assert last["at_ms"] == house.clock.now() and last["opened_ms"] < last["at_ms"]


async def test_two_nodes_serve_one_conversation(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    agent, shopper = await house.agent(here), Shopper()
    await accept(there)
    there.watch(SITE, CID, shopper)
    await until(lambda: agent.of("ring"))
    await agent.ask(console.Accept(2, CID))
    await until(lambda: "active" in shopper.states)
    await there.say(SITE, CID, "m-000001", "shopper", "hello")
    await until(lambda: any(frame["message"]["text"] == "hello" for frame in agent.of("message")))
    await agent.ask(console.Say(3, CID, "m-000002", "welcome"))
    await until(lambda: shopper.has("joined", "hello", "welcome"))
    await there.typing(SITE, CID, "shopper", True)
    await until(lambda: agent.of("typing"))
    await agent.ask(console.Typing(4, CID, True))
    await until(lambda: Typed(CID, "agent", True) in shopper.updates)


async def test_the_ring_goes_on_when_nobody_answers_and_the_second_miss_sets_away(house: House) -> None:
    desk = await house.desk()
    ann, bob = await house.agent(desk, "ann"), await house.agent(desk, "bob")
    await accept(desk)
    await house.advance(RING_MS)
    assert ann.of("ring_over") == [{"t": "ring_over", "cid": CID, "reason": "missed"}]
    assert bob.of("ring")
    await house.advance(RING_MS)
    await house.advance(RING_MS + 20_000)
    assert {"t": "presence", "state": "away", "reason": "missed_rings"} in ann.frames + bob.frames


# --- lines -------------------------------------------------------------------------------------------------


async def test_a_message_sent_again_is_told_once(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    offsets = await asyncio.gather(*(desk.say(SITE, CID, "m-000001", "shopper", "hello") for _ in range(5)))
    answers = [await agent.ask(console.Say(n, CID, "m-000002", "welcome")) for n in range(3)]
    assert set(offsets) == {2} and answers == [{"offset": 3}] * 3
    assert shopper.has("joined", "hello", "welcome")
    assert [frame["message"]["offset"] for frame in agent.of("message")] == [1, 2, 3]


async def test_many_messages_from_both_sides_arrive_once_and_in_order(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    await asyncio.gather(
        *(desk.say(SITE, CID, f"m-{n:06}", "shopper", f"s{n}") for n in range(20)),
        *(desk.agents.handle(agent.seat, console.Say(n, CID, f"m-{n:06}", f"a{n}")) for n in range(20)),
    )
    await desk.settled()
    assert [line.offset for line in shopper.lines] == list(range(1, 42))
    assert [frame["message"]["offset"] for frame in agent.of("message")] == list(range(1, 42))


async def test_a_watch_goes_on_after_an_offset_and_says_what_is_missing(house: House) -> None:
    desk = await house.desk()
    await talking(house, desk)
    for n in range(5):
        await desk.say(SITE, CID, f"m-{n:06}", "shopper", f"line {n + 2}")
    await house.redis.xtrim(keys.chat(CID), minid="4-0", approximate=False)
    later = Shopper()
    desk.watch(SITE, CID, later, after=1)
    await desk.settled()
    assert Missing(CID, 2, 3) in later.updates
    assert [line.offset for line in later.lines] == [4, 5, 6]
    lines, missing = await desk.history(SITE, CID, 1)
    assert (lines, missing) == (later.lines, (2, 3))


async def test_whoever_stopped_watching_hears_nothing_more(house: House) -> None:
    desk = await house.desk()
    shopper = Shopper()
    await accept(desk)
    watch = desk.watch(SITE, CID, shopper)
    desk.unwatch(watch)
    desk.unwatch(watch)
    await desk.say(SITE, CID, "m-000001", "shopper", "hello")
    await desk.settled()
    assert shopper.updates == []


async def test_typing_reaches_the_other_side(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    await desk.typing(SITE, CID, "shopper", True)
    await agent.ask(console.Typing(5, CID, False))
    assert agent.of("typing") == [{"t": "typing", "cid": CID, "on": True}]
    assert Typed(CID, "agent", False) in shopper.updates


async def test_lines_a_lost_wake_left_behind_come_with_the_next_subscription(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    agent, shopper = await talking(house, here)
    await there._board.chats.append(CID, "agent", "m-silent", "nobody was woken", "Ann")
    await house.redis.client_kill_filter(_type="pubsub")
    await until(lambda: shopper.has("joined", "nobody was woken"))
    await until(lambda: agent.of("message")[-1]["message"]["text"] == "nobody was woken")


# --- shoppers ----------------------------------------------------------------------------------------------


async def test_accepting_twice_is_one_conversation_with_the_first_secret(house: House) -> None:
    desk = await house.desk()
    first, again = await accept(desk, secret="first-secret"), await accept(desk, secret="other-secret")
    assert (first.secret, again.secret) == ("first-secret", "first-secret")
    assert [entry["kind"] for entry in house.journal].count("opened") == 1


async def test_a_conversation_is_resumed_by_its_secret_only(house: House) -> None:
    desk = await house.desk()
    secret = new_secret()
    await accept(desk, secret=secret)
    assert (await desk.resume(SITE, CID, secret)).cid == CID
    for cid, wrong in ((CID, secret[:-1]), (CID, ""), (CID, "日本\ud800"), ("talk-none", secret)):
        with pytest.raises(Refused, match="no_conversation"):
            await desk.resume(SITE, cid, wrong)
    assert len({new_secret() for _ in range(100)}) == 100 and len(secret) >= 22


async def test_a_queue_the_site_does_not_have_is_refused(house: House) -> None:
    desk = await house.desk()
    with pytest.raises(Refused, match="bad_request"):
        await desk.accept(SITE, CID, "s", "nowhere", [], "ja", {})


async def test_a_shopper_who_went_is_away_and_back_by_resuming(house: House) -> None:
    desk = await house.desk()
    shopper = Shopper()
    await accept(desk)
    desk.watch(SITE, CID, shopper)
    await desk.settled()
    await desk.shopper_gone(SITE, CID)
    await desk.settled()
    await desk.resume(SITE, CID, SECRET)
    await desk.settled()
    assert shopper.states == ["waiting", "away", "waiting"]


async def test_the_place_in_line_is_kept_up_to_date(house: House) -> None:
    desk = await house.desk()
    shopper = Shopper()
    await accept(desk, "talk-first")
    await house.advance(1)
    await accept(desk)
    desk.watch(SITE, CID, shopper)
    await desk.settled()
    await desk.end(SITE, "talk-first")
    await house.advance(1_000)
    places = [update.state.position for update in shopper.updates if isinstance(update, Changed)]
    assert places == [2, 1]


async def test_after_the_end_nothing_more_is_said(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    await desk.end(SITE, CID)
    await desk.settled()
    assert shopper.has("joined", "left")
    for saying in (
        desk.say(SITE, CID, "m-000001", "shopper", "one more thing"),
        desk.agents.handle(agent.seat, console.Say(9, CID, "m-000002", "yes?")),
    ):
        with pytest.raises(Refused, match="too_late"):
            await saying
    with pytest.raises(Refused, match="no_conversation"):
        await desk.say(SITE, "talk-none", "m-000001", "shopper", "hello")


async def test_a_shopper_whose_node_died_is_gone_when_the_lease_is_over(house: House) -> None:
    dying, living = await house.desk(), await house.desk()
    await accept(dying)
    assert (await accept(living, "talk-0002")).state == "waiting"
    await dying.stop()
    await house.advance(20_000)
    states = {cid: (await living._talk(SITE, cid)).state for cid in (CID, "talk-0002")}
    assert states == {CID: "away", "talk-0002": "waiting"}


async def test_free_slots_are_seen_before_anybody_asked(house: House) -> None:
    desk = await house.desk()
    assert desk.free(SITE) == {"help": 0, "style": 0}
    agent = await house.agent(desk, capacity=2)
    await house.advance(1_000)
    assert desk.free(SITE) == {"help": 2, "style": 0}
    await accept(desk)
    await house.advance(1_000)
    assert desk.free(SITE)["help"] == 1 and agent.of("ring")


# --- agents ------------------------------------------------------------------------------------------------


async def test_hello_is_the_whole_truth_after_a_reconnect(house: House) -> None:
    desk = await house.desk()
    agent, _ = await talking(house, desk)
    await desk.say(SITE, CID, "m-000001", "shopper", "hello")
    await desk.agents.disconnect(agent.seat)
    await desk.say(SITE, CID, "m-000002", "shopper", "are you there?")
    await agent.connect()
    hello = agent.frames[0]
    assert (hello["t"], hello["presence"], hello["capacity"]) == ("hello", "available", 1)
    (form,) = hello["conversations"]
    assert [line["text"] for line in form["messages"]] == ["joined", "hello", "are you there?"]
    assert hello["now_ms"] == house.clock.now()
    await desk.say(SITE, CID, "m-000003", "shopper", "good")
    await desk.settled()
    assert [frame["message"]["offset"] for frame in agent.of("message")] == [4]


async def test_two_tabs_see_the_same_and_the_other_one_is_told_who_accepted(house: House) -> None:
    desk = await house.desk()
    first = await house.agent(desk)
    second = await Console(desk, "ann").connect()
    await accept(desk)
    assert first.of("ring") == second.of("ring") != []
    await first.ask(console.Accept(2, CID))
    assert first.of("ring_over") == []
    assert second.of("ring_over") == [{"t": "ring_over", "cid": CID, "reason": "accepted"}]
    assert second.of("conversation")[-1]["conversation"]["state"] == "active"
    await desk.agents.disconnect(first.seat)
    await house.advance(2 * LOST_MS)
    assert (await desk._talk(SITE, CID)).agent == "ann"


@pytest.mark.parametrize(
    "reason, leave",
    [
        ("declined", lambda desk, agent: agent.ask(console.Decline(2, CID))),
        ("cancelled", lambda desk, agent: desk.shopper_gone(SITE, CID)),
        ("cancelled", lambda desk, agent: desk.end(SITE, CID)),
        ("cancelled", lambda desk, agent: agent.ask(console.Presence(2, "break"))),
    ],
)
async def test_a_ring_that_ends_says_why(house: House, reason: str, leave: Callable[..., Any]) -> None:
    desk = await house.desk()
    agent = await house.agent(desk)
    await accept(desk)
    await leave(desk, agent)
    await desk.settled()
    assert agent.of("ring_over") == [{"t": "ring_over", "cid": CID, "reason": reason}]


async def test_an_agent_who_comes_back_late_has_lost_it_and_the_shopper_was_told(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    await desk.agents.disconnect(agent.seat)
    await house.advance(LOST_MS)
    assert shopper.states[-1] == "waiting" and shopper.has("joined", "agent_lost")
    await agent.connect()
    assert agent.frames[0]["conversations"] == []
    assert (agent.frames[0]["presence"], agent.frames[0]["reason"]) == ("away", "lost")


async def test_the_card_and_the_shoppers_presence_reach_the_agent(house: House) -> None:
    desk = await house.desk()
    agent, _ = await talking(house, desk)
    await desk.card(SITE, CID, {"who": {"language": "en"}})
    await desk.shopper_gone(SITE, CID)
    await desk.settled()
    forms = [frame["conversation"] for frame in agent.of("conversation")]
    assert any(form["card"] == {"who": {"language": "en"}} for form in forms)
    assert forms[-1]["shopper_present"] is False and "messages" not in forms[-1]


async def test_agents_cannot_touch_each_others_conversations(house: House) -> None:
    desk = await house.desk()
    await talking(house, desk)
    bob = await house.agent(desk, "bob")
    for frame in (
        console.Say(1, CID, "m-000001", "hello"), console.Typing(1, CID, True), console.History(1, CID),
        console.Note(1, CID, "x"), console.Close(1, CID, "sold"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="not_yours"):
            await bob.ask(frame)
    for ring in (console.Accept(1, CID), console.Decline(1, CID)):
        with pytest.raises(Refused, match="too_late"):
            await bob.ask(ring)


async def test_what_a_console_may_not_ask_is_refused_by_name(house: House) -> None:
    desk = await house.desk()
    agent, _ = await talking(house, desk)
    for frame, name in (
        (console.Presence(1, "asleep"), "bad_request"), (console.Close(1, CID, "unheard-of"), "bad_request"),
        (console.Say(1, CID, "m-000001", "\x00"), "bad_request"),
        (console.History(1, "talk-none"), "no_conversation"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=name):
            await agent.ask(frame)


async def test_notes_and_history_are_the_agents(house: House) -> None:
    desk = await house.desk()
    agent, shopper = await talking(house, desk)
    await desk.say(SITE, CID, "m-000001", "shopper", "hello")
    await agent.ask(console.Note(3, CID, "likes blue"))
    assert agent.of("conversation")[-1]["conversation"]["note"] == "likes blue"
    answer = await agent.ask(console.History(4, CID, 1))
    assert [line["text"] for line in answer["messages"]] == ["hello"]
    assert "likes blue" not in str(shopper.updates)


async def test_queues_are_told_when_they_change(house: House) -> None:
    desk = await house.desk()
    agent, _ = await talking(house, desk)
    await accept(desk, "talk-0002")
    await house.advance(3_000)
    assert [frame["waiting"] for frame in agent.of("queue")] == [{"help": 0}, {"help": 1}]


async def test_logging_out_closes_the_sessions_sockets_on_every_node(house: House) -> None:
    here, there = await house.desk(), await house.desk()
    one, two = await house.agent(here), await Console(there, "ann").connect()
    await here.agents.logout(SITE, "another session")
    await here.agents.logout(SITE, "session")
    assert one.closed
    await until(lambda: two.closed)


async def test_an_unknown_agent_gets_no_seat(house: House) -> None:
    desk = await house.desk()
    with pytest.raises(Refused, match="unauthorized"):
        await Console(desk, "nobody").connect()
    assert list(desk.agents._seats(SITE)) == []


# --- the store is away -------------------------------------------------------------------------------------


async def test_without_a_store_everything_is_refused_as_unavailable(house: House) -> None:
    gone: Redis = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    desk = Desk(gone, SITES, house.clock, "n9")
    for work in (
        desk.hold(SITE, CID, "help", [], 1), desk.resume(SITE, CID, "s"), desk.history(SITE, CID, 0),
        desk.say(SITE, CID, "m-000001", "shopper", "x"), desk.shopper_back(SITE, CID),
    ):  # fmt: skip
        with pytest.raises(Refused, match="unavailable"):
            await work
    await gone.aclose()


async def test_an_account_added_beside_the_service_rings_within_a_sweep(house: House, redis: Redis) -> None:
    desk = await house.desk()
    agent = await house.agent(desk)
    state = await desk.accept(SITE, CID, "s", "style", [], "ja", {})
    assert state.state == "waiting"
    agents = Agents(redis)
    await agents.add(SITE, "ann", "Ann", "correct horse", queues=["help", "style"])
    agents.close()
    await house.advance(1_000)
    assert agent.of("ring")


async def test_a_queue_that_is_closed_admits_no_invite_although_somebody_is_there(house: House) -> None:
    """What is talked about already goes on."""
    desk = await house.desk()
    minute = START // 60_000 % 1440
    hours = Hours("UTC", (((minute - 60, minute + 2),),) * 7)
    shop = TestShop()
    queues = {name: structs.replace(queue, hours=hours) for name, queue in shop.queues.items()}
    desk._board.sites = {SITE: TestShop(queues=queues)}
    agent = await house.agent(desk, capacity=2)
    await accept(desk)
    await agent.ask(console.Accept(2, CID))
    await desk._sweep(SITE)
    assert await desk.hold(SITE, "did-1", "help", [], START + 600_000)
    assert desk.free(SITE)["help"] == 1
    await house.advance(120_000)
    await desk._sweep(SITE)
    assert not await desk.hold(SITE, "did-2", "help", [], START + 900_000)
    assert desk.free(SITE)["help"] == 0
    assert (await agent.ask(console.Say(3, CID, "mid-000001", "still here")))["offset"]
