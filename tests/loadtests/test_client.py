"""What the load client reports of a run."""

from __future__ import annotations

import pytest

from loadtests.bench import FIVE, HALF, ONE, SINGLE, Load, Pair, Round, summary
from loadtests.client import Measured


def test_percentiles_weigh_each_wait_by_its_frames() -> None:
    measured = Measured(seconds=2.0)
    measured.answered(0.010, 98)
    measured.answered(0.500, 1)
    measured.answered(0.100, 1)
    assert measured.rate == 50
    assert measured.percentile_ms(0.5) == pytest.approx(10)
    assert measured.percentile_ms(0.99) == pytest.approx(100)
    assert measured.percentile_ms(1) == pytest.approx(500)


def pair(load: Load, *, rates: tuple[float, float], cpu_us: tuple[float, float], share: float) -> Pair:
    """One round of both with these figures; the echo's server used `share` of its core."""
    ours, bare = (
        Round(rate, cpu, used, 0.5, 0.1, 1.0, 2.0)
        for rate, cpu, used in zip(rates, cpu_us, (1.0, share), strict=True)
    )
    return Pair(load, (ours,), (bare,))


def test_rates_are_compared_only_where_both_servers_were_the_limit() -> None:
    limited = pair(ONE, rates=(40_000, 100_000), cpu_us=(25, 10), share=0.95)
    assert limited.server_bound and limited.ratio == pytest.approx(0.4)
    starved = pair(ONE, rates=(40_000, 60_000), cpu_us=(25, 7.5), share=0.6)
    assert not starved.server_bound and starved.ratio == pytest.approx(0.3)


def test_the_summary_says_whether_the_goal_was_met() -> None:
    def figures(echo_us: float) -> dict[str, float | bool | str]:
        return summary(
            [pair(load, rates=(1, 1), cpu_us=(20, echo_us), share=0.5) for load in (ONE, FIVE, SINGLE, HALF)]
        )

    assert figures(8)["goal_met"] is True
    assert figures(6)["goal_met"] is False
    assert figures(6)["ratio_to_echo"] == 0.3
