"""The bench as one picture: rates and CPU of every load, waiting times at half the rate, and the goals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.contest import Contest, Read
from loadtests.goals import Verdict

COLOURS: Final = {
    "service": "#0b6e4f",
    "picows echo": "#8a8d91",
    "starlette echo": "#b98b2f",
    "naive": "#a23b3b",
}
OTHER: Final = "#4a6fa5"
MET: Final = {True: "#0b6e4f", False: "#a23b3b", None: "#8a8d91"}
WIDTH_IN: Final = 12.0
LEAST: Final = 0.05
MOST: Final = 20.0
TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10)


def draw(
    file: Path, contests: Sequence[Contest], half: Contest, verdicts: Sequence[Verdict], title: str
) -> Path:
    """Write the picture as SVG; the whiskers go from the smallest round to the largest."""
    with mpl.rc_context({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "bench"}):
        figure = Figure(figsize=(WIDTH_IN, 9.0), layout="constrained")
        figure.suptitle(title)
        rates, cpu, waits, goals = (axes for row in figure.subplots(2, 2) for axes in row)
        _bars(rates, contests, lambda one: one.frames_per_s, "frames a second")
        _bars(cpu, contests, lambda one: one.cpu_us, "CPU of the server, us a frame")
        cpu.legend(frameon=False, fontsize=8)
        _waits(waits, half)
        _goals(goals, [each for each in verdicts if each.value is not None])
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file


def _bars(axes: Axes, contests: Sequence[Contest], read: Read, label: str) -> None:
    """A group for each load, a bar for each server; logarithmic, because they differ by tens."""
    names = list(contests[0].rounds)
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        places = [place + (at - (len(names) - 1) / 2) * width for place in range(len(contests))]
        values = [contest.middle(name, read) for contest in contests]
        rounds = [[read(one) for one in contest.rounds[name]] for contest in contests]
        spread = [
            [value - min(each) for value, each in zip(values, rounds, strict=True)],
            [max(each) - value for value, each in zip(values, rounds, strict=True)],
        ]
        axes.bar(places, values, width, label=name, color=COLOURS.get(name, OTHER), yerr=spread, capsize=2)
    axes.set_yscale("log")
    axes.set_xticks(range(len(contests)), [contest.load.name.replace(", ", "\n") for contest in contests])
    axes.set_title(label)


def _waits(axes: Axes, half: Contest) -> None:
    shares: tuple[tuple[str, Read], ...] = (
        ("p50", lambda one: one.p50_ms),
        ("p99", lambda one: one.p99_ms),
        ("p99.9", lambda one: one.p999_ms),
    )
    for name in half.rounds:
        values = [half.middle(name, read) for _, read in shares]
        axes.plot(
            [share for share, _ in shares], values, marker="o", label=name, color=COLOURS.get(name, OTHER)
        )
    axes.set_title(f"event to answer in ms, {half.rate:,.0f} frames/s offered")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)


def _goals(axes: Axes, verdicts: Sequence[Verdict]) -> None:
    """How far each goal with a bound above zero is reached: 1 is the bound, more is better."""
    shown = [(each, reached(each)) for each in verdicts if each.goal.bound]
    places = range(len(shown))
    axes.barh(places, [value - 1 for _, value in shown], left=1, color=[MET[each.met] for each, _ in shown])
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(LEAST, MOST)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.set_yticks(places, [each.goal.figure for each, _ in shown], fontsize=7)
    axes.invert_yaxis()
    axes.set_title("goals: figure to bound; right of the line is met")


def reached(verdict: Verdict) -> float:
    """The figure beside its bound, the way in which more is better; from LEAST to MOST."""
    value, bound = verdict.value or 0.0, verdict.goal.bound
    above, below = (bound, value) if verdict.goal.at_most else (value, bound)
    return min(MOST, max(LEAST, above / below)) if below else MOST
