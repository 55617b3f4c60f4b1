"""Recorded actions as pages would have sent them.

A recording does not say when a page was looked at. All actions of a session are taken to happen on one page, which is
looked at from the first action until 150 s after the last one before a pause.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from router.core import events as ev
from router.replay.recording import Action
from router.store.behaviour import Batch

LINGER_MS: Final = 150_000
PAGE: Final = "000000001-trial"
LANGUAGE: Final = "en"


def watched(actions: Iterable[Action], site: str = "") -> Iterator[Batch]:
    """The actions (in the order of time) as batches, with the moments at which pages were opened and closed."""
    last: dict[str, Action] = {}
    leaving: list[tuple[int, int, Action]] = []
    for number, action in enumerate(actions):
        yield from _left(leaving, last, site, action.at)
        events: tuple[ev.AnyEvent, ...] = action.events
        if action.session not in last:
            events = (*events, ev.Dwell(0, 0, ev.FOCUSED))
        last[action.session] = action
        heapq.heappush(leaving, (action.at + LINGER_MS, number, action))
        yield _batch(site, action, action.at, True, events)
    yield from _left(leaving, last, site, None)


def _left(
    leaving: list[tuple[int, int, Action]], last: dict[str, Action], site: str, moment: int | None
) -> Iterator[Batch]:
    """The pages that were closed until this moment, or ever."""
    while leaving and (moment is None or leaving[0][0] <= moment):
        at, _, action = heapq.heappop(leaving)
        if last.get(action.session) is action:
            del last[action.session]
            yield _batch(site, action, at, False, ())


def _batch(site: str, action: Action, at: int, is_open: bool, events: tuple[ev.AnyEvent, ...]) -> Batch:
    return Batch(site, action.session, action.visitor, 0, LANGUAGE, PAGE, 0, at, is_open, events)
