"""Who arrives when: shapes of a crowd over a run, and the schedule that is drawn from one before the run begins.

The schedule is an open loop: it does not know how fast the service answers. Within a shape arrivals are random and
independent of each other (a Poisson process of changing rate); the same seed gives the same schedule.

| Shape | Curve | Also |
|---|---|---|
| steady | the same all the time | a burst of checkouts in the middle |
| spike | five times as many in the middle tenth | the burst with it |
| flash-sale | a tenth, and from a fifth of the run on the recorded rush, or `FALLBACK` | the burst at the opening |
| reconnect-storm | steady | every socket drops at 0.4 and at 0.7 of the run |
| soak | steady at half the rate, for an hour unless told otherwise | a burst at each quarter |
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final, Literal

Kind = Literal["shopper", "midway", "checkout"]  # midway: was there before the run began

STEPS: Final = 200  # how finely a curve is drawn: half a second of a run of 100
DEFAULT_S: Final = 60.0
SOAK_S: Final = 3600.0
SPREAD_S: Final = 1.0  # within it those come who are there when the run begins
LEAD, LEAD_RATE = 0.2, 0.1  # before a flash sale opens
# Where no recording is there: four times the later rate at the opening, half of that gone after a tenth of the sale.
FALLBACK: Final = tuple(1 + 3 * 0.5 ** (step / 10) for step in range(100))


@dataclass(frozen=True, slots=True)
class Shape:
    """`curve`: relative rates, evenly over the run. `bursts` and `drops`: parts of the run, 0 to 1. `rate`: of the
    steady rate.
    """

    name: str
    curve: tuple[float, ...]
    bursts: tuple[float, ...] = ()
    drops: tuple[float, ...] = ()
    rate: float = 1.0
    seconds: float = DEFAULT_S


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """Somebody comes `at` seconds after the begin; `number` is theirs alone."""

    at: float
    number: int
    kind: Kind = "shopper"


def _spike() -> tuple[float, ...]:
    middle = range(STEPS * 9 // 20, STEPS * 11 // 20)
    return tuple(5.0 if step in middle else 1.0 for step in range(STEPS))


def flash_sale(recorded: Sequence[float] = ()) -> Shape:
    """`recorded`: relative rates of a real rush, evenly over it; none: the curve `FALLBACK`."""
    sale = recorded or FALLBACK
    mean = sum(sale) / len(sale)
    steps = round(STEPS * (1 - LEAD))
    rush = [sale[step * len(sale) // steps] / mean for step in range(steps)]
    return Shape("flash-sale", (*[LEAD_RATE] * (STEPS - steps), *rush), bursts=(LEAD,))


SHAPES: Final = {
    shape.name: shape
    for shape in (
        Shape("steady", (1.0,), bursts=(0.5,)),
        Shape("spike", _spike(), bursts=(0.5,)),
        flash_sale(),
        Shape("reconnect-storm", (1.0,), drops=(0.4, 0.7)),
        Shape("soak", (1.0,), bursts=(0.25, 0.5, 0.75), rate=0.5, seconds=SOAK_S),
    )
}


def schedule(
    shape: Shape, users: int, per_s: float, seconds: float, burst: int, chance: Random
) -> list[Arrival]:
    """All arrivals of a run, in order: `per_s` a second on average, times the shape's rate, `burst` checkouts at once
    at each of its bursts, and of `users` as many midway through their visits as the shape begins with.
    """
    there = round(users * shape.rate * shape.curve[0] * len(shape.curve) / sum(shape.curve))
    moments: list[tuple[float, Kind]] = [(chance.uniform(0, SPREAD_S), "midway") for _ in range(there)]
    moments += [(at, "shopper") for at in _random(shape, per_s * shape.rate * seconds, seconds, chance)]
    moments += [(part * seconds, "checkout") for part in shape.bursts for _ in range(burst)]
    return [Arrival(at, number, kind) for number, (at, kind) in enumerate(sorted(moments))]


def _random(shape: Shape, expected: float, seconds: float, chance: Random) -> list[float]:
    """Exponential gaps in the curve's own time, laid onto the run's."""
    total = list(accumulate(shape.curve, initial=0.0))
    found, at = [], chance.expovariate(1.0)
    while at < expected:
        found.append(_moment(total, at / expected * total[-1]) * seconds)
        at += chance.expovariate(1.0)
    return found


def _moment(total: list[float], reached: float) -> float:
    """When (0 to 1) so much of the curve's area is reached."""
    step = max(1, bisect_left(total, reached))
    return (step - 1 + (reached - total[step - 1]) / (total[step] - total[step - 1])) / (len(total) - 1)


def share(arrivals: Sequence[Arrival], index: int, count: int) -> list[Arrival]:
    """What one of `count` workers does: every arrival is one worker's, and a burst is spread over all."""
    return [arrival for arrival in arrivals if arrival.number % count == index]
