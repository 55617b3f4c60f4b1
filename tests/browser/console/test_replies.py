"""Replies with a slash, tags, fields of the closing form, and what was said before."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from router.store.archive import Archive
from tests.browser.console.seat import Seat, Shop, card, talking, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BEFORE: dict[str, Any] = {
    "cid": "chat-0000", "visitor": "visitor-1", "queue": "checkout-help", "name": "Ren", "closed": 1_760_000_000_000,
    "disposition": "follow-up", "note": "割れやすい品をお探しでした", "tags": ["gift"], "cut": 2,
    "lines": [
        {"offset": 3, "author": "shopper", "text": "贈りものにできますか", "at_ms": 1_759_999_000_000, "name": None},
        {"offset": 4, "author": "agent", "text": "はい、承ります", "at_ms": 1_759_999_500_000, "name": "Ren"},
    ],
}  # fmt: skip


async def test_a_slash_offers_replies_in_the_shoppers_language(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    reply = seat.page.locator("#reply")
    await reply.fill("/")
    options = seat.page.get_by_role("option")
    await expect(options).to_have_count(6)
    await seat.shoot("replies")
    await reply.press_sequentially("送料")
    await expect(options).to_have_count(1)
    await reply.press("Enter")
    await expect(reply).to_have_value(
        "送料は全国一律660円で、8,000円以上のお買い上げで無料になります。ご注文から一〜三営業日で発送いたします。"
    )
    await expect(reply).to_be_focused()
    assert await shop.lines("chat-0001") == [], "Enter chose the reply and sent nothing"
    await reply.press("Enter")
    await expect(seat.page.locator(".thread .own")).to_have_count(1)


async def test_a_full_width_slash_arrows_and_escape(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat, language="en")
    reply = seat.page.locator("#reply")
    await reply.fill("／")
    options = seat.page.get_by_role("option")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await reply.press("ArrowUp")
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await reply.press("ArrowDown")
    await reply.press("ArrowDown")
    await expect(reply).to_have_attribute("aria-activedescendant", "reply-returns")
    await reply.press("Escape")
    await expect(options).to_have_count(0)
    await expect(reply).to_have_value("／")
    await reply.fill("／gift")
    await reply.press("Tab")
    await expect(reply).to_have_value('Gift wrapping is free. Just write "gift" with your order.')


async def test_an_input_methods_enter_chooses_nothing(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.locator("#reply").fill("/gift")
    await seat.page.evaluate(
        "document.querySelector('#reply').dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"
    )
    await expect(seat.page.locator("#reply")).to_have_value("/gift")


async def test_tags_are_set_and_seen_by_whoever_has_it_next(
    shop: Shop, seat: Seat, chromium: Browser
) -> None:
    await talking(shop, seat)
    gift = seat.page.get_by_role("button", name="Gift")
    await gift.click()
    await expect(gift).to_have_attribute("aria-pressed", "true")
    await seat.page.get_by_role("button", name="Delivery").click()
    await gift.click()
    await expect(gift).to_have_attribute("aria-pressed", "false")
    async with window(chromium) as other:
        await other.log_in(shop.url)
        await other.page.locator(".item.own").click()
        await expect(other.page.get_by_role("button", name="Delivery")).to_have_attribute(
            "aria-pressed", "true"
        )


async def test_a_required_field_is_asked_for_before_the_talk_is_closed(shop: Shop, seat: Seat) -> None:
    await shop.desk.accept("demo", "chat-0001", "secret-0001", "style", (), "ja", card())
    await seat.page.locator(".ring .primary").click()
    await seat.page.get_by_role("button", name="Close…").click()
    dialog = seat.page.locator("dialog")
    await dialog.get_by_text("Advised").click()
    await dialog.locator(".primary").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Fill in: What they look for.")
    await dialog.locator("[name=field-wish]").fill("大きめの鉢")
    await seat.shoot("close-fields")
    await dialog.locator(".primary").click()
    await expect(dialog).to_have_count(0)
    (record,) = await shop.desk._board.do("demo", shop.desk._routing.look("demo", ["chat-0001"]))
    assert (record["fields"], record["disposition"]) == ('{"wish":"大きめの鉢"}', "advised")


async def test_earlier_conversations_stand_beside_the_talk(shop: Shop, seat: Seat) -> None:
    await Archive(shop.redis).keep("demo", [BEFORE])
    await shop.desk.accept("demo", "chat-0001", "secret-0001", "checkout-help", (), "ja", card(), "visitor-1")
    await seat.page.locator(".ring .primary").click()
    earlier = seat.page.locator(".earlier")
    await expect(earlier).to_contain_text("Ren · Follow up later · Gift")
    await earlier.locator("summary").click()
    await expect(earlier).to_contain_text("割れやすい品をお探しでした")
    await expect(earlier).to_contain_text("贈りものにできますか")
    await expect(earlier).to_contain_text("The first 2 messages are not kept.")
    await seat.shoot("earlier")


async def test_a_new_shopper_has_no_earlier_conversations(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await expect(seat.page.locator(".earlier")).to_contain_text("none with this shopper")


async def test_an_article_and_a_code_are_sent_as_cards(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    for title, kind in (("Which size is right", "How to choose"), ("code", "A small welcome")):
        await seat.page.get_by_role("button", name="Card…").click()
        dialog = seat.page.locator("dialog")
        await dialog.locator(".primary").click()
        await expect(dialog.get_by_role("alert")).not_to_be_empty()
        await dialog.get_by_text(kind).click()
        await seat.shoot(f"card-{title.split()[0].lower()}")
        await dialog.locator(".primary").click()
        await expect(dialog).to_have_count(0)
    cards = seat.page.locator(".thread .sent")
    await expect(cards).to_have_count(2)
    await expect(cards.first).to_contain_text("/demo/#sizes")
    await expect(cards.last.locator("code")).to_have_text(re.compile(r"^[A-Z0-9-]{6,}$"))
    await seat.shoot("cards")
