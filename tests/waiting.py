"""Wait-until with a deadline: what tests use instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], *, within_s: float = 5.0) -> T:
    """The first truthy value of `condition`; fails when the deadline passes."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.002)
    return value


async def until_async(condition: Callable[[], Awaitable[T]], *, within_s: float = 5.0) -> T:
    """The same for a condition that has to be awaited."""
    deadline = time.monotonic() + within_s
    while not (value := await condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.002)
    return value
