"""The demo shop's own manners, beside a peer."""

from __future__ import annotations

import json

import httpx
import pytest
from playwright.async_api import Browser, Route, expect

from router.core import events as ev
from tests.browser.conftest import Shopper, visiting
from tests.browser.peer import STATIC, Peer
from tests.browser.shopping import XSS, order, put_in_cart
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_shopper_is_told_what_is_wrong_with_a_code_and_can_go_on(
    peer: Peer, shopper: Shopper
) -> None:
    """By name, beside the field, with what was typed still there; a failed payment is told to the service."""
    page = shopper.page
    peer.codes = {"USED-1": "another order"}
    await put_in_cart(page, peer.url, "cup-celadon", 2)
    await page.goto(peer.url + "/demo/checkout")
    for code, text in (
        ("NOPE", "この割引コードは見つかりませんでした。"),
        ("USED-1", "この割引コードはすでに使われています。"),
    ):
        await order(page, code)
        await expect(page.locator("#code-problem")).to_have_text(text)
    await shopper.shoot("shop-checkout-refused")
    await expect(page.locator("#name")).to_have_value("山田 花子")
    await page.locator("#code").fill("")
    await page.locator("#order .button").click()
    await page.wait_for_url("**/demo/thanks")
    await expect(page.locator(".sums")).to_contain_text("7,260")
    assert [placed["value"] for placed in peer.orders] == [6600]
    await until(lambda: "Purchase" in peer.kinds())
    assert peer.kinds().count("Payment") == 5
    assert [coupon.accepted for coupon in peer.of(ev.Coupon)] == [False, False]
    assert not any(code in str(peer.of(ev.Coupon)) for code in ("NOPE", "USED-1"))


async def test_an_answer_that_never_came_is_asked_for_again_as_the_same_order(
    peer: Peer, shopper: Shopper
) -> None:
    """Or a code would be spent on an order that the shopper never saw."""
    page = shopper.page
    peer.codes = {"GOOD-1": None}
    await put_in_cart(page, peer.url, "mug-ash")
    await page.goto(peer.url + "/demo/checkout")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/demo/api/checkout", lose_the_answer, times=1)
    await order(page, "GOOD-1")
    await expect(page.locator("#problem")).to_have_text("通信できませんでした。もう一度お試しください。")
    await page.locator("#order .button").click()
    await page.wait_for_url("**/demo/thanks")
    first, second = peer.orders
    assert first == second and first["value"] == 3344


async def test_english_stays_chosen_and_the_page_says_so(peer: Peer, shopper: Shopper) -> None:
    """To browsers, readers and the service."""
    await shopper.page.goto(peer.url + "/demo/")
    await shopper.page.get_by_role("link", name="English").click()
    await shopper.page.wait_for_url("**lang=en")
    await expect(shopper.page.get_by_role("link", name="日本語")).to_be_visible()
    await shopper.page.goto(peer.url + "/demo/p/donabe")
    await expect(shopper.page.get_by_role("heading", name="Iga clay pot")).to_be_visible()
    assert await shopper.page.evaluate("() => document.documentElement.lang") == "en"
    await until(lambda: peer.hellos[-1][1].language == "en")


@pytest.mark.parametrize("path", ["/demo/p/none", "/demo/p/..%2Fcart", "/demo/nothing", "/demo/img/none.svg"])
async def test_what_is_not_there_has_a_page_of_its_own(peer: Peer, path: str) -> None:
    """With status 404 and the shop's policy."""
    async with httpx.AsyncClient(base_url=peer.url) as http:
        answer = await http.get(path)
    assert answer.status_code == 404
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_markup_in_a_product_name_stays_text(peer: Peer, shopper: Shopper) -> None:
    """In the shop, on its way, and at the service."""
    catalogue = json.loads((STATIC / "demo" / "catalogue.json").read_text(encoding="utf-8"))
    catalogue["products"][0]["ja"] |= {"name": XSS.format("name"), "maker": XSS.format("maker")}
    await shopper.page.route("**/demo/catalogue.json", lambda route: route.fulfill(json=catalogue))
    await put_in_cart(shopper.page, peer.url, "bowl-rice")
    await shopper.page.goto(peer.url + "/demo/cart")
    await expect(shopper.page.locator(".line .name")).to_have_text(XSS.format("name"))
    await until(lambda: "Cart" in peer.kinds())
    assert await shopper.page.evaluate("() => window.hacked") is None


@pytest.mark.parametrize("width", [375, 1280])
async def test_every_page_fits_its_window(peer: Peer, chromium: Browser, width: int) -> None:
    """Nothing scrolls sideways, nothing breaks its own policy."""
    async with visiting(chromium, viewport={"width": width, "height": 800}) as shopper:
        await put_in_cart(shopper.page, peer.url, "sake-set", 2)
        for path in ("", "p/sake-set", "cart", "shipping", "checkout", "thanks"):
            await shopper.page.goto(f"{peer.url}/demo/{path}")
            await expect(shopper.page.locator("h1")).to_be_visible()
            assert await shopper.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            await shopper.shoot(f"shop-{path.replace('/', '-') or 'list'}-{width}")
