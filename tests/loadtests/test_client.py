"""What the load client reports of a run."""

from __future__ import annotations

import gc
import os
import time

import pytest

from loadtests import client, servers
from loadtests.client import Measured
from loadtests.frames import BadAnswer


def test_percentiles_weigh_each_wait_by_its_frames() -> None:
    measured = Measured(seconds=2.0)
    measured.answered(0.010, 98)
    measured.answered(0.500, 1)
    measured.answered(0.100, 1)
    assert measured.rate == 50
    assert measured.percentile_ms(0.5) == pytest.approx(10)
    assert measured.percentile_ms(0.99) == pytest.approx(100)
    assert measured.percentile_ms(1) == pytest.approx(500)


def test_the_client_says_how_late_it_was() -> None:
    measured = Measured()
    measured.late.extend([0.0] * 98 + [0.003, 0.009])
    assert measured.late_ms(0.5) == 0
    assert measured.late_ms(0.98) == pytest.approx(3)
    assert Measured().late_ms(0.99) == 0


def test_a_flood_goes_on_until_something_was_answered() -> None:
    begin = time.perf_counter() - 1
    assert client.going(begin, 0.5, Measured())
    assert not client.going(begin, 0.5, Measured(frames=1))
    assert client.going(begin, 2, Measured(frames=1))
    assert not client.going(begin - 0.5 - client.DRAIN_S, 0.5, Measured())


def test_a_run_in_which_nothing_was_answered_does_not_count() -> None:
    with pytest.raises(BadAnswer, match="not one frame"), client.timed(tuple):
        pass
    assert gc.isenabled()


def test_a_run_tells_by_how_much_its_gauge_grew() -> None:
    readings = iter([(1.0, 10.0), (1.5, 12.0)])
    with client.timed(lambda: next(readings)) as measured:
        assert not gc.isenabled()
        measured.answered(0.001, 1)
    assert measured.used == (0.5, 2.0)


def test_a_processs_cpu_time_is_read_from_outside() -> None:
    assert servers.cpu_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.05)
    with pytest.raises(OSError):
        servers.cpu_seconds(2**22 - 1)
