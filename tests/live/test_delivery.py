"""router.live.delivery: a decision is shown after it is stored, drawn once, drawn again, and never too late."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.errors import Refused
from router.live.clock import DrivenClock
from router.replay.page import PageClient
from router.settings import DEMO_SITES
from router.store import keys
from router.store.embedded import Embedded
from router.store.journal import read
from tests.agent import Agent
from tests.live.world import (
    CUP,
    T,
    Withheld,
    World,
    available,
    ends,
    heard,
    held_of,
    invited,
    left,
    on_cart,
    outcomes,
    stored,
    view,
)  # fmt: skip
from tests.service import in_loop
from tests.shopper import Shopper
from tests.waiting import until

RULES = """
version: 1
defaults: {caps: {per_session: 5, per_visitor: 50 in 7d, not_before: 0s visible, rest_after_dismissal: 1m}, holdout: 0%}
rules:
  - id: wall
    when: {silence: {of: checkout, since: cart_add, for: 45s, clock: wall}}
    then: [{article: size-guide}]
"""


@pytest.fixture
async def wall(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[World]:
    """A service with one rule, about a silence on the wall's clock, which runs while no page is open."""
    folder = tmp_path / "site"
    shutil.copytree(DEMO_SITES.parent, folder)
    (folder / "rules.yaml").write_text(RULES)
    clock = DrivenClock(T)
    options = {"lease_ms": 0, "sweep_ms": 60_000, "sites": folder / "site.yaml"}
    async with in_loop(valkey.url, clock, tmp_path, **options) as at:
        yield World(at, clock)


@asynccontextmanager
async def decided_but_not_stored(world: World, shopper: Shopper) -> AsyncIterator[None]:
    """The shopper's decision was just made and its commit has not been answered; at the end it is."""
    commits = Withheld(world.at.service.engine.store)
    await world.at.service.settled()
    commits.on = True
    moving = asyncio.create_task(world.later(8))
    held = held_of(world.at, shopper)
    await until(lambda: held.session.decision)
    try:
        yield
    finally:
        commits.release()
        await moving


async def taken(world: World, shopper: Shopper, page: PageClient) -> None:
    """The service has folded all that the page sent, and whatever it sent in turn has come."""
    session = held_of(world.at, shopper).session
    await until(lambda: session.pages[page.page].mark == page.sent)
    await heard(shopper, page)


class TestStoredFirst:
    async def test_an_invite_is_not_shown_before_it_is_stored_whatever_the_page_says_meanwhile(
        self, world: World, redis: Redis
    ) -> None:
        """An event between the decision and the store's answer sent it at once: a crash then forgot what was seen."""
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page = await on_cart(shopper)
            async with decided_but_not_stored(world, shopper):
                page.send(ev.Dwell(0, 8000, ev.FOCUSED))
                await taken(world, shopper, page)
                assert not shopper.all(wire.Show)
                assert (await stored(redis, shopper.sid)).decision is None
            show = await shopper.next(wire.Show)
            decision = (await stored(redis, shopper.sid)).decision
            assert decision is not None and decision.id == show.decision

    async def test_an_invite_is_shown_in_one_tab_although_the_other_one_speaks_meanwhile(
        self, world: World
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            first, second = await on_cart(shopper), await on_cart(shopper)
            async with decided_but_not_stored(world, shopper):
                first.send(ev.Dwell(0, 8000, ev.FOCUSED))
                await taken(world, shopper, first)
            for page in (first, second):
                await page.stored()
                await heard(shopper, page)
            assert len(shopper.all(wire.Show)) == 1

    @pytest.mark.parametrize("event", [view("/pay", "payment"), ev.Payment(0, "card", "started")])
    async def test_an_invite_that_was_not_yet_stored_does_not_flash_during_payment(
        self, world: World, redis: Redis, event: ev.AnyEvent
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page = await on_cart(shopper)
            async with decided_but_not_stored(world, shopper):
                page.send(event)
                await taken(world, shopper, page)
            await page.stored()
            await heard(shopper, page)
            assert not shopper.all(wire.Show)
            await world.later(0)
            assert await ends(redis, world) == ["retracted"]


class TestPages:
    async def test_a_second_tab_that_cannot_draw_does_not_end_the_first_ones_invite(
        self, world: World, redis: Redis
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            _, show = await invited(world, shopper)
            tab = await shopper.open()
            tab.send(view("/demo/cart", "cart"), ev.Dwell(0, 0, ev.FOCUSED))
            tab.send(ev.Deferred(0, show.decision, "modal"))
            await tab.stored()
            await world.later(0)
            assert await ends(redis, world) == [] and not shopper.all(wire.Retract)
            decision = held_of(world.at, shopper).session.decision
            assert decision is not None and decision.state == "shown"

    async def test_drawn_on_three_more_pages_it_counts_as_shown_once(
        self, world: World, redis: Redis
    ) -> None:
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            _, show = await invited(world, shopper)
            for _ in range(3):
                tab = await shopper.open()
                tab.send(ev.Shown(0, show.decision))
                await tab.stored()
            await world.later(0)
            await world.at.service.journal.flush()
            assert [e.record["did"] async for e in read(redis) if e.kind == "shown"] == [show.decision]
            session = held_of(world.at, shopper).session
            assert session.decision is not None and session.decision.exposures == 4
            assert session.shown == {"cart-wait": 1} and len(session.offered) == 1

    async def test_a_page_that_lost_its_socket_before_it_drew_gets_it_when_it_is_back(
        self, world: World
    ) -> None:
        """The page counted as tried, so that the invite went to nobody and lapsed."""
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page = await on_cart(shopper)
            await world.later(8)
            lost = await shopper.next(wire.Show)
            await left(world.at, shopper, page)
            await page.gone.wait()
            await shopper.connect(page)
            page.send(ev.Dwell(0, 8000, ev.FOCUSED))
            await page.stored()
            await world.later(4)
            again = await shopper.next(wire.Show)
            assert (again.decision, again.again) == (lost.decision, False)


class TestLate:
    async def test_a_silence_on_the_walls_clock_goes_on_over_a_navigation(self, wall: World) -> None:
        shopper = Shopper(wall.at)
        page = await _added(shopper)
        await wall.later(10)
        await left(wall.at, shopper, page)
        await wall.later(5)
        onward = await _looking(shopper, page)
        await wall.later(29.999)
        await heard(shopper, onward)
        assert not shopper.all(wire.Show)
        await wall.later(0.001)
        assert (await shopper.next(wire.Show)).kind == "article"

    @pytest.mark.parametrize("let_go", [False, True], ids=["still held", "from the store"])
    async def test_a_silence_that_ended_while_nobody_looked_is_noted_and_not_shown(
        self, wall: World, redis: Redis, let_go: bool
    ) -> None:
        shopper = Shopper(wall.at)
        page = await _added(shopper)
        await wall.later(10)
        await left(wall.at, shopper, page)
        if let_go:
            wall.at.service.engine.holdings._drop(held_of(wall.at, shopper))
        await wall.later(600)
        onward = await _looking(shopper, page)
        await wall.later(1)
        await heard(shopper, onward)
        assert not shopper.all(wire.Show)
        assert await outcomes(redis, wall) == [("wall", "late")]


async def _added(shopper: Shopper) -> PageClient:
    page = await shopper.open()
    page.send(view("/p", "product"), ev.Dwell(0, 0, ev.FOCUSED), ev.CartAdd(0, CUP, currency="JPY"))
    await page.stored()
    return page


async def _looking(shopper: Shopper, previous: PageClient) -> PageClient:
    page = await shopper.open(previous=previous.page)
    page.send(view("/q", "product"), ev.Dwell(0, 0, ev.FOCUSED))
    await page.stored()
    return page


class TestClaims:
    async def test_who_is_held_out_while_nobody_is_free_spends_no_cap(
        self, world: World, redis: Redis
    ) -> None:
        """Nothing would have been shown to this visitor, so the two groups must not differ by a spent cap."""
        rule = world.at.service.sites["demo"].rules.find("cart-wait")
        assert rule is not None
        rule.holdout = 1.0
        shopper = Shopper(world.at)
        await on_cart(shopper)
        await world.later(9)
        assert await outcomes(redis, world) == [("cart-wait", "no_capacity")]
        session = held_of(world.at, shopper).session
        assert not await redis.exists(keys.caps("demo", session.visitor)) and not session.shown

    async def test_a_store_that_is_away_while_a_slot_is_asked_for_leaves_no_claimed_cap_behind(
        self, world: World, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: object) -> bool:
            raise Refused("unavailable")

        monkeypatch.setattr(world.at.service.desk, "hold", away)
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page = await on_cart(shopper)
            await world.later(8)
            assert await outcomes(redis, world) == [("cart-wait", "unavailable")]
            visitor = held_of(world.at, shopper).session.visitor
            assert not await redis.exists(keys.claims("demo", visitor))
            page.send(view("/on"))
            await page.stored()
