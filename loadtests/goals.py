"""What the bench is to reach, what it reached, and which profile explains a miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loadtests import turns
from loadtests.contest import FIVE, HALF, ONE

Figure = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of the last line and its bound; `load`: under which load a profile says where the time goes."""

    figure: str
    bound: float
    at_most: bool
    means: str
    load: str = ""

    def met(self, value: float) -> bool:
        """Whether this value is within the bound."""
        return value <= self.bound if self.at_most else value >= self.bound


def _least(figure: str, bound: float, means: str, load: str = "") -> Goal:
    return Goal(figure, bound, False, means, load)


def _most(figure: str, bound: float, means: str, load: str = "") -> Goal:
    return Goal(figure, bound, True, means, load)


GOALS: Final = (
    _least("ratio_to_echo", 0.5, "frames beside a picows echo, 1 event each", ONE.name),
    _least("ratio_to_echo_5", 0.35, "the same, 5 events each", FIVE.name),
    _least("ratio_to_naive", 25, "events beside the naive service, 1 a frame", ONE.name),
    _least("ratio_to_naive_5", 75, "the same, 5 a frame", FIVE.name),
    _most("p99_ratio_to_echo_at_half_load", 2, "event to ack beside the echo's answer, p99", HALF.name),
    _most("p999_ms_at_half_load", 5, "event to ack at half the rate, p99.9 in ms", HALF.name),
    _most("rules_1000_over_20", 3, "fold and decide with 1,000 rules beside 20"),
    _least("handshakes_ratio_to_echo", 0.3, "page changes beside an echo's handshakes", turns.LOAD.name),
    _least("loads_ratio_to_echo", 0.3, "the same, session loaded from the store", turns.LOAD.name),
    _most("kib_per_idle_shopper", 32, "memory of an idle shopper, session included, in KiB"),
    _most("session_bytes_p50", 1024, "a stored session, median in bytes"),
    _least("always_over_none", 0.7, "rate with appendfsync always beside no persistence", ONE.name),
    _most("longest_collector_pause_ms", 5, "longest pause of the collector in ms"),
    _most("tabs_strayed", 0, "tabs elsewhere than at their owner, behind HAProxy"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was found; None: not measured."""

    goal: Goal
    value: float | None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if that was not measured."""
        return None if self.value is None else self.goal.met(self.value)


def judged(figures: Mapping[str, Figure]) -> list[Verdict]:
    """Every goal with its figure."""
    found = []
    for goal in GOALS:
        value = figures.get(goal.figure)
        found.append(Verdict(goal, float(value) if isinstance(value, int | float) else None))
    return found


def unexplained(verdicts: list[Verdict]) -> list[str]:
    """The loads under which a profile has to say why a goal was missed, each once."""
    return list(dict.fromkeys(each.goal.load for each in verdicts if each.met is False and each.goal.load))


def table(verdicts: list[Verdict]) -> str:
    """Every goal for a reader."""
    words = {True: "met", False: "MISSED", None: "not measured"}
    lines = [f"{'goal':54}{'bound':>10}{'found':>10}"]
    for each in verdicts:
        bound = f"{'<=' if each.goal.at_most else '>='} {each.goal.bound:g}"
        value = "-" if each.value is None else f"{each.value:,.4g}"
        lines.append(f"  {each.goal.means:52}{bound:>10}{value:>10}  {words[each.met]}")
    return "\n".join(lines)
