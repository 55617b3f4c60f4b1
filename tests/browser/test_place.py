"""Where a card stands: a corner in which nothing lies that the shopper needs."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from router.core import events as ev
from tests.browser.conftest import Shopper, visiting
from tests.browser.peer import Peer
from tests.browser.talking import arrive, show, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BANNER = "<div style='position:fixed;inset:auto 0 0 0;height:120px;background:#eee'>Cookies <button>OK</button></div>"
PAY = "<button style='position:absolute;right:40px;bottom:40px;width:200px;height:60px'>Pay</button>"
EVERYWHERE = (
    "<div style='position:fixed;inset:0 0 40% 0'></div><div style='position:fixed;inset:40% 0 0 0'></div>"
)
BACKGROUND = "<div style='position:fixed;inset:0;background:#fafafa;z-index:-1'></div>"


@pytest.mark.parametrize(
    ("body", "side", "edge"),
    [
        ("", "right", "bottom"),
        (BACKGROUND, "right", "bottom"),
        (PAY, "left", "bottom"),
        (BANNER, "right", "top"),
        (BANNER + PAY.replace("bottom:40px", "top:40px"), "left", "top"),
    ],
)
async def test_a_card_takes_the_first_free_corner(
    peer: Peer, shopper: Shopper, body: str, side: str, edge: str
) -> None:
    """Never over what is pressed, nor over a banner."""
    peer.body = f"<p>shop</p>{body}"
    await arrive(peer, shopper.page)
    await show(peer)
    card = ui(shopper.page).locator(".card")
    await expect(card).to_be_visible()
    await until(lambda: peer.of(ev.Shown))
    box = await card.bounding_box()
    assert box is not None
    assert (box["x"] > 640) == (side == "right") and (box["y"] > 400) == (edge == "bottom"), box
    assert (
        box["x"] >= 0
        and box["x"] + box["width"] <= 1280
        and box["y"] >= 0
        and box["y"] + box["height"] <= 800
    )


async def test_a_phone_has_two_places(peer: Peer, chromium: Browser) -> None:
    async with visiting(chromium, viewport={"width": 390, "height": 740}) as shopper:
        peer.body = BANNER
        await arrive(peer, shopper.page)
        await show(peer)
        await until(lambda: peer.of(ev.Shown))
        box = await ui(shopper.page).locator(".card").bounding_box()
        assert box is not None and box["y"] < 40
        await shopper.shoot("widget-phone-banner")


async def test_without_a_free_corner_nothing_is_shown_and_the_service_hears_why(
    peer: Peer, shopper: Shopper
) -> None:
    peer.body = EVERYWHERE
    await arrive(peer, shopper.page)
    await show(peer)
    await until(lambda: peer.of(ev.Deferred))
    assert peer.of(ev.Deferred)[0].reason == "no_room"
    await expect(ui(shopper.page).locator(".card")).to_have_count(0)
    assert not peer.of(ev.Shown)
