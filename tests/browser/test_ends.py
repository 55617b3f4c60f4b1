"""An open chat on a phone, and what follows when a talk is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from router.core import protocol as wire
from tests.browser.conftest import Shopper, visiting
from tests.browser.peer import Peer
from tests.browser.talking import DID, accept, line, say, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_on_a_phone_the_chat_is_a_dialog_that_keeps_the_focus_and_back_minimises(
    peer: Peer, chromium: Browser
) -> None:
    async with visiting(chromium, viewport={"width": 390, "height": 740}) as shopper:
        await accept(peer, shopper)
        panel = ui(shopper.page).locator(".panel")
        await expect(panel).to_have_attribute("role", "dialog")
        await expect(panel).to_have_attribute("aria-modal", "true")
        entries = await shopper.page.evaluate("history.length")
        inside = "() => !!document.querySelector('router-ui').shadowRoot.activeElement"
        for key in ("Tab", "Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"):
            await shopper.page.keyboard.press(key)
            assert await shopper.page.evaluate(inside), key
        await shopper.page.evaluate("document.body.tabIndex = -1; document.body.focus()")
        await shopper.page.keyboard.press("Escape")  # what a phone's Back is to a page that asked to be told
        await expect(panel).to_be_hidden()
        assert await shopper.page.evaluate("history.length") == entries
        await ui(shopper.page).locator(".launcher").click()
        await expect(panel).to_have_attribute("role", "dialog")
        await shopper.page.set_viewport_size({"width": 1280, "height": 800})
        await expect(panel).to_have_attribute("role", "region")
        assert await panel.get_attribute("aria-modal") is None


async def test_what_was_said_can_be_saved_and_the_shop_may_ask_how_it_was(
    peer: Peer, shopper: Shopper, tmp_path: Path
) -> None:
    lines = await accept(peer, shopper)
    await shopper.page.evaluate("router.on('ended', (about) => { window.ended = about })")
    await say(shopper, "送料は？")
    await until(lambda: lines)
    lines.append(line(2, "500円です\n8,000円から無料です"))
    await peer.send(lines[1], wire.Conversation(DID, "closed", "花"))
    keep = ui(shopper.page).get_by_role("button", name="会話を保存")
    await expect(keep).to_be_visible()
    await shopper.shoot("chat-ended")
    async with shopper.page.expect_download() as download:
        await keep.click()
    file = await download.value
    assert file.suggested_filename == "chat-decision.txt"
    await file.save_as(tmp_path / "chat.txt")
    text = (tmp_path / "chat.txt").read_text("utf-8-sig")
    assert "お客様: 送料は？\n\n" in text and "花: 500円です\n8,000円から無料です\n" in text
    ended: Any = await shopper.page.evaluate("window.ended")
    assert ended == {"cid": DID}


async def test_a_talk_without_an_agent_leaves_nothing_to_save(peer: Peer, shopper: Shopper) -> None:
    await accept(peer, shopper)
    await peer.send(wire.Conversation(DID, "closed"))
    await expect(ui(shopper.page).locator(".leave")).to_have_count(1)
    await shopper.page.wait_for_load_state("networkidle")
    await expect(ui(shopper.page).locator(".keep")).to_have_count(0)
