"""The thread: every line once and in order, over lost answers, lost connections and reloads."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import expect

from tests.browser.console.seat import Seat, Shop, card, talking
from tests.waiting import until_async

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_enter_sends_shift_enter_breaks_the_line_and_an_input_method_keeps_its_enter(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    reply = seat.page.locator("#reply")
    await seat.page.keyboard.type("one")
    await seat.page.keyboard.press("Shift+Enter")
    await seat.page.keyboard.type("two")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        await reply.dispatch_event("keydown", {"key": "Enter", "cancelable": True, **composing})
    await expect(reply).to_have_value("one\ntwo")
    await seat.page.keyboard.press("Enter")
    await expect(reply).to_have_value("")
    await until_async(lambda: shop.lines("chat-0001"))
    assert [line.text for line in await shop.lines("chat-0001")] == ["one\ntwo"]
    await expect(seat.page.locator(".thread .bubble")).to_have_text(["one\ntwo"])


async def test_every_line_stands_once_and_in_order_over_a_lost_answer_and_a_new_connection(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("first")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.own .under")).to_contain_text("Hana")
    seat.swallow = lambda frame: True  # stored, but the console never hears of it
    await seat.page.keyboard.type("second")
    await seat.page.keyboard.press("Enter")

    async def both_stored() -> bool:
        return len(await shop.lines("chat-0001")) == 2

    await until_async(both_stored)
    await expect(seat.page.locator(".line.sending")).to_have_count(1)
    await shop.says("chat-0001", "from the shopper")
    await seat.cut()
    seat.swallow = lambda frame: False
    await expect(seat.page.locator(".presence .offline, .presence input:checked")).to_have_count(1)
    await seat.page.keyboard.type("third")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".thread .bubble")).to_have_count(4)
    await expect(seat.page.locator(".line.sending")).to_have_count(0)
    assert await seat.bubbles() == ["first", "second", "from the shopper", "third"]
    assert [line.text for line in await shop.lines("chat-0001")] == ["first", "second", "third"]


async def test_while_the_connection_is_away_the_console_says_so_and_not_that_the_agent_is_available(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    await seat.context.route("**/agent/api/ticket", lambda route: route.abort())
    await seat.cut()
    banner = seat.page.locator(".banner")
    await expect(banner).to_contain_text("What you write is kept")
    await expect(seat.page.locator(".presence input:checked")).to_have_count(0)
    await expect(seat.page.locator(".presence")).to_contain_text("Not connected")
    await seat.page.locator("#reply").fill("written meanwhile")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.sending")).to_contain_text("written meanwhile")
    await seat.shoot("reconnecting")
    await seat.context.unroute("**/agent/api/ticket")
    seat.faults.clear()  # the browser's own words about the requests that were cut off
    await until_async(lambda: shop.lines("chat-0001"), within_s=15)
    await expect(banner).to_have_count(0)
    await expect(seat.page.locator(".line.sending")).to_have_count(0)
    assert await seat.bubbles() == ["written meanwhile"]


async def test_a_refused_line_is_said_with_its_reason_and_can_be_discarded(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    seat.swallow = lambda frame: '"ok"' not in frame and '"error"' not in frame  # the end is not heard of yet
    await shop.desk.end("demo", "chat-0001")
    await seat.page.keyboard.type("are you still there?")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.refused")).to_contain_text("Not sent.")
    await seat.shoot("refused")
    await seat.page.get_by_role("button", name="Discard").click()
    await expect(seat.page.locator(".thread .bubble")).to_have_count(0)
    assert await shop.lines("chat-0001") == []


async def test_a_reload_keeps_thread_draft_and_presence(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("sent")
    await seat.page.keyboard.press("Enter")
    await until_async(lambda: shop.lines("chat-0001"))
    await shop.says("chat-0001", "answered")
    await expect(seat.page.locator(".thread .bubble")).to_have_count(2)
    await seat.page.keyboard.type("not yet sent")
    await seat.page.reload()
    await seat.page.locator(".item.own").click()
    await expect(seat.page.locator("#reply")).to_have_value("not yet sent")
    assert await seat.bubbles() == ["sent", "answered"]
    await expect(seat.page.locator(".presence input[value=available]")).to_be_checked()


async def test_unread_lines_are_counted_in_the_list_and_the_title(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat, "chat-0001")
    await talking(shop, seat, "chat-0002")
    await shop.says("chat-0001", "are you")
    await shop.says("chat-0001", "there?")
    await expect(seat.page.locator(".item.own .badge")).to_have_text("2")
    await expect(seat.page).to_have_title(re.compile(r"^\(2\) "))
    await seat.page.locator(".item.own").first.click()
    await expect(seat.page.locator(".item.own .badge")).to_have_count(0)
    await expect(seat.page).to_have_title(re.compile(r"^Router"))


async def test_typing_shows_and_goes_and_the_card_follows_the_shopper(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await shop.desk.typing("demo", "chat-0001", "shopper", True)
    await expect(seat.page.locator(".typing")).to_contain_text("typing")
    await shop.says("chat-0001", "done")
    await expect(seat.page.locator(".typing")).to_have_text("")
    where = {"type": "checkout", "path": "/demo/checkout", "title": None, "since_ms": int(time.time() * 1000)}
    await shop.desk.card("demo", "chat-0001", card(where=where))
    await expect(seat.page.locator(".context")).to_contain_text("/demo/checkout")
    await seat.shoot("talking")


async def test_what_the_shopper_types_is_read_along(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await shop.desk.typing("demo", "chat-0001", "shopper", True)
    await expect(seat.page.locator(".typing")).to_contain_text("The shopper is typing…")
    await shop.desk.peek("demo", "chat-0001", "送料は")
    await expect(seat.page.locator(".typing q")).to_have_text("送料は")
    await shop.says("chat-0001", "送料は無料ですか")
    await expect(seat.page.locator(".typing")).to_have_text("")
    assert await seat.bubbles() == ["送料は無料ですか"]
