"""Messages that shoppers leave: the form's way in, the agents' worklist, and who asks for a person."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.hours import Hours
from router.core.units import MINUTE
from router.replay.page import PageClient
from router.store import keys
from tests.agent import Agent
from tests.live.world import World, available, held_of, invited, left, on_cart, talking
from tests.shopper import Shopper
from tests.waiting import until, until_async

FORM = {"contact": "hana@example.jp", "text": "届くのはいつですか", "name": "花"}


async def post(world: World, shopper: Shopper, **more: Any) -> httpx.Response:
    body = {"site": "demo", "session": shopper.token, "id": "message-0001", **FORM, **more}
    async with httpx.AsyncClient(base_url=world.at.url) as http:
        return await http.post("/v1/messages", json=body)


async def asking(
    world: World, shopper: Shopper, queue: str | None = None
) -> tuple[PageClient, wire.Conversation]:
    """A shopper who asked for a person, and the first they heard."""
    page = await on_cart(shopper)
    page.send_message(wire.Ask(queue))
    return page, await shopper.next(wire.Conversation)


async def worklist(world: World, agent: Agent, *owners: str) -> list[dict[str, Any]]:
    """The messages on the console, once they are these, by owner."""
    await world.later(6)

    def told() -> bool:
        frames = agent.all("left")
        return bool(frames) and tuple(one["owner"] for one in frames[-1]["messages"]) == owners

    await until(told)
    found: list[dict[str, Any]] = agent.all("left")[-1]["messages"]
    return found


def close(world: World, in_minutes: int) -> None:
    """The demo's first queue closes in so many minutes, every day."""
    minute = world.clock.now() // MINUTE % 1440 + in_minutes
    spans = ((0, max(1, minute)),) if minute <= 1440 else ((0, 1440),)
    site = world.at.service.sites["demo"]
    hours = Hours("UTC", (spans,) * 7)
    queues = {name: replace(queue, hours=hours, reply_ms=120 * MINUTE) for name, queue in site.queues.items()}
    world.at.service.sites["demo"] = replace(site, queues=queues)


async def test_who_asks_for_a_person_gets_one_with_everything_known(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, told = await asking(world, shopper, "checkout-help")
        ring = (await agent.next("ring"))["conversation"]
        assert (ring["cid"], ring["queue"], ring["card"]["cart"]["quantity"]) == (
            told.cid,
            "checkout-help",
            1,
        )
        assert ring["card"]["why"] is None and told.secret
        page.send_message(wire.Ask())
        await until(lambda: [one for one in shopper.all(wire.Conversation) if one.secret])
        assert {(one.cid, one.secret or told.secret) for one in shopper.all(wire.Conversation)} == {
            (told.cid, told.secret)
        }
        assert (await agent.ask("accept", cid=told.cid))["t"] == "ok"
        page.send_message(wire.Say(told.cid, "mid-00000001", "hello"))
        assert (await agent.next("message"))["message"]["author"] in ("system", "shopper")


async def test_a_queue_that_is_not_there_is_refused_by_name(world: World) -> None:
    shopper = Shopper(world.at)
    page = await on_cart(shopper)
    page.send_message(wire.Ask("nowhere"))
    assert (await shopper.next(wire.Error)).name == "bad_request"


async def test_a_message_reaches_the_worklist_and_ends_the_wait(world: World) -> None:
    shopper = Shopper(world.at)
    _, talk = await asking(world, shopper)
    async with Agent(world.at) as agent:
        answer = await post(world, shopper, talk={"cid": talk.cid, "secret": talk.secret})
        assert answer.json() == {"due_ms": world.clock.now() + 8 * 60 * MINUTE}
        assert answer.headers["access-control-allow-origin"] == "*"
        (message,) = await worklist(world, agent, "")
        assert {name: message[name] for name in ("name", "contact", "text", "queue", "page", "language")} == FORM | {
            "queue": "checkout-help", "page": "/demo/cart", "language": "ja",
        }  # fmt: skip
        assert not held_of(world.at, shopper).session.talk
        assert (await post(world, shopper)).json() == answer.json(), "the same message, once"
        assert (await agent.ask("left_take", id=message["id"]))["t"] == "ok"
        await worklist(world, agent, agent.login)
        refused = await agent.ask("left_done", id=message["id"], outcome="nonsense")
        assert (refused["error"], "answered" in refused["text"]) == ("bad_request", True)
        assert (await agent.ask("left_done", id=message["id"], outcome="answered", note="Sent a mail"))[
            "t"
        ] == "ok"
        await worklist(world, agent)
        assert (await agent.ask("left_take", id=message["id"]))["error"] == "not_found"


async def test_words_that_nobody_answered_are_left_with_their_lines(world: World) -> None:
    shopper = Shopper(world.at)
    page, talk = await asking(world, shopper)
    for n, text in enumerate(("注文した", "器が届きません")):
        page.send_message(wire.Say(talk.cid, f"mid-0000000{n}", text))
        await shopper.next(wire.Stored)
    async with Agent(world.at) as agent:
        await left(world.at, shopper, page)
        await world.later(3 + 180)
        (message,) = await worklist(world, agent, "")
        assert (message["text"], message["contact"], message["cid"]) == (
            "注文した\n器が届きません",
            "",
            talk.cid,
        )
        lines = (await agent.ask("left_lines", id=message["id"]))["messages"]
        assert [line["text"] for line in lines if line["author"] == "shopper"] == [
            "注文した",
            "器が届きません",
        ]


async def test_after_hours_the_form_comes_at_once_and_the_message_is_due_when_it_opens(world: World) -> None:
    close(world, 0)
    shopper = Shopper(world.at)
    _, told = await asking(world, shopper)
    assert (told.state, told.secret) == ("form", None)
    assert not held_of(world.at, shopper).session.talk
    due = (await post(world, shopper)).json()["due_ms"]
    assert due > world.clock.now() + 2 * 60 * MINUTE and due % (24 * 60 * MINUTE) == 0, (
        "midnight, when it opens"
    )


async def test_who_waits_as_the_queue_closes_gets_the_form(world: World) -> None:
    close(world, 3)
    shopper = Shopper(world.at)
    page, told = await asking(world, shopper, "checkout-help")
    assert told.state == "waiting"
    await world.later(180)
    await until(lambda: "form" in [one.state for one in shopper.all(wire.Conversation)])
    assert not held_of(world.at, shopper).session.talk
    assert (await post(world, shopper, talk={"cid": told.cid, "secret": told.secret})).status_code == 200
    assert page.connected


@pytest.mark.parametrize(
    ("changed", "status", "name"),
    [
        ({"contact": "call me"}, 400, "bad_request"),
        ({"text": ""}, 400, "bad_request"),
        ({"text": "x" * 2_001}, 400, "bad_request"),
        ({"more": 1}, 400, "bad_request"),
        ({"site": "other"}, 404, "unknown_site"),
        ({"session": "S.demo.somebody.0123456789abcdef"}, 401, "bad_token"),
        ({"talk": {"cid": "no-such-talk", "secret": "no-such-secret"}}, 404, "no_conversation"),
    ],
)
async def test_what_cannot_be_left_is_said(
    world: World, changed: dict[str, Any], status: int, name: str
) -> None:
    shopper = Shopper(world.at)
    await shopper.open()
    answer = await post(world, shopper, **changed)
    assert (answer.status_code, answer.json()["error"]) == (status, name)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_card_number_in_a_message_reaches_nobody(world: World, redis: Redis) -> None:
    shopper = Shopper(world.at)
    await shopper.open()
    await post(world, shopper, text="4111 1111 1111 1111", name="5500-0055-5555-5559")
    async for key in redis.scan_iter("*left:*"):
        record = str(await redis.hgetall(key))
        assert "1111 1111 1111" not in record and "5500" not in record and " 1111'" in record


async def test_one_session_leaves_only_a_few_messages(world: World) -> None:
    shopper = Shopper(world.at)
    await shopper.open()
    for n in range(5):
        assert (await post(world, shopper, id=f"message-100{n}")).status_code == 200
    refused = await post(world, shopper, id="message-1006")
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many")


async def test_a_parked_talk_goes_on_where_it_was_with_the_same_agent(calm: World) -> None:
    async with Agent(calm.at) as agent:
        await available(agent)
        shopper = Shopper(calm.at)
        page, cid = await talking(calm, shopper, agent)
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="Until later"))["t"] == "ok"
        await left(calm.at, shopper, page)
        await calm.later(3 + 600)
        shopper.got.clear()
        page = await shopper.open()
        (cid_again, secret) = shopper.all(wire.Welcome)[-1].config["talk"]
        assert cid_again == cid
        page.send_message(wire.Resume(cid, secret, 0))
        assert (await shopper.next(wire.Conversation)).state == "parked"
        await until(lambda: "Until later" in [line.text for line in shopper.all(wire.Message)])
        assert not held_of(calm.at, shopper).session.talk, "rules may act again"
        page.send_message(wire.Say(cid, "mid-shop-0001", "I am back"))
        await shopper.next(wire.Stored)
        ring = (await agent.next("ring"))["conversation"]
        assert (ring["cid"], ring["why_agent"]["kind"]) == (cid, "again")
        await until(lambda: held_of(calm.at, shopper).session.talk == cid)
        answer = await agent.ask("accept", cid=cid)
        texts = [line["text"] for line in answer["conversation"]["messages"]]
        assert texts.count("Until later") == texts.count("I am back") == 1


@pytest.mark.parametrize(
    ("text", "queue"),
    [
        ("この器の大きさを知りたい", "style"),
        ("送料はいくらですか", "checkout-help"),
        ("もしもし", "checkout-help"),
    ],
)
async def test_the_first_message_chooses_the_queue(world: World, text: str, queue: str) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, told = await asking(world, shopper)
        assert told.state == "opened"
        await world.later(5)
        assert not agent.all("ring"), "nobody is rung before it is known what it is about"
        page.send_message(wire.Say(told.cid, "mid-00000001", text))
        ring = (await agent.next("ring"))["conversation"]
        assert (ring["cid"], ring["queue"]) == (told.cid, queue)
        answer = await agent.ask("accept", cid=told.cid)
        assert text in [line["text"] for line in answer["conversation"]["messages"]]


async def test_who_asks_and_goes_without_a_word_is_not_waited_for(world: World) -> None:
    shopper = Shopper(world.at)
    page, told = await asking(world, shopper)
    await left(world.at, shopper, page)
    await world.later(3 + 180)
    talk = await world.at.service.desk._talk("demo", told.cid)
    assert (talk.state, talk.end) == ("closed", "abandoned")


async def test_a_message_may_be_left_before_the_first_line(world: World) -> None:
    shopper = Shopper(world.at)
    _, told = await asking(world, shopper)
    assert (await post(world, shopper, talk={"cid": told.cid, "secret": told.secret})).status_code == 200
    assert (await world.at.service.desk._talk("demo", told.cid)).end == "message"


async def test_a_queue_that_is_open_takes_who_names_none(world: World) -> None:
    site = world.at.service.sites["demo"]
    never = Hours("UTC", ((),) * 7)
    closed = replace(site.queues["checkout-help"], hours=never)
    world.at.service.sites["demo"] = replace(site, queues={**site.queues, "checkout-help": closed})
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, told = await asking(world, shopper)
        assert told.state == "opened"
        page.send_message(wire.Say(told.cid, "mid-00000001", "送料はいくらですか"))
        assert (await agent.next("ring"))["conversation"]["queue"] == "style"


async def test_a_queue_that_is_gone_from_the_site_keeps_nobody_waiting(world: World) -> None:
    shopper, other = Shopper(world.at), Shopper(world.at)
    page, told = await asking(world, shopper)
    _, waits = await asking(world, other, "checkout-help")
    site = world.at.service.sites["demo"]
    world.at.service.sites["demo"] = replace(site, queues={"style": site.queues["style"]})
    page.send_message(wire.Say(told.cid, "mid-00000001", "もしもし"))
    await shopper.next(wire.Stored)
    assert (await world.at.service.desk._talk("demo", told.cid)).queue == "style"
    assert (await post(world, other, talk={"cid": waits.cid, "secret": waits.secret})).status_code == 200


async def test_an_accepted_invite_rings_with_the_first_message_and_keeps_its_slot_while_they_type(
    world: World, redis: Redis
) -> None:
    site = world.at.service.sites["demo"]
    queues = {name: replace(queue, rings="first_message") for name, queue in site.queues.items()}
    world.at.service.sites["demo"] = replace(site, queues=queues)
    key = keys.routing("demo", "sure:checkout-help|ja")
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.send(ev.Accepted(0, show.decision))
        told = await shopper.next(wire.Conversation)
        assert told.state == "opened" and await redis.zcard(key) == 1
        ends = float(await redis.zscore(key, told.cid) or 0)
        await until(lambda: any(watch.opened for watch in world.at.service.desk._watches[told.cid]))
        await world.later(20)
        page.send_message(wire.Typing(told.cid, True, None))

        async def longer() -> bool:
            return float(await redis.zscore(key, told.cid) or 0) > ends

        await until_async(longer)
        page.send_message(wire.Say(told.cid, "mid-shopper-1", "いつ届きますか"))
        ring = await agent.next("ring")
        assert (ring["conversation"]["cid"], ring["conversation"]["queue"]) == (told.cid, "checkout-help")
        assert await redis.zcard(key) == 0


async def test_who_is_blocked_is_told_that_nobody_comes_and_gets_no_form(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        assert (await agent.ask("warn", cid=cid))["t"] == "ok"
        await until(lambda: any(line.text == "warned" for line in shopper.all(wire.Message)))
        assert (await agent.ask("blocks"))["error"] == "forbidden"
        assert (await agent.ask("block", cid=cid, reason="4111 1111 1111 1111"))["t"] == "ok"
        await until(lambda: any(told.state == "wrap-up" for told in shopper.all(wire.Conversation)))
        (block,) = await world.at.service.desk.agents._abuse.lasting("demo")
        assert block["reason"] == "•••• 1111"
        page.send_message(wire.Ask())
        await until(lambda: any(told.state == "refused" for told in shopper.all(wire.Conversation)))
        answer = await post(world, shopper)
        assert (answer.status_code, answer.json()["error"]) == (403, "blocked")
