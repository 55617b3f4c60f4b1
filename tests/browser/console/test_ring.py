"""What an agent sees before accepting, what a ring never does, and how a talk ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from router.settings import Settings
from tests.browser.console.seat import OPENING, Seat, Shop, card, talking, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_ring_shows_who_where_cart_journey_and_why(shop: Shop, seat: Seat) -> None:
    await shop.ring("chat-0001")
    ring = seat.page.locator(".ring")
    for text in (
        "New shopper k7f2", "Checkout help", "Japanese", "/demo/cart", "カート — うつわ", "¥11,200",
        "4 items", "藍染付の七寸皿", "Added to cart", "In the cart for 45 s without starting checkout",
        "nothing yet",
    ):  # fmt: skip
        await expect(ring).to_contain_text(text)
    await expect(ring.locator(".lines li").nth(2)).to_contain_text("unknown")
    await expect(ring.locator(".ring-left")).to_have_text(re.compile(r"^(20|19|18) s left$"))
    await expect(seat.page).to_have_title(re.compile(r"^\(1\) "))
    await seat.shoot("ringing")


async def test_what_is_not_known_is_said_to_be_unknown(shop: Shop, seat: Seat) -> None:
    nothing: dict[str, Any] = dict.fromkeys(card(), None)
    await shop.ring("chat-0001", **nothing)
    ring = seat.page.locator(".ring")
    await expect(ring.locator("h2")).to_have_text("Shopper")
    await expect(ring.locator(".unknown")).to_have_count(7)
    await ring.locator(".primary").click()
    await expect(seat.page.locator("#reply")).to_have_value("")


async def test_a_ring_takes_neither_focus_nor_caret_from_a_reply(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("Half a sen")
    await shop.ring("chat-0002", language="en")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await seat.page.keyboard.type("tence, and a ring")  # holds the accepting key: it is only a letter here
    await expect(seat.page.locator("#reply")).to_have_value("Half a sentence, and a ring")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await seat.shoot("ring-while-talking")
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator("#reply")).to_have_value(OPENING["en"])
    await seat.page.locator(".item.own").first.click()
    await expect(seat.page.locator("#reply")).to_have_value("Half a sentence, and a ring")


async def test_accepting_puts_the_caret_on_the_suggested_line_which_the_first_letter_replaces(
    shop: Shop, seat: Seat
) -> None:
    await shop.ring("chat-0001")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await seat.page.keyboard.press("a")
    await expect(seat.page.locator("#reply")).to_be_focused()
    await expect(seat.page.locator("#reply")).to_have_value(OPENING["ja"])
    await seat.shoot("accepted")
    await seat.page.keyboard.type("Welcome")
    await expect(seat.page.locator("#reply")).to_have_value("Welcome")


async def test_a_declined_ring_is_gone(shop: Shop, seat: Seat) -> None:
    await shop.ring("chat-0001")
    await seat.page.get_by_role("button", name="Decline").click()
    await expect(seat.page.locator(".ring")).to_have_count(0)
    await expect(seat.page.locator(".item")).to_have_count(0)


async def test_closing_needs_a_disposition_and_keeps_the_note(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.locator("#note").fill("asked about shipping")
    await seat.page.get_by_role("button", name="Close…").click()
    dialog = seat.page.get_by_role("dialog")
    await expect(dialog.locator("[name=note]")).to_have_value("asked about shipping")
    await dialog.get_by_role("button", name="Close conversation").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Choose how it ended")
    await seat.shoot("close-dialog")
    await dialog.get_by_label("Question answered").check()
    await dialog.locator("[name=note]").fill("asked about shipping, answered")
    await dialog.get_by_role("button", name="Close conversation").click()
    await expect(dialog).to_have_count(0)
    await expect(seat.page.locator(".ended")).to_contain_text(re.compile(r"Wrap-up: 0:\d\d left"))
    await expect(seat.page.locator("#note")).to_have_value("asked about shipping, answered")
    await expect(seat.page.locator("#reply")).to_have_count(0)
    await seat.shoot("wrap-up")


async def test_the_shopper_may_end_it_and_the_agent_is_told(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await shop.desk.end("demo", "chat-0001")
    await expect(seat.page.locator(".ended")).to_contain_text("How it ended is still missing")
    await seat.page.get_by_role("button", name="Say how it ended…").click()
    await seat.page.get_by_label("No reply").check()
    await seat.page.get_by_role("button", name="Close conversation").click()
    await expect(seat.page.get_by_role("dialog")).to_have_count(0)
    await expect(seat.page.locator(".ended")).not_to_contain_text("still missing")


async def test_the_ring_shows_the_product_and_one_without_a_picture_leaves_no_hole(
    shop: Shop, seat: Seat
) -> None:
    image = Settings().static_folder / "demo" / "img" / "cup-celadon.svg"
    await seat.page.route("**/demo/img/cup-celadon.svg", lambda route: route.fulfill(path=image))
    await shop.ring("chat-0001", product={"id": "cup-celadon", "name": "青磁の湯呑み", "price": 3300.0})
    picture = seat.page.locator(".ring .picture")
    await expect(picture).to_have_attribute("src", "/demo/img/cup-celadon.svg")
    await picture.evaluate("image => image.decode()")  # fails where there is no picture
    await seat.shoot("ring-picture")
    await seat.page.locator(".ring .primary").click()
    await shop.desk.card("demo", "chat-0001", card(product={"id": "no-such", "name": "?", "price": None}))
    await expect(seat.page.locator(".context .picture")).to_be_hidden()


async def test_whom_the_shop_has_named_is_called_by_name(shop: Shop, seat: Seat) -> None:
    who = {"returning": True, "language": "ja", "visitor": "k7f2", "customer": "C-17", "name": "山田 花子"}
    await shop.ring("chat-0001", who=who)
    await expect(seat.page.locator(".ring h2")).to_have_text("山田 花子")
    await expect(seat.page.locator(".ring .row", has_text="Customer")).to_contain_text("C-17")


async def test_the_card_says_the_shoppers_time_and_leads_into_the_shops_admin(
    shop: Shop, chromium: Browser
) -> None:
    links = {
        "order": "https://admin.shop.example/o/{order}",
        "product": "https://admin.shop.example/p?id={product}",
    }

    async def told(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        body["site"]["admin"] = links
        await route.fulfill(response=answer, json=body)

    async with window(chromium) as seat:
        await seat.page.route("**/agent/api/login", told)
        await seat.go_on_duty(shop.url)
        ordered = {"kind": "purchase", "at_ms": 1_760_000_000_000, "label": "A 1/2"}
        who = {"returning": True, "language": "ja", "visitor": "k7f2", "zone": 540}
        await shop.ring("chat-0001", who=who, journey=[ordered])
        ring = seat.page.locator(".ring")
        await expect(ring.get_by_role("link", name="A 1/2")).to_have_attribute(
            "href", "https://admin.shop.example/o/A%201%2F2"
        )
        await expect(ring.get_by_role("link", name="粉引の湯呑み")).to_have_attribute(
            "href", "https://admin.shop.example/p?id=cup-01"
        )
        clock = (datetime.now(UTC) + timedelta(hours=9)).strftime("%H:")
        await expect(ring.locator(".row", has_text="Their time")).to_contain_text(clock)
