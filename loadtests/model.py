"""How simulated shoppers behave: a synthetic model, drawn from nothing but a `random.Random`.

| What | Drawn from | Why |
|---|---|---|
| pages a visit | log-normal, median 3, p90 15, at most 60 | recorded shops |
| seconds between pages | log-normal, median 54, p90 337, over the pace, at most 20 then | the same |
| a page | list, product, cart by weight; one product in three goes into the cart | a shop's usual funnel |
| end of a visit | 30 % wait in the cart, 30 % return to the delivery page, the rest leave | rules turn true soon |
| an invite | 60 % accept and say 1 to 4 things; half the rest dismiss it | in truth 3 to 9 %; talks are measured too |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from router.core import events as ev

CURRENCY: Final = "JPY"
PAGES_MEDIAN, PAGES_P90, PAGES_MAX = 3, 15, 60
GAP_MEDIAN_S, GAP_P90_S, GAP_MAX_S = 54.0, 337.0, 20.0
Z90: Final = 1.2816  # the normal distribution's ninth decile
ADDS: Final = 1 / 3
ACCEPTS: Final = 0.6
DISMISSES: Final = 0.5  # of those who do not accept
PRODUCTS: Final = 40

Ending = Literal["cart", "shipping", "leave"]
ENDINGS: Final[tuple[Ending, ...]] = ("cart", "shipping", "leave")


@dataclass(frozen=True, slots=True)
class View:
    """One page view: the events that its page sends when it opens."""

    type: str
    events: tuple[ev.AnyEvent, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """The pages that a shopper opens one after another, and what they do at the end."""

    views: tuple[View, ...]
    ending: Ending


def visit(chance: Random) -> Visit:
    """One visit. Who waits on the cart page has something in the cart."""
    ending = chance.choices(ENDINGS, (0.3, 0.3, 0.4))[0]
    cart: list[ev.Item] = []
    views = [_view(chance, cart) for _ in range(_pages(chance))]
    if ending == "cart":
        cart = cart or [_item(chance)]
        views.append(_cart_page(cart))
    return Visit(tuple(views), ending)


def gap_s(chance: Random, pace: float) -> float:
    """Seconds until the next page."""
    return min(GAP_MAX_S, _lognormal(chance, GAP_MEDIAN_S, GAP_P90_S) / pace)


def delivery_page() -> View:
    """The page about delivery: seen three times, it makes a rule true."""
    return View(
        "shipping", (ev.Page(0, "shipping", "/demo/shipping", "/demo/cart", "Delivery", "ja"), _looked_at())
    )


def _pages(chance: Random) -> int:
    return max(1, min(PAGES_MAX, round(_lognormal(chance, PAGES_MEDIAN, PAGES_P90))))


def _lognormal(chance: Random, median: float, p90: float) -> float:
    return chance.lognormvariate(math.log(median), math.log(p90 / median) / Z90)


def _view(chance: Random, cart: list[ev.Item]) -> View:
    kind = chance.choices(("list", "product", "cart"), (3, 5, 1))[0]
    if kind == "product":
        return _product_page(chance, cart)
    return _cart_page(cart) if kind == "cart" else _list_page()


def _list_page() -> View:
    page = ev.Page(0, "list", "/demo/", None, "Utsuwa", "ja")
    return View("list", (page, _looked_at(), ev.ItemList(0, "all", PRODUCTS)))


def _product_page(chance: Random, cart: list[ev.Item]) -> View:
    item = _item(chance)
    page = ev.Page(0, "product", f"/demo/product/{item.id}", "/demo/", item.name, "ja")
    events: list[ev.AnyEvent] = [page, _looked_at(), ev.Product(0, item, item.price, CURRENCY)]
    if chance.random() < ADDS:
        cart.append(item)
        events.append(ev.CartAdd(0, item, item.price, CURRENCY))
    return View("product", tuple(events))


def _cart_page(cart: list[ev.Item]) -> View:
    value = sum(item.price or 0.0 for item in cart)
    page = ev.Page(0, "cart", "/demo/cart", "/demo/", "Cart", "ja")
    return View("cart", (page, _looked_at(), ev.Cart(0, len(cart), len(cart), value, CURRENCY, cart[:20])))


def _item(chance: Random) -> ev.Item:
    number = chance.randrange(PRODUCTS)
    return ev.Item(f"piece-{number:02d}", f"器 {number}", "cups", "Utsuwa", price=3000.0 + 100 * number)


def _looked_at() -> ev.Dwell:
    return ev.Dwell(0, 0, ev.FOCUSED)
