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


async def shop(
    peer: Peer, shopper: Shopper, name: str, script: str = SCRIPT, path: str = "/bare"
) -> list[str]:
    """A page of this platform with its adapter at work; the chunks that were fetched."""
    peer.behaviour = True
    peer.body = (FIXTURES / f"{name}.html").read_text()
    asked: list[str] = []
    shopper.page.on("request", lambda request: asked.append(request.url.split("?")[0].rsplit("/", 1)[1]))
    await visit(peer, shopper.page, path, script)
    await until(lambda: "behaviour.js" in asked)
    await shopper.page.wait_for_load_state("networkidle")
    return asked


async def do(shopper: Shopper, script: str) -> None:
    await shopper.page.evaluate(f"async () => {{ {script} }}")


async def passes(shopper: Shopper, seconds: float) -> None:
    """Until so much of the page's own time is over."""
    since = await shopper.page.evaluate("performance.now()")
    await shopper.page.wait_for_function(f"performance.now() > {since} + {1000 * seconds}")


async def patience(shopper: Shopper) -> None:
    """Until what stands in this page would have been told."""
    await shopper.page.wait_for_function("performance.now() > 2500")


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
    await do(shopper, "shop.put(0); shop.search(); shop.codes({' spring ': false}, 0, 0)")
    await until(lambda: peer.of(ev.Coupon))
    (removed,) = peer.of(ev.CartRemove)
    assert removed.item.quantity == 3 and [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3, 0]
    assert peer.of(ev.Search)[0].results == 0
    assert (peer.of(ev.Coupon)[0].code_hash, peer.of(ev.Coupon)[0].accepted) == (hash_of("SPRING"), False)


async def test_a_discount_code_counts_when_it_is_new_or_answered_anew(peer: Peer, shopper: Shopper) -> None:
    """One that the cart has had all along is not entered again by the next; the sum is another."""
    await shop(peer, shopper, "shopify")
    await until(lambda: peer.of(ev.Cart))
    await do(shopper, "shop.codes({SPRING: true}, 2000)")
    await until(lambda: peer.of(ev.Coupon))
    await do(shopper, "shop.codes({SPRING: true, NOPE: false}, 2000)")
    await until(lambda: len(peer.of(ev.Coupon)) == 2)
    await do(shopper, "shop.codes({SPRING: false, NOPE: false}, 2860)")
    await until(lambda: len(peer.of(ev.Coupon)) == 3)
    assert [(coupon.code_hash, coupon.accepted) for coupon in peer.of(ev.Coupon)] == [
        (hash_of("SPRING"), True),
        (hash_of("NOPE"), False),
        (hash_of("SPRING"), False),
    ]
    assert [cart.value for cart in peer.of(ev.Cart)] == [2860.0, 2000.0, 2860.0]


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


async def test_quantities_in_segments_words(peer: Peer, shopper: Shopper) -> None:
    """Numbers that a shop tracks as text are numbers."""
    await shop(peer, shopper, "segment")
    products = "[{...mug, quantity: '2'}, {...mug, product_id: 'mug-2', quantity: '1'}, null]"
    await do(shopper, f"analytics.track('Cart Viewed', {{currency: 'JPY', products: {products}}})")
    await until(lambda: peer.of(ev.Cart))
    assert (peer.of(ev.Cart)[0].lines, peer.of(ev.Cart)[0].quantity, peer.of(ev.Cart)[0].value) == (
        2,
        3,
        9600.0,
    )


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


async def test_what_adobe_says_was_changed_and_what_it_took_back(peer: Peer, shopper: Shopper) -> None:
    """The products that changed, each with how many; contexts that are null are no faults."""
    await shop(peer, shopper, "adobe")
    await until(lambda: peer.of(ev.Product))
    gone = "{event: 'add-to-cart', eventInfo: {productContext: null, shoppingCartContext: null}}"
    price = "{value: 2800, currency: 'JPY'}"
    changed = f"{{items: [{{quantity: 3, product: {{...cup, pricing: null}}, prices: {{price: {price}}}}}]}}"
    add = f"{{event: 'add-to-cart', eventInfo: {{productContext: null, changedProductsContext: {changed}}}}}"
    await do(shopper, f"adobeDataLayer.push({gone}, {gone}, {gone}, {gone}, {add})")
    await until(lambda: peer.of(ev.CartAdd))
    (added,) = peer.of(ev.CartAdd)
    assert (added.item.id, added.item.quantity, added.item.price, added.currency) == (
        "CUP-1", 3, 2800.0, "JPY",
    )  # fmt: skip


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


async def test_an_older_answer_of_the_store_api_does_not_undo_a_newer_one(
    peer: Peer, shopper: Shopper
) -> None:
    """Names come as HTML and are told as text."""
    late: list[Route] = []

    async def asked(times: int) -> None:
        await until(lambda: len(late) == times)

    async def answer(route: Route, quantity: int) -> None:
        prices = {"price": "1250", "currency_minor_unit": 0}
        bowl = {"id": 5, "name": "Bowl &amp; plate &#8211; blue", "quantity": quantity, "prices": prices}
        totals = {"currency_code": "JPY", "currency_minor_unit": 0, "total_items": str(1250 * quantity)}
        body = json.dumps({"items": [bowl], "totals": totals})
        await route.fulfill(body=body, content_type="application/json")

    async def api(route: Route) -> None:
        late.append(route)

    await shopper.page.route("**/wp-json/wc/store/v1/cart", api)
    peer.behaviour = True
    peer.body = (FIXTURES / "woo.html").read_text()
    await visit(peer, shopper.page)
    for times in (1, 2, 3):
        await asked(times)
        await do(shopper, "trigger('added_to_cart')")
    await asked(4)
    await answer(late[0], 1)  # also one that was asked before the others has its say, if it comes first
    await until(lambda: peer.of(ev.Cart))
    await answer(late[3], 3)
    await until(lambda: peer.of(ev.CartAdd))
    await answer(late[1], 1)
    await answer(late[2], 2)
    await shopper.page.wait_for_load_state("networkidle")
    await do(shopper, "router.track('list', {id: 'after', count: 1})")
    await until(lambda: peer.of(ev.ItemList))
    assert [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3] and not peer.of(ev.CartRemove)
    (added,) = peer.of(ev.CartAdd)
    assert (added.item.name, added.item.quantity) == ("Bowl & plate – blue", 2)


async def test_an_error_page_of_the_shop_does_not_silence_the_adapter(peer: Peer, shopper: Shopper) -> None:
    """However often it comes: three faults of its own would."""
    totals = {"total_items": "1250", "currency_code": "JPY", "currency_minor_unit": 0}
    bowl = {"id": 5, "name": "Bowl", "quantity": 1, "prices": {"price": "1250", "currency_minor_unit": 0}}
    failed: list[int] = []

    async def api(route: Route) -> None:
        if len(failed) < 4:
            failed.append(503)
            await route.fulfill(status=503, body="<h1>busy</h1>", content_type="text/html")
        else:
            await route.fulfill(
                body=json.dumps({"items": [bowl], "totals": totals}), content_type="application/json"
            )

    await shopper.page.route("**/wp-json/wc/store/v1/cart", api)
    await shop(peer, shopper, "woo")
    for _ in range(4):
        async with shopper.page.expect_request_finished():
            await do(shopper, "trigger('added_to_cart')")
    assert len(failed) == 4
    await until(lambda: peer.of(ev.Cart))


async def test_magento(peer: Peer, shopper: Shopper) -> None:
    assert "magento.js" in await shop(peer, shopper, "magento")
    await until(lambda: peer.of(ev.Cart))
    await do(shopper, "change({subtotalAmount: 9900, items: [{...section.items[0], qty: 3}]})")
    await until(lambda: peer.of(ev.CartAdd))
    assert (peer.of(ev.CartAdd)[0].item.id, peer.of(ev.CartAdd)[0].item.quantity) == ("CUP-1", 2)
    assert [cart.value for cart in peer.of(ev.Cart)] == [3300.0, 9900.0]


async def test_eccube(peer: Peer, shopper: Shopper) -> None:
    """The sum in every page's head, full width or not; the lines on the cart page, whatever the number of carts."""
    assert "eccube.js" in await shop(peer, shopper, "eccube")
    await until(lambda: peer.of(ev.Cart))
    await shopper.page.locator("#add").click()
    await until(lambda: len(peer.of(ev.Cart)) == 2)
    assert [(cart.quantity, cart.value) for cart in peer.of(ev.Cart)] == [(1, 3300.0), (2, 6600.0)]
    await shop(peer, shopper, "eccube-cart")
    await until(lambda: len(peer.of(ev.Cart)) == 3)
    told = peer.of(ev.Cart)[2]
    assert (told.value, told.items[0].id, told.items[0].quantity) == (7150.0, "42", 2)


async def test_makeshop(peer: Peer, shopper: Shopper) -> None:
    """The product by the platform's marks; the cart's lines by its fields, each once, as they are and not as typed."""
    assert "makeshop.js" in await shop(peer, shopper, "makeshop", path="/bare/view/item/000000000642")
    await until(lambda: peer.of(ev.Product))
    (viewed,) = peer.of(ev.Product)
    assert (viewed.item.id, viewed.item.name, viewed.item.price, viewed.currency) == (
        "000000000642", "湯呑み", 3300.0, "JPY",
    )  # fmt: skip
    assert not peer.of(ev.Cart)
    await shopper.page.locator("#open").click()
    await until(lambda: peer.of(ev.Cart))
    await shop(peer, shopper, "makeshop-cart", path="/bare/view/cart")
    await until(lambda: len(peer.of(ev.Cart)) == 2)
    told = peer.of(ev.Cart)[1]
    assert (told.lines, told.quantity, told.value) == (2, 3, None)
    assert [(item.id, item.name, item.quantity) for item in told.items] == [
        ("000000000642", "湯呑み", 2),
        ("000000000077", "急須", 1),
    ]
    await shopper.page.locator("input").last.fill("20")
    await shopper.page.locator("#remove").click()
    await until(lambda: peer.of(ev.CartRemove))
    assert [removed.item.id for removed in peer.of(ev.CartRemove)] == ["000000000077"]
    assert [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3, 2] and not peer.of(ev.CartAdd)
    await shopper.page.locator("text=ご購入手続きへ進む").click()
    await until(lambda: peer.of(ev.Checkout))
    assert [page.type for page in peer.of(ev.Page)] == ["product", "cart"]


async def test_what_a_makeshop_page_declares_is_its_product_once(peer: Peer, shopper: Shopper) -> None:
    """JSON-LD beside the platform's marks is one product, by whichever of them was read first."""
    declared = (
        '<script type="application/ld+json">{"@type": "Product", "sku": "CUP-1", "name": "湯呑み"}</script>'
    )
    asked = await shop(peer, shopper, "makeshop", SCRIPT + declared)
    assert {"makeshop.js", "jsonld.js"} <= set(asked)
    await until(lambda: peer.of(ev.Product))
    await patience(shopper)
    assert len(peer.of(ev.Product)) == 1


async def test_futureshop(peer: Peer, shopper: Shopper) -> None:
    """The number in the head; a rise after the product's own button is an addition of it."""
    assert "futureshop.js" in await shop(peer, shopper, "futureshop", path="/bare/c/tea/cup-1")
    await until(lambda: peer.of(ev.Cart))
    await shopper.page.locator("#add span").click()
    await until(lambda: peer.of(ev.CartAdd))
    (added,) = peer.of(ev.CartAdd)
    assert (added.item.id, added.item.name, added.item.quantity) == ("cup-1", "湯呑み", 2)
    await shopper.page.locator("#other").click()
    await until(lambda: [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3, 5])
    await do(shopper, "fill(0); document.body.click()")
    await until(lambda: [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3, 5, 0])
    await passes(shopper, 1.5)
    assert len(peer.of(ev.CartAdd)) == 1 and not any(cart.items for cart in peer.of(ev.Cart))
    await shop(peer, shopper, "futureshop-cart", path="/bare/p/cart")
    await until(lambda: len(peer.of(ev.Cart)) == 5)
    told = peer.of(ev.Cart)[4]
    assert (told.lines, told.quantity, told.value) == (2, 2, None)
    assert [(item.id, item.name) for item in told.items] == [("cup-1", "湯呑み"), ("pot-1", "急須")]
    await shop(peer, shopper, "futureshop-checkout", path="/bare/p/order")
    await until(lambda: peer.of(ev.Checkout))
    assert [page.type for page in peer.of(ev.Page)] == ["other", "cart", "checkout"]


async def test_what_futureshops_data_layer_says_was_added_is_not_added_again(
    peer: Peer, shopper: Shopper
) -> None:
    """It may call the product by another name."""
    await shop(peer, shopper, "futureshop", path="/bare/c/tea/cup-1")
    await until(lambda: peer.of(ev.Cart))
    added = "{event: 'add_to_cart', ecommerce: {items: [{item_id: 'CUP-0001', quantity: 2}]}}"
    await do(
        shopper, f"document.getElementById('add').addEventListener('click', () => dataLayer.push({added}))"
    )
    await shopper.page.locator("#add").click()
    await until(lambda: [cart.quantity for cart in peer.of(ev.Cart)] == [1, 3])
    await passes(shopper, 1.5)
    assert [event.item.id for event in peer.of(ev.CartAdd)] == ["CUP-0001"]


# --- how much a search has found --------------------------------------------------------------------------


FOUND = '<meta name="router:results" content="{}">'


async def test_a_page_that_states_what_a_search_found_tells_it_once_a_view(
    peer: Peer, shopper: Shopper
) -> None:
    """Also where a single-page app goes on to the next search, and no more once nothing is stated."""
    peer.behaviour = True
    await visit(peer, shopper.page, head=FOUND.format(0) + SCRIPT)
    await until(lambda: peer.of(ev.Search))
    state = "document.querySelector('meta[name=\"router:results\"]')"
    view = "dataLayer.push({{event: 'page_view', page_location: '/bare/{}'}})"
    await do(shopper, f"{view.format('search')}; {state}.content = '12'")
    await until(lambda: len(peer.of(ev.Search)) == 2)
    await do(shopper, f"{view.format('cups')}; {state}.remove()")
    await passes(shopper, 1.5)
    assert [(search.terms, search.results) for search in peer.of(ev.Search)] == [(None, 0), (None, 12)]


@pytest.mark.parametrize("content", ["", " ", "some"])
async def test_what_is_no_number_states_nothing(peer: Peer, shopper: Shopper, content: str) -> None:
    peer.behaviour = True
    await visit(peer, shopper.page, head=FOUND.format(content) + SCRIPT)
    await shopper.page.wait_for_load_state("networkidle")
    await patience(shopper)
    assert not peer.of(ev.Search)


@pytest.mark.parametrize(
    ("said", "results"),
    [
        ("dataLayer = [{event: 'view_search_results', search_term: 'cup'}]", 0),
        ("dataLayer = [{event: 'search', ecommerce: {items: [{item_id: 'cup'}]}}]", 1),
        ("router = [['track', 'search', {results: 3}]]", 3),
    ],
)
async def test_a_search_that_somebody_tells_and_the_page_states_counts_once(
    peer: Peer, shopper: Shopper, said: str, results: int
) -> None:
    """Who does not know how much was found gets it from the page."""
    peer.behaviour = True
    await visit(peer, shopper.page, head=f"{FOUND.format(0)}<script>{said}</script>{SCRIPT}")
    await until(lambda: peer.of(ev.Search))
    await shopper.page.wait_for_load_state("networkidle")
    await patience(shopper)
    assert [search.results for search in peer.of(ev.Search)] == [results]


@pytest.mark.parametrize(
    ("name", "path", "results"),
    [
        ("woo-search", "/bare?s=cup&post_type=product", [0]),
        ("magento-search", "/bare/catalogsearch/result/?q=cup", [14]),
        ("eccube-list", "/bare/products/list?name=cup", [0]),
        ("eccube-list", "/bare/products/list?category_id=2&name=", []),
        ("futureshop-search", "/bare/p/search?keyword=cup", [0]),
        ("futureshop-search", "/bare/p/search?tag=sale", []),
    ],
)
async def test_what_a_platforms_search_page_shows(
    peer: Peer, shopper: Shopper, name: str, path: str, results: list[int]
) -> None:
    """Nothing of what was searched for; a list that no search has led to is none."""
    await shop(peer, shopper, name, path=path)
    if results:
        await until(lambda: peer.of(ev.Search))
    await patience(shopper)
    assert [(search.terms, search.results) for search in peer.of(ev.Search)] == [(None, n) for n in results]


async def test_what_the_shop_states_outweighs_what_its_template_shows(peer: Peer, shopper: Shopper) -> None:
    await shop(peer, shopper, "magento-search", FOUND.format(9) + SCRIPT)
    await until(lambda: peer.of(ev.Search))
    await patience(shopper)
    assert [search.results for search in peer.of(ev.Search)] == [9]


# --- what a page declares ----------------------------------------------------------------------------------


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
    await patience(shopper)
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
