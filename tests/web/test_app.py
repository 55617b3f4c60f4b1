"""The service as a whole: what it says of itself, and what it answers when something is wrong with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from router.errors import StartError
from router.live.clock import WallClock
from router.settings import Settings
from router.store.embedded import Embedded
from router.web import app as app_module
from router.web.app import Service
from tests.relay import Relay
from tests.service import SECRET, InLoop, in_loop
from tests.shopper import Shopper
from tests.waiting import until_async


@pytest.fixture
async def at(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    async with in_loop(valkey.url, WallClock(), tmp_path) as running:
        yield running


async def get(at: InLoop, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=at.url) as client:
        return await client.get(path, headers=headers)


async def test_healthz_is_the_process_alone(at: InLoop) -> None:
    assert (await get(at, "/healthz")).json() == {"ok": True}


async def test_readyz_says_what_an_operator_has_to_know(at: InLoop) -> None:
    shopper = Shopper(at)
    await shopper.open()
    got = await get(at, "/readyz")
    assert got.status_code == 200
    state = got.json()
    assert state["ready"] is True and state["store"] == "here"
    assert (state["sessions"], state["sockets"]) == (1, 1)
    assert state["aof_delayed_fsync"] == 0 and state["journal"]["dropped"] == {}
    assert set(state["rules"]) == {"demo"}


async def test_readyz_answers_soon_while_the_store_is_silent_and_recovers(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    """A balancer's check gives up after a few seconds: the answer has to be "no", not silence."""
    async with (
        Relay(valkey.port) as relay,
        in_loop(f"redis://127.0.0.1:{relay.port}/0", WallClock(), tmp_path) as at,
    ):
        at.service.link._timeout_s = 0.2
        relay.fall_silent()
        async with asyncio.timeout(4):
            got = await get(at, "/readyz")
        assert got.status_code == 503 and got.json()["ready"] is False
        assert got.json()["store"].startswith("away")
        assert (await get(at, "/healthz")).status_code == 200
        relay.heal()

        async def ready() -> bool:
            return (await get(at, "/readyz")).status_code == 200

        await until_async(ready, within_s=10)


async def test_a_defect_of_ours_is_a_named_error_with_every_header(
    at: InLoop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own answer to an exception once went out as bare text without a policy."""
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)  # as the service runs it
    for name in ("uvicorn", "uvicorn.error"):  # another test's server may have made them quiet
        caplog.set_level(logging.ERROR, name)

    async def broken(request: Request) -> Response:
        raise ZeroDivisionError("secret detail")

    inner = at.service.app.app  # type: ignore[attr-defined]
    assert isinstance(inner.router, Router)
    inner.router.routes.insert(0, Route("/broken", broken))
    got = await get(at, "/broken")
    assert got.status_code == 500
    assert got.json() == {
        "error": "failed",
        "text": "Something went wrong here; it was logged.",
        "retry": True,
    }
    assert "default-src 'none'" in got.headers["content-security-policy"]
    assert "ZeroDivisionError" in caplog.text


async def test_without_a_store_requests_are_unavailable_and_the_service_still_stops(tmp_path: Path) -> None:
    with Embedded() as store:
        async with in_loop(store.url, WallClock(), tmp_path) as at:
            shopper = Shopper(at)
            page = await shopper.open()
            store.stop()
            ready = await get(at, "/readyz")
            assert ready.status_code == 503 and ready.json()["ready"] is False
            async with httpx.AsyncClient(base_url=at.url, headers={"Origin": at.url}) as client:
                body = {"site": "demo", "login": "aoi", "password": "x" * 9}
                login = await client.post("/agent/api/login", json=body)
            assert (
                login.status_code == 503
                and login.json()["error"] == "unavailable"
                and login.json()["retry"] is True
            )
            with pytest.raises(ConnectionError):
                await Shopper(at).open()
            stopping = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopping < 15
        await page.gone.wait()


async def test_a_store_that_never_lets_the_service_in_ends_the_start(
    redis: Redis, valkey: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lasting connection is tried again for ever; the start is not."""
    monkeypatch.setattr(app_module, "START_S", 0.3)
    async with Relay(valkey.port) as relay:
        relay.fall_silent()
        service = Service(
            Settings(data=tmp_path),
            f"redis://127.0.0.1:{relay.port}/0",
            SECRET,
            WallClock(),
            "http://127.0.0.1:1",
        )
        try:
            with pytest.raises(StartError, match="check REDIS_URL"):
                await service.start()
        finally:
            service.roster.stop()
            await service.link.close()
            await service.redis.aclose()


@pytest.mark.parametrize("body", [b"", b"\xff" * 100, b"[]", b"x" * 40_000])
async def test_a_last_batch_that_is_none_is_refused_by_name_with_cors(at: InLoop, body: bytes) -> None:
    async with httpx.AsyncClient(base_url=at.url) as client:
        got = await client.post("/v1/last", content=body, headers={"Origin": "https://shop.example"})
    assert got.status_code in (400, 413) and got.json()["error"] in ("bad_frame", "bad_request", "too_large")
    assert got.headers["access-control-allow-origin"] == "*"


async def test_the_browsers_question_before_a_last_batch_is_answered(at: InLoop) -> None:
    async with httpx.AsyncClient(base_url=at.url) as client:
        got = await client.options("/v1/last", headers={"Origin": "https://shop.example"})
    assert got.status_code == 204 and got.headers["access-control-allow-methods"] == "POST"
