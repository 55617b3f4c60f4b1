"""Conversations that have ended, kept with the visitor they were with: only for visitors whose consent allows it, since
others have no id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgpack
from redis.asyncio import Redis

from router.store import keys

KEPT: Final = 10  # a visitor


class Archive:
    """The ended conversations of every visitor, and the list of those that are not written down yet."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def unkept(self, site: str, until: int, most: int) -> list[str]:
        """Conversations that ended before `until` (ms) and are not known to be written down."""
        found = await self._redis.zrangebyscore(
            keys.routing(site, "unkept"), "-inf", until, start=0, num=most
        )
        return [cid.decode() for cid in cast("list[bytes]", found)]

    async def kept(self, site: str, cids: Sequence[str]) -> None:
        """They are written down."""
        await self._redis.zrem(keys.routing(site, "unkept"), *cids)

    async def keep(self, site: str, transcripts: Sequence[dict[str, Any]]) -> None:
        """Keep each with its visitor, if it has one, the newest ten; the same one again replaces itself."""
        visitors = list(dict.fromkeys(one["visitor"] for one in transcripts if one["visitor"]))
        if not visitors:
            return
        async with self._redis.pipeline(transaction=False) as pipeline:
            for one in transcripts:
                if one["visitor"]:
                    pipeline.hset(keys.talks(site, one["visitor"]), one["cid"], msgpack.packb(one))
            for vid in visitors:
                pipeline.expire(keys.talks(site, vid), keys.VISITOR_TTL_S)
            for vid in visitors:
                pipeline.hlen(keys.talks(site, vid))
            counts = (await pipeline.execute())[-len(visitors) :]
        for vid, count in zip(visitors, counts, strict=True):
            if count > KEPT:
                await self._drop_oldest(site, vid)

    async def _drop_oldest(self, site: str, vid: str) -> None:
        oldest = [one["cid"] for one in (await self.of(site, vid))[KEPT:]]
        if oldest:
            await self._redis.hdel(keys.talks(site, vid), *oldest)

    async def of(self, site: str, vid: str) -> list[dict[str, Any]]:
        """The visitor's conversations, the latest first."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.talks(site, vid)))
        return sorted(map(msgpack.unpackb, found.values()), key=lambda one: (-one["closed"], one["cid"]))
