"""router.store.life: a loop ends when it was asked to, also where a client swallowed that."""

from __future__ import annotations

import asyncio
from typing import Any

from router.store.life import goes_on


async def swallowing(*_: Any) -> int:
    """What a store's client does now and then: it goes on as if nobody had asked it to end."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        return 0
    return 0


async def test_a_loop_hears_of_an_end_that_was_swallowed() -> None:
    async def work() -> str:
        while goes_on():
            await swallowing()
        return "ended"

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    assert await asyncio.wait_for(task, 5) == "ended"
