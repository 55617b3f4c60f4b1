"""The source of a crowd starts everybody at their moment, and what several processes plan is one plan."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtests import moments, recorded, source
from loadtests.crowd import Crowd
from loadtests.health import LAG_LIMIT_MS
from loadtests.shapes import SHAPES, Arrival

LEAD_S = 0.1


def asked(**more: Any) -> Namespace:
    common = {
        "shape": "spike", "num_users": 40, "run_time": 30, "pace": 30.0, "burst": -1, "seed": 1,
        "behaviour": "synthetic", "data": "none", "agents": "ann,bob,cho",
    }  # fmt: skip
    return Namespace(**common | more)


def arrivals(part: source.Plan) -> list[Arrival]:
    return part.arrivals(part.shape_of(), part.behaviour_of())


def test_the_parts_of_a_plan_are_the_whole() -> None:
    (whole,), parts = source.plan(asked()), source.plan(asked(), 2)
    assert sorted(arrival for part in parts for arrival in arrivals(part)) == arrivals(whole)
    assert [part.logins() for part in parts] == [["ann", "cho"], ["bob"]]


def test_a_burst_is_a_quarter_of_the_users_unless_told_otherwise() -> None:
    assert source.plan(asked())[0].burst == 10
    assert source.plan(asked(burst=0))[0].burst == 0


def test_without_a_run_time_a_shapes_own_counts() -> None:
    assert source.plan(asked(run_time=None, shape="soak"))[0].seconds == 3600
    assert source.plan(asked(run_time=None))[0].seconds == SHAPES["spike"].seconds


def test_a_flash_sale_without_a_recording_has_its_documented_curve(tmp_path: Path) -> None:
    part = source.plan(asked(shape="flash-sale", data=str(tmp_path)))[0]
    assert part.shape_of() == SHAPES["flash-sale"]
    assert recorded.rush(tmp_path) == ()


class Guest:
    """Notes that its socket was dropped."""

    def __init__(self) -> None:
        self.drops = 0

    def drop(self) -> None:
        self.drops += 1


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """Nobody has to have the cart open long before."""
    monkeypatch.setattr(source, "CART_LEAD_S", LEAD_S)
    return Crowd()


def test_everybody_starts_when_due_however_long_those_before_take(crowd: Crowd) -> None:
    """An open loop: starting somebody costs no time, and whoever is still there delays nobody."""
    guest, started = Guest(), []
    crowd.visits.add(guest)  # type: ignore[arg-type]
    begin = moments.now()
    coming = [Arrival(0.02, 0), Arrival(0.04, 1), Arrival(0.05, 2, "checkout")]

    def start(arrival: Arrival, at: float) -> None:
        started.append((arrival.number, at - begin, moments.now() - begin))
        gevent.spawn(crowd.closed.wait)  # a visit that does not end

    source.run(crowd, coming, [0.03], start)
    crowd.end()
    assert [number for number, _, _ in started] == [2, 0, 1]  # who has to have the cart open comes before
    due = [at for _, at, _ in started]
    assert due == pytest.approx([LEAD_S + at for at in (0.05, 0.02, 0.04)], abs=0.05)
    assert all(now >= at for _, at, now in started[1:])
    assert guest.drops == 1
    assert crowd.health.report("0").wakes >= 3


def test_nobody_starts_once_the_run_is_over(crowd: Crowd) -> None:
    crowd.end()
    source.run(crowd, [Arrival(0.0, 0)], [], lambda arrival, at: pytest.fail("somebody came"))


def test_a_source_that_cannot_keep_up_says_so(crowd: Crowd) -> None:
    """Starting takes this one 10 ms a head, and three come every 10 ms."""

    def start(arrival: Arrival, at: float) -> None:
        until = moments.now() + 0.01
        while moments.now() < until:
            pass

    source.run(crowd, [Arrival(number / 300, number) for number in range(12)], [], start)
    assert crowd.health.report("0").lag_p99_ms > LAG_LIMIT_MS
