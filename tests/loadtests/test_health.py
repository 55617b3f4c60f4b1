"""A generator that is late, or short of CPU, says that its run is invalid."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from loadtests.health import Health, Report


@dataclass
class Machine:
    """A clock and a CPU meter, in seconds."""

    now: float = 100.0
    used: float = 5.0

    def health(self) -> Health:
        return Health(lambda: self.now, lambda: self.used)


def after(late_s: float, cpu: float) -> Report:
    """A generator that woke a hundred times so late, and used so much of its core."""
    machine = Machine()
    health = machine.health()
    for _ in range(100):
        machine.now += 0.1
        machine.used += 0.1 * cpu
        health.woke(machine.now - late_s)
    return health.report("7")


def test_one_that_keeps_up_is_fine() -> None:
    report = after(0.004, 0.75)
    assert list(report.faults()) == []
    assert report.lag_p99_ms == pytest.approx(4, rel=0.01) and report.cpu == pytest.approx(0.75)


def test_one_that_is_late_is_not() -> None:
    assert list(after(0.006, 0.1).faults()) == ["generator 7 was 6.0 ms late at p99, over 5"]


def test_one_that_is_short_of_cpu_is_not() -> None:
    assert list(after(0.001, 0.85).faults()) == ["generator 7 used 85% of its core, over 80%"]


def test_one_that_never_looked_is_not() -> None:
    assert list(Machine().health().report("7").faults()) == ["generator 7 did not watch itself"]


def test_what_came_before_and_after_the_load_does_not_count() -> None:
    machine = Machine()
    health = machine.health()
    health.woke(machine.now - 1)
    machine.used += 50
    health.begin()
    machine.now += 10
    machine.used += 1
    health.woke(machine.now)
    health.end()
    machine.now += 10
    machine.used += 10
    assert health.report("7") == Report("7", 0.001, 1, 0.1)
