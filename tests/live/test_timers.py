"""Timers: nothing is woken early, everything once, and many at once in slices."""

from __future__ import annotations

import time
from pathlib import Path

from router.core.session import Session
from router.core.site import load_sites
from router.live.clock import DrivenClock
from router.live.held import Held
from router.live.timers import SLICE_S, Timers
from router.settings import DEMO_SITES

T = 1_780_000_000_000
SITE = load_sites(str(DEMO_SITES), lambda name: Path(name).read_text(encoding="utf-8"))["demo"]


def held(number: int, due: int) -> Held:
    one = Held(Session(f"s{number}", "demo", "v", "JPY", T, T), SITE, "t", "k")
    one.due[0] = due
    return one


async def _settled() -> None:
    """Nothing is under way."""


async def test_nothing_is_woken_before_its_moment_and_everything_once() -> None:
    clock, woken = DrivenClock(T), list[tuple[str, int]]()

    def wake(one: Held, now: int) -> None:
        woken.append((one.session.sid, now - T))
        one.due.clear()

    timers = Timers(clock, wake)
    for number, due in enumerate((500, 100, 300, 100)):
        timers.plan(held(number, T + due))
    await clock.advance(T + 99, _settled)
    assert woken == []
    await clock.advance(T + 1000, _settled)
    assert woken == [("s1", 100), ("s3", 100), ("s2", 300), ("s0", 500)]
    assert len(timers) == 0


async def test_when_all_are_due_at_once_others_get_their_turn_between() -> None:
    """A shop opens: two hundred sessions that take a millisecond each are woken a few at a time."""
    clock, stretches, woken = DrivenClock(T), [0], 0

    def wake(one: Held, now: int) -> None:
        nonlocal woken
        woken += 1
        stretches[-1] += 1
        one.due.clear()
        busy = time.perf_counter() + 0.001
        while time.perf_counter() < busy:
            pass

    async def between() -> None:
        stretches.append(0)

    timers = Timers(clock, wake)
    for number in range(60):
        timers.plan(held(number, T + 10))
    await clock.advance(T + 10, between)
    assert woken == 60
    assert max(stretches) <= SLICE_S / 0.001 + 1
