"""What a shop may call and how it may load us: the stub, the one file, the button, and going away again."""

from __future__ import annotations

import base64
import hashlib

import pytest
from playwright.async_api import Browser, expect

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import SCRIPT, track, tracked, visit, welcomed
from tests.browser.peer import STATIC, Peer
from tests.browser.talking import show, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

OPENED = wire.Conversation("chat-000001", "opened", secret="secret-of-chat")


def stub() -> str:
    return f"<script>{(STATIC / 'dist' / 'stub.js').read_text()}</script>"


async def test_calls_to_the_stub_are_made_good(peer: Peer, shopper: Shopper) -> None:
    early = "<script>router.track('list', {id: 'early', count: 1}); router.identify('who');</script>"
    await visit(peer, shopper.page, head=stub() + early + SCRIPT)
    await until(lambda: tracked(peer) == ["early"] and peer.said(wire.Identify))
    assert peer.said(wire.Identify)[0].token == "who"
    assert await shopper.page.evaluate("Array.isArray(window.router)") is False


async def test_who_the_shopper_is_is_said_again_after_a_reconnect(peer: Peer, shopper: Shopper) -> None:
    await visit(peer, shopper.page)
    await shopper.page.evaluate("router.identify('token-of-shop')")
    await until(lambda: peer.said(wire.Identify))
    await peer.close(1012)
    await until(lambda: len(peer.said(wire.Identify)) == 2)


async def test_a_script_without_a_current_one_finds_itself(peer: Peer, shopper: Shopper) -> None:
    """As a tag manager runs it: from text, long after its tag."""
    source = (STATIC / "dist" / "beacon.js").read_text()
    peer.head = '<script type="text/plain" src="/beacon.js?site=demo"></script>'
    await shopper.page.goto(peer.url + "/bare")
    await shopper.page.evaluate("(source) => setTimeout(new Function(source))", source)
    await welcomed(shopper.page)
    await until(lambda: len(peer.of(ev.Page)) == 1)


async def test_the_one_file_build_runs_under_its_hash(peer: Peer, shopper: Shopper) -> None:
    """With the behaviour, the data layer and the widget inside: nothing else is fetched."""
    pinned = (STATIC / "dist" / "beacon.pinned.js").read_bytes()
    digest = base64.b64encode(hashlib.sha384(pinned).digest()).decode()
    head = SCRIPT.replace("/beacon.js", "/beacon.pinned.js").replace(
        "async", f'async crossorigin="anonymous" integrity="sha384-{digest}"'
    )
    asked: list[str] = []
    shopper.page.on("request", lambda request: asked.append(request.url))
    await visit(peer, shopper.page, head=head)
    await shopper.page.evaluate(
        "dataLayer.push({event: 'view_item_list', ecommerce: {item_list_id: 'x', items: []}})"
    )
    await until(lambda: tracked(peer) == ["x"] and peer.of(ev.Visit))
    await peer.send(OPENED)
    await expect(ui(shopper.page).locator(".launcher")).to_be_visible()
    assert {url.split("?")[0].rsplit("/", 1)[1] for url in asked if ".js" in url} == {"beacon.pinned.js"}


async def test_the_shop_opens_the_chat(peer: Peer, shopper: Shopper) -> None:
    peer.on_message = lambda message: [OPENED] if isinstance(message, wire.Ask) else []
    await visit(peer, shopper.page)
    await shopper.page.evaluate("router.open('style')")
    await until(lambda: [ask.queue for ask in peer.said(wire.Ask)] == ["style"])
    await expect(ui(shopper.page).locator(".panel textarea")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_shop_may_have_a_button_on_every_page(peer: Peer, chromium: Browser, width: int) -> None:
    """It makes room for the chat, and is there again afterwards."""
    async with visiting(chromium, viewport={"width": width, "height": 740}) as shopper:
        peer.behaviour = True
        peer.on_message = lambda message: [OPENED] if isinstance(message, wire.Ask) else []
        await visit(peer, shopper.page, head=SCRIPT.replace("&consent", "&launcher=style&consent"))
        button = shopper.page.locator("router-launcher").get_by_role("button", name="チャットで相談")
        await expect(button).to_be_visible()
        box = await button.bounding_box()
        assert box is not None and box["height"] >= 44
        await shopper.shoot(f"launcher-{width}")
        await button.click()
        await until(lambda: [ask.queue for ask in peer.said(wire.Ask)] == ["style"])
        await expect(ui(shopper.page).locator(".panel")).to_be_visible()
        await expect(button).to_be_hidden()
        await peer.send(wire.Conversation("chat-000001", "closed"))
        await ui(shopper.page).locator(".leave").click()
        await expect(button).to_be_visible()


async def test_after_destroy_nothing_is_watched_sent_or_drawn(peer: Peer, shopper: Shopper) -> None:
    peer.behaviour = True
    await visit(peer, shopper.page)
    await show(peer)
    await expect(ui(shopper.page).locator(".card")).to_be_visible()
    token = await shopper.page.evaluate("router.session()")
    await shopper.page.evaluate("router.destroy()")
    await until(lambda: not peer.sockets)
    await expect(shopper.page.locator("router-ui")).to_have_count(0)
    seen = len(peer.received)
    await track(shopper.page, "unheard")
    await shopper.page.evaluate("dispatchEvent(new Event('online')); dispatchEvent(new Event('scroll'))")
    await visit(peer, shopper.page, "/bare/next")
    assert len(peer.hellos) == 2 and peer.hellos[1][1].token == token, "the session goes on elsewhere"
    assert tracked(peer) == [] and len(peer.received) >= seen
