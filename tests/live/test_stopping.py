"""A service stops, whatever its store's client does with a cancellation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from router.live.clock import WallClock
from router.store.embedded import Embedded
from tests.service import in_loop
from tests.waiting import until


async def test_it_stops_although_a_cancellation_was_swallowed_on_the_way(
    redis: Redis, valkey: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung: a look at the rules was under way, and the loop never heard that it should end."""
    looking = asyncio.Event()

    async def look(*_: Any) -> None:
        looking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with asyncio.timeout(20):
        async with in_loop(valkey.url, WallClock(), tmp_path) as at:
            monkeypatch.setattr(at.service.rulebook, "look", look)
            await until(looking.is_set)
