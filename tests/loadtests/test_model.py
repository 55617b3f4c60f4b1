"""The synthetic shoppers behave as the model says, and the same for the same seed."""

from __future__ import annotations

from random import Random
from statistics import median, quantiles

import pytest

from loadtests import model
from router.core import events as ev
from router.core import protocol as wire


def visits(seed: int, count: int) -> list[model.Visit]:
    chance, synthetic = Random(seed), model.Synthetic()
    return [synthetic.visit(chance) for _ in range(count)]


def test_the_same_seed_gives_the_same_visits() -> None:
    assert visits(5, 3) == visits(5, 3)
    assert visits(5, 3) != visits(6, 3)


def test_visits_are_as_long_as_recorded_ones() -> None:
    pages = [visit.pages - (visit.ending == "cart") for visit in visits(1, 4000)]
    assert median(pages) == model.PAGES_MEDIAN
    assert 13 <= quantiles(pages, n=10)[-1] <= 17
    assert max(pages) <= model.PAGES_MAX


def test_pages_follow_each_other_as_recorded_ones() -> None:
    """A page waits for half of the gap; what is done on the one before came after the first half."""
    gaps = [2 * step.after_s for visit in visits(1, 2000) for step in visit.steps if not step.opens]
    assert 0.9 < median(gaps) / model.GAP_MEDIAN_S < 1.1
    assert 0.85 < quantiles(gaps, n=10)[-1] / model.GAP_P90_S < 1.15


def test_the_pace_divides_gaps_and_none_is_longer_than_the_longest() -> None:
    assert model.gap_s(model.Step((), 60.0), 30) == 2.0
    assert model.gap_s(model.Step((), 6000.0), 30) == model.GAP_MAX_S


def test_who_waits_on_the_cart_page_has_something_in_the_cart() -> None:
    waiting = [visit for visit in visits(2, 500) if visit.ending == "cart"]
    assert 100 < len(waiting) < 200
    for visit in waiting:
        cart = visit.steps[-1].events[-1]
        assert isinstance(cart, ev.Cart) and cart.lines > 0 and (cart.value or 0) >= 3000


def test_every_step_is_a_valid_batch() -> None:
    chance = Random(3)
    drawn = visits(3, 200)
    steps = [step for visit in drawn for step in (*visit.steps, *model.midway(visit, chance).steps)]
    for step in (*steps, model.delivery_page(), *model.burst(chance)):
        batch = wire.Batch("000000001-testing", 1, list(step.events))
        assert wire.decode(wire.encode(batch)) == batch


def test_who_was_there_before_goes_on_from_somewhere_and_begins_with_a_page() -> None:
    chance, whole = Random(4), visits(4, 1)[0]
    for _ in range(50):
        rest = model.midway(whole, chance)
        assert rest.ending == whole.ending
        assert rest.steps[0].opens and isinstance(rest.steps[0].events[0], ev.Page)
        assert rest.steps[1:] == whole.steps[len(whole.steps) - len(rest.steps) + 1 :]


def test_a_burst_goes_from_the_cart_to_the_checkout_and_buys() -> None:
    cart, checkout, bought = model.burst(Random(1))
    assert isinstance(cart.events[-1], ev.Cart)
    assert isinstance(checkout.events[-1], ev.Checkout) and checkout.opens
    assert isinstance(bought.events[-1], ev.Purchase) and not bought.opens


def test_a_faster_pace_makes_shorter_visits() -> None:
    synthetic = model.Synthetic()
    assert model.mean_s(synthetic, 300) < model.mean_s(synthetic, 30)
    assert model.mean_s(synthetic, 1e9) == pytest.approx(model.STAY_S, abs=0.01)
