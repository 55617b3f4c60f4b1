"""router.store.life: a loop ends when it was asked to, also where a client swallowed that."""

from __future__ import annotations

import asyncio
import contextlib

from router.store.life import goes_on


async def swallowing(begun: asyncio.Event) -> None:
    """What a store's client does now and then: it goes on as if nobody had asked it to end."""
    begun.set()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def test_a_loop_hears_of_an_end_that_was_swallowed() -> None:
    begun = asyncio.Event()

    async def work() -> str:
        while goes_on():
            await swallowing(begun)
        return "ended"

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    assert await asyncio.wait_for(task, 5) == "ended"
