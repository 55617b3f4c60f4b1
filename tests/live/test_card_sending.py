"""Cards that agents send: articles, and codes within the budget of the agent and of the campaign."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from router.core import protocol as wire
from tests.agent import Agent
from tests.live.world import World, available, talking
from tests.shopper import Shopper


async def sent(agent: Agent, cid: str, mid: str, **what: str) -> dict[str, Any]:
    return await agent.ask("card", cid=cid, mid=mid, **what)


async def card(shopper: Shopper) -> wire.Message:
    """The next line that is a card."""
    while True:
        line = await shopper.next(wire.Message)
        if line.card is not None:
            return line


async def test_an_article_comes_as_a_card_with_words_that_stand_for_it(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        _, cid = await talking(world, shopper, agent)
        assert (await sent(agent, cid, "mid-card-1", article="size-guide"))["t"] == "ok"
        line = await card(shopper)
        assert line.card == {
            "kind": "article", "title": "うつわの大きさ、選び方のめやす", "url": "/demo/#sizes",
            "text": "ご飯茶碗から大皿まで、使う場面ごとのめやすをまとめました。",
        }  # fmt: skip
        assert (line.author, line.text) == ("agent", "うつわの大きさ、選び方のめやす /demo/#sizes")


async def test_a_code_is_given_once_a_mid_and_can_be_redeemed(world: World) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        _, cid = await talking(world, shopper, agent)
        first = await sent(agent, cid, "mid-card-1", offer="welcome-5")
        assert await sent(agent, cid, "mid-card-1", offer="welcome-5") == first | {"ref": first["ref"] + 1}
        line = await card(shopper)
        assert line.card is not None and line.card["expires_at_ms"] == world.clock.now() + 30 * 60_000
        offers = world.at.service.offers
        assert await offers.spent("demo", "welcome-5", world.clock.now()) == 1
        redeemed = await offers.redeem("demo", line.card["code"], "order-1", world.clock.now())
        assert (redeemed.offer, redeemed.percent) == ("welcome-5", 5.0)


async def test_an_agents_budget_ends_and_comes_back_after_a_day(calm: World) -> None:
    async with Agent(calm.at) as agent:
        await available(agent)
        _, cid = await talking(calm, Shopper(calm.at), agent)
        for n in range(5):
            assert (await sent(agent, cid, f"mid-card-{n}", offer="welcome-5"))["t"] == "ok"
        refused = await sent(agent, cid, "mid-card-6", offer="welcome-5")
        assert (refused["error"], refused["text"]) == (
            "full",
            "Your codes of this offer are used up for today.",
        )
        assert (await sent(agent, cid, "mid-card-4", offer="welcome-5"))["t"] == "ok", "that one was given"
        give, now = calm.at.service.offers.give, calm.clock.now()
        assert not await give("demo", "welcome-5", agent.login, "another", 5, now + 86_399_000)
        assert await give("demo", "welcome-5", agent.login, "another", 5, now + 86_400_001)


@pytest.mark.parametrize(
    "what", [{}, {"article": "none"}, {"offer": "none"}, {"article": "size-guide", "offer": "welcome-5"}]
)
async def test_what_there_is_not_is_refused(world: World, what: dict[str, str]) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        _, cid = await talking(world, Shopper(world.at), agent)
        assert (await sent(agent, cid, "mid-card-1", **what))["error"] == "bad_request"


async def test_an_offer_without_a_budget_for_agents_is_none_of_theirs(world: World) -> None:
    site = world.at.service.sites["demo"]
    offers = {name: replace(offer, agent_budget=0) for name, offer in site.offers.items()}
    world.at.service.sites["demo"] = replace(site, offers=offers)
    async with Agent(world.at) as agent:
        await available(agent)
        _, cid = await talking(world, Shopper(world.at), agent)
        assert (await sent(agent, cid, "mid-card-1", offer="welcome-5"))["error"] == "bad_request"
