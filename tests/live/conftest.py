"""The service for tests of this folder: on a clock that the test moves, or on the wall's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from router.live.clock import DrivenClock, WallClock
from router.store.embedded import Embedded
from tests.live.world import T, World
from tests.service import InLoop, in_loop


@pytest.fixture
async def world(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[World]:
    """The demo's service on a driven clock."""
    clock = DrivenClock(T)
    async with in_loop(valkey.url, clock, tmp_path, lease_ms=0, sweep_ms=5_000) as at:
        yield World(at, clock)


@pytest.fixture
async def calm(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[World]:
    """The same, sweeping once a minute: for tests in which half an hour passes."""
    clock = DrivenClock(T)
    async with in_loop(valkey.url, clock, tmp_path, lease_ms=0, sweep_ms=60_000) as at:
        yield World(at, clock)


@pytest.fixture
async def service(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    """The demo's service on the wall's clock."""
    async with in_loop(valkey.url, WallClock(), tmp_path) as running:
        yield running
