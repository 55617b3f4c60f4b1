"""The console's tests: the whole service in the test's loop, an empty store, an agent's window on duty."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from router.live.clock import WallClock
from router.store.embedded import Embedded
from tests.browser.console.seat import Seat, Shop, window
from tests.service import in_loop


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(valkey: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """The whole service on a free port of its own."""
    folder = tmp_path_factory.mktemp("data")
    async with in_loop(valkey.url, WallClock(), folder, demo=False) as running:
        yield Shop(running.url, running.service.desk, running.service.redis)


@pytest_asyncio.fixture(loop_scope="module")
async def shop(service: Shop) -> Shop:
    """The service with an empty store and one agent."""
    await service.fresh()
    return service


@pytest_asyncio.fixture(loop_scope="module")
async def seat(shop: Shop, chromium: Browser) -> AsyncIterator[Seat]:
    """The agent's window, on duty."""
    async with window(chromium) as seat:
        await seat.go_on_duty(shop.url)
        yield seat
