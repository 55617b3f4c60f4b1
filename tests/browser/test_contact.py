"""The contact chunk: asking for a person from the shop's own link, and leaving a message where nobody can answer."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from router.core import protocol as wire
from tests.browser.conftest import Shopper, visiting
from tests.browser.peer import Peer
from tests.browser.talking import DID, SECRET, arrive, show, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LINK = '<a id="ask" href="/bare/contact" data-router-chat="checkout-help">お問い合わせ</a>'
WAITING = wire.Conversation(DID, "waiting", None, 3, 240, 0, SECRET)
FORM = wire.Conversation(DID, "form")
FORM2 = wire.Conversation("decision-2", "form")


async def asking(peer: Peer, shopper: Shopper, *answers: Any) -> Page:
    """On a page with the shop's link, which was clicked; the peer answers with these."""
    peer.behaviour, peer.body = True, LINK
    peer.on_message = lambda message: list(answers) if isinstance(message, wire.Ask) else []
    async with shopper.page.expect_response("**/behaviour.js*"):
        await arrive(peer, shopper.page)
    await shopper.page.evaluate("() => new Promise(requestIdleCallback)")  # what was fetched has run
    await shopper.page.locator("#ask").click()
    await until(lambda: peer.said(wire.Ask))
    return shopper.page


def form(page: Page) -> Locator:
    return ui(page).locator(".contact.form")


async def fill(page: Page, text: str = "届くのはいつですか", contact: str = "hana@example.jp") -> None:
    await form(page).get_by_label("お問い合わせ内容").fill(text)
    await form(page).get_by_label("メールアドレスまたは電話番号").fill(contact)


async def send(page: Page) -> None:
    await form(page).get_by_role("button", name="送信する").click()


async def test_the_shops_link_asks_for_a_person_of_its_queue_and_opens_the_chat(
    peer: Peer, shopper: Shopper
) -> None:
    page = await asking(peer, shopper, WAITING)
    assert [ask.queue for ask in peer.said(wire.Ask)] == ["checkout-help"]
    await expect(ui(page).locator(".panel")).to_be_visible()
    await expect(ui(page).locator(".status")).to_have_text("お待ちの方 2名 · およそ4分")
    assert page.url.endswith("/bare/a"), "the link was not followed"
    await ui(page).get_by_role("button", name="最小化").click()
    await page.locator("#ask").click()
    await expect(ui(page).locator(".panel")).to_be_visible()
    assert len(peer.said(wire.Ask)) == 1, "the chat was only opened again"
    await shopper.shoot("contact-waiting")


async def test_a_chat_that_is_over_makes_room_for_the_next(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, WAITING)
    await peer.send(wire.Conversation(DID, "closed"))
    await expect(ui(page).get_by_role("button", name="閉じる")).to_be_visible()
    peer.on_message = lambda message: [FORM2] if isinstance(message, wire.Ask) else []
    await page.locator("#ask").click()
    await expect(form(page)).to_be_visible()
    await expect(ui(page).locator(".panel")).to_have_count(1)


async def test_who_waits_may_leave_a_message_instead_and_is_told_by_when(
    peer: Peer, shopper: Shopper
) -> None:
    peer.due = int(datetime.datetime(2026, 11, 30, 10).timestamp() * 1000)
    page = await asking(peer, shopper, WAITING)
    await expect(form(page)).to_be_hidden()
    await ui(page).get_by_role("button", name="メッセージを残す").click()
    await expect(form(page).get_by_label("お問い合わせ内容")).to_be_focused()
    await expect(ui(page).locator(".write")).to_be_hidden()
    await shopper.shoot("contact-form")
    await form(page).get_by_role("button", name="このまま待つ").click()
    await expect(ui(page).locator(".write")).to_be_visible()
    await ui(page).get_by_role("button", name="メッセージを残す").click()
    await fill(page)
    await send(page)
    await expect(form(page).get_by_role("heading")).to_have_text("メッセージをお預かりしました")
    await expect(form(page)).to_contain_text("11月30日(月) 10:00までに、hana@example.jp へご返信します。")
    (left,) = peer.left
    assert {name: left[name] for name in ("site", "contact", "text", "name", "talk")} == {
        "site": "demo", "contact": "hana@example.jp", "text": "届くのはいつですか", "name": "",
        "talk": {"cid": DID, "secret": SECRET},
    }  # fmt: skip
    assert left["session"].startswith("S.demo.")
    await peer.send(wire.Conversation(DID, "closed"))
    await expect(ui(page).get_by_role("button", name="閉じる")).to_be_visible()
    await expect(form(page).get_by_role("heading")).to_be_visible()
    await shopper.shoot("contact-thanks")


async def test_a_form_says_what_is_missing_where_it_is_missing(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, FORM)
    await send(page)
    await expect(form(page).get_by_role("alert")).to_have_text("お問い合わせ内容を入力してください。")
    await expect(form(page).get_by_label("お問い合わせ内容")).to_be_focused()
    await fill(page, contact="電話して")
    await send(page)
    await expect(form(page).get_by_role("alert")).to_contain_text("電話番号を入力してください")
    await expect(form(page).get_by_label("メールアドレスまたは電話番号")).to_have_attribute(
        "aria-invalid", "true"
    )
    assert not peer.left
    await shopper.shoot("contact-fault")
    await fill(page, contact="０９０−1234−5678".replace("−", "-"))
    await send(page)
    await until(lambda: peer.left)


async def test_a_message_that_failed_keeps_its_words_and_its_id(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, FORM)
    peer.leaving_fails = ["unavailable", "too_many"]
    await fill(page)
    await send(page)
    await expect(form(page).get_by_role("alert")).to_contain_text("入力内容は保存されています")
    await send(page)
    await expect(form(page).get_by_role("alert")).to_contain_text("1時間ほどおいて")
    await send(page)
    await expect(form(page).get_by_role("heading")).to_be_visible()
    assert len({left["id"] for left in peer.left}) == 1 and len(peer.left) == 3
    assert peer.left[0]["talk"] is None, "there was no conversation to take the place of"
    assert peer.left[0]["queue"] == "checkout-help"


async def test_where_nobody_comes_any_more_there_is_nothing_to_wait_for(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, FORM)
    await expect(form(page)).to_contain_text("ただいま担当者が不在です")
    await expect(form(page).get_by_role("button", name="このまま待つ")).to_be_hidden()
    await expect(ui(page).locator(".write")).to_be_hidden()
    await shopper.shoot("contact-nobody")


async def test_a_draft_is_there_again_on_the_next_page(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, FORM)
    await fill(page, "途中まで")
    await asking(peer, shopper, FORM)
    await expect(form(page).get_by_label("お問い合わせ内容")).to_have_value("途中まで")


async def test_an_answer_after_all_takes_the_form_away(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, WAITING)
    await ui(page).get_by_role("button", name="メッセージを残す").click()
    await peer.send(wire.Conversation(DID, "active", "花"))
    await expect(form(page)).to_have_count(0)
    await expect(ui(page).locator(".write")).to_be_visible()


async def test_on_a_phone_and_in_english_it_fits(peer: Peer, chromium: Browser) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "has_touch": True}
    async with visiting(chromium, **options) as shopper:
        peer.language = "en"
        page = await asking(peer, shopper, FORM)
        await expect(form(page)).to_contain_text("Nobody is here at the moment")
        box = await form(page).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
        await shopper.shoot("contact-phone")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_an_invite_on_the_page_is_accepted_by_the_link(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper)
    await show(peer)
    await expect(ui(page).get_by_role("button", name="チャットで聞く")).to_be_visible()
    asked = len(peer.said(wire.Ask))
    await page.locator("#ask").click()
    await expect(ui(page).locator(".panel")).to_be_visible()
    assert len(peer.said(wire.Ask)) == asked


async def test_after_a_message_was_sent_another_one_can_be_left(peer: Peer, shopper: Shopper) -> None:
    page = await asking(peer, shopper, WAITING)
    await ui(page).get_by_role("button", name="メッセージを残す").click()
    await fill(page)
    await send(page)
    await expect(form(page).get_by_role("heading")).to_be_visible()
    await peer.send(wire.Conversation(DID, "closed"))
    await ui(page).get_by_role("button", name="閉じる").click()
    peer.on_message = lambda message: [FORM2] if isinstance(message, wire.Ask) else []
    await page.locator("#ask").click()
    await fill(page, "もう一つ")
    await send(page)
    await expect(form(page).get_by_role("heading")).to_be_visible()
    assert [left["text"] for left in peer.left] == ["届くのはいつですか", "もう一つ"]


async def test_where_the_chunk_cannot_be_fetched_the_link_leads_where_it_leads(
    peer: Peer, shopper: Shopper
) -> None:
    peer.behaviour, peer.body = True, LINK
    async with shopper.page.expect_response("**/behaviour.js*"):
        await arrive(peer, shopper.page)
    await shopper.page.evaluate("() => new Promise(requestIdleCallback)")
    await shopper.page.route("**/contact.js*", lambda route: route.fulfill(status=503))
    await shopper.page.locator("#ask").click()
    await shopper.page.wait_for_url("**/bare/contact")
    assert not peer.said(wire.Ask)
