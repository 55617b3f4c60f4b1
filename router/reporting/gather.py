"""Reports read from the journal in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis

from router.reporting import funnel as rules
from router.reporting import levels
from router.reporting.funnel import Funnel
from router.store.journal import read

PAGE: Final = 100  # records at a stretch: less than a millisecond of a process that also serves shoppers


async def reports(
    redis: Redis, site: str, begin: int, within_ms: Mapping[str, int]
) -> tuple[Funnel, list[levels.Level]]:
    """The funnel and the service levels of a site from this moment on (ms since the epoch, by the store's clock).

    `within_ms`: by queue the time within which an answer is prompt.
    """
    made, queues = rules.Reading(site), levels.Reading(site, within_ms)
    async for entry in read(redis, after=f"{begin}-0", page=PAGE):
        made.add(entry.kind, entry.record)
        queues.add(entry.kind, entry.record)
    return made.funnel(), queues.levels()


async def funnel(redis: Redis, site: str, begin: int) -> Funnel:
    """The funnel alone."""
    return (await reports(redis, site, begin, {}))[0]
