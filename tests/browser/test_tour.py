"""The five-minute tour, walked through: a real service that is really killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Locator, Page, expect

from router.store.embedded import Embedded
from tests.browser.conftest import Shopper, visiting
from tests.service import Process

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WIDE = {"locale": "en-GB", "viewport": {"width": 1600, "height": 960}}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def url(valkey: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where `router demo` is reached."""
    running = await asyncio.to_thread(Process, tmp_path_factory.mktemp("demo"), valkey.url)
    yield running.url
    assert await asyncio.to_thread(running.stop) == 0


class Walk:
    """Somebody on the tour."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.shop: FrameLocator = page.frame_locator("#shop")
        self.console: FrameLocator = page.frame_locator("#console")
        self.step: Locator = page.locator(".step")

    @property
    def widget(self) -> Locator:
        """What Router draws on the shop's page."""
        return self.shop.locator("router-ui")

    async def done(self, title: str) -> None:
        """This step sees that it was done; the next one comes."""
        await expect(self.step.get_by_role("heading", name=title)).to_be_visible()
        await expect(self.step.locator(".good-text")).to_be_visible(timeout=15_000)
        following = self.step.get_by_role("button", name="Next")
        if await following.count():
            await following.click()

    async def presence(self, name: str) -> None:
        """Say at the console whether one is there."""
        await self.console.get_by_text(name, exact=True).first.click()

    async def go(self, path: str) -> None:
        """Follow the shop's own links, as a thumb would, with real navigation."""
        await self.shop.locator("body").evaluate("(_, path) => { location.href = path; }", path)
        await expect(self.shop.locator("#main h1").first).not_to_be_empty()
        seen = self.page.locator(".facts div", has_text="Page").locator("dd")
        await expect(seen).to_have_text(path, timeout=15_000)  # nobody leaves a page before it was there
        await self.page.wait_for_function(
            "path => document.getElementById('shop').contentWindow.location.pathname === path", arg=path
        )


async def test_the_tour_from_the_first_step_to_the_last(url: str, chromium: Browser) -> None:
    async with visiting(chromium, **WIDE) as visitor:
        await visitor.page.goto(f"{url}/demo/tour?lang=en")
        walk = Walk(visitor.page)
        await _go_shopping(walk)
        await _hesitate(walk, visitor)
        await _talk(walk, visitor)
        await _kill(walk, visitor)
        await _look_when_nobody_is_free(walk, visitor)
        await _ask_why(walk, visitor)


async def _go_shopping(walk: Walk) -> None:
    await walk.console.get_by_role("button", name="Log in").click()
    await walk.presence("Available")
    await walk.done("Somebody has to be there")
    await walk.go("/demo/p/pot-kyusu")
    await walk.shop.locator(".buy button").click()
    await walk.done("Go shopping")


async def _hesitate(walk: Walk, visitor: Shopper) -> None:
    await walk.go("/demo/cart")
    await expect(walk.page.locator(".next.due .left")).to_be_visible()
    await visitor.shoot("tour-countdown")
    await expect(walk.widget.get_by_text("Chat with us")).to_be_visible(timeout=15_000)
    await expect(walk.page.locator(".decisions .speed").first).to_contain_text("after its moment")
    await walk.done("Hesitate")
    await visitor.shoot("tour-invite")


async def _talk(walk: Walk, visitor: Shopper) -> None:
    await walk.widget.get_by_text("Chat with us").click()
    answer = walk.console.get_by_role("button", name="Accept").first
    await expect(answer).to_be_visible()
    await visitor.shoot("tour-ring")
    await answer.click()
    await walk.done("Say yes, and answer")
    await walk.widget.get_by_role("textbox").fill("Is the strainer ceramic?")
    await walk.widget.get_by_role("textbox").press("Enter")
    reply = walk.console.get_by_role("textbox").first
    await reply.fill("It is, and very fine.")
    await reply.press("Enter")
    await walk.done("Talk")


async def _kill(walk: Walk, visitor: Shopper) -> None:
    """Nothing that either side had said or done is missing, and all of them are back by themselves."""
    await walk.step.get_by_role("button", name="kill -9").click()
    await expect(walk.step.locator(".kept")).to_be_visible(timeout=30_000)
    events, events_after, lines, lines_after, _ = await walk.step.locator(".kept td").all_text_contents()
    assert int(events_after) >= int(events) > 0
    assert int(lines_after) >= int(lines) >= 2
    await visitor.shoot("tour-killed")
    await walk.done("Kill the service")
    await expect(walk.widget.get_by_text("It is, and very fine.")).to_be_visible()
    await expect(walk.console.get_by_text("Is the strainer ceramic?").first).to_be_visible(timeout=20_000)


async def _look_when_nobody_is_free(walk: Walk, visitor: Shopper) -> None:
    await walk.widget.get_by_role("button", name="End", exact=True).click()
    await walk.widget.get_by_role("button", name="End chat").click()
    await walk.presence("Away")
    await expect(walk.page.locator(".facts div", has_text="free slots").locator("dd")).to_have_text("0")
    for path in ("/demo/p/donabe", "/demo/", "/demo/p/donabe", "/demo/", "/demo/p/donabe"):
        await walk.go(path)
    article = walk.widget.get_by_role("heading", name="How to choose the right size")
    await expect(article).to_be_visible(timeout=15_000)
    await visitor.shoot("tour-article")
    await walk.done("Nobody is free")


async def _ask_why(walk: Walk, visitor: Shopper) -> None:
    """A rule that did not fire says which of its conditions do not hold."""
    rule = walk.page.locator("details", has_text="in the cart for 8 s")
    await rule.locator("summary").click()
    await expect(rule.locator("li.false").first).to_contain_text("page", ignore_case=True)
    await visitor.shoot("tour-why")
    await walk.done("Ask why not")


async def test_in_japanese_and_on_a_phone_nothing_is_cut_off(url: str, chromium: Browser) -> None:
    for width, height in ((1600, 960), (1100, 800), (390, 844)):
        options = {"locale": "ja-JP", "viewport": {"width": width, "height": height}}
        async with visiting(chromium, **options) as visitor:
            page = visitor.page
            await page.goto(f"{url}/demo/tour?lang=ja")
            await expect(page.locator(".facts dt").first).to_have_text("ページ")
            await expect(page.frame_locator("#shop").locator(".hero h1")).to_contain_text("器")
            await visitor.shoot(f"tour-ja-{width}")
            assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_only_the_tours_own_page_may_kill(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        for headers in ({}, {"origin": "https://elsewhere.example"}):
            answer = await http.post("/demo/api/kill", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        state = (await http.get("/demo/api/tour")).json()
        assert state["session"] is None and state["rules"] == []


async def test_without_the_demo_there_is_no_tour(valkey: Embedded, tmp_path: Path) -> None:
    with await asyncio.to_thread(Process, tmp_path, valkey.url, command="serve") as running:
        async with httpx.AsyncClient(base_url=running.url) as http:
            assert (await http.get("/demo/tour")).status_code == 404
            console = await http.get("/agent/")
            assert "frame-ancestors 'none'" in console.headers["content-security-policy"]
