"""The synthetic shoppers behave as the model says, and the same for the same seed."""

from __future__ import annotations

from random import Random
from statistics import median, quantiles

from loadtests import model
from router.core import events as ev
from router.core import protocol as wire


def test_the_same_seed_gives_the_same_visits() -> None:
    assert [model.visit(Random(5)) for _ in range(3)] == [model.visit(Random(5)) for _ in range(3)]
    assert model.visit(Random(5)) != model.visit(Random(6))


def test_visits_are_as_long_as_recorded_ones() -> None:
    chance = Random(1)
    pages = [
        len(visit.views) - (visit.ending == "cart") for visit in (model.visit(chance) for _ in range(4000))
    ]
    assert median(pages) == model.PAGES_MEDIAN
    assert 13 <= quantiles(pages, n=10)[-1] <= 17
    assert max(pages) <= model.PAGES_MAX


def test_gaps_are_as_long_as_recorded_ones_over_the_pace() -> None:
    chance = Random(1)
    gaps = [model.gap_s(chance, 30) for _ in range(4000)]
    assert 0.9 < median(gaps) * 30 / model.GAP_MEDIAN_S < 1.1
    assert 0.85 < quantiles(gaps, n=10)[-1] * 30 / model.GAP_P90_S < 1.15
    assert max(gaps) <= model.GAP_MAX_S


def test_who_waits_on_the_cart_page_has_something_in_the_cart() -> None:
    chance = Random(2)
    waiting = [visit for visit in (model.visit(chance) for _ in range(500)) if visit.ending == "cart"]
    assert 100 < len(waiting) < 200
    for visit in waiting:
        cart = visit.views[-1].events[-1]
        assert isinstance(cart, ev.Cart) and cart.lines > 0 and (cart.value or 0) >= 3000


def test_every_page_view_is_a_valid_batch() -> None:
    chance = Random(3)
    for visit in (model.visit(chance) for _ in range(200)):
        for view in (*visit.views, model.delivery_page()):
            batch = wire.Batch("000000001-testing", 1, list(view.events))
            assert wire.decode(wire.encode(batch)) == batch
