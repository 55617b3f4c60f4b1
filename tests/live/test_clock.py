"""A driven clock stops at everything that was planned."""

from __future__ import annotations

import asyncio

from router.live.clock import DrivenClock, WallClock


async def settled() -> None:
    await asyncio.sleep(0)


async def test_what_is_planned_runs_in_order_at_its_own_moment() -> None:
    clock = DrivenClock(1000)
    seen: list[tuple[str, int]] = []
    clock.call_at(1200, lambda: seen.append(("b", clock.now())))
    clock.call_at(1100, lambda: seen.append(("a", clock.now())))
    clock.call_at(1300, lambda: seen.append(("c", clock.now())))
    await clock.advance(1250, settled)
    assert seen == [("a", 1100), ("b", 1200)] and clock.now() == 1250
    assert clock.next_due() == 1300


async def test_what_a_callback_plans_within_the_move_runs_too() -> None:
    clock = DrivenClock(0)
    seen: list[int] = []

    def plan_another() -> None:
        clock.call_at(20, lambda: seen.append(clock.now()))

    clock.call_at(10, plan_another)
    await clock.advance(30, settled)
    assert seen == [20]


async def test_what_was_called_off_does_not_run() -> None:
    clock = DrivenClock(0)
    seen: list[int] = []
    clock.call_at(10, lambda: seen.append(1)).cancel()
    await clock.advance(30, settled)
    assert seen == [] and clock.next_due() is None


async def test_the_wall_clock_never_fires_early() -> None:
    clock = WallClock()
    for ahead in (0, 1, 3, 7):
        fired = asyncio.Event()
        moment = clock.now() + ahead
        clock.call_at(moment, fired.set)
        await fired.wait()
        assert clock.now() >= moment
