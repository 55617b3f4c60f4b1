"""Commands that may be repeated, over the hot path's link where it is up: a sixth of what a client library costs.

Where the link is down, or breaks before the answer, the same command goes by the library, which connects anew and tries
again. So only what may happen twice is asked here: reads, and scripts that are idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from router.store import scripts
from router.store.link import Link, LinkLost

Command = tuple[str | bytes | int, ...]


class Quick:
    """`link`: None, or one that may not have started yet."""

    def __init__(self, redis: Redis, link: Link | None = None) -> None:
        self._redis = redis
        self._link = link

    async def run(self, name: str, keys: Sequence[str], args: Sequence[scripts.Arg]) -> Any:
        """As `scripts.run`."""
        if self._link is not None and self._link.up:
            words = tuple(arg if isinstance(arg, str | bytes | int) else repr(arg) for arg in args)
            try:
                return await self._over_link(self._link, name, (len(keys), *keys, *words))
            except LinkLost:
                pass
        return await scripts.run(self._redis, name, keys, args)

    async def _over_link(self, link: Link, name: str, words: Command) -> Any:
        try:
            return await link.call("EVALSHA", scripts.sha(name), *words)
        except hiredis.ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise ResponseError(str(error)) from error
        try:
            return await link.call("EVAL", scripts.source(name), *words)
        except hiredis.ReplyError as error:
            raise ResponseError(str(error)) from error

    async def ask(self, *commands: Command) -> list[Any]:
        """The replies as the server sent them, to commands that it gets one right after the other."""
        if self._link is not None and self._link.up:
            try:
                return list(await asyncio.gather(*(self._link.call(*command) for command in commands)))
            except LinkLost:
                pass
            except hiredis.ReplyError as error:
                raise ResponseError(str(error)) from error
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.response_callbacks = {}  # plain replies, as over the link
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute())


def pairs(reply: Any) -> list[tuple[Any, Any]]:
    """A hash, or members with their scores: a list name, value, name, value ... over the link, maps and pairs by the
    library, which speaks RESP3.
    """
    if isinstance(reply, dict):
        return list(reply.items())
    if reply and isinstance(reply[0], list | tuple):
        return [(name, value) for name, value in reply]
    return list(zip(reply[::2], reply[1::2], strict=True))
