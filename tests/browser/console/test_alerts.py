"""What calls the agent from outside the page, and what they choose for their browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.console.seat import Seat, Shop, talking, window
from tests.waiting import until_async

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

STUBS = """
window.heard = []; window.notes = [];
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { heard.push(Date.now()); return make.call(this); };
window.Notification = class { static permission = 'default';
  static async requestPermission() { return (this.permission = window.answer ?? 'granted'); }
  constructor(title, options) { notes.push(this); Object.assign(this, { title, ...options, closed: false }); }
  close() { this.closed = true; } };
"""


@pytest_asyncio.fixture(loop_scope="module")
async def stubbed(shop: Shop, chromium: Browser) -> AsyncIterator[Seat]:
    """A window whose sounds and notifications are noted; nobody is logged in."""
    async with window(chromium) as seat:
        await seat.page.add_init_script(STUBS)
        yield seat


async def choose(seat: Seat, *names: str) -> None:
    """Open the settings, tick these, and close them."""
    await seat.page.get_by_role("button", name="Settings").click()
    for name in names:
        await seat.page.locator(f"dialog [name={name}]").check()
    await seat.page.get_by_role("button", name="Done").click()
    await expect(seat.page.locator("dialog")).to_have_count(0)


async def test_a_ring_sounds_until_it_is_answered(shop: Shop, stubbed: Seat) -> None:
    page = stubbed.page
    await page.clock.install()
    await stubbed.go_on_duty(shop.url)
    await shop.ring("chat-0001")
    await expect(page.locator(".ring")).to_be_visible()
    assert await page.evaluate("heard.length") == 0, "off until it is asked for"
    await choose(stubbed, "sound")
    tried = await page.evaluate("heard.length")
    assert tried == 4, "what it sounds like is heard at once"
    await page.clock.run_for(31_000)
    await expect(page.locator(".ring")).to_be_visible()
    assert await page.evaluate("heard.length") > tried
    await page.locator(".ring .primary").click()
    await expect(page.locator("#reply")).to_be_focused()
    answered = await page.evaluate("heard.length")
    await page.clock.run_for(65_000)
    assert await page.evaluate("heard.length") == answered


async def test_a_notification_says_who_and_never_what(shop: Shop, stubbed: Seat) -> None:
    page = stubbed.page
    await stubbed.go_on_duty(shop.url)
    await choose(stubbed, "notify")
    await talking(shop, stubbed)
    await page.evaluate(
        "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })"
    )
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await shop.says("chat-0001", "my address is secret")
    await until_async(lambda: page.evaluate("notes.length === 1"))
    title, body = await page.evaluate("[notes[0].title, notes[0].body]")
    assert (title, body) == ("New message: New shopper k7f2", "Checkout help")
    icon = await page.locator("link[rel=icon]").get_attribute("href")
    assert icon is not None and icon.startswith("data:image/svg+xml")
    await page.evaluate(
        "delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await until_async(lambda: page.evaluate("notes[0].closed"))
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/agent/icon.svg")


async def test_a_browser_that_blocks_notifications_is_told_of(shop: Shop, stubbed: Seat) -> None:
    await stubbed.page.add_init_script("window.answer = 'denied'")
    await stubbed.log_in(shop.url)
    await stubbed.page.get_by_role("button", name="Settings").click()
    dialog = stubbed.page.locator("dialog")
    await dialog.locator("[name=notify]").click()
    await expect(dialog).to_contain_text("This browser blocks notifications here.")
    await expect(dialog.locator("[name=notify]")).to_be_disabled()
    await expect(dialog.locator("[name=notify]")).not_to_be_checked()


async def test_a_choice_that_the_browser_takes_back_is_not_shown_as_on(shop: Shop, stubbed: Seat) -> None:
    await stubbed.log_in(shop.url)
    await choose(stubbed, "notify")
    await stubbed.page.evaluate("Notification.permission = 'denied'")
    await stubbed.page.get_by_role("button", name="Settings").click()
    await expect(stubbed.page.locator("dialog [name=notify]")).not_to_be_checked()
    await expect(stubbed.page.locator("dialog")).to_contain_text("This browser blocks notifications here.")


async def test_a_browser_without_sound_or_notifications_goes_on(shop: Shop, stubbed: Seat) -> None:
    page = stubbed.page
    await stubbed.go_on_duty(shop.url)
    await choose(stubbed, "sound", "notify")
    await page.add_init_script(
        "delete window.AudioContext;"
        "window.Notification = class { static permission = 'granted';"
        " constructor() { window.tried = true; throw new TypeError('Illegal constructor'); } };"
        "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });"
    )
    await page.reload()
    await expect(page.locator(".presence input[value=available]")).to_be_checked()
    await shop.ring("chat-0001")
    await expect(page.locator(".ring")).to_be_visible()
    await until_async(lambda: page.evaluate("window.tried === true"))
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:"))


async def test_the_focus_comes_back_from_the_keys_to_where_the_settings_were_opened(
    shop: Shop, stubbed: Seat
) -> None:
    await stubbed.log_in(shop.url)
    button = stubbed.page.get_by_role("button", name="Settings")
    await button.press("Enter")
    await expect(stubbed.page.locator("dialog")).to_be_visible()
    await stubbed.page.locator("dialog button.quiet").press("Enter")
    await expect(stubbed.page.locator("dialog h2")).to_have_text("Keys")
    await expect(stubbed.page.locator("dialog")).to_be_visible()
    await stubbed.page.keyboard.press("Escape")
    await expect(stubbed.page.locator("dialog")).to_have_count(0)
    await expect(button).to_be_focused()


async def test_ctrl_enter_sends_by_choice_and_the_choice_stays(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.get_by_role("button", name="Settings").click()
    await expect(seat.page.locator("dialog")).to_be_visible()
    await seat.shoot("settings")
    await seat.page.locator("dialog [value=ctrl]").check()
    await seat.page.keyboard.press("Escape")
    reply = seat.page.locator("#reply")
    await expect(seat.page.locator("#reply-hint")).to_have_text(re.compile("suggested|Ctrl"))
    await reply.fill("one")
    await reply.press("Enter")
    await expect(reply).to_have_value("one\n")
    await reply.press("Control+Enter")
    await expect(reply).to_have_value("")
    await expect(seat.page.locator(".thread .own")).to_have_count(1)
    await seat.page.reload()
    await seat.page.locator(".item.own").click()
    await reply.fill("two")
    await reply.press("Enter")
    await expect(reply).to_have_value("two\n")


async def test_a_question_mark_shows_the_keys_and_alt_arrows_go_from_talk_to_talk(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    await talking(shop, seat, "chat-0002", who={"returning": True, "language": "ja", "visitor": "zz99"})
    await seat.page.keyboard.press("?")
    await expect(seat.page.locator("#reply")).to_have_value(re.compile(r"\?$"))
    await seat.page.keyboard.press("Alt+ArrowUp")
    await expect(seat.page.locator(".item.own[aria-current]")).to_contain_text("k7f2")
    await seat.page.keyboard.press("Alt+ArrowDown")
    await expect(seat.page.locator(".item.own[aria-current]")).to_contain_text("zz99")
    await seat.page.locator(".thread").focus()
    await seat.page.keyboard.press("?")
    await expect(seat.page.locator("dialog h2")).to_have_text("Keys")
    await seat.shoot("keys")
    await seat.page.keyboard.press("Escape")
    await expect(seat.page.locator("dialog")).to_have_count(0)


async def test_the_settings_fit_on_a_phone_in_japanese(shop: Shop, chromium: Browser) -> None:
    async with window(chromium, locale="ja-JP", viewport={"width": 390, "height": 800}) as phone:
        await phone.log_in(shop.url)
        await phone.page.get_by_role("button", name="設定").click()
        await expect(phone.page.locator("dialog")).to_be_visible()
        await phone.shoot("settings-phone")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 390
