"""Further languages: out of a file of the shop's, part by part, and English where it says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import visiting
from tests.browser.pages import SCRIPT, visit
from tests.browser.peer import Peer, now
from tests.browser.talking import DID, show, talkative, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FRENCH: dict[str, Any] = {
    "fr": {
        "widget": {
            "close": "Fermer", "never": "Ne plus afficher", "placeholder": "Votre message", "place": "{} avant vous",
            "system": {"joined": "{} est arrivée"}, "send": 7,
        },
        "code": {"copy": "Copier le code", "until": "Valable jusqu’à {}"},
        "launcher": {"open": "Discuter avec nous"},
    }
}  # fmt: skip
FILE = SCRIPT.replace("&consent", "&launcher=&texts=/shop-texts.json&consent")


@pytest.mark.parametrize("body", [json.dumps(FRENCH), "{broken", "null", '{"fr": {"widget": null}}'])
async def test_a_shop_brings_its_own_language(peer: Peer, chromium: Browser, body: str) -> None:
    french = body.startswith('{"fr": {"widget": {')
    async with visiting(chromium, locale="fr-FR") as shopper:

        async def file(route: Route) -> None:
            await route.fulfill(body=body, content_type="application/json")

        await shopper.page.route("**/shop-texts.json", file)
        peer.behaviour, peer.language = True, "fr"
        talkative(peer)
        await visit(peer, shopper.page, head=FILE)
        launcher = shopper.page.locator("router-launcher button")
        await expect(launcher).to_have_text("Discuter avec nous" if french else "Chat with us")
        ends = now() + 60_000
        await show(peer, "offer", did="decision-0", code="UTSUWA-7KMQ", expires_at_ms=ends, terms="…")
        await until(lambda: peer.of(ev.Shown))
        card = ui(shopper.page).locator(".card")
        await expect(card.locator(".primary")).to_have_text("Copier le code" if french else "Copy code")
        await expect(card.locator(".until")).to_contain_text("Valable jusqu’à" if french else "Valid until")
        await show(peer)
        await expect(ui(shopper.page).locator(".never")).to_have_text(
            "Ne plus afficher" if french else "Don’t show again"
        )
        await ui(shopper.page).locator(".card .primary").click()
        box = ui(shopper.page).get_by_role("textbox")
        await expect(box).to_have_attribute("placeholder", "Votre message" if french else "Write a message")
        await expect(ui(shopper.page).locator(".send")).to_have_attribute("aria-label", "Send")
        await peer.send(wire.Message(DID, 1, "system", "system-1", "joined", now(), "Anne"))
        await expect(ui(shopper.page).locator(".system")).to_have_text(
            "Anne est arrivée" if french else "Anne joined"
        )
