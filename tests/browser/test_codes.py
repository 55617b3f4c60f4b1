"""A code that was given: within reach until it ends, and used with one tap where the shop allows that."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from router.core import events as ev
from tests.browser.conftest import Shopper
from tests.browser.peer import Peer, now
from tests.browser.talking import arrive, show, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

OFFER: dict[str, Any] = {"code": "UTSUWA-7KMQ", "terms": "一回限り", "dismiss": "閉じる"}


async def given(peer: Peer, shopper: Shopper, for_ms: int = 600_000, head: str = "") -> None:
    """An offer that stands in the page."""
    peer.behaviour = True
    await arrive(peer, shopper.page, body=head)
    await show(peer, "offer", **OFFER, expires_at_ms=now() + for_ms)
    await until(lambda: peer.of(ev.Shown))


async def test_a_code_stays_within_reach_on_every_page_of_the_tab(peer: Peer, shopper: Shopper) -> None:
    await given(peer, shopper)
    kept = shopper.page.locator("router-code")
    await expect(kept).to_have_count(0)
    await ui(shopper.page).get_by_role("button", name="閉じる", exact=True).last.click()
    await until(lambda: peer.of(ev.Dismissed))
    for path in ("", "/bare/next"):
        if path:
            await arrive(peer, shopper.page, path)
        pill = kept.get_by_role("button", name="お持ちのコード")
        await pill.click()
        await expect(kept.locator(".code")).to_have_text("UTSUWA-7KMQ")
        await expect(kept.locator(".left")).to_contain_text("残り")
        await shopper.shoot("code-kept")
        await shopper.page.keyboard.press("Escape")
        await expect(pill).to_be_focused()


async def test_a_code_that_has_ended_is_gone(peer: Peer, shopper: Shopper) -> None:
    await given(peer, shopper, for_ms=2_000)
    await ui(shopper.page).get_by_role("button", name="閉じる", exact=True).last.click()
    kept = shopper.page.locator("router-code")
    await expect(kept).to_have_count(1)
    await expect(kept).to_have_count(0)
    await arrive(peer, shopper.page, "/bare/next")
    await shopper.page.wait_for_load_state("networkidle")
    await expect(kept).to_have_count(0)
    assert await shopper.page.evaluate("sessionStorage.router_f") is None


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ('<meta name="router:apply" content="/cart?coupon={code}">', "/cart?coupon=UTSUWA-7KMQ"),
        (
            "<script>window.Shopify = { shop: 'x.myshopify.com' }</script>",
            "/discount/UTSUWA-7KMQ?redirect=%2Fbare%2Fa",
        ),
    ],
)
async def test_one_tap_uses_the_code_where_the_shop_has_an_address_for_it(
    peer: Peer, shopper: Shopper, head: str, path: str
) -> None:
    await given(peer, shopper, head=head)
    use = ui(shopper.page).get_by_role("link", name="カートで使う")
    assert await use.evaluate("(link) => link.href") == peer.url + path
    await shopper.shoot("code-apply")


@pytest.mark.parametrize("content", ["", "https://evil.example/{code}", "javascript:alert({code})"])
async def test_a_code_is_the_shops_alone(peer: Peer, shopper: Shopper, content: str) -> None:
    await given(peer, shopper, head=f'<meta name="router:apply" content="{content}">')
    await expect(ui(shopper.page).get_by_role("link")).to_have_count(0)
