"""A schedule is drawn before the run, follows its shape, and is divided among workers without loss."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from loadtests import shapes
from loadtests.shapes import SHAPES, Arrival, Shape, schedule, share

SECONDS = 100.0


def drawn(shape: Shape, seed: int = 1, burst: int = 0, users: int = 0) -> list[Arrival]:
    return schedule(shape, users, 50.0, SECONDS, burst, Random(seed))


def parts(arrivals: list[Arrival], count: int) -> list[int]:
    """How many came in each of `count` equal parts of the run."""
    counts = Counter(int(arrival.at * count / SECONDS) for arrival in arrivals)
    return [counts[part] for part in range(count)]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_as_many_arrivals_as_its_rate_says(name: str) -> None:
    arrivals = drawn(SHAPES[name])
    assert len(arrivals) == pytest.approx(50 * SECONDS * SHAPES[name].rate, rel=0.1)
    assert arrivals == sorted(arrivals) and arrivals[0].at >= 0 and arrivals[-1].at <= SECONDS


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert drawn(SHAPES["spike"], 3) == drawn(SHAPES["spike"], 3)
    assert drawn(SHAPES["spike"], 3) != drawn(SHAPES["spike"], 4)


def test_arrivals_are_independent_of_each_other() -> None:
    """Gaps of a Poisson process are exponential: as many below the mean as 1 - 1/e."""
    at = [arrival.at for arrival in drawn(SHAPES["steady"])]
    gaps = [after - before for before, after in pairwise(at)]
    mean = sum(gaps) / len(gaps)
    assert sum(gap < mean for gap in gaps) / len(gaps) == pytest.approx(0.632, abs=0.03)


def test_a_spike_is_five_times_as_many_in_the_middle_tenth() -> None:
    counts = parts(drawn(SHAPES["spike"]), 20)
    calm = (sum(counts) - counts[9] - counts[10]) / 18
    assert (counts[9] + counts[10]) / 2 / calm == pytest.approx(5, rel=0.2)


def test_a_flash_sale_opens_at_a_fifth_and_falls() -> None:
    counts = parts(drawn(SHAPES["flash-sale"]), 20)
    assert counts[3] * 10 < counts[4]
    assert counts[4] > 2 * counts[19]


def test_a_flash_sale_follows_a_recorded_rush() -> None:
    counts = parts(drawn(shapes.flash_sale([1.0, 0.0, 3.0, 0.0])), 20)
    assert sum(counts[4:8]) * 3 == pytest.approx(sum(counts[12:16]), rel=0.2)
    assert sum(counts[8:12]) < 10 and sum(counts[16:]) < 10


def test_a_burst_is_at_one_moment() -> None:
    checkouts = [arrival.at for arrival in drawn(SHAPES["soak"], burst=40) if arrival.kind == "checkout"]
    assert Counter(checkouts) == {25.0: 40, 50.0: 40, 75.0: 40}


def test_a_run_begins_with_as_many_as_are_there_later() -> None:
    for name, there in (("steady", 80), ("soak", 40), ("flash-sale", 8)):
        midway = [arrival for arrival in drawn(SHAPES[name], users=80) if arrival.kind == "midway"]
        assert len(midway) == pytest.approx(there, abs=3)
        assert all(arrival.at <= shapes.SPREAD_S for arrival in midway)


def test_workers_share_every_arrival_once() -> None:
    arrivals = drawn(SHAPES["spike"], burst=40)
    shares = [share(arrivals, index, 3) for index in range(3)]
    assert sorted(arrival for part in shares for arrival in part) == arrivals
    assert all(9 <= sum(arrival.kind == "checkout" for arrival in part) <= 17 for part in shares)
