"""Simulated shoppers in the demo shop, so that a visitor is not alone there. They look around, put things into carts,
hesitate and leave; they never answer an invite, so no agent is kept from anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from picows import WSError

from router.core import events as ev
from router.core.protocol import ServerMessage, Show
from router.replay.page import PageClient

PAUSE_S: Final = (2.0, 12.0)  # on each page
PAGES: Final = (2, 9)
ADDS: Final = 0.3  # how often who looks at a product puts it into the cart
GONE_S: Final = 5.0
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

Product = dict[str, Any]
Pause = Callable[[], Awaitable[None]]


async def browse(
    address: str,
    site: str,
    products: Sequence[Product],
    shoppers: int,
    chance: random.Random,
    pause_s: tuple[float, float] = PAUSE_S,
) -> None:
    """So many shoppers at a time, one after the other, until cancelled. `address`: the service's, http://..."""

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(*pause_s))

    async def come_again_and_again() -> None:
        while True:
            await pause()
            with contextlib.suppress(OSError, TimeoutError, WSError):
                await _visit(address, site, visit(products, chance), chance, pause)

    async with asyncio.TaskGroup() as group:
        for _ in range(shoppers):
            group.create_task(come_again_and_again())


async def _visit(
    address: str, site: str, pages: Iterator[list[ev.AnyEvent]], chance: random.Random, pause: Pause
) -> None:
    token: str | None = None
    visitor: str | None = None
    previous: str | None = None
    for events in pages:
        page = PageClient(_page_id(chance), site, token, visitor, _look)
        try:
            await page.connect(address.replace("http", "ws", 1), address, previous=previous, language="ja")
            page.send(*events)
            await page.stored()
            await pause()
        finally:
            page.close()
        async with asyncio.timeout(GONE_S):
            await page.gone.wait()
        token, visitor, previous = page.token, page.visitor, page.page


def visit(products: Sequence[Product], chance: random.Random) -> Iterator[list[ev.AnyEvent]]:
    """The events of each page of one visit."""
    yield _page("home", "/demo/")
    value, quantity, lines = 0, 0, 0
    for _ in range(chance.randint(*PAGES)):
        product = chance.choice(products)
        item = ev.Item(product["id"], product["ja"]["name"], product["category"], price=product["price"])
        seen = [*_page("product", f"/demo/p/{product['id']}"), ev.Product(0, item, product["price"], "JPY")]
        if chance.random() < ADDS:
            value, quantity, lines = value + product["price"], quantity + 1, lines + 1
            seen.append(ev.CartAdd(0, item, product["price"], "JPY"))
        yield seen
    if quantity:
        yield [*_page("cart", "/demo/cart"), ev.Cart(0, lines, quantity, value, "JPY")]
        yield _page("shipping", "/demo/shipping")


def _page(kind: str, path: str) -> list[ev.AnyEvent]:
    return [ev.Page(0, kind, path, None, None, "ja"), ev.Dwell(0, 0, ev.FOCUSED)]


def _page_id(chance: random.Random) -> str:
    """As a page makes it: the clock in nine digits of base 36, and eight at random."""
    moment, clock = time.time_ns() // 1_000_000, ""
    while moment:
        moment, digit = divmod(moment, 36)
        clock = DIGITS[digit] + clock
    return clock.rjust(9, "0") + "".join(chance.choices(DIGITS, k=8))


def _look(page: PageClient, message: ServerMessage) -> None:
    """What is shown is seen, and left as it is."""
    if isinstance(message, Show):
        page.send(ev.Shown(0, message.decision))
