"""Webhooks: called beside everything, signed, tried again, bounded, and told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.core import signing
from router.live.clock import WallClock
from router.live.webhooks import MAX_WAITING, Webhooks
from router.store.journal import Journal, read
from router.web.server import bind
from tests.waiting import until

SECRET = b"a secret of this test"


class Taker:
    """The shop's own service: answers with `statuses`, one after another, then 204."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: Request) -> Response:
        self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 204)


@contextlib.asynccontextmanager
async def taking(taker: Taker) -> AsyncIterator[str]:
    listening = bind("127.0.0.1", 0)
    app = Starlette(routes=[Route("/hook", taker.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    server.should_exit = True
    await task
    listening.close()


@contextlib.asynccontextmanager
async def calling(redis: Redis) -> AsyncIterator[tuple[Webhooks, Journal]]:
    journal = Journal(redis, "node-1", WallClock())
    webhooks = Webhooks(SECRET, WallClock(), journal, pause_s=0.001)
    webhooks.start()
    yield webhooks, journal
    await webhooks.stop()


async def told(journal: Journal, redis: Redis) -> list[dict[str, Any]]:
    await journal.flush()
    return [entry.record async for entry in read(redis) if entry.kind == "webhook"]


async def test_a_call_is_signed_with_the_sites_key_and_told(redis: Redis) -> None:
    taker = Taker()
    async with taking(taker) as url, calling(redis) as (webhooks, journal):
        webhooks.call("shop", "crm", url, "decision-1", {"rule": "cart-wait"})
        await until(lambda: not webhooks.busy)
        ((headers, body),) = taker.taken
        assert body == b'{"rule":"cart-wait"}'
        key = signing.site_key(SECRET, "shop")
        now = int(headers["x-router-time"]) * 1000
        signing.check_request(key, headers["x-router-time"], headers["x-router-signature"], body, now)
        (record,) = await told(journal, redis)
        assert (record["webhook"], record["did"], record["outcome"]) == ("crm", "decision-1", "ok")


@pytest.mark.parametrize(
    ("statuses", "tries", "outcome"),
    [([500, 503], 3, "ok"), ([500, 500, 502], 3, "status 502"), ([302, 302, 302], 3, "status 302")],
)
async def test_a_call_that_is_not_taken_is_tried_three_times(
    redis: Redis, statuses: list[int], tries: int, outcome: str
) -> None:
    taker = Taker()
    taker.statuses = statuses
    async with taking(taker) as url, calling(redis) as (webhooks, journal):
        webhooks.call("shop", "crm", url, "decision-1", {})
        await until(lambda: not webhooks.busy)
        assert len(taker.taken) == tries
        assert [record["outcome"] for record in await told(journal, redis)] == [outcome]


async def test_nobody_there_is_told_and_hinders_nobody(redis: Redis) -> None:
    async with calling(redis) as (webhooks, journal):
        webhooks.call("shop", "crm", "http://127.0.0.1:1/hook", "decision-1", {})
        await until(lambda: not webhooks.busy)
        assert [record["outcome"] for record in await told(journal, redis)] == ["ConnectError"]


async def test_too_many_that_wait_are_dropped_and_counted(redis: Redis) -> None:
    webhooks = Webhooks(SECRET, WallClock(), Journal(redis, "node-1", WallClock()))
    for n in range(MAX_WAITING + 3):
        webhooks.call("shop", "crm", "http://127.0.0.1:1/", f"decision-{n}", {})
    assert webhooks.dropped == 3
