"""The bench's goals: judged at their bounds, told, and explained where they are missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests import goals, picture
from loadtests.contest import HALF, ONE, Contest, Round
from loadtests.goals import GOALS, Figure


def figures(**changed: Figure) -> dict[str, Figure]:
    """Every goal just met, but for these."""
    return {goal.figure: goal.bound for goal in GOALS} | changed


def test_a_goal_is_met_at_its_bound_and_missed_beyond() -> None:
    assert all(each.met for each in goals.judged(figures()))
    missed = [
        each.goal.figure
        for each in goals.judged(figures(ratio_to_echo=0.49, kib_per_idle_shopper=32.1))
        if not each.met
    ]
    assert missed == ["ratio_to_echo", "kib_per_idle_shopper"]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    verdicts = goals.judged(figures(tabs_strayed=None))
    assert verdicts[-1].met is None
    assert goals.unexplained(verdicts) == []
    assert "not measured" in goals.table(verdicts).splitlines()[-1]


def test_each_load_with_a_miss_is_profiled_once() -> None:
    verdicts = goals.judged(
        figures(ratio_to_echo=0.1, ratio_to_naive=1, p999_ms_at_half_load=9, session_bytes_p50=9000)
    )
    assert goals.unexplained(verdicts) == [ONE.name, HALF.name]
    assert goals.table(verdicts).count("MISSED") == 4


@pytest.mark.parametrize(
    ("figure", "value", "reached"),
    [
        ("ratio_to_echo", 0.25, 0.5),
        ("kib_per_idle_shopper", 16, 2),
        ("kib_per_idle_shopper", 0, picture.MOST),
    ],
)
def test_the_picture_shows_more_as_better(figure: str, value: float, reached: float) -> None:
    (verdict,) = [each for each in goals.judged(figures(**{figure: value})) if each.goal.figure == figure]
    assert picture.reached(verdict) == pytest.approx(reached)


def test_the_picture_names_servers_and_goals(tmp_path: Path) -> None:
    rounds = (Round(1000, 10, 1, 1, 0.5, 0.1, 1, 2, 3, 0.1), Round(1200, 9, 1, 1, 0.5, 0.1, 1, 2, 3, 0.1))
    found = Contest(ONE, {"service": rounds, "naive": rounds})
    text = picture.draw(tmp_path / "bench.svg", [found], found, goals.judged(figures()), "here").read_text()
    assert all(word in text for word in ("<svg", ">service<", ">naive<", ">ratio_to_echo<", ">here<"))
