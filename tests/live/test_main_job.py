"""The main job over real sockets, on a clock that the test moves: hesitate, decide, invite, ring, talk, close."""

from __future__ import annotations

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.reporting import gather
from router.store import keys
from router.store.embedded import Embedded
from tests.agent import Agent
from tests.live.world import World, available, ends, invited, on_cart, outcomes, talking
from tests.service import in_loop
from tests.shopper import Shopper
from tests.waiting import until


async def test_the_invite_comes_at_its_moment_and_not_before(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        await on_cart(shopper)
        await world.later(7.999)
        assert not shopper.all(wire.Show)
        await world.later(0.001)
        show = await shopper.next(wire.Show)
        assert show.kind == "invite" and show.content["title"] and not show.again


async def test_hesitation_to_disposition(world: World, redis: Redis) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.send(ev.Accepted(0, show.decision))
        ring = await agent.next("ring")
        card = ring["conversation"]["card"]
        assert card["where"]["path"] == "/demo/cart" and card["where"]["title"] == "カート"
        assert card["cart"]["value"] == 4800 and card["cart"]["lines"][0]["name"] == "Cup"
        assert card["why"]["rule"] == "cart-wait" and card["why"]["ja"] and card["why"]["en"]
        assert [step["kind"] for step in card["journey"]] == ["page", "cart_add"]
        assert card["opening"]["ja"]
        cid = ring["conversation"]["cid"]
        answer = await agent.ask("accept", cid=cid)
        assert answer["conversation"]["state"] == "active"
        state = await until(lambda: [m for m in shopper.all(wire.Conversation) if m.state == "active"])
        assert state[0].agent == "葵 Aoi"
        await until(lambda: [f for f in agent.all("conversation") if f["conversation"]["state"] == "active"])
        page.send_message(wire.Typing(cid, True))
        assert (await agent.next("typing"))["on"] is True
        page.send_message(wire.Say(cid, "mid-shopper-1", "送料はいくらですか"))
        assert (await shopper.next(wire.Stored)).mid == "mid-shopper-1"
        said = await until(lambda: [f for f in agent.all("message") if f["message"]["author"] == "shopper"])
        assert said[0]["message"]["text"] == "送料はいくらですか"
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="無料です"))["t"] == "ok"
        lines = await until(lambda: [m for m in shopper.all(wire.Message) if m.author == "agent"])
        assert lines[0].text == "無料です"
        wrong = await agent.ask("close", cid=cid, disposition="nonsense", note="")
        assert wrong["t"] == "error"
        assert (await agent.ask("close", cid=cid, disposition="answered", note="shipping"))["t"] == "ok"
        await until(lambda: [m for m in shopper.all(wire.Conversation) if m.state in ("wrap-up", "closed")])
        assert await ends(redis, world) == ["accepted"]


async def test_both_sides_survive_a_reload_without_losing_a_line(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        page.send_message(wire.Say(cid, "mid-shopper-1", "one"))
        await shopper.next(wire.Stored)
        secret = next(m.secret for m in shopper.all(wire.Conversation) if m.secret)
        page.close()
        assert (await agent.ask("say", cid=cid, mid="mid-agent-1", text="two"))["t"] == "ok"
        shopper.got.clear()
        again = await shopper.open(previous=page.page)
        assert (await shopper.next(wire.Welcome)).config["talk"] == [cid, secret]
        again.send_message(wire.Resume(cid, secret, 0))
        lines = await until(
            lambda: (
                [m.text for m in shopper.all(wire.Message) if m.author != "system"]
                if len(shopper.all(wire.Message)) >= 3
                else None
            )
        )
        assert lines == ["one", "two"]
        offsets = [m.offset for m in shopper.all(wire.Message)]
        assert offsets == sorted(set(offsets))
        await agent.leave()
        agent.got.clear()
        hello = await agent.connect()
        (conversation,) = hello["conversations"]
        history = await agent.ask("history", cid=cid, after=0)
        assert conversation["cid"] == cid and conversation["state"] == "active"
        assert [m["text"] for m in history["messages"] if m["author"] != "system"] == ["one", "two"]


async def test_an_end_counts_although_its_page_is_gone_at_once(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        page.send_message(wire.Say(cid, "mid-shopper-1", "thanks"))
        page.send_message(wire.End(cid))
        page.close()
        await until(lambda: [f for f in agent.all("conversation") if f["conversation"]["state"] == "wrap-up"])
        (held,) = world.at.service.engine.holdings.all()
        await until(lambda: not held.session.talk)


async def test_a_ring_that_nobody_answers_goes_on_to_the_next_agent(world: World) -> None:
    async with Agent(world.at) as first, Agent(world.at, "haru") as second:
        await available(first)
        await available(second)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.send(ev.Accepted(0, show.decision))
        await until(lambda: first.all("ring") or second.all("ring"))
        rung, other = (first, second) if first.all("ring") else (second, first)
        await world.later(20)
        assert (await rung.next("ring_over"))["reason"] == "missed"
        cid = (await other.next("ring"))["conversation"]["cid"]
        assert (await other.ask("accept", cid=cid))["t"] == "ok"
        late = await rung.ask("accept", cid=cid)
        assert late["t"] == "error" and late["error"] in ("too_late", "not_yours")


async def test_nobody_free_no_invite_and_no_discount_in_its_place(world: World, redis: Redis) -> None:
    shopper = Shopper(world.at)
    await on_cart(shopper, quantity=4)
    await world.later(60)
    kinds = {show.kind for show in shopper.all(wire.Show)}
    assert not kinds & {"invite", "offer"}
    assert ("cart-wait", "no_capacity") in await outcomes(redis, world)


async def test_a_slot_that_becomes_free_within_patience_is_offered(world: World) -> None:
    async with Agent(world.at) as agent:
        shopper = Shopper(world.at)
        page = await shopper.open()
        for _ in range(3):
            page.send(ev.Page(0, "shipping", "/demo/shipping"), ev.Dwell(0, 0, ev.FOCUSED))
            await page.stored()
            await world.later(3)
        assert not [show for show in shopper.all(wire.Show) if show.kind == "invite"]
        await available(agent)
        await world.later(3)
        assert (await shopper.next(wire.Show)).kind == "invite"


async def test_a_rule_that_turned_true_too_early_in_the_visit_fires_when_it_may(world: World) -> None:
    """`not_before: 5s visible` is a gate: the edge is not lost."""
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page = await shopper.open()
        page.send(ev.Page(0, "shipping", "/demo/shipping"), ev.Dwell(0, 0, ev.FOCUSED))
        page.send(*(ev.Page(0, "shipping", "/demo/shipping") for _ in range(3)))
        await page.stored()
        await world.later(4)
        assert not shopper.all(wire.Show)
        await world.later(2)
        assert (await shopper.next(wire.Show)).kind == "invite"


async def test_an_open_invite_is_drawn_again_silently_on_the_next_page(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.close()
        onward = await shopper.open(previous=page.page)
        assert not shopper.all(wire.Show), "not before the page has said what it is"
        onward.send(ev.Page(0, "shipping", "/demo/shipping"), ev.Dwell(0, 0, ev.FOCUSED))
        again = await shopper.next(wire.Show)
        assert (again.decision, again.again) == (show.decision, True)


async def test_an_open_invite_does_not_flash_on_the_payment_page(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, _ = await invited(world, shopper)
        page.close()
        payment = await shopper.open(previous=page.page)
        payment.send(ev.Page(0, "payment", "/pay"), ev.Dwell(0, 0, ev.FOCUSED))
        assert (await shopper.next(wire.Retract)).reason == "payment"
        assert not shopper.all(wire.Show)


async def test_a_decision_that_is_not_drawn_goes_to_the_other_visible_tab_and_then_lapses(
    world: World, redis: Redis
) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        await on_cart(shopper)
        other = await shopper.open()
        other.send(ev.Page(0, "cart", "/demo/cart"), ev.Dwell(0, 0, ev.VISIBLE))
        await other.stored()
        await world.later(8)
        await until(lambda: len(shopper.all(wire.Show)) == 1)
        await world.later(3)
        await until(lambda: len(shopper.all(wire.Show)) == 2)
        await world.later(6)
        assert len(shopper.all(wire.Show)) == 2, "it is not thrown at the same page again and again"
        await world.later(30)
        assert (await shopper.next(wire.Retract)).reason == "lapsed"
        assert "lapsed" in await ends(redis, world)


async def test_an_answer_in_one_tab_takes_it_away_in_the_others(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        other = await shopper.open()
        other.send(ev.Page(0, "home", "/demo/"), ev.Dwell(0, 0, ev.VISIBLE))
        assert (await shopper.next(wire.Show)).again
        page.send(ev.Dismissed(0, show.decision))
        await until(lambda: len(shopper.all(wire.Retract)) == 2)
        assert shopper.all(wire.Retract)[0] == wire.Retract(show.decision, "answered") and other.connected


async def test_a_page_that_cannot_draw_leaves_it_to_another_visible_one(world: World, redis: Redis) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page = await on_cart(shopper)
        other = await shopper.open()
        other.send(ev.Page(0, "cart", "/demo/cart"), ev.Dwell(0, 0, ev.VISIBLE))
        await other.stored()
        await world.later(8)
        show = await shopper.next(wire.Show)
        other.send(ev.Deferred(0, show.decision, "no_room"))
        assert (await shopper.next(wire.Show)).decision == show.decision
        page.send(ev.Deferred(0, show.decision, "no_room"))
        await page.stored()
        await world.later(0)
        assert await ends(redis, world) == ["deferred"]


async def test_payment_takes_an_open_invite_away(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.send(ev.Page(0, "payment", "/pay"))
        assert await shopper.next(wire.Retract) == wire.Retract(show.decision, "payment")


async def test_do_not_show_again_holds_in_later_sessions_too(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        page.send(ev.Dismissed(0, show.decision, True))
        await page.stored()
        page.close()
        await world.later(3600)
        await on_cart(shopper)
        await world.later(30)
        assert not shopper.all(wire.Show)


async def test_an_old_invite_can_still_be_answered(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        await world.later(130)
        assert (await shopper.next(wire.Retract)).reason == "unanswered"
        page.send(ev.Accepted(0, show.decision))
        ring = await agent.next("ring")
        assert ring["conversation"]["cid"] == show.decision


async def test_an_accept_that_was_acked_becomes_a_conversation_after_the_process_died(
    world: World, redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    """The acceptance is in the session's blob; whoever attaches next does what is still owed."""
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, show = await invited(world, shopper)
        world.at.service.engine.talks.open = lambda held, decision: None  # type: ignore[method-assign]
        page.send(ev.Accepted(0, show.decision))
        await page.stored()
        world.at.service.engine.store.beat = lambda: None  # type: ignore[method-assign]
        async with in_loop(valkey.url, world.clock, tmp_path / "second", lease_ms=0) as second:
            shopper.at = second
            await redis.delete(keys.beat(world.at.service.node))
            await asyncio.wait_for(shopper.open(), 5)
            assert (await shopper.next(wire.Conversation)).secret
            assert (await agent.next("ring"))["conversation"]["cid"] == show.decision


async def test_the_funnel_of_the_main_job_is_in_the_journal(world: World, redis: Redis) -> None:
    """What the service writes is what the report reads."""
    shopper = Shopper(world.at)
    async with Agent(world.at) as agent:
        await available(agent)
        await world.later(5)
        await talking(world, shopper, agent)
        await world.at.service.journal.flush()
    found, levels = await gather.reports(redis, "demo", 0, {"checkout-help": 20_000})
    assert [(level.queue, level.answered, level.prompt) for level in levels] == [("checkout-help", 1, 1)]
    (row,) = [row for row in found.rules if row.treated.sessions]
    assert (row.rule, row.treated.sessions, row.shown, row.accepted, row.answered) == (
        "cart-wait",
        1,
        1,
        1,
        1,
    )


async def test_after_a_conversation_rules_go_on_and_caps_decide(world: World, redis: Redis) -> None:
    """A first talk is not the last thing that may ever be offered: the next decision is sent to the page that had the
    first.
    """
    shopper = Shopper(world.at)
    async with Agent(world.at) as agent:
        await available(agent)
        await world.later(5)
        page, cid = await talking(world, shopper, agent)
        assert (await agent.ask("close", cid=cid, disposition="answered", note=""))["t"] == "ok"
        await world.later(60)
        shown = len(shopper.all(wire.Show))
        for path in ("/demo/shipping", "/demo/", "/demo/shipping", "/demo/", "/demo/shipping"):
            page.send(ev.Page(0, "shipping", path))
        await page.stored()
        await until(lambda: len(shopper.all(wire.Show)) > shown)
        assert shopper.all(wire.Show)[-1].kind == "invite"
