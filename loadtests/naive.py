"""The third yardstick: the service as one would write it first, with a store but without any of its promises.

Starlette on uvicorn; each event is two awaited redis-py commands, one after the other: count it in the session's
hash, get what the rules would read. The batch is acknowledged when its last event is stored. There are no rules, no
fencing, no journal, no caps and no validation. `python -m loadtests.naive` prints its port and serves until SIGTERM;
its store is that of REDIS_URL.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgpack
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from loadtests import yardstick

ACK: Final = 2
CONNECTIONS: Final = 4096  # as many as there may be sockets: nobody waits for one


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """One client with its pool for the process."""
    async with Redis.from_url(os.environ["REDIS_URL"], max_connections=CONNECTIONS) as redis:
        app.state.redis = redis
        yield


async def shopper(socket: WebSocket) -> None:
    """Count what the page sends: [2, page, first number, events] is answered with [2, page, last number]."""
    redis: Redis = socket.app.state.redis
    await socket.accept()
    try:
        while True:
            _, page, first, events = msgpack.unpackb(await socket.receive_bytes())
            for event in events:
                await redis.hincrby(f"naive:{page}", str(event[0]), 1)
                await redis.get(f"naive:{page}:facts")
            await socket.send_bytes(msgpack.packb([ACK, page, first + len(events) - 1]))
    except WebSocketDisconnect:
        pass


app = Starlette(routes=[WebSocketRoute("/", shopper)], lifespan=lifespan)

if __name__ == "__main__":
    yardstick.run(app)
