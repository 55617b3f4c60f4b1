"""The chat in a real browser: what the shopper sees, and what the service hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper
from tests.browser.peer import Peer, now
from tests.browser.talking import (
    DID,
    INVITE,
    SECRET,
    XSS,
    accept,
    arrive,
    bubbles,
    line,
    say,
    show,
    ui,
)  # fmt: skip
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


# --- the chat ----------------------------------------------------------------------------------------------


async def test_both_talk_and_see_it(peer: Peer, shopper: Shopper) -> None:
    """Accepting opens the chat with the caret in its box."""
    lines = await accept(peer, shopper)
    await expect(ui(shopper.page).get_by_role("textbox")).to_be_focused()
    await say(shopper, "包装はできますか")
    await until(lambda: lines)
    await peer.send(line(2, "はい、無料です。"), wire.AgentTyping(DID, True))
    await expect(ui(shopper.page).locator(".typing")).to_contain_text("花が入力しています")
    await peer.send(wire.AgentTyping(DID, False))
    await expect(ui(shopper.page).locator(".typing")).to_be_hidden()
    assert await bubbles(shopper.page) == ["包装はできますか", "はい、無料です。"]
    await shopper.page.keyboard.type("あ")
    await until(lambda: peer.said(wire.Typing))


async def test_enter_sends_shift_enter_breaks_the_line_and_an_input_method_keeps_its_enter(
    peer: Peer, shopper: Shopper
) -> None:
    """Choosing a word with Enter is not the end of a message."""
    lines = await accept(peer, shopper)
    box = ui(shopper.page).get_by_role("textbox")
    await box.fill("一行目")
    await box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    await shopper.page.keyboard.press("Shift+Enter")
    await shopper.page.keyboard.type("二行目")
    assert not peer.said(wire.Say)
    await shopper.page.keyboard.press("Enter")
    await until(lambda: lines)
    assert [each.text for each in lines] == ["一行目\n二行目"]
    await expect(box).to_have_value("")


async def test_every_line_stands_once_and_in_order_whatever_comes_twice_or_too_early(
    peer: Peer, shopper: Shopper
) -> None:
    """A line that is too early makes the page ask for what lies before it."""
    lines = await accept(peer, shopper)
    await say(shopper, "one")
    await until(lambda: lines)
    lines += [line(2, "two"), line(3, "three")]
    await peer.send(lines[2])
    await until(lambda: peer.said(wire.Resume))
    await peer.send(lines[1], lines[2], lines[0])
    await expect(ui(shopper.page).locator(".lines").first).to_contain_text("three")
    assert await bubbles(shopper.page) == ["one", "two", "three"]
    assert peer.said(wire.Resume)[0].after == 1


async def test_addresses_in_an_agents_words_are_links_and_a_shoppers_are_not(
    peer: Peer, shopper: Shopper
) -> None:
    lines = await accept(peer, shopper)
    await say(shopper, "https://evil.example/")
    await until(lambda: lines)
    lines.append(line(2, "こちらhttps://shop.example/a?b=1%20c#dをご覧ください (http://shop.example/e)."))
    await peer.send(lines[1])
    links = ui(shopper.page).locator(".lines a")
    await expect(links).to_have_count(2)
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "https://shop.example/a?b=1%20c#d",
        "http://shop.example/e",
    ]
    await expect(links.first).to_have_attribute("rel", "noopener")
    assert (await bubbles(shopper.page))[1] == lines[1].text


async def test_what_was_said_offline_is_sent_once_with_its_id(peer: Peer, shopper: Shopper) -> None:
    """It is marked until it is stored."""
    lines = await accept(peer, shopper)
    await shopper.context.set_offline(True)
    await peer.close(1012)
    await say(shopper, "聞こえますか")
    await expect(ui(shopper.page).locator(".pending")).to_contain_text("送信中")
    await expect(ui(shopper.page).locator(".panel .status")).to_have_text("接続し直しています…")
    await shopper.context.set_offline(False)
    await until(lambda: lines)
    await expect(ui(shopper.page).locator(".pending li")).to_have_count(0)
    assert await bubbles(shopper.page) == ["聞こえますか"]


async def test_an_answer_that_was_lost_leads_to_a_second_send_with_the_same_id(
    peer: Peer, shopper: Shopper
) -> None:
    """And to one line."""
    lines = await accept(peer, shopper)
    answer, peer.on_message = peer.on_message, lambda message: [answer(message), []][1]
    await say(shopper, "一度だけ")
    await until(lambda: lines)
    peer.on_message = answer
    await peer.close(4105)
    await until(lambda: len(peer.said(wire.Say)) == 2)
    await expect(ui(shopper.page).locator(".pending li")).to_have_count(0)
    assert len({said.mid for said in peer.said(wire.Say)}) == 1
    assert await bubbles(shopper.page) == ["一度だけ"]


async def test_a_reload_and_a_navigation_keep_the_chat(peer: Peer, shopper: Shopper) -> None:
    """Open as it was, with its lines once and the draft; the focus stays with the page."""
    lines = await accept(peer, shopper)
    await say(shopper, "こんにちは")
    await until(lambda: lines)
    lines.append(line(2, "いらっしゃいませ"))
    await peer.send(lines[1])
    await ui(shopper.page).get_by_role("textbox").fill("書きかけ")
    for path in ("/bare/a", "/bare/b"):
        await arrive(peer, shopper.page, path)
        await expect(ui(shopper.page).locator(".lines li").nth(1)).to_be_visible()
        assert await bubbles(shopper.page) == ["こんにちは", "いらっしゃいませ"]
        await expect(ui(shopper.page).get_by_role("textbox")).to_have_value("書きかけ")
        assert await shopper.page.evaluate("() => document.activeElement === document.body")
    assert [resume.after for resume in peer.said(wire.Resume)] == [0, 0]


async def test_the_chat_is_in_every_tab_and_open_only_where_it_was_opened(
    peer: Peer, shopper: Shopper
) -> None:
    """The other tab has a button that counts what was not read."""
    lines = await accept(peer, shopper)
    lines.append(line(1, "いらっしゃいませ"))
    await peer.send(lines[0])
    other = await shopper.tab()
    await arrive(peer, other, "/bare/other")
    launcher = ui(other).locator(".launcher")
    await expect(launcher).to_be_visible()
    await expect(ui(other).locator(".panel")).to_be_hidden()
    lines.append(line(2, "いかがでしょう"))
    await peer.send(lines[1])
    await expect(launcher).to_have_accessible_name("チャット, 未読 1件")
    await launcher.click()
    await expect(ui(other).locator(".panel")).to_be_visible()
    assert await bubbles(other) == ["いらっしゃいませ", "いかがでしょう"]


async def test_waiting_says_the_place_and_a_time_that_is_honest(peer: Peer, shopper: Shopper) -> None:
    """As far as they are known."""
    await accept(peer, shopper)
    status = ui(shopper.page).locator(".panel .status")
    places = [
        (3, 150, "お待ちの方 2名 · およそ3分"),
        (1, 20, "次にご案内します · およそ1分"),
        (None, None, "担当者が参加するまでお待ちください"),
    ]
    for position, wait, text in places:
        await peer.send(wire.Conversation(DID, "waiting", None, position, wait, 0))
        await expect(status).to_have_text(text)


async def test_a_talk_that_does_not_begin_is_said_not_to(peer: Peer, shopper: Shopper) -> None:
    """After 20 s; should it begin after all, it does."""
    await shopper.page.clock.install()
    await arrive(peer, shopper.page)
    await show(peer)
    await ui(shopper.page).get_by_text(INVITE["accept"]).click()
    status = ui(shopper.page).locator(".panel .status")
    await expect(status).to_have_text("おつなぎしています…")
    await shopper.page.clock.run_for(21_000)
    await expect(status).to_contain_text("現在おつなぎできません")
    await peer.send(wire.Conversation(DID, "active", "花", None, None, 0, SECRET))
    await expect(status).to_have_text("対応中")


async def test_lines_that_are_gone_are_said_to_be(peer: Peer, shopper: Shopper) -> None:
    """In their place."""
    await accept(peer, shopper)
    await peer.send(wire.Missing(DID, 1, 3), line(4, "続きです"))
    await expect(ui(shopper.page).locator(".lines").first).to_contain_text("続きです")
    assert await bubbles(shopper.page) == ["3件のメッセージを表示できません", "続きです"]


async def test_a_refused_message_says_so(peer: Peer, shopper: Shopper) -> None:
    """It is not sent again, and not lost from sight."""
    await accept(peer, shopper)
    peer.on_message = lambda message: (
        [wire.Error("full", "", message.mid)] if isinstance(message, wire.Say) else []
    )
    await say(shopper, "まだありますか")
    await expect(ui(shopper.page).locator(".failed")).to_contain_text("送信できませんでした")


async def test_ending_asks_once_and_tells_the_service(peer: Peer, shopper: Shopper) -> None:
    """After that nothing of it comes back on the next page."""
    await accept(peer, shopper)
    await ui(shopper.page).get_by_role("button", name="終了").click()
    assert not peer.said(wire.End)
    await ui(shopper.page).get_by_role("button", name="終了する").click()
    await until(lambda: peer.said(wire.End))
    await ui(shopper.page).get_by_role("button", name="閉じる").click()
    await expect(ui(shopper.page).locator(".panel, .launcher")).to_have_count(0)
    await arrive(peer, shopper.page, "/bare/b")
    await show(peer, "article", did="decision-2", url="/x")
    await until(lambda: len(peer.of(ev.Shown)) == 2)
    await expect(ui(shopper.page).locator(".panel, .launcher")).to_have_count(0)


async def test_an_end_that_was_said_offline_is_said_again(peer: Peer, shopper: Shopper) -> None:
    """A conversation that only the page has ended would stay open for the service, and for its agent."""
    await accept(peer, shopper)
    await shopper.context.set_offline(True)
    await peer.close(1012)
    await expect(ui(shopper.page).locator(".panel .status")).to_have_text("接続し直しています…")
    await ui(shopper.page).get_by_role("button", name="終了").click()
    await ui(shopper.page).get_by_role("button", name="終了する").click()
    assert not peer.said(wire.End)
    await shopper.context.set_offline(False)
    await until(lambda: peer.said(wire.End))


async def test_an_agent_who_closes_it_ends_it_with_a_word(peer: Peer, shopper: Shopper) -> None:
    """Nothing more can be written."""
    await accept(peer, shopper)
    await peer.send(line(1, "closed", "system"), wire.Conversation(DID, "closed", "花", None, None, 1))
    await expect(ui(shopper.page).locator(".panel .status")).to_have_text("このチャットは終了しました")
    await expect(ui(shopper.page).get_by_role("textbox")).to_be_hidden()
    assert await bubbles(shopper.page) == ["チャットが終了しました。ご利用ありがとうございました。"]


async def test_nothing_is_offered_while_they_talk(peer: Peer, shopper: Shopper) -> None:
    """There is no room beside an open chat."""
    await accept(peer, shopper)
    await show(peer, did="decision-2")
    await until(lambda: peer.of(ev.Deferred))
    assert peer.of(ev.Deferred)[0].reason == "no_room"


async def test_markup_in_a_message_stays_text(peer: Peer, shopper: Shopper) -> None:
    """Of the agent, of the shopper, in the agent's name and in a system line."""
    lines = await accept(peer, shopper)
    await say(shopper, XSS.format("own"))
    await until(lambda: lines)
    agent = XSS.format("agent")
    await peer.send(
        wire.Conversation(DID, "active", agent, None, None, 1),
        line(2, XSS.format("message"), name=agent),
        line(3, "joined", "system", name=agent),
        wire.AgentTyping(DID, True),
    )
    await expect(ui(shopper.page).locator(".typing")).to_contain_text(agent)
    assert (await bubbles(shopper.page))[:2] == [XSS.format("own"), XSS.format("message")]
    await arrive(peer, shopper.page, "/bare/b")
    await expect(ui(shopper.page).locator(".lines").first).to_contain_text(XSS.format("own"))
    assert await ui(shopper.page).locator("img, script").count() == 0
    assert await shopper.page.evaluate("() => window.hacked") is None


async def test_what_an_agent_sends_is_drawn_as_a_card(peer: Peer, shopper: Shopper) -> None:
    await accept(peer, shopper)
    article = {"kind": "article", "title": "大きさのめやす", "text": "場面ごとに", "url": "/bare/sizes"}
    until_ms = now() + 600_000
    code = {
        "kind": "offer",
        "title": "5％引き",
        "text": "どうぞ",
        "terms": "1回限り",
        "code": "AB12-CD34",
        "expires_at_ms": until_ms,
    }
    hostile = {"kind": "article", "title": XSS.format("card"), "text": "x", "url": "javascript:alert(1)"}
    cards: list[dict[str, Any]] = [article, code, hostile]
    for n, card in enumerate(cards, 1):
        await peer.send(wire.Message(DID, n, "agent", f"mid-card-{n}", "words", now(), "花", card))
    sent = ui(shopper.page).locator(".sent")
    await expect(sent).to_have_count(3)
    await expect(sent.first.get_by_role("link")).to_have_attribute("href", peer.url + "/bare/sizes")
    await expect(sent.nth(1).locator(".code")).to_have_text("AB12-CD34")
    await expect(sent.nth(1)).to_contain_text("残り")
    await expect(sent.last.get_by_role("link")).to_have_count(0)
    assert await shopper.page.evaluate("window.hacked") is None
    await shopper.shoot("chat-cards")


@pytest.mark.parametrize("peek", [False, True])
async def test_what_is_typed_is_shown_only_where_it_is_disclosed(
    peer: Peer, shopper: Shopper, peek: bool
) -> None:
    await accept(peer, shopper)
    await peer.send(wire.Conversation(DID, "active", "花", None, None, 0, None, peek))
    disclosed = ui(shopper.page).get_by_text("入力中の文字は担当者に表示されます")
    await expect(disclosed).to_be_visible(visible=peek)
    await ui(shopper.page).get_by_role("textbox").press_sequentially("送料は")
    await until(
        lambda: (
            any(typing.text == "送料は" for typing in peer.said(wire.Typing))
            or (not peek and peer.said(wire.Typing))
        )
    )
    await say(shopper, "送料は無料ですか")
    await until(lambda: peer.said(wire.Say))
    assert any(typing.text for typing in peer.said(wire.Typing)) == peek
