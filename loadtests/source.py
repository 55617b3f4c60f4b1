"""The source of a crowd: starts a user at each moment of the schedule, whatever the service does meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import gevent
import msgspec

from loadtests import model, moments, recorded, shapes
from loadtests.crowd import Crowd
from loadtests.visit import CART_LEAD_S

Start = Callable[[shapes.Arrival, float], None]  # (who, the moment of the arrival)


class Plan(msgspec.Struct, frozen=True):
    """What one process has to do of a run: share `index` of `count`. The rest is the same for all of them."""

    shape: str
    users: int
    seconds: float
    pace: float
    burst: int
    seed: int
    behaviour: str
    data: str
    agents: list[str]
    index: int = 0
    count: int = 1

    def shape_of(self) -> shapes.Shape:
        """The shape; a flash sale is drawn from the recorded rush where that is there."""
        if self.shape == "flash-sale":
            return shapes.flash_sale(recorded.rush(Path(self.data)))
        return shapes.SHAPES[self.shape]

    def behaviour_of(self) -> model.Behaviour:
        """Where visits come from. Raises StartError."""
        return recorded.behaviour(self.behaviour, Path(self.data))

    def arrivals(self, shape: shapes.Shape, behaviour: model.Behaviour) -> list[shapes.Arrival]:
        """This process's share. `users` at a time come from as many arrivals as leave by then (Little's law)."""
        per_s = self.users / model.mean_s(behaviour, self.pace)
        drawn = shapes.schedule(shape, self.users, per_s, self.seconds, self.burst, Random(self.seed))
        return shapes.share(drawn, self.index, self.count)

    def logins(self) -> list[str]:
        """The agents that this process plays."""
        return self.agents[self.index :: self.count]


def plan(asked: Any, count: int = 1) -> list[Plan]:
    """What Locust's options ask for, by process. Without a run time a shape's own counts."""
    shape = shapes.SHAPES[asked.shape]
    users = asked.num_users or 1
    whole = Plan(
        shape=asked.shape,
        users=users,
        seconds=float(asked.run_time or shape.seconds),
        pace=asked.pace,
        burst=users // 4 if asked.burst < 0 else asked.burst,
        seed=asked.seed,
        behaviour=asked.behaviour,
        data=asked.data,
        agents=asked.agents.split(","),
    )
    return [msgspec.structs.replace(whole, index=index, count=count) for index in range(count)]


def run(crowd: Crowd, arrivals: Sequence[shapes.Arrival], drops: Sequence[float], start: Start) -> None:
    """Start everybody at their moment, and at the moments of `drops` (seconds) drop every socket; until the last."""
    began = moments.now() + CART_LEAD_S
    entries: list[tuple[float, shapes.Arrival | None]] = [(at, None) for at in drops]
    entries += [(arrival.at - _lead(arrival), arrival) for arrival in arrivals]
    for at, arrival in sorted(entries, key=lambda entry: entry[0]):
        if began + at <= moments.now():  # nothing but the generator itself can make the source late
            crowd.health.woke(began + at)
        if not crowd.until(began + at):
            return
        if arrival is None:
            for visit in list(crowd.visits):
                visit.drop()
        else:
            start(arrival, began + arrival.at)
            gevent.sleep(0)


def _lead(arrival: shapes.Arrival) -> float:
    """Who is to be at the checkout has the cart open before."""
    return CART_LEAD_S if arrival.kind == "checkout" else 0.0
