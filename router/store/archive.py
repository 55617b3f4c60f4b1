"""Conversations that have ended, kept with the visitor they were with: only for visitors whose consent allows it, since
others have no id.
"""

from __future__ import annotations

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

    async def kept(self, site: str, cid: str) -> None:
        """It is written down."""
        await self._redis.zrem(keys.routing(site, "unkept"), cid)

    async def keep(self, site: str, vid: str, cid: str, transcript: dict[str, Any]) -> None:
        """Keep it with the visitor, the newest ten; the same one again replaces itself."""
        key = keys.talks(site, vid)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, cid, msgpack.packb(transcript))
            pipeline.expire(key, keys.VISITOR_TTL_S)
            pipeline.hlen(key)
            *_, count = await pipeline.execute()
        if count > KEPT:
            oldest = [one["cid"] for one in (await self.of(site, vid))[KEPT:]]
            await self._redis.hdel(key, *oldest)

    async def of(self, site: str, vid: str) -> list[dict[str, Any]]:
        """The visitor's conversations, the latest first."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.talks(site, vid)))
        return sorted(map(msgpack.unpackb, found.values()), key=lambda one: (-one["closed"], one["cid"]))
