"""Reports read from the journal in the store."""

from __future__ import annotations

from redis.asyncio import Redis

from router.reporting.funnel import Funnel, Reading
from router.store.journal import read


async def funnel(redis: Redis, site: str, begin: int) -> Funnel:
    """The funnel of a site from this moment on (ms since the epoch, by the store's clock)."""
    reading = Reading(site)
    async for entry in read(redis, after=f"{begin}-0"):
        reading.add(entry.kind, entry.record)
    return reading.funnel()
