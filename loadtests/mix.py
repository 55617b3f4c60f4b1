"""What the bench's shoppers do: forty events from the list to the cart, as long as a long real session.

(Recorded shops: half of all sessions have 3 actions or less, one in a hundred more than 40; the average action
stands in a session of about 19. A session that is never left would grow to its bounds and measure something else.)
Every event is read by a rule of the demo's file. One shopper in eight looks at a piece three times, so a rule turns
true and the whole way behind it (caps, capacity, claim, journal, show) is walked as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loadtests.frames import Event

EVENTS: Final = 40
CURRENCY: Final = "JPY"
HESITANT: Final = 8
SEEN_BEFORE_MS: Final = 10_000  # the page was opened 10 s ago, so `not_before` keeps no decision back
_ADDED: Final = (2, 5)


def opening() -> list[Event]:
    """The first events of a page: it is looked at, and has been for a while."""
    return [[1, SEEN_BEFORE_MS, "list", "/demo/", None, "Utsuwa", "ja"], [14, SEEN_BEFORE_MS, 0, 2]]


def session(number: int) -> list[Event]:
    """Shopper `number`'s forty events: 12 pages, 10 products, 14 dwells, 2 adds and 2 carts."""
    return list(_walk(number))


def _walk(number: int) -> Iterator[Event]:
    for step in range(10):
        item = _item(number if number % HESITANT == 0 and step > 6 else number + step)
        yield [1, 3, "product", f"/demo/product/{item[0]}", "/demo/", item[1], "ja"]
        yield [4, 2, item, item[5], CURRENCY]
        yield [14, 1, 700 + step, 2]
        if step in _ADDED:
            yield [5, 0, item, item[5], CURRENCY]
            yield [14, 0, 900 + step, 1]
            yield [1, 4, "cart", "/demo/cart", "/demo/", "Cart", "ja"]
            yield _cart([_item(number + added) for added in _ADDED if added <= step])
            yield [14, 1, 100, 2]


def _item(number: int) -> list[object]:
    piece = number % 100
    return [f"piece-{piece:02d}", f"器 {piece}", "cups", "Utsuwa", None, 1800.0 + 20 * piece, 1]


def _cart(lines: list[list[object]]) -> Event:
    return [7, 1, len(lines), len(lines), sum(float(str(line[5])) for line in lines), CURRENCY, lines]
