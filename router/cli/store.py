"""The store that the service uses, as commands ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.errors import StartError

T = TypeVar("T")

Url = Annotated[str, typer.Option(envvar="REDIS_URL", help="The store that the service uses.")]
SiteId = Annotated[str, typer.Argument(help="The site's id.")]
STORE = "redis://127.0.0.1:6379/0"
CONNECT_S = 5
ANSWER_S = 30  # a report reads a long journal


def asked(url: str, work: Callable[[Redis], Awaitable[T]]) -> T:
    """What the store says. Raises StartError if it cannot be reached."""

    async def run() -> T:
        redis: Redis = Redis.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S)
        try:
            return await work(redis)
        finally:
            await redis.aclose()

    try:
        return asyncio.run(run())
    except (RedisError, OSError):
        raise StartError("the store cannot be reached; is REDIS_URL right?") from None
