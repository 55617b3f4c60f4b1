"""Coming and going, safety, languages, sizes, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from router.live.clock import WallClock
from router.store.embedded import Embedded
from tests.browser.console.seat import PASSWORD, Seat, Shop, card, tab_to, window
from tests.service import in_loop

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


XSS = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"


async def test_a_wrong_password_is_said_in_one_sentence_and_the_right_one_opens_the_console(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium) as seat:
        await seat.log_in(shop.url, "not the password")
        await expect(seat.page.get_by_role("alert")).to_contain_text("Check them and try again")
        await expect(seat.page.locator("[name=password]")).to_be_focused()
        await seat.shoot("login-wrong")
        await seat.page.keyboard.type(PASSWORD)
        await seat.page.keyboard.press("Enter")
        await expect(seat.page.locator(".presence input[value=available]")).to_be_enabled()
        await seat.presence("available")
        await expect(seat.page.locator(".talk .empty")).to_contain_text("it rings here")
        await seat.shoot("empty")


async def test_logging_out_leaves_no_way_back_in(shop: Shop, seat: Seat) -> None:
    await seat.page.get_by_role("button", name="Log out").click()
    await expect(seat.page.locator("[name=password]")).to_be_visible()
    await seat.page.reload()
    await expect(seat.page.locator("[name=password]")).to_have_value("")


async def test_the_demo_shows_its_login_and_one_key_is_enough(
    valkey: Embedded, chromium: Browser, tmp_path: Path
) -> None:
    async with in_loop(valkey.url, WallClock(), tmp_path) as running, window(chromium) as seat:
        await seat.page.goto(f"{running.url}/agent/")
        await expect(seat.page.locator(".hint-box")).to_contain_text("demo")
        await expect(seat.page.locator("[name=password]")).not_to_have_value("")
        await seat.shoot("login-demo")
        await seat.page.keyboard.press("Enter")
        await expect(seat.page.locator(".presence input[value=available]")).to_be_enabled()


def hostile() -> dict[str, Any]:
    """A card with markup in every text."""

    def spoil(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inner, f"{name}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, f"{name}.{place}") for place, inner in enumerate(value)]
        return XSS.format(name) if isinstance(value, str) else value

    usual = card(offered=["x", {"kind": "offer", "title": "x"}])
    return {name: spoil(value, name) for name, value in usual.items()}


async def test_markup_in_any_text_stays_text(shop: Shop, seat: Seat) -> None:
    spoilt = hostile()
    await shop.ring("chat-0001", **spoilt)
    ring = seat.page.locator(".ring")
    await expect(ring).to_contain_text(XSS.format("where.title"))
    await seat.shoot("hostile")
    for name in ("cart.lines.0.name", "journey.0.label", "why.en.0", "who.visitor", "product.name"):
        await expect(ring).to_contain_text(XSS.format(name))
    await ring.locator(".primary").click()
    await shop.says("chat-0001", XSS.format("line"))
    await seat.page.locator("#reply").fill(XSS.format("reply"))
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".thread .bubble")).to_have_text([XSS.format("line"), XSS.format("reply")])
    await expect(seat.page.locator(".context")).to_contain_text(XSS.format("journey.1.label"))
    assert await seat.page.evaluate("window.hacked") is None
    assert await seat.page.locator("#app img:not(.picture), #app script").count() == 0


async def test_the_console_speaks_japanese_to_a_japanese_browser_and_remembers_a_switch(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium, locale="ja-JP", color_scheme="dark") as seat:
        await seat.go_on_duty(shop.url)
        await expect(seat.page.locator("html")).to_have_attribute("lang", "ja")
        long = "とても長い商品名で折り返しの様子を確かめるための文字列です。" * 3
        await shop.ring("chat-0001", product={"id": "x", "name": long, "price": None})
        await expect(seat.page.locator(".ring")).to_contain_text("カートで45秒")
        await seat.shoot("ja-dark-ringing")
        await seat.page.get_by_role("button", name="応答する").first.click()
        await shop.says("chat-0001", "割れ物の包装について教えてください。" * 8)
        await expect(seat.page.locator(".thread .bubble")).to_have_count(1)
        await seat.shoot("ja-dark-talking")
        await seat.page.get_by_role("button", name="English").click()
        await seat.page.reload()
        await expect(seat.page.locator("html")).to_have_attribute("lang", "en")


async def test_at_a_phones_width_the_columns_are_tabs_and_nothing_scrolls_sideways(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium, locale="ja-JP", viewport={"width": 375, "height": 740}) as seat:
        await seat.go_on_duty(shop.url)
        await shop.ring("chat-0001")
        await expect(seat.page.locator(".item.ringing")).to_be_visible()
        await seat.shoot("phone-ringing")
        await seat.page.get_by_role("button", name="詳細").click()
        await expect(seat.page.locator(".ring")).to_be_visible()
        await seat.shoot("phone-ring")
        await seat.page.locator(".ring .primary").click()
        await expect(seat.page.locator("#reply")).to_be_focused()
        await shop.says("chat-0001", "long" * 60)
        await expect(seat.page.locator(".thread .bubble")).to_have_count(1)
        await seat.shoot("phone-talk")
        await seat.page.get_by_role("button", name="お客様").click()
        await expect(seat.page.locator(".context .cart")).to_be_visible()
        await expect(seat.page.locator("#reply")).to_be_hidden()
        assert await seat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_everything_can_be_done_with_the_keyboard_alone(shop: Shop, chromium: Browser) -> None:
    async with window(chromium) as seat:
        keys = seat.page.keyboard
        await seat.page.goto(f"{shop.url}/agent/")
        await expect(seat.page.locator("[name=site]")).to_be_focused()
        for text in ("demo", "hana", PASSWORD):
            await keys.type(text)
            await keys.press("Tab")
        await keys.press("Enter")
        radio = seat.page.locator(".presence input[value=available]")
        await expect(radio).to_be_enabled()
        await tab_to(seat, ".presence input")
        await keys.press("Space")
        for _ in range(2):
            if not await radio.is_checked():
                await keys.press("ArrowLeft")
        await expect(radio).to_be_checked()
        await shop.ring("chat-0001")
        await expect(seat.page.locator(".ring")).to_be_visible()
        await keys.press("a")
        await expect(seat.page.locator("#reply")).to_be_focused()
        await keys.type("Hello")
        await keys.press("Enter")
        await expect(seat.page.locator(".thread .bubble")).to_have_text(["Hello"])
        await tab_to(seat, ".talk-head button:last-child", "Shift+Tab")
        await keys.press("Enter")
        await expect(seat.page.get_by_role("dialog")).to_be_visible()
        await keys.press("Escape")
        await expect(seat.page.locator("dialog")).to_have_count(0)
        await expect(seat.page.locator(".talk-head button:last-child")).to_be_focused()
        await keys.press("Enter")
        await expect(seat.page.get_by_role("dialog")).to_be_visible()
        await tab_to(seat, "dialog input")
        await keys.press("Space")
        await tab_to(seat, "dialog .primary")
        await keys.press("Enter")
        await expect(seat.page.locator(".ended")).to_be_visible()


async def test_at_200_percent_zoom_a_talk_can_be_had(shop: Shop, chromium: Browser) -> None:
    """Half of 1280 by 800 in CSS pixels: one column at a time, and nothing beyond the edge."""
    options = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
    async with window(chromium, **options) as seat:
        await seat.go_on_duty(shop.url)
        await shop.ring("chat-0001")
        await expect(seat.page.locator(".item.ringing")).to_be_visible()
        await seat.page.keyboard.press("a")
        reply = seat.page.locator("#reply")
        await expect(reply).to_be_focused()
        await reply.fill("Hello")
        await seat.page.get_by_role("button", name="Send", exact=True).click()
        await expect(seat.page.locator(".thread .own")).to_have_count(1)
        await expect(seat.page.locator(".thread .own")).to_be_in_viewport()
        await seat.shoot("zoom")
        for tab in ("Shopper", "List", "Talk"):
            await seat.page.locator(".tabs").get_by_text(tab).click()
            assert await seat.page.evaluate("document.documentElement.scrollWidth") <= 640
