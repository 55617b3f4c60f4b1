"""What the beacon collects in a real browser, and what it keeps to itself until it may tell."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from router.core import events as ev
from tests.browser.conftest import Shopper
from tests.browser.pages import NOTICE, SCRIPT, stored, track, tracked, visit
from tests.browser.peer import Peer
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HIDE = """() => {
  Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


# --- consent -----------------------------------------------------------------------------------------------


async def test_before_consent_nothing_is_stored_or_sent_and_afterwards_nothing_is_missing(
    peer: Peer, shopper: Shopper
) -> None:
    """Events wait in memory."""
    peer.head = '<script src="/beacon.js?site=demo&consent=required"></script>'
    asked: list[str] = []
    shopper.page.on("request", lambda request: asked.append(request.url))
    await shopper.page.goto(peer.url + "/bare/first")
    await track(shopper.page, "early")
    assert await stored(shopper.page) == {"cookie": "", "local": {}, "session": {}}
    scripts = ("/beacon.js", "/consent.js", "/ga4.js")
    assert not peer.hellos and {urlsplit(url).path for url in asked} == {"/bare/first", *scripts}
    await shopper.page.evaluate("() => router.consent(true)")
    await until(lambda: tracked(peer) == ["early"])
    assert peer.kinds() == ["Page", "ItemList"]
    await shopper.page.evaluate("() => router.consent(false)")
    assert await stored(shopper.page) == {"cookie": "", "local": {}, "session": {}}
    await track(shopper.page, "late")
    await until(lambda: not peer.sockets)
    assert tracked(peer) == ["early"]


async def test_a_site_that_requires_consent_is_obeyed_even_if_the_script_was_not_told(
    peer: Peer, shopper: Shopper
) -> None:
    """Welcome says so: what was kept is dropped, and the page waits."""
    peer.consent = "required"
    peer.head = NOTICE
    await shopper.page.goto(peer.url + "/bare")
    await until(lambda: peer.hellos and not peer.sockets)
    assert await stored(shopper.page) == {"cookie": "", "local": {}, "session": {}}
    assert not peer.received
    await shopper.page.wait_for_load_state("networkidle")
    await shopper.page.evaluate("dataLayer.push(['consent', 'update', { analytics_storage: 'granted' }])")
    await until(lambda: peer.of(ev.Page))


# --- what a page and its data layer say --------------------------------------------------------------------


async def test_a_page_says_what_it_is(peer: Peer, shopper: Shopper) -> None:
    """By its own word, else by its address."""
    meta = '<meta name="router:page-type" content="home">'
    pages = [
        ("/bare/cart", "", "cart"),
        ("/bare/cart", meta, "home"),
        ("/bare/shop/products/bowl-1", "", "product"),
        ("/bare/order/thanks", "", "thanks"),
        ("/bare/en/checkout/shipping", "", "shipping"),
        ("/bare/about", "", "other"),
    ]
    for path, head, _ in pages:
        await visit(peer, shopper.page, path, f"{head}<title>見出し</title>{SCRIPT}")
    await until(lambda: len(peer.of(ev.Page)) == len(pages))
    assert [(page.type, page.path) for page in peer.of(ev.Page)] == [(kind, path) for path, _, kind in pages]
    assert {(page.title, page.language) for page in peer.of(ev.Page)} == {("見出し", "ja")}


ITEM = {
    "item_id": "cup",
    "item_name": "湯呑",
    "item_brand": "窯",
    "item_category": "cup",
    "price": 3300,
    "quantity": 2,
}
SAME = ev.Item("cup", "湯呑", "cup", "窯", None, 3300, 2)
MONEY = {"value": 6600, "currency": "JPY"}
GA4: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("view_item", {**MONEY, "items": [ITEM]}, {"item": SAME, "value": 6600, "currency": "JPY"}),
    ("add_to_cart", {**MONEY, "items": [ITEM]}, {"item": SAME, "value": 6600, "currency": "JPY"}),
    ("remove_from_cart", {**MONEY, "items": [ITEM]}, {"item": SAME, "value": 6600, "currency": "JPY"}),
    ("view_cart", {"currency": "JPY", "items": [ITEM]}, {"quantity": 2, "value": 6600, "items": [SAME]}),
    ("begin_checkout", {**MONEY, "coupon": "C"}, {"value": 6600, "coupon": "C"}),
    ("add_shipping_info", {**MONEY, "shipping_tier": "fast"}, {"number": 1, "name": "fast"}),
    ("add_payment_info", {**MONEY, "payment_type": "card"}, {"method": "card", "result": "started"}),
    ("purchase", {**MONEY, "transaction_id": "T1"}, {"order": "T1", "value": 6600}),
    ("view_item_list", {"item_list_id": "all", "items": [ITEM, ITEM]}, {"id": "all", "count": 2}),
    ("add_to_wishlist", {**MONEY, "items": [ITEM]}, {"item": SAME}),
    ("search", {"search_term": "secret"}, {"terms": None}),
]  # fmt: skip
KINDS = [
    *("Product", "CartAdd", "CartRemove", "Cart", "Checkout", "CheckoutStep"),
    *("Payment", "Purchase", "ItemList", "Wishlist", "Search"),
]


@pytest.mark.parametrize("form", ["before", "tag manager", "gtag"])
async def test_a_ga4_data_layer_needs_no_code(peer: Peer, shopper: Shopper, form: str) -> None:
    """Entries of both forms, those that were there before the script and those that come."""
    entries = [{"event": name, "ecommerce": data} for name, data, _ in GA4]
    early = f"<script>window.dataLayer = {json.dumps(entries)}</script>" if form == "before" else ""
    await visit(peer, shopper.page, head=early + SCRIPT)
    if form == "tag manager":
        await shopper.page.evaluate("(entries) => entries.forEach((entry) => dataLayer.push(entry))", entries)
    if form == "gtag":
        await shopper.page.evaluate(
            """(calls) => {
              function gtag() { dataLayer.push(arguments); }
              calls.forEach((call) => gtag(...call));
            }""",
            [["event", name, data] for name, data, _ in GA4],
        )
    await until(lambda: len(peer.kinds()) == 1 + len(GA4))
    assert peer.kinds() == ["Page", *KINDS]
    for kind, (_, _, fields) in zip(KINDS, GA4, strict=True):
        (event,) = peer.of(getattr(ev, kind))
        assert {name: getattr(event, name) for name in fields} == fields


async def test_one_action_that_two_sources_report_counts_once(peer: Peer, shopper: Shopper) -> None:
    """The shop's own word and its data layer; a real second tap counts again."""
    await visit(peer, shopper.page)
    both = """() => {
      router.track('cart_add', {item: {id: 'cup', price: 3300}, currency: 'JPY'});
      const items = [{item_id: 'cup', price: 3300}];
      dataLayer.push({event: 'add_to_cart', ecommerce: {currency: 'JPY', items}});
    }"""
    await shopper.page.evaluate(both)
    await shopper.page.evaluate(both)
    await track(shopper.page, "end")
    await until(lambda: tracked(peer))
    assert len(peer.of(ev.CartAdd)) == 2


async def test_a_purchase_counts_once_an_order_number(peer: Peer, shopper: Shopper) -> None:
    """A reload of the thank-you page pushes it again."""
    bought = {"event": "purchase", "ecommerce": {"transaction_id": "T1", "value": 10, "currency": "JPY"}}
    head = f"<script>window.dataLayer = [{json.dumps(bought)}]</script>{SCRIPT}"
    await visit(peer, shopper.page, "/bare/thanks", head)
    await visit(peer, shopper.page, "/bare/thanks", head)
    await track(shopper.page, "end")
    await until(lambda: tracked(peer))
    assert len(peer.of(ev.Purchase)) == 1


async def test_a_page_view_of_a_shop_in_one_page_is_a_page_view(peer: Peer, shopper: Shopper) -> None:
    """Of the address it names; the one that every page reports for itself is not counted twice."""
    await visit(peer, shopper.page, "/bare/list")
    for path in ("/bare/list", "/bare/cart"):
        await shopper.page.evaluate(
            "(url) => dataLayer.push({event: 'page_view', page_location: url, page_title: 'T'})",
            peer.url + path,
        )
    await until(lambda: len(peer.of(ev.Page)) == 2)
    assert [(page.type, page.path) for page in peer.of(ev.Page)] == [
        ("other", "/bare/list"),
        ("cart", "/bare/cart"),
    ]


async def test_attention_is_told_when_it_changes(peer: Peer, shopper: Shopper) -> None:
    """Visible and focused, then hidden: what it measured goes out at once, by socket and by POST."""
    await visit(peer, shopper.page)
    await until(lambda: peer.of(ev.Dwell))
    await shopper.page.evaluate(HIDE)
    await until(lambda: len(peer.of(ev.Dwell)) == 2 and peer.farewells)
    first, second = peer.of(ev.Dwell)
    assert (first.ms, first.state) == (0, ev.FOCUSED)
    assert second.state == ev.HIDDEN and second.ms > 0
