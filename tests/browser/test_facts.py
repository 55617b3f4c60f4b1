"""From what a shopper does in the demo shop to what a rule reads: real beacon, real service, every fact of a shop.

Facts of behaviour (scrolling, idleness, struggle, signs of leaving) have their own file, `test_behaviour.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis

from router.core.facts import FACTS
from router.core.signing import sign_request, site_key
from router.live.clock import WallClock
from router.store.embedded import Embedded
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import welcomed
from tests.browser.shopping import order, put_in_cart
from tests.service import SECRET, InLoop, in_loop
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HERE = Path(__file__).read_text(encoding="utf-8")
BEHAVIOUR = Path(__file__).with_name("test_behaviour.py").read_text(encoding="utf-8")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def at(valkey: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[InLoop]:
    async with Redis.from_url(valkey.url) as redis:
        await redis.flushall()
    async with in_loop(valkey.url, WallClock(), tmp_path_factory.mktemp("data")) as running:
        yield running


class Reader:
    """What rules would read of the newest session."""

    def __init__(self, at: InLoop) -> None:
        self.at = at

    def __call__(self, name: str) -> Any:
        held = max(self.at.service.engine.holdings.all(), key=lambda held: held.session.started, default=None)
        if held is None:
            return None  # nobody has come yet
        return FACTS[name].read(held.session, self.at.service.clock.now())

    async def becomes(self, **wanted: Any) -> None:
        """Each fact (`cart__value` is `cart.value`) comes to this value, or meets this question."""
        for name, value in wanted.items():
            fact = name.replace("__", ".")
            try:
                await until(partial(self._met, fact, value))
            except AssertionError:
                raise AssertionError(f"{fact} is {self(fact)!r}; {self._sessions()}") from None

    def _sessions(self) -> list[tuple[Any, ...]]:
        """What there is to read, for who has to find out why it was not."""
        found = (held.session for held in self.at.service.engine.holdings.all())
        return [(s.started, s.newest, s.visits, s.events, [p.path for p in s.pages.values()]) for s in found]

    def _met(self, name: str, wanted: Any) -> bool:
        read = self(name)
        return bool(read is not None and (wanted(read) if callable(wanted) else read == wanted))


@pytest.fixture
def reads(at: InLoop) -> Reader:
    return Reader(at)


async def follow(page: Page, at: InLoop, path: str) -> None:
    """The shop's own pages, one after the other."""
    await page.goto(f"{at.url}{path}")
    await expect(page.locator("#main")).to_be_visible()
    await welcomed(page)  # it connects when the page is loaded and idle


async def test_pages_and_products(at: InLoop, reads: Reader, shopper: Shopper) -> None:
    page = shopper.page
    await page.goto(f"{at.url}/demo/?lang=en", referer="https://search.example/pots")
    await reads.becomes(
        page__type="home", page__path="/demo/", page__language="en", visit__referrer="search.example", visit__number=1,
        visitor__returning=False,
    )  # fmt: skip
    await follow(page, at, "/demo/p/pot-kyusu")
    await reads.becomes(product__price=9680, product__category="pot", page__type="product")
    await page.bring_to_front()
    await reads.becomes(dwell__page=lambda ms: ms > 0, dwell__site=lambda ms: ms > 0)


async def test_the_cart_from_the_first_piece_to_its_removal(
    at: InLoop, reads: Reader, shopper: Shopper
) -> None:
    page = shopper.page
    await put_in_cart(page, at.url, "pot-kyusu", 2)
    await reads.becomes(cart__lines=1, cart__quantity=2, cart__value=19360, cart__edits=1)
    await put_in_cart(page, at.url, "cup-celadon")
    await reads.becomes(cart__lines=2, cart__quantity=3, cart__value=22660, cart__edits=2, cart__removed=0)
    await reads.becomes(cart__age=lambda ms: ms > 0, cart__last_added=lambda ms: ms >= 0)
    await follow(page, at, "/demo/cart")
    await page.get_by_role("button", name="削除").first.click()
    await reads.becomes(cart__lines=1, cart__quantity=1, cart__value=3300, cart__edits=3, cart__removed=2)


async def test_the_checkout_until_a_payment_fails(at: InLoop, reads: Reader, shopper: Shopper) -> None:
    page = shopper.page
    await put_in_cart(page, at.url, "donabe")
    assert reads("checkout.started") is False
    await follow(page, at, "/demo/checkout")
    await reads.becomes(checkout__started=True)
    await page.evaluate(
        "window.dataLayer.push({event: 'add_shipping_info', ecommerce: {shipping_tier: 'x'}})"
    )
    await reads.becomes(checkout__step=1)
    await page.evaluate("router.track('payment', {method: 'card', result: 'failed'})")
    await reads.becomes(payment__failed=True)


async def test_what_was_shown_counts(at: InLoop, reads: Reader, shopper: Shopper) -> None:
    page = shopper.page
    assert await _offered(at, reads, page) == 1


async def _offered(at: InLoop, reads: Reader, page: Page) -> int:
    await put_in_cart(page, at.url, "donabe")
    await follow(page, at, "/demo/checkout")
    await page.bring_to_front()
    await expect(page.locator("router-ui .card")).to_be_visible(timeout=20_000)
    await reads.becomes(offers__seen=1)
    seen: int = reads("offers.seen")
    return seen


async def test_a_visitor_who_bought_comes_back_as_one(at: InLoop, reads: Reader, chromium: Browser) -> None:
    """In another browser session; and the shop's backend says what it knows."""
    async with visiting(chromium) as shopper:
        page = shopper.page
        await put_in_cart(page, at.url, "donabe")
        await follow(page, at, "/demo/checkout")
        await order(page, "")
        await page.wait_for_url("**/demo/thanks")
        await until(lambda: any(held.session.purchased_at for held in at.service.engine.holdings.all()))
        await reads.becomes(page__path="/demo/thanks")  # before its welcome it would set the cookie again
        await shopper.context.clear_cookies()  # the session's; the visitor's token stays
        await follow(page, at, "/demo/")
        await reads.becomes(visitor__returning=True, visit__number=2)
        token = await page.evaluate("localStorage.getItem('router_v')")
        body = {"visitor": token, "orders": 7, "tier": "gold", "score": 0.75}
        await _tell(at, body)
        await reads.becomes(visitor__orders=7, visitor__tier="gold", score=0.75)


async def _tell(at: InLoop, body: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=at.url) as http:
        request = http.build_request("POST", "/api/visitors", json=body)
        moment = str(int(time.time()))
        request.headers["X-Router-Site"] = "demo"
        request.headers["X-Router-Time"] = moment
        request.headers["X-Router-Signature"] = sign_request(
            site_key(SECRET, "demo"), moment, request.content
        )
        assert (await http.send(request)).status_code == 200


async def test_every_fact_has_a_way_from_a_gesture() -> None:
    """None is only claimed: this file waits for it by its keyword, or the other one reads it."""
    here, behaviour = set(re.findall(r"(\w+)=", HERE)), BEHAVIOUR
    for name in FACTS:
        head, _, tail = name.partition(".")
        there = f'"{name}"' in behaviour or (f"{head}.{{name}}" in behaviour and f'"{tail}"' in behaviour)
        assert name.replace(".", "__") in here or there, name
