"""How simulated shoppers behave: a synthetic model, drawn from nothing but a `random.Random`.

| What | Drawn from | Why |
|---|---|---|
| pages a visit | log-normal, median 3, p90 15, at most 60 | recorded shops |
| seconds between pages | log-normal, median 54, p90 337, over the pace, at most 20 then | the same |
| a page | list, product, cart by weight; then a scroll; one product in three is added | a shop's usual funnel |
| end of a visit | 30 % wait in the cart, 30 % return to the delivery page, the rest leave | rules turn true soon |
| an invite | 60 % accept and say 1 to 4 things; half the rest dismiss it | in truth 3 to 9 %; talks are measured too |
| a burst | each goes from a cart of two to the checkout at one moment, and buys | what a countdown does |
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean
from typing import Final, Literal, Protocol

from router.core import events as ev

CURRENCY: Final = "JPY"
PAGES_MEDIAN, PAGES_P90, PAGES_MAX = 3, 15, 60
GAP_MEDIAN_S, GAP_P90_S, GAP_MAX_S = 54.0, 337.0, 20.0
Z90: Final = 1.2816  # the normal distribution's ninth decile
ADDS: Final = 1 / 3
ACCEPTS: Final = 0.6
DISMISSES: Final = 0.5  # of those who do not accept
PRODUCTS: Final = 40
STAY_S: Final = 8.0  # what an ending takes on average beside the pages, whatever the pace
SAMPLE: Final = 400

Ending = Literal["cart", "shipping", "leave"]
ENDINGS: Final[tuple[Ending, ...]] = ("cart", "shipping", "leave")


@dataclass(frozen=True, slots=True)
class Step:
    """Something a shopper does `after_s` seconds (at pace 1) after the step before: the events that it sends, on a page
    that it `opens` or on the one that is open.
    """

    events: tuple[ev.AnyEvent, ...]
    after_s: float = 0.0
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Visit:
    """What a shopper does step by step, and how it ends."""

    steps: tuple[Step, ...]
    ending: Ending

    @property
    def pages(self) -> int:
        """How many pages it opens."""
        return sum(step.opens for step in self.steps)


class Behaviour(Protocol):
    """Where visits come from."""

    def visit(self, chance: Random) -> Visit:
        """One visit."""


class Synthetic:
    """The model above."""

    def visit(self, chance: Random) -> Visit:
        """One visit."""
        cart: list[ev.Item] = []
        steps: list[Step] = []
        half_s = 0.0
        for _ in range(_pages(chance)):
            page, later = _view(chance, cart)
            steps.append(Step(page, half_s))
            half_s = _lognormal(chance, GAP_MEDIAN_S, GAP_P90_S) / 2
            steps.append(Step((*later, ev.Scroll(0, chance.random())), half_s, opens=False))
        return ended(steps, half_s, cart, chance)


def ended(steps: list[Step], after_s: float, cart: list[ev.Item], chance: Random) -> Visit:
    """These steps and an ending. Who waits on the cart page has something in the cart."""
    ending = chance.choices(ENDINGS, (0.3, 0.3, 0.4))[0]
    if ending == "cart":
        steps = [*steps, Step(_cart_page(cart or [item(chance.randrange(PRODUCTS))]), after_s)]
    return Visit(tuple(steps), ending)


def midway(visit: Visit, chance: Random) -> Visit:
    """The rest of a visit from somewhere on; at least its last page. What comes first opens a page."""
    begin = chance.randrange(len(visit.steps))
    first = replace(visit.steps[begin], opens=True, after_s=0.0)
    if not visit.steps[begin].opens:
        first = replace(first, events=(*_list_page(), *first.events))
    return Visit((first, *visit.steps[begin + 1 :]), visit.ending)


def gap_s(step: Step, pace: float) -> float:
    """Seconds from the step before to this one."""
    return min(GAP_MAX_S, step.after_s / pace)


def mean_s(behaviour: Behaviour, pace: float) -> float:
    """How long a visit lasts on average, from a sample: what `--users` is divided by for the rate of arrivals."""
    chance = Random(0)
    visits = [behaviour.visit(chance) for _ in range(SAMPLE)]
    return STAY_S + fmean(sum(gap_s(step, pace) for step in visit.steps) for visit in visits)


def delivery_page() -> Step:
    """The page about delivery: seen three times, it makes a rule true."""
    page = ev.Page(0, "shipping", "/demo/shipping", "/demo/cart", "Delivery", "ja")
    return Step((page, looked_at()))


def burst(chance: Random) -> tuple[Step, Step, Step]:
    """A cart, the checkout (the moment of it is the burst's), and the purchase."""
    cart = [item(chance.randrange(PRODUCTS)) for _ in range(2)]
    value = _value(cart)
    order = f"order-{chance.getrandbits(64):016x}"
    checkout = ev.Page(0, "checkout", "/demo/checkout", "/demo/cart", "Checkout", "ja")
    bought = (ev.Payment(0, "card", "succeeded"), ev.Purchase(0, order, value, CURRENCY))
    return (
        Step(_cart_page(cart)),
        Step((checkout, looked_at(), ev.Checkout(0, value, CURRENCY))),
        Step((ev.Payment(0, "card", "started"), *bought), opens=False),
    )


def item(number: int) -> ev.Item:
    """One of the shop's pieces."""
    return ev.Item(f"piece-{number:02d}", f"器 {number}", "cups", "Utsuwa", price=price(number))


def price(number: int) -> float:
    """What a piece costs: 3,000 to 6,900 JPY."""
    return 3000.0 + 100 * (number % PRODUCTS)


def looked_at() -> ev.Dwell:
    """The page is visible and focused from now on."""
    return ev.Dwell(0, 0, ev.FOCUSED)


def _pages(chance: Random) -> int:
    return max(1, min(PAGES_MAX, round(_lognormal(chance, PAGES_MEDIAN, PAGES_P90))))


def _lognormal(chance: Random, median: float, p90: float) -> float:
    return chance.lognormvariate(math.log(median), math.log(p90 / median) / Z90)


_Events = tuple[ev.AnyEvent, ...]


def _view(chance: Random, cart: list[ev.Item]) -> tuple[_Events, _Events]:
    """What a page sends when it opens, and what its shopper does there later."""
    kind = chance.choices(("list", "product", "cart"), (3, 5, 1))[0]
    if kind == "product":
        return _product_page(chance, cart)
    return (_cart_page(cart) if kind == "cart" else _list_page()), ()


def _list_page() -> _Events:
    page = ev.Page(0, "list", "/demo/", None, "Utsuwa", "ja")
    return (page, looked_at(), ev.ItemList(0, "all", PRODUCTS))


def _product_page(chance: Random, cart: list[ev.Item]) -> tuple[_Events, _Events]:
    seen = item(chance.randrange(PRODUCTS))
    page = ev.Page(0, "product", f"/demo/product/{seen.id}", "/demo/", seen.name, "ja")
    opened = (page, looked_at(), ev.Product(0, seen, seen.price, CURRENCY))
    if chance.random() >= ADDS:
        return opened, ()
    cart.append(seen)
    return opened, (ev.CartAdd(0, seen, seen.price, CURRENCY),)


def _cart_page(cart: list[ev.Item]) -> _Events:
    page = ev.Page(0, "cart", "/demo/cart", "/demo/", "Cart", "ja")
    return (page, looked_at(), ev.Cart(0, len(cart), len(cart), _value(cart), CURRENCY, cart[:20]))


def _value(cart: list[ev.Item]) -> float:
    return sum(piece.price or 0.0 for piece in cart)
