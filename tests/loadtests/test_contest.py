"""What may be compared of two servers, and how it is told."""

from __future__ import annotations

import pytest

from loadtests.client import Measured
from loadtests.contest import ONE, Comparison, Contest, Contestant, Round, sentence, settle, table, told
from loadtests.servers import Server


def one(rate: float, cpu_us: float, server: float = 1.0, client: float = 0.5) -> Round:
    """A round with these figures."""
    return Round(rate, cpu_us, 1.0, server, client, 0.1, 1.0, 2.0, 3.0, 0.1)


def contest(ours: Round, other: Round, rate: float = 0.0) -> Contest:
    """One round of both."""
    return Contest(ONE, {"service": (ours,), "echo": (other,)}, rate)


def contestant(name: str) -> Contestant:
    """A name; nobody serves."""
    return Contestant(name, Server.__new__(Server), lambda *_: pytest.fail("nobody is asked"))


def settled(found: Contest, again: Contest | None = None) -> Comparison:
    """The service beside the echo; `again`: what comes of the same offered load."""

    def offered(rate: float) -> Contest:
        assert again is not None, "rates were enough"
        assert rate == again.rate
        return again

    return settle(found, contestant("service"), contestant("echo"), offered)


def test_rates_are_compared_where_both_servers_were_the_limit() -> None:
    comparison = settled(contest(one(40_000, 25), one(100_000, 10, server=0.95)))
    assert comparison.ratio == pytest.approx(0.4)
    assert "both servers' cores" in sentence(comparison)


def test_where_one_was_not_cpu_is_compared_at_the_same_offered_load() -> None:
    found = contest(one(40_000, 25), one(60_000, 7, server=0.6, client=0.9))
    again = contest(one(28_000, 30), one(28_000, 9), rate=28_000)
    comparison = settled(found, again)
    assert comparison.ratio == pytest.approx(0.3)
    assert "28,000 frames/s; echo: the core of client and store was the limit" in sentence(comparison)


def test_a_machine_that_was_busy_otherwise_is_named() -> None:
    found = contest(one(40_000, 25, server=0.6), one(60_000, 7))
    comparison = settled(found, contest(one(28_000, 30), one(28_000, 9), rate=28_000))
    assert "service: no core was the limit, so the machine was busy otherwise" in sentence(comparison)


def test_medians_are_told_with_the_smallest_and_the_largest_round() -> None:
    rounds = tuple(one(rate, 10) for rate in (3_000, 1_000, 2_000))
    assert "2,000 (1,000-3,000)" in table(Contest(ONE, {"service": rounds}))


def test_a_run_becomes_figures_a_frame_and_shares_of_a_core() -> None:
    measured = Measured(seconds=2.0, cpu_s=1.0, used=(1.8, 0.4))
    measured.answered(0.010, 1000)
    found = told(measured)
    assert found.frames_per_s == 500
    assert found.cpu_us == pytest.approx(1800)
    assert found.store_us == pytest.approx(400)
    assert (found.server_share, found.client_share) == (0.9, 0.5)
    assert found.store_share == pytest.approx(0.2)
