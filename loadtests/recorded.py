"""Behaviour from recordings of real shops: visits in the order and at the distances in which they happened.

Files are those of `router.replay.recording`. What a recording does not have is made up: prices (always the same for an
item), and what comes after the last action (`model.ended`): a recording ends where its shopper left.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from loadtests import model
from loadtests.model import Step, Visit
from router.core import events as ev
from router.errors import StartError
from router.replay.recording import Action, load

DATA: Final = "../shared/data"
USERS: Final = Path("taobao_users/events.csv.gz")
BURST: Final = Path("taobao_burst/events.csv.gz")
FEWEST: Final = 2  # actions of a visit
CURVE_STEPS: Final = 100


def folder() -> Path:
    """Where recordings are expected: ROUTER_LOAD_DATA, else `DATA`."""
    return Path(os.environ.get("ROUTER_LOAD_DATA", DATA))


class Recorded:
    """Visits of one recording, drawn with equal chance."""

    def __init__(self, file: Path) -> None:
        by_session: defaultdict[str, list[Action]] = defaultdict(list)
        for action in load(file, model.CURRENCY).actions:
            by_session[action.session].append(action)
        self._sessions = [actions for actions in by_session.values() if len(actions) >= FEWEST]
        if not self._sessions:
            raise StartError(f"{file}: no session of {FEWEST} actions or more in it.")

    def visit(self, chance: Random) -> Visit:
        """One recorded session, at most `model.PAGES_MAX` steps of it, and an ending of the model's."""
        steps = steps_of(chance.choice(self._sessions)[: model.PAGES_MAX])
        return model.ended(steps, model.GAP_MEDIAN_S, in_cart(steps), chance)


def behaviour(asked: str, data: Path) -> model.Behaviour:
    """`recorded`, `synthetic`, or `auto`: recorded if it is there. Raises StartError if asked for and not there."""
    file = data / USERS
    if asked == "recorded" or (asked == "auto" and file.exists()):
        return Recorded(file)
    return model.Synthetic()


def rush(data: Path) -> tuple[float, ...]:
    """How many visitors came for the first time in each hundredth of the recorded rush; none if it is not there."""
    if not (data / BURST).exists():
        return ()
    first: dict[str, int] = {}
    for action in load(data / BURST, model.CURRENCY).actions:
        first.setdefault(action.visitor, action.at)
    begin, end = min(first.values()), max(first.values()) + 1
    counts = [0.0] * CURVE_STEPS
    for at in first.values():
        counts[(at - begin) * CURVE_STEPS // (end - begin)] += 1
    return tuple(counts)


def steps_of(actions: list[Action]) -> list[Step]:
    """One recorded session. An action without a page of its own happens on the page that is open."""
    steps: list[Step] = []
    before = actions[0].at
    for action in actions:
        events = tuple(_completed(event) for event in action.events)
        opens = isinstance(events[0], ev.Page)
        if opens:
            events = (events[0], model.looked_at(), *events[1:])
        elif not steps:
            events, opens = (ev.Page(0, "other", "/", language="ja"), model.looked_at(), *events), True
        steps.append(Step(events, (action.at - before) / 1000, opens))
        before = action.at
    return steps


def in_cart(steps: list[Step]) -> list[ev.Item]:
    """What was added to the cart."""
    return [event.item for step in steps for event in step.events if isinstance(event, ev.CartAdd)]


def _completed(event: ev.AnyEvent) -> ev.AnyEvent:
    """The language, and where it is not known the price."""
    match event:
        case ev.Product() | ev.CartAdd() if event.item.price is None:
            price = model.price(zlib.crc32(event.item.id.encode()))
            priced = msgspec.structs.replace(event.item, price=price)
            return msgspec.structs.replace(event, item=priced, value=price, currency=model.CURRENCY)
        case ev.Page():
            return msgspec.structs.replace(event, language="ja")
    return event
