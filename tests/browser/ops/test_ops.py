"""The supervisors' page in a real browser, on the real service."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis

from router.core import events as ev
from router.core.session import Session
from router.live.clock import WallClock
from router.settings import DEMO_SITES
from router.store.embedded import Embedded
from tests.browser.conftest import SHOTS, Shopper, visiting
from tests.service import InLoop, in_loop
from tests.shopper import Shopper as Wire

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def at(valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    async with Redis.from_url(valkey.url) as redis:
        await redis.flushall()
    folder = tmp_path / "site"
    shutil.copytree(DEMO_SITES.parent, folder)
    async with in_loop(valkey.url, WallClock(), tmp_path, sites=folder / "site.yaml") as running:
        yield running


async def open_ops(at: InLoop, page: Page) -> None:
    """Log in; the demo fills the form in."""
    await page.goto(f"{at.url}/ops/")
    await page.locator("form.login-card .primary").click()
    await expect(page.locator("nav .tab")).to_have_count(3)


def mode(at: InLoop) -> str:
    """The mode of the first rule in force."""
    return at.service.sites["demo"].rules.rules[0].mode


async def tab(page: Page, name: str) -> None:
    await page.locator("nav").get_by_role("button", name=name, exact=True).click()


async def test_a_rule_is_put_in_the_shadow_published_and_taken_back(at: InLoop, chromium: Browser) -> None:
    async with visiting(chromium, locale="en-GB") as window:
        page = window.page
        await open_ops(at, page)
        await tab(page, "Rules")
        rule = page.locator(".rule", has_text="cart-wait")
        await expect(rule.locator(".sentence")).to_contain_text("cart value is at least 3,000 JPY")
        await rule.get_by_text("Shadow", exact=True).click()
        await expect(page.locator(".difference")).to_contain_text("mode: shadow")
        assert mode(at) == "live"
        await page.get_by_placeholder("Why?").fill("look first")
        await window.shoot("ops-draft")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_role("status")).to_contain_text("Revision 1 is in force.")
        assert mode(at) == "shadow"
        await expect(page.locator(".history li")).to_contain_text("mana · look first")
        await rule.get_by_text("Live", exact=True).click()
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator(".history li")).to_have_count(2)
        await page.locator(".history li", has_text="look first").get_by_role("button").click()
        await expect(page.locator(".history li")).to_have_count(3)
        assert mode(at) == "shadow"


async def test_a_threshold_is_edited_and_a_faulty_one_is_told_with_its_place(
    at: InLoop, chromium: Browser
) -> None:
    async with visiting(chromium, locale="en-GB") as window:
        page = window.page
        await open_ops(at, page)
        await tab(page, "Rules")
        rule = page.locator(".rule", has_text="cart-wait")
        await rule.locator("summary").first.click()
        field = rule.get_by_label("cart.value › gte")
        await field.fill("9000 EUR")
        await field.press("Tab")
        await expect(page.get_by_role("alert")).to_contain_text("expected money in the site's currency")
        await field.fill("9000 JPY")
        await field.press("Tab")
        await expect(rule.locator(".sentence")).to_contain_text("at least 9,000 JPY")
        await expect(page.get_by_role("alert")).to_have_count(0)
        await page.get_by_role("button", name="Discard").click()
        await expect(rule.locator(".sentence")).to_contain_text("at least 3,000 JPY")


async def test_a_draft_is_tried_before_it_is_published(at: InLoop, chromium: Browser) -> None:
    service = at.service
    for number in range(5):
        session = Session(f"sid-{number}", "demo", f"visitor-{number}", "JPY", 0, 0)
        events = (ev.Page(0, "cart", "/demo/cart"), ev.Cart(0, 1, 1, 4000 + 1000 * number, "JPY"))
        service.behaviour.add(session, "page-0001", 2, 10_000, True, events)
        service.behaviour.add(session, "page-0001", 3, 60_000, True, [ev.Dwell(0, 40_000, ev.FOCUSED)])
    await service.behaviour.flush()
    for language, width in (("en-GB", 1280), ("ja-JP", 390)):
        viewport = {"width": width, "height": 800}
        async with visiting(chromium, locale=language, viewport=viewport) as window:
            page = window.page
            await open_ops(at, page)
            await page.locator("nav .tab").nth(1).click()
            rule = page.locator(".rule", has_text="cart-wait")
            await rule.locator("summary").first.click()
            await rule.locator("label", has_text="cart.value").locator("input").fill("6000 JPY")
            await rule.locator("label", has_text="cart.value").locator("input").press("Enter")
            await page.locator(".draft button").first.click()
            row = page.locator(".draft tbody tr", has_text="cart-wait")
            await expect(row.locator("td").first).to_have_text("5 → 3", timeout=20_000)
            await expect(
                page.locator(".draft tbody tr", has_text="size-doubt").locator("td").first
            ).to_have_text("0")
            await window.shoot(f"ops-tried-{width}")
            assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_a_text_is_edited_and_looked_at_on_the_shops_page(at: InLoop, chromium: Browser) -> None:
    async with visiting(chromium, locale="en-GB") as window:
        page = window.page
        await open_ops(at, page)
        await tab(page, "Rules")
        rule = page.locator(".rule", has_text="cart-wait")
        await rule.get_by_text("Edit and preview texts").click()
        title = rule.locator("label", has_text="ja › title").locator("textarea")
        await title.fill("お困りのことはございませんか")
        await title.press("Tab")
        await expect(page.locator(".difference")).to_contain_text("お困りのことはございませんか")
        await window.shoot("ops-texts")
        sockets = len(at.service.roster.sockets)
        async with window.context.expect_page() as opened:
            await rule.get_by_role("button", name="日本語").click()
        shop = await opened.value
        card = shop.locator("router-ui").get_by_role("region")
        await expect(card.get_by_role("heading")).to_have_text("お困りのことはございませんか")
        await expect(card).to_contain_text("プレビュー：お客様には表示されません")
        assert shop.url.startswith(f"{at.url}/demo/#router=P.")
        await shop.screenshot(path=SHOTS / "preview.png")
        await card.get_by_text("今は大丈夫").click()
        await shop.locator("router-ui").get_by_role("button", name="もう一度表示").click()
        await expect(card).to_be_visible()
        assert len(at.service.roster.sockets) == sockets and not at.service.engine.holdings.all()
        await expect(rule.get_by_text("The link, for 15 minutes")).to_be_visible()
        await shop.goto(f"{at.url}/demo/#router=P.nonsense.x")
        await shop.reload()
        await expect(card.get_by_role("heading")).to_have_text("プレビューの期限が切れています")


async def test_the_promise_of_each_queue_is_shown_beside_what_was_kept_of_it(
    at: InLoop, chromium: Browser
) -> None:
    for number, waited_ms in enumerate((4_000, 9_000, 31_000)):
        told = {"site": "demo", "kind": "accepted", "cid": f"c{number}", "queue": "style", "opened_ms": 1_000}
        at.service.journal.add("routing", told | {"at_ms": 1_000 + waited_ms})
    await at.service.journal.flush()
    async with visiting(chromium, locale="en-GB") as window:
        await open_ops(at, window.page)
        queue = window.page.locator(".queues tbody tr", has_text="Choosing tableware")
        await expect(queue).to_contain_text("66.7%")
        await expect(queue).to_contain_text("of 3 · goal 80% in 20 s")
        await window.shoot("ops-overview")


async def test_everything_is_stopped_in_one_click_and_goes_on(at: InLoop, chromium: Browser) -> None:
    async with visiting(chromium, locale="en-GB") as window:
        page = window.page
        await open_ops(at, page)
        await page.get_by_role("button", name="Stop everything proactive").click()
        await expect(page.locator(".stopped")).to_contain_text("stopped, by mana")
        assert at.service.engine.decider.killed == {"demo"}
        await page.get_by_role("button", name="Let it go on").click()
        await expect(page.locator(".stopped")).to_have_count(0)
        assert at.service.engine.decider.killed == set()


@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("ja-JP", 390)])
async def test_a_session_is_explained_and_nothing_is_wider_than_the_window(
    at: InLoop, chromium: Browser, locale: str, width: int
) -> None:
    shopper = Wire(at)
    line = await shopper.open()
    line.send(ev.Page(0, "cart", "/demo/cart"), ev.Dwell(0, 0, ev.FOCUSED))
    await line.stored()
    async with visiting(chromium, locale=locale, viewport={"width": width, "height": 800}) as window:
        page = window.page
        await open_ops(at, page)
        names = ("概要", "ルール", "セッション") if locale == "ja-JP" else ("Overview", "Rules", "Sessions")
        for name in names:
            await tab(page, name)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0
            await window.shoot(f"ops-{locale[:2]}-{width}-{names.index(name)}")
        await page.locator(".sessions button").first.click()
        words = "カートを見ています" if locale == "ja-JP" else "Looking at the cart"
        await expect(page.locator(".tree").first).to_contain_text(words)
        await window.shoot(f"ops-why-{locale[:2]}-{width}")


async def test_an_agent_is_told_that_the_page_is_not_theirs(at: InLoop, shopper: Shopper) -> None:
    page = shopper.page
    await page.goto(f"{at.url}/ops/")
    await page.get_by_label("ログイン名").fill("aoi")
    await page.locator("form.login-card .primary").click()
    await expect(page.get_by_text("管理者専用です")).to_be_visible()
