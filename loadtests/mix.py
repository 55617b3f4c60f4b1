"""What the bench's shoppers do: a lap through the shop, a hundred events, each kind about as often as in a shop.

Every event is read by some rule of the demo's file. One product is looked at three times a lap, so one rule in a
hundred events turns true and the whole way behind it (caps, capacity, claim, journal, show) is walked as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loadtests.frames import Event

CURRENCY: Final = "JPY"
PRODUCTS: Final = 24
LOOKS: Final = 3
SEEN_BEFORE_MS: Final = 10_000  # the page was opened 10 s ago, so `not_before` keeps no decision back


def opening() -> list[Event]:
    """The first events of a page: it is looked at, and has been for a while."""
    return [[1, SEEN_BEFORE_MS, "list", "/demo/", None, "Utsuwa", "ja"], [14, SEEN_BEFORE_MS, 0, 2]]


def lap() -> list[Event]:
    """A hundred events: 25 pages, 27 products, 37 dwells, 6 adds and 5 carts."""
    return list(_walk())


def _walk() -> Iterator[Event]:
    for number in range(PRODUCTS):
        item = _item(number)
        yield [1, 3, "product", f"/demo/product/{item[0]}", "/demo/", item[1], "ja"]
        yield [4, 2, item, item[5], CURRENCY]
        yield [14, 1, 700 + number, 2]
        if number % 4 == 3:
            yield [5, 0, item, item[5], CURRENCY]
            yield [14, 0, 900 + number, 1]
        if number % 5 == 4:
            yield _cart(number)
    for _ in range(LOOKS):
        yield [4, 2, _item(7), 4200.0, CURRENCY]
        yield [14, 0, 1500, 2]
    yield [1, 4, "cart", "/demo/cart", "/demo/", "Cart", "ja"]
    yield _cart(PRODUCTS)
    yield from ([14, 0, 2000 + turn, turn % 2 + 1] for turn in range(4))


def _item(number: int) -> list[object]:
    return [f"piece-{number:02d}", f"器 {number}", "cups", "Utsuwa", None, 1800.0 + 200 * number, 1]


def _cart(number: int) -> Event:
    lines = [_item(index * 4 + 3) for index in range(number // 4)]
    value = sum(float(str(line[5])) for line in lines)
    return [7, 1, len(lines), len(lines), value, CURRENCY, lines]
