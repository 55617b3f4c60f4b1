"""Left messages in the console: the worklist, who answers, and how a message is done with."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Browser, expect

from router.core.left import Left
from tests.browser.console.seat import Seat, Shop, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LONG = "先週注文した器がまだ届きません。" * 6


async def leave(shop: Shop, mid: str = "message-0001", *, queue: str = "checkout-help", **more: str) -> None:
    usual = {
        "name": "佐藤 花",
        "contact": "hana.sato@example.jp",
        "text": LONG,
        "language": "ja",
        "page": "/demo/shipping",
    }
    await shop.desk.leaving.leave(
        "demo", Left(id=mid, queue=queue, at=0, due=0, **{**usual, **more}), "sid-1"
    )


async def test_a_message_is_taken_answered_and_done(shop: Shop, seat: Seat, chromium: Browser) -> None:
    await leave(shop)
    item = seat.page.locator(".list .item", has_text="佐藤 花")
    await expect(item).to_contain_text("nobody yet")
    await item.click()
    message = seat.page.locator(".left-message")
    await expect(message.get_by_role("link")).to_have_attribute("href", "mailto:hana.sato@example.jp")
    await expect(message.locator("blockquote")).to_have_text(LONG)
    await seat.shoot("left")
    await seat.page.get_by_role("button", name="I will answer").click()
    await expect(item).to_contain_text("You")
    async with window(chromium, locale="ja-JP") as other:
        await other.go_on_duty(shop.url, "ren")
        theirs = other.page.locator(".list .item", has_text="佐藤 花")
        await expect(theirs).to_contain_text("Hana")
        await theirs.click()
        await expect(other.page.locator(".left-message")).to_contain_text("Hanaが担当しています。")
        await expect(other.page.locator(".left-done")).to_have_count(0)
        await other.shoot("left-theirs")
    await message.get_by_role("button", name="Done").click()
    await expect(message.get_by_role("alert")).to_have_text("Choose what became of it.")
    await message.get_by_text("Answered", exact=True).last.click()
    await message.locator("textarea").fill("Sent the tracking number.")
    await seat.shoot("left-done")
    await message.get_by_role("button", name="Done").click()
    await expect(item).to_have_count(0)
    await expect(seat.page.locator(".banner")).to_contain_text("The message is done.")
    record = await shop.redis.hgetall("r:{demo}:left:message-0001")
    assert (record[b"outcome"], record[b"note"], record[b"owner"]) == (
        b"answered", b"Sent the tracking number.", b"hana",
    )  # fmt: skip


async def test_words_that_nobody_answered_come_with_what_was_said(shop: Shop, seat: Seat) -> None:
    await seat.presence("away")
    await shop.ring("chat-0001")
    await shop.says("chat-0001", "送料はいくらですか")
    await leave(shop, cid="chat-0001", contact="", name="", text="送料はいくらですか")
    item = seat.page.locator(".list .item", has_text="Gave up waiting")
    await item.click()
    message = seat.page.locator(".left-message")
    await expect(message).to_contain_text("None given: they wrote while waiting, and left.")
    await message.get_by_text("What was said before").click()
    await expect(message.locator(".said")).to_contain_text("送料はいくらですか")


async def test_a_message_may_be_given_back(shop: Shop, seat: Seat) -> None:
    await leave(shop, contact="+81 90-1234-5678")
    item = seat.page.locator(".list .item", has_text="佐藤 花")
    await item.click()
    link = seat.page.locator(".left-message").get_by_role("link")
    await expect(link).to_have_attribute("href", "tel:+819012345678")
    await seat.page.get_by_role("button", name="I will answer").click()
    await seat.page.get_by_role("button", name="Give back").click()
    await expect(item).to_contain_text("nobody yet")


async def test_messages_of_other_queues_are_for_supervisors(
    shop: Shop, seat: Seat, chromium: Browser
) -> None:
    await leave(shop)
    async with window(chromium) as other:
        await other.log_in(shop.url, login="mana")
        await other.page.locator(".list .item", has_text="佐藤 花").click()
        await expect(other.page.get_by_role("button", name="I will answer")).to_be_visible()
    await leave(shop, "message-0002", queue="style", name="Style")
    async with window(chromium) as other:
        await other.log_in(shop.url, login="ren")
        await expect(other.page.locator(".list .item", has_text="Style")).to_have_count(1)


async def test_what_is_late_is_red_and_a_ring_does_not_close_the_message(shop: Shop, seat: Seat) -> None:
    await leave(shop)
    key = "r:{demo}:left:message-0001"
    await shop.redis.hset(key, "due", str(int(time.time() * 1000) - 60_000))
    await leave(shop, "message-0002", name="Another")
    item = seat.page.locator(".list .item", has_text="佐藤 花")
    await expect(item.locator(".wait")).to_have_class("wait late")
    await item.click()
    await shop.ring("chat-0001")
    await expect(seat.page.locator(".ring.docked")).to_be_visible()
    await expect(seat.page.locator(".left-message")).to_be_visible()
    await seat.shoot("left-ring")
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await expect(seat.page.locator(".left-message")).to_have_count(0)


async def test_on_a_phone_a_message_is_read_whole(shop: Shop, chromium: Browser) -> None:
    await leave(shop, name="と" * 70)
    async with window(chromium, locale="ja-JP", viewport={"width": 390, "height": 800}) as phone:
        await phone.log_in(shop.url)
        await phone.page.locator(".list .item", has_text="ととと").click()
        await expect(phone.page.locator(".left-message blockquote")).to_be_visible()
        await phone.shoot("left-phone")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 390
