"""On a shop of another site, under the strictest policy that a shop may have: all of it works, without a report."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from router.core import events as ev
from tests.browser.conftest import Shopper
from tests.browser.pages import track, tracked, welcomed
from tests.browser.peer import Peer, now
from tests.browser.talking import INVITE, line, say, show, talkative, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TYPES = "require-trusted-types-for 'script'; trusted-types 'none'"


def addresses(peer: Peer) -> tuple[str, str]:
    """The shop's, and the service's: two sites on one machine."""
    port = peer.url.rsplit(":", 1)[1]
    return f"http://shop.localhost:{port}", f"svc.localhost:{port}"


@pytest.mark.parametrize("sources", ["http://{service}", "'nonce-r4nd0m'", "'nonce-r4nd0m' 'strict-dynamic'"])
async def test_everything_works_under_a_strict_policy(peer: Peer, shopper: Shopper, sources: str) -> None:
    shop, service = addresses(peer)
    peer.behaviour = True
    peer.policy = (
        f"default-src 'none'; script-src {sources.format(service=service)}; "
        f"connect-src http://{service} ws://{service}; {TYPES}"
    )
    src = f"http://{service}/beacon.js?site=demo&launcher=style&consent=granted"
    peer.head = f'<script async nonce="r4nd0m" src="{src}"></script>'
    lines = talkative(peer)
    await shopper.page.goto(f"{shop}/bare/a")
    await welcomed(shopper.page)
    await track(shopper.page, "cross-site")
    await until(lambda: tracked(peer) == ["cross-site"])
    await expect(shopper.page.locator("router-launcher")).to_be_visible()
    await show(peer, "offer", did="decision-0", code="UTSUWA-7KMQ", expires_at_ms=now() + 60_000, terms="…")
    await until(lambda: peer.of(ev.Shown))
    assert (
        await ui(shopper.page).locator(".card").evaluate("(card) => getComputedStyle(card).borderRadius")
        == "16px"
    )
    await show(peer)
    await ui(shopper.page).get_by_text(INVITE["accept"]).click()
    await say(shopper, "こんにちは")
    await until(lambda: lines)
    await peer.send(line(2, "いらっしゃいませ"))
    await expect(ui(shopper.page).locator(".lines").first).to_contain_text("いらっしゃいませ")
    (cookie,) = await shopper.context.cookies()
    assert cookie["domain"] == ".shop.localhost"


async def test_the_last_batch_arrives_from_another_site(peer: Peer, shopper: Shopper) -> None:
    """Without a preflight, whatever the shop's referrer policy."""
    shop, service = addresses(peer)
    peer.behaviour = True
    peer.head = (
        '<meta name="referrer" content="no-referrer">'
        f'<script async src="http://{service}/beacon.js?site=demo&consent=granted"></script>'
    )
    await shopper.page.goto(f"{shop}/bare/a")
    await welcomed(shopper.page)
    await until(lambda: peer.of(ev.Page))
    peer.answering = False
    await track(shopper.page, "last")
    await shopper.page.goto("about:blank")
    await until(lambda: peer.farewells)
    assert peer.farewells[0].batch.events and "last" in tracked(peer)
