"""A shop's backend as a client: signed, and every failure by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.core.signing import check_request
from router.errors import Refused
from router.web.shop_client import ShopClient

KEY = "k" * 64


class Api:
    """An HTTP server that answers as told, and what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.asked.append((head[0], headers, body))
        writer.write(self.answer)
        await writer.drain()
        writer.close()

    def says(self, status: int, body: bytes) -> None:
        """Answer like this."""
        self.answer = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, ShopClient]]:
    """The server, and a client of it."""
    api = Api()
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield api, ShopClient(f"http://127.0.0.1:{port}", "demo", KEY)
    server.close()
    await server.wait_closed()


async def test_a_call_is_signed_as_the_api_wants_it(api: tuple[Api, ShopClient]) -> None:
    """Site, time and signature of the very bytes."""
    server, client = api
    server.says(200, b'{"amount": 330}')
    assert await client.redeem("CODE", "U-1", 6600) == 330
    (request, headers, body) = server.asked[0]
    assert request == "POST /api/offers/redeem HTTP/1.1" and headers["x-router-site"] == "demo"
    time_s = headers["x-router-time"]
    check_request(KEY, time_s, headers["x-router-signature"], body, int(time_s) * 1000)


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        (409, b'{"error": "redeemed", "text": "x"}', "redeemed"),
        (410, b'{"error": "expired"}', "expired"),
        (500, b'{"error": "made up"}', "unavailable"),
        (502, b"<html>", "unavailable"),
        (200, b"[]", "unavailable"),
        (200, b"\xff", "unavailable"),
    ],
)
async def test_a_refusal_comes_back_by_name(
    api: tuple[Api, ShopClient], status: int, body: bytes, name: str
) -> None:
    """And what is no answer of the API is no answer."""
    server, client = api
    server.says(status, body)
    with pytest.raises(Refused) as refused:
        await client.place_order({"order": "U-1"})
    assert refused.value.name == name


async def test_a_service_that_is_not_there_is_unavailable() -> None:
    """In one sentence, without a traceback."""
    with pytest.raises(Refused) as refused:
        await ShopClient("http://127.0.0.1:1", "demo", KEY).redeem("CODE", "U-1", 1)
    assert refused.value.name == "unavailable"
