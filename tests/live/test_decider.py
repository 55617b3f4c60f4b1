"""The order of a decision, over real sockets: mode, suppression, caps, priority, capacity, holdout, reservation."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.card import card
from router.core.session import Profile
from router.live.clock import DrivenClock
from router.replay.page import PageClient
from router.settings import DEMO_SITES
from router.store.embedded import Embedded
from router.store.journal import read
from tests.agent import Agent
from tests.service import InLoop, in_loop
from tests.shopper import Shopper

T = 1_780_000_000_000
CAPS = "{per_session: 5, per_visitor: 50 in 7d, not_before: 0s visible, rest_after_dismissal: 24h}"
ON_CART = "when: {page.type: cart}"
INVITE = "{invite: {queue: checkout-help, message: cart.wait}}"

Serve = Callable[..., Awaitable["World"]]


class World:
    """A service whose rules are the test's."""

    def __init__(self, at: InLoop, clock: DrivenClock, redis: Redis) -> None:
        self.at = at
        self.clock = clock
        self.redis = redis

    async def later(self, seconds: float) -> None:
        service = self.at.service
        await service.settled()
        await self.clock.advance(self.clock.now() + int(seconds * 1000), service.settled)
        await service.settled()

    async def records(self, kind: str) -> list[dict[str, Any]]:
        await self.at.service.journal.flush()
        return [e.record async for e in read(self.redis) if e.kind == kind]

    async def outcomes(self) -> list[tuple[str, str]]:
        await self.at.service.journal.flush()
        return [
            (e.record["rule"], e.record["outcome"]) async for e in read(self.redis) if e.kind == "decision"
        ]

    async def on_cart(self, shopper: Shopper) -> PageClient:
        """The shopper opens the cart, sees what there is to see, and answers nothing."""
        page = await shopper.open()
        page.send(ev.Page(0, "cart", "/demo/cart"), ev.Dwell(0, 0, ev.FOCUSED))
        await page.stored()
        await self.at.service.settled()
        page.send(ev.Search(0, None, 0))
        await page.stored()  # the ack comes behind whatever was to be shown
        for show in shopper.all(wire.Show):
            page.send(ev.Shown(0, show.decision))
        await page.stored()
        await self.at.service.settled()
        return page


@pytest.fixture
async def serve(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(
            *rules: str, caps: str = CAPS, holdout: str = "0%", site_holdout: str = "0%", texts: str = ""
        ) -> World:
            folder = tmp_path / "site"
            shutil.copytree(DEMO_SITES.parent, folder)
            head = f"version: 1\ndefaults: {{caps: {caps}, holdout: {holdout}}}\n"
            head += f"site: {{holdout: {site_holdout}}}\nrules:\n"
            (folder / "rules.yaml").write_text(head + "".join(f"  - {{{rule}}}\n" for rule in rules))
            with (folder / "texts.yaml").open("a") as file:
                file.write(texts)
            clock = DrivenClock(T)
            options = {"lease_ms": 0, "sweep_ms": 600_000, "sites": folder / "site.yaml"}
            at = await stack.enter_async_context(in_loop(valkey.url, clock, tmp_path, **options))
            return World(at, clock, redis)

        yield start


async def test_who_is_held_out_sees_nothing_and_the_cap_is_spent(serve: Serve) -> None:
    world = await serve(
        f"id: held, {ON_CART}, then: [{{article: size-guide}}], caps: {{per_visitor: 1 in 7d}}",
        holdout="100%",
    )
    shopper = Shopper(world.at)
    page = await world.on_cart(shopper)
    assert await world.outcomes() == [("held", "held_out")] and not shopper.all(wire.Show)
    page.close()
    await world.later(3600)
    await world.on_cart(shopper)
    assert (await world.outcomes())[1:] == [("held", "capped")]


async def test_the_sites_own_holdout_gets_nothing_proactive_at_all(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{article: size-guide}}]", site_holdout="100%")
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert await world.outcomes() == [("a", "site_holdout")] and not shopper.all(wire.Show)


async def test_a_shadow_rule_is_recorded_and_hinders_nothing(serve: Serve) -> None:
    world = await serve(
        f"id: shadow, priority: 90, mode: shadow, {ON_CART}, then: [{{offer: welcome-5}}]",
        f"id: live, priority: 10, {ON_CART}, then: [{{article: size-guide}}]",
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert await world.outcomes() == [("shadow", "shadow"), ("live", "made")]
    assert [show.kind for show in shopper.all(wire.Show)] == ["article"]


async def test_a_rule_that_is_off_or_not_rolled_out_to_this_visitor_does_nothing(serve: Serve) -> None:
    world = await serve(
        f"id: nobody, rollout: 0%, {ON_CART}, then: [{{article: size-guide}}]",
        f"id: off, mode: off, {ON_CART}, then: [{{article: size-guide}}]",
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert not await world.outcomes() and not shopper.all(wire.Show)


async def test_the_highest_priority_wins_and_lower_rules_that_can_act_wait(serve: Serve) -> None:
    world = await serve(
        f"id: low, priority: 10, {ON_CART}, then: [{{article: size-guide}}]",
        f"id: high, priority: 80, {ON_CART}, then: [{{offer: welcome-5}}]",
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert [show.kind for show in shopper.all(wire.Show)] == ["offer"]


async def test_a_higher_rule_that_cannot_act_does_not_hide_a_lower_one(serve: Serve) -> None:
    world = await serve(
        f"id: high, priority: 80, {ON_CART}, then: [{INVITE}]",
        f"id: low, priority: 10, {ON_CART}, then: [{{article: size-guide}}]",
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert await world.outcomes() == [("high", "no_capacity"), ("low", "made")]
    assert [show.kind for show in shopper.all(wire.Show)] == ["article"]


async def test_the_first_action_that_can_be_kept_is_taken(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{INVITE}, {{article: size-guide}}]")
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert [show.kind for show in shopper.all(wire.Show)] == ["article"]
    async with Agent(world.at) as agent:
        await agent.ask("presence", state="available")
        other = Shopper(world.at)
        await world.on_cart(other)
        assert [show.kind for show in other.all(wire.Show)] == ["invite"]


async def test_per_session_counts_what_was_shown(serve: Serve) -> None:
    caps = CAPS.replace("per_session: 5", "per_session: 1")
    world = await serve(
        f"id: a, priority: 90, {ON_CART}, then: [{{article: size-guide}}]",
        "id: b, when: {page.type: shipping}, then: [{article: size-guide}]",
        caps=caps,
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    page = await shopper.open()
    page.send(ev.Dismissed(0, shopper.all(wire.Show)[0].decision))
    page.send(ev.Page(0, "shipping", "/s"), ev.Dwell(0, 0, ev.FOCUSED))
    await page.stored()
    assert ("b", "suppressed") in await world.outcomes()


async def test_per_visitor_counts_over_sessions_and_forgets_after_the_window(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{article: size-guide}}], caps: {{per_visitor: 1 in 7d}}")
    shopper = Shopper(world.at)
    for days, expected in ((0, "made"), (6, "capped"), (8, "made")):
        await world.later(days * 86_400 - (world.clock.now() - T) / 1000)
        page = await world.on_cart(shopper)
        assert (await world.outcomes())[-1] == ("a", expected), days
        page.close()
        await page.gone.wait()


async def test_a_spent_budget_goes_on_to_the_next_action(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{offer: welcome-5}}, {{article: size-guide}}]")
    site = world.at.service.sites["demo"]
    budget = site.offers["welcome-5"].budget
    for n in range(budget):
        reserved = await world.at.service.offers.reserve(
            "demo", f"decision-{n}", "welcome-5", code=f"{n:010d}", budget=budget, percent=5,
            expires_in_ms=1_800_000, visitor="v", now=T,
        )  # fmt: skip
        assert reserved is not None
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert [show.kind for show in shopper.all(wire.Show)] == ["article"]


async def test_an_offer_that_was_shown_is_redeemed_once(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{offer: welcome-5}}]")
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    (show,) = shopper.all(wire.Show)
    offers = world.at.service.offers
    code = show.content["code"]
    assert (await offers.redeem("demo", code, "order-1", world.clock.now())).offer == "welcome-5"
    with pytest.raises(Exception, match="redeemed"):
        await offers.redeem("demo", code, "order-2", world.clock.now())


async def test_after_a_purchase_nothing_is_shown(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{article: size-guide}}]")
    shopper = Shopper(world.at)
    page = await shopper.open()
    page.send(ev.Page(0, "thanks", "/t"), ev.Dwell(0, 0, ev.FOCUSED), ev.Purchase(0, "o-1"))
    page.send(ev.Page(0, "cart", "/demo/cart"))
    await page.stored()
    assert await world.outcomes() == [("a", "suppressed")]


async def test_a_rule_that_wants_a_short_wait_stays_armed_until_somebody_is_free(serve: Serve) -> None:
    """Availability is a gate: it makes no rule fire, and one that it blocks acts as soon as it opens."""
    world = await serve(
        "id: a, when: {all: [page.type: cart, availability.checkout-help.wait: {lte: 30s}]}, "
        "then: [{article: size-guide}], valid: 5s, patience: 20s"
    )
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    assert await world.outcomes() == [("a", "no_capacity")]
    async with Agent(world.at) as agent:
        await agent.ask("presence", state="available")
        await world.at.service.desk._board.sweep("demo")
        await world.later(1)
        assert [show.kind for show in shopper.all(wire.Show)] == ["article"]
    assert await world.outcomes() == [("a", "no_capacity"), ("a", "made")]


async def test_what_the_shops_backend_says_of_a_visitor_decides_at_once(serve: Serve) -> None:
    world = await serve("id: a, when: {visitor.tier: gold}, then: [{article: size-guide}]")
    service, shopper = world.at.service, Shopper(world.at)
    await world.on_cart(shopper)
    assert await world.outcomes() == []
    held = service.engine.holdings.get(shopper.sid)
    assert held is not None
    await service.visitors.tell("demo", held.session.visitor, Profile(tier="gold"))
    await service.desk.visitor_told("demo", held.session.visitor)
    await service.settled()
    assert await world.outcomes() == [("a", "made")]


async def test_a_later_session_knows_what_was_said_of_its_visitor(serve: Serve) -> None:
    world = await serve("id: a, when: {visitor.tier: gold}, then: [{article: size-guide}]")
    service, shopper = world.at.service, Shopper(world.at)
    page = await world.on_cart(shopper)
    held = service.engine.holdings.get(shopper.sid)
    assert held is not None
    page.close()
    await page.gone.wait()
    await service.visitors.tell("demo", held.session.visitor, Profile(tier="gold"))
    await world.later(3600)
    await world.on_cart(shopper)
    assert await world.outcomes() == [("a", "made")]


# --- what is kept ------------------------------------------------------------------------------------------


async def test_a_decision_is_kept_with_why_and_with_what_else_there_was(serve: Serve) -> None:
    world = await serve(
        f"id: nobody-free, priority: 90, {ON_CART}, then: [{INVITE}]",
        f"id: shadow, priority: 80, mode: shadow, {ON_CART}, then: [{{article: size-guide}}]",
        "id: made, priority: 70, when: {all: [page.type: cart, cart.lines: {gte: 0}]}, then: [{article: size-guide}]",
        f"id: low, priority: 10, {ON_CART}, then: [{{article: size-guide}}]",
    )
    shopper = Shopper(world.at)
    page = await world.on_cart(shopper)
    (made,) = [record for record in await world.records("decision") if record["outcome"] == "made"]
    assert made["why"] == [
        ["page.type", "eq", "cart", "cart", "", ""],
        ["cart.lines", "gte", 0, 0, "", ""],
    ]
    assert made["others"] == [["nobody-free", "no_capacity"], ["shadow", "shadow"], ["low", "priority"]]
    assert (made["rule"], made["version"], made["action"]) == (
        "made",
        world.at.service.sites["demo"].rules.version,
        "article",
    )
    page.send(ev.Dismissed(0, made["did"]))
    await page.stored()
    (end,) = await world.records("end")
    assert (end["did"], end["rule"], end["end"]) == (made["did"], "made", "dismissed")


async def test_who_is_held_out_is_kept_with_what_would_have_been(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{offer: welcome-5}}]", site_holdout="100%")
    await world.on_cart(Shopper(world.at))
    (record,) = await world.records("decision")
    assert (record["outcome"], record["action"]) == ("site_holdout", "offer")


async def test_an_invites_text_is_one_of_several_and_is_kept(serve: Serve) -> None:
    invite = "{invite: {queue: checkout-help, message: [cart.wait, shipping.loop]}}"
    world = await serve(f"id: a, {ON_CART}, then: [{invite}]")
    async with Agent(world.at) as agent:
        await agent.ask("presence", state="available")
        shopper = Shopper(world.at)
        await world.on_cart(shopper)
        (show,) = shopper.all(wire.Show)
        (made,) = [record for record in await world.records("decision") if record["outcome"] == "made"]
        texts = world.at.service.sites["demo"].texts.invites[made["variant"]]
        assert show.content["title"] == texts.pick("ja", "ja").title


async def test_a_notice_is_shown_without_a_link(serve: Serve) -> None:
    texts = "notices: {soon: {ja: {title: まもなく, text: 発送まで二日です。, dismiss: 閉じる}}}"
    world = await serve(f"id: a, {ON_CART}, then: [{{notice: soon}}]", texts=texts)
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    (show,) = shopper.all(wire.Show)
    assert (show.kind, show.content) == (
        "notice",
        {"title": "まもなく", "text": "発送まで二日です。", "dismiss": "閉じる"},
    )


async def test_a_tag_stays_with_the_session_and_is_on_the_card(serve: Serve) -> None:
    world = await serve(f"id: a, {ON_CART}, then: [{{article: size-guide}}], also: [{{tag: hesitant}}]")
    shopper = Shopper(world.at)
    await world.on_cart(shopper)
    held = world.at.service.engine.holdings.get(shopper.sid)
    assert held is not None
    assert held.session.tags == ["hesitant"]
    assert card(held.session, None, None, T)["tags"] == ["hesitant"]
