"""What shops say by themselves, platform by platform: from their own events to what the service receives."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route

from router.core import events as ev
from tests.browser.conftest import Shopper
from tests.browser.pages import SCRIPT, visit
from tests.browser.peer import Peer
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIXTURES = Path(__file__).parent / "adapters"


async def shop(peer: Peer, shopper: Shopper, name: str, script: str = SCRIPT) -> list[str]:
    """A page of this platform with its adapter at work; the chunks that were fetched."""
    peer.behaviour = True
    peer.body = (FIXTURES / f"{name}.html").read_text()
    asked: list[str] = []
    shopper.page.on("request", lambda request: asked.append(request.url.split("?")[0].rsplit("/", 1)[1]))
    await visit(peer, shopper.page, head=script)
    await until(lambda: "behaviour.js" in asked)
    await shopper.page.wait_for_load_state("networkidle")
    return asked


async def do(shopper: Shopper, script: str) -> None:
    await shopper.page.evaluate(f"async () => {{ {script} }}")


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]


async def test_shopify(peer: Peer, shopper: Shopper) -> None:
    """The cart at the start, views, changes once they are true, searches, codes by their hash alone."""
    asked = await shop(peer, shopper, "shopify")
    assert "shopify.js" in asked
    await until(lambda: peer.of(ev.Cart))
    (at_first,) = peer.of(ev.Cart)
    assert (at_first.lines, at_first.quantity, at_first.value, at_first.currency) == (1, 1, 2860.0, "JPY")
    assert not peer.of(ev.CartAdd)
    await do(shopper, "shop.view(); shop.card(); shop.refuse(); shop.put(3)")
    await until(lambda: peer.of(ev.CartAdd))
    (viewed,) = peer.of(ev.Product)
    assert (viewed.item.id, viewed.item.name, viewed.item.price, viewed.currency) == (
        "11",
        "飯碗",
        2860.0,
        "JPY",
    )
    (added,) = peer.of(ev.CartAdd)
    assert (added.item.id, added.item.quantity) == ("11", 2)
    await do(shopper, "shop.put(0); shop.search(); shop.coupon(' spring ', false)")
    await until(lambda: peer.of(ev.Coupon))
    (removed,) = peer.of(ev.CartRemove)
    assert removed.item.quantity == 3 and [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3, 0]
    assert peer.of(ev.Search)[0].results == 0
    assert (peer.of(ev.Coupon)[0].code_hash, peer.of(ev.Coupon)[0].accepted) == (hash_of("SPRING"), False)


async def test_one_action_that_two_sources_report_counts_once_and_a_second_tap_counts(
    peer: Peer, shopper: Shopper
) -> None:
    """The platform outranks the data layer, which is mute for that kind from then on."""
    await shop(peer, shopper, "shopify")
    await until(lambda: peer.of(ev.Cart))
    item = "{item_id: '11', item_name: '飯碗', price: 2860, quantity: 1}"
    push = f"dataLayer.push({{event: 'add_to_cart', ecommerce: {{currency: 'JPY', items: [{item}]}}}});"
    await do(shopper, f"{push} shop.put(2)")
    await until(lambda: [cart.quantity for cart in peer.of(ev.Cart)] == [1, 2])
    assert len(peer.of(ev.CartAdd)) == 1
    await do(shopper, f"shop.put(3); {push}")
    await until(lambda: [cart.quantity for cart in peer.of(ev.Cart)] == [1, 2, 3])
    await shopper.page.wait_for_load_state("networkidle")
    assert len(peer.of(ev.CartAdd)) == 2


async def test_segment(peer: Peer, shopper: Shopper) -> None:
    assert "segment.js" in await shop(peer, shopper, "segment")
    await do(
        shopper,
        "analytics.track('Product Viewed', mug); analytics.track('Product Added', mug);"
        "analytics.track('Cart Viewed', {currency: 'JPY', products: [mug]});"
        "analytics.track('Checkout Started', {value: 6400, currency: 'JPY'});"
        "analytics.track('Order Completed', {order_id: 'A-1', total: 6400, currency: 'JPY'});"
        "analytics.track('constructor', null); analytics.track('Product Added', null); analytics.track(7)",
    )
    await until(lambda: peer.of(ev.Purchase))
    assert [type(event).__name__ for _, _, event in peer.received if not isinstance(event, ev.Dwell | ev.Visit)] == [
        "Page", "Product", "CartAdd", "Cart", "Checkout", "Purchase",
    ]  # fmt: skip
    assert (peer.of(ev.CartAdd)[0].item.id, peer.of(ev.CartAdd)[0].item.quantity) == ("mug-1", 2)
    assert (peer.of(ev.Cart)[0].value, peer.of(ev.Cart)[0].quantity) == (6400.0, 2)


async def test_adobe(peer: Peer, shopper: Shopper) -> None:
    """What was said before we came too."""
    assert "adobe.js" in await shop(peer, shopper, "adobe")
    await until(lambda: peer.of(ev.Product))
    assert (peer.of(ev.Product)[0].item.id, peer.of(ev.Product)[0].item.price) == ("CUP-1", 3000.0)
    assert (
        await shopper.page.evaluate(
            "adobeDataLayer.push({event: 'shopping-cart-view', eventInfo: {shoppingCartContext}}, null, 'x')"
        )
        == 5
    )
    await until(lambda: peer.of(ev.Cart))
    assert (peer.of(ev.Cart)[0].value, peer.of(ev.Cart)[0].quantity, peer.of(ev.Cart)[0].lines) == (
        6000.0,
        2,
        1,
    )


async def test_woocommerce(peer: Peer, shopper: Shopper) -> None:
    """The Store API is asked at the start and after each change, of the shop's own origin."""
    totals = {"total_items": "0", "total_discount": "0", "currency_code": "EUR", "currency_minor_unit": 2}
    cart: dict[str, Any] = {"items": [], "totals": totals}

    async def api(route: Route) -> None:
        await route.fulfill(body=json.dumps(cart), content_type="application/json")

    await shopper.page.route("**/wp-json/wc/store/v1/cart", api)
    assert "woo.js" in await shop(peer, shopper, "woo")
    cart["items"] = [
        {"id": 5, "name": "Bowl", "quantity": 2, "prices": {"price": "1250", "currency_minor_unit": 2}}
    ]
    cart["totals"] |= {"total_items": "2500", "total_discount": "500"}
    await do(shopper, "trigger('added_to_cart')")
    await until(lambda: peer.of(ev.Cart))
    (added,), (told,) = peer.of(ev.CartAdd), peer.of(ev.Cart)
    assert (added.item.id, added.item.price, added.item.quantity) == ("5", 12.5, 2)
    assert (told.value, told.currency, told.quantity) == (20.0, "EUR", 2)
    await do(
        shopper,
        "trigger('wc_fragment_refresh'); trigger('init_checkout'); trigger('applied_coupon', 'Spring')",
    )
    await until(lambda: peer.of(ev.Coupon))
    assert peer.of(ev.Checkout) and peer.of(ev.Coupon)[0].code_hash == hash_of("SPRING")
    cart["items"] = []
    cart["totals"] |= {"total_items": "0", "total_discount": "0"}
    await shopper.page.evaluate(
        "document.body.dispatchEvent(new Event('wc-blocks_removed_from_cart', {bubbles: true}))"
    )
    await until(lambda: peer.of(ev.CartRemove))


async def test_magento(peer: Peer, shopper: Shopper) -> None:
    assert "magento.js" in await shop(peer, shopper, "magento")
    await until(lambda: peer.of(ev.Cart))
    await do(shopper, "change({subtotalAmount: 9900, items: [{...section.items[0], qty: 3}]})")
    await until(lambda: peer.of(ev.CartAdd))
    assert (peer.of(ev.CartAdd)[0].item.id, peer.of(ev.CartAdd)[0].item.quantity) == ("CUP-1", 2)
    assert [cart.value for cart in peer.of(ev.Cart)] == [3300.0, 9900.0]


async def test_eccube(peer: Peer, shopper: Shopper) -> None:
    """The sum in every page's head, full width or not; the lines on the cart page."""
    assert "eccube.js" in await shop(peer, shopper, "eccube")
    await until(lambda: peer.of(ev.Cart))
    await shopper.page.locator("#add").click()
    await until(lambda: len(peer.of(ev.Cart)) == 2)
    assert [(cart.quantity, cart.value) for cart in peer.of(ev.Cart)] == [(1, 3300.0), (2, 6600.0)]
    await shop(peer, shopper, "eccube-cart")
    await until(lambda: len(peer.of(ev.Cart)) == 3)
    told = peer.of(ev.Cart)[2]
    assert (told.value, told.items[0].id, told.items[0].quantity) == (6600.0, "42", 2)


async def test_what_a_page_declares_is_its_product_where_nobody_else_says_so(
    peer: Peer, shopper: Shopper
) -> None:
    assert "jsonld.js" in await shop(peer, shopper, "jsonld")
    await until(lambda: peer.of(ev.Product))
    (viewed,) = peer.of(ev.Product)
    assert (viewed.item.id, viewed.item.name, viewed.item.brand, viewed.item.price) == (
        "POT-1",
        "急須",
        "うつわ",
        9680.0,
    )
    said = (
        SCRIPT
        + "<script>dataLayer = [{event: 'view_item', ecommerce: {items: [{item_id: 'other'}]}}]</script>"
    )
    await shop(peer, shopper, "jsonld", said)
    await until(lambda: len(peer.of(ev.Product)) == 2)
    await shopper.page.wait_for_function("performance.now() > 2500")
    assert [event.item.id for event in peer.of(ev.Product)] == ["POT-1", "other"]


@pytest.mark.parametrize(
    ("more", "fetched"),
    [("", {"jsonld.js"}), ("&adapters=none", set()), ("&adapters=magento,nonsense", {"magento.js"})],
)
async def test_only_what_a_page_is_made_with_is_fetched(
    peer: Peer, shopper: Shopper, more: str, fetched: set[str]
) -> None:
    asked = await shop(peer, shopper, "jsonld", SCRIPT.replace("&consent", f"{more}&consent"))
    usual = {"", "bare", "favicon.ico", "beacon.js", "behaviour.js", "ga4.js"}
    assert set(asked) - usual == fetched


# --- GA4's data layer --------------------------------------------------------------------------------------


async def test_the_data_layer_under_another_name_and_after_it_was_replaced(
    peer: Peer, shopper: Shopper
) -> None:
    named = '<script src="https://www.googletagmanager.com/gtm.js?id=GTM-X&l=shopLayer" async></script>'
    await shopper.page.route("https://www.googletagmanager.com/**", lambda route: route.fulfill(body=""))
    await visit(peer, shopper.page, head=named + SCRIPT)
    await shopper.page.wait_for_load_state("networkidle")
    view = "{event: 'view_item_list', ecommerce: {item_list_id: '%s', items: []}}"
    await do(shopper, f"shopLayer.push({view % 'named'})")
    await do(shopper, f"window.dataLayer = [{view % 'replaced'}]; document.body.click()")
    await until(lambda: {event.id for event in peer.of(ev.ItemList)} == {"named", "replaced"})
    await do(shopper, f"dataLayer.push({{ecommerce: null}}, {view % 'first'}, {view % 'second'}, 7, null)")
    await do(
        shopper,
        "(function () { dataLayer.push(arguments) })('event', 'view_item_list', {item_list_id: 'gtag', items: []})",
    )
    await until(lambda: [event.id for event in peer.of(ev.ItemList)][2:] == ["first", "second", "gtag"])
    await do(shopper, "dataLayer.push({event: 'view_search_results', ecommerce: {items: []}})")
    await until(lambda: peer.of(ev.Search))
    assert peer.of(ev.Search)[0].results == 0
