"""Hostile requests: bounded in bytes and in time, answered by name, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.live.clock import WallClock
from router.store.embedded import Embedded
from router.web.gate import MAX_HEAD_BYTES
from tests.service import InLoop, in_loop
from tests.shopper import Shopper

UPGRADE = "GET /v1/shopper/new HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.fixture
async def at(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    async with in_loop(valkey.url, WallClock(), tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
async def bystander(at: InLoop) -> AsyncIterator[None]:
    """A shopper who is there all the time and loses nothing."""
    page = await Shopper(at).open()
    yield
    page.send(ev.Page(0, "other", "/"))
    await page.stored()
    assert page.connected


async def answer(at: InLoop, *packets: bytes, within_s: float = 5.0) -> bytes:
    """Everything that comes back until the service ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    try:
        async with asyncio.timeout(within_s):
            with contextlib.suppress(OSError):
                for packet in packets:
                    writer.write(packet)
                    await writer.drain()
            got = b""
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65536):
                    got += data
            return got
    finally:
        writer.close()


def named(got: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer."""
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "packets",
    [
        [b"GET / HTTP/1.1\r\n", b"X-Padding: " + b"x" * 16_000 + b"\r\n"]
        + [b"A: " + b"y" * 8000 + b"\r\n"] * 4,
        [b"GET / HTTP/1.1\r\nX-Endless: ", *[b"x" * 8192] * 8],
        [b"GET /", *[b"x" * 8192] * 8],
        [b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n"],
        [b"GET / HTTP/1.1\r\nHost: x\r\nX-All-At-Once: " + b"x" * 60_000 + b"\r\n\r\n"],
        [UPGRADE.encode() + b"X-Padding: " + b"x" * 60_000 + b"\r\n\r\n"],
    ],
    ids=[
        "many headers",
        "one endless header",
        "an endless address",
        "very many headers",
        "one packet",
        "an upgrade",
    ],
)
async def test_a_head_beyond_the_bound_is_refused_by_name(at: InLoop, packets: list[bytes]) -> None:
    status, body = named(await answer(at, *packets))
    assert (status, body["error"]) == (413, "too_large")


async def test_a_head_within_the_bound_is_served(at: InLoop) -> None:
    padding = b"x" * (MAX_HEAD_BYTES - 200)
    got = await answer(
        at, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + padding + b"\r\n\r\n"
    )
    assert named(got) == (200, {"ok": True})


async def test_a_long_body_is_not_counted_as_head(at: InLoop) -> None:
    body = b"x" * 30_000
    first = b"POST /v1/last HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n" + body
    got = await answer(at, first, first, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 400 ") == 2 and got.endswith(b'{"ok":true}')


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", UPGRADE.encode()])
async def test_a_head_that_does_not_come_ends_the_connection(at: InLoop, start: bytes) -> None:
    at.server.config.http_protocol_class.head_s = 0.05  # type: ignore[attr-defined]
    assert await answer(at, start) == b""


async def test_a_second_head_that_does_not_come_ends_the_connection_too(at: InLoop) -> None:
    """One byte of a next request calls off the keep-alive's end; the head's own bound has to hold."""
    at.server.config.http_protocol_class.head_s = 0.05  # type: ignore[attr-defined]
    got = await answer(at, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"G")
    assert got.endswith(b'{"ok":true}')


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/last HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00B: c\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_by_name(at: InLoop, request_: bytes) -> None:
    status, body = named(await answer(at, request_))
    assert (status, body["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "rest",
    [
        "\r\n",
        "Sec-WebSocket-Version: 13\r\n\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \x00\r\n\r\n",
    ],
)
async def test_an_upgrade_that_is_none_opens_no_socket(at: InLoop, rest: str) -> None:
    before = len(at.service.roster.sockets)
    got = await answer(at, (UPGRADE + rest).encode())
    assert b" 101 " not in got.split(b"\r\n")[0]
    assert len(at.service.roster.sockets) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
async def test_an_upgrade_by_another_method_opens_no_socket(at: InLoop, method: str) -> None:
    request = (
        UPGRADE.replace("GET", method)
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    got = await answer(at, (request + "Connection: close\r\n\r\n").encode())
    assert b" 101 " not in got.split(b"\r\n")[0]
