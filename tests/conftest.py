"""Shared fixtures: one real private Valkey a test process, emptied before each test that asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from router.store.embedded import Embedded


@pytest.fixture(scope="session")
def valkey() -> Iterator[Embedded]:
    """A private server without persistence."""
    with Embedded() as server:
        yield server


@pytest.fixture
async def redis(valkey: Embedded) -> AsyncIterator[Redis]:
    """A client of the private server, whose data is gone."""
    client: Redis = Redis.from_url(valkey.url)
    await client.flushall()
    yield client
    await client.aclose()
