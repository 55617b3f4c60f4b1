"""One port: the shopper's path goes to picows, everything else to uvicorn, whatever way the bytes come in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
import uvicorn
from picows import WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined]
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from router.web.gate import MAX_HEAD_BYTES, gate, is_shoppers_upgrade

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME = b"\x82\x85\x00\x00\x00\x00hello"
TEXT = b"\x81\x85\x00\x00\x00\x00hello"


class Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.BINARY, b"picows:" + frame.get_payload_as_bytes())


def shopper() -> asyncio.BufferedProtocol:
    logger = logging.getLogger("test")
    protocol: asyncio.BufferedProtocol = WSProtocol(
        None,
        None,
        False,
        lambda r: Echo(),
        logger,
        True,
        5.0,
        False,
        10,
        10,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        True,
        1000,
        None,
        2048,
    )
    return protocol


async def agent(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(Exception):
        await socket.send_text("uvicorn:" + await socket.receive_text())
        await socket.receive()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Starlette(
        routes=[Route("/", lambda request: PlainTextResponse("page")), WebSocketRoute("/v1/agent", agent)]
    )
    config = uvicorn.Config(app, port=0, log_level="warning", http=gate(shopper), lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def talk(port: int, *packets: bytes, expect: bytes) -> bytes:
    """Send the packets, each on its own; read until `expect` came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0.01)  # let it be a packet of its own
        async with asyncio.timeout(5):
            while expect not in got:
                data = await reader.read(4096)
                assert data, got
                got += data
        return got
    finally:
        writer.close()


@pytest.mark.parametrize(("path", "frame", "answer"), [
    ("/v1/shopper/new", FRAME, b"picows:hello"),
    ("/v1/agent", TEXT, b"uvicorn:hello"),
])  # fmt: skip
class TestBothPaths:
    async def test_in_one_packet_each(self, port: int, path: str, frame: bytes, answer: bytes) -> None:
        await talk(port, UPGRADE.format(path=path).encode(), frame, expect=answer)

    async def test_a_frame_right_behind_the_handshake(
        self, port: int, path: str, frame: bytes, answer: bytes
    ) -> None:
        await talk(port, UPGRADE.format(path=path).encode() + frame, expect=answer)

    @pytest.mark.parametrize("cut", [1, 5, 30, -1, -3])
    async def test_a_request_split_over_packets(
        self, port: int, path: str, frame: bytes, answer: bytes, cut: int
    ) -> None:
        request = UPGRADE.format(path=path).encode()
        await talk(port, request[:cut], request[cut:] + frame, expect=answer)

    async def test_after_a_plain_request_on_the_same_connection(
        self, port: int, path: str, frame: bytes, answer: bytes
    ) -> None:
        page = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        got = await talk(port, page, UPGRADE.format(path=path).encode(), frame, expect=answer)
        assert b"page" in got


async def test_compression_is_declined(port: int) -> None:
    asked = UPGRADE.format(path="/v1/shopper/new").replace(
        "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    got = await talk(port, asked.encode(), FRAME, expect=b"picows:hello")
    assert b"101" in got.split(b"\r\n")[0] and b"extensions" not in got.lower()


async def test_a_plain_get_of_the_shoppers_path_is_not_found(port: int) -> None:
    await talk(port, b"GET /v1/shopper/new HTTP/1.1\r\nHost: x\r\n\r\n", expect=b"404")


@pytest.mark.parametrize(
    ("request_", "whole"),
    [
        (b"GET /v1/shopper/new HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n\r\n", True),
        (b"GET /v1/shopper/new HTTP/1.1\r\nupgrade: websocket\r\n\r\n\x82\x80", True),
        (b"GET /v1/shopper/new HTTP/1.1\r\nUpgrade: websocket\r\n", False),
        (b"GET /v1/shopper/new HTTP/1.1\r\nHost: x\r\n\r\nUpgrade: websocket\r\n\r\n", False),
        (b"POST /v1/shopper/new HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", False),
        (b"GET /v1/agent HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", False),
        (
            b"GET /v1/shopper/new HTTP/1.1\r\nX: "
            + b"y" * MAX_HEAD_BYTES
            + b"\r\nUpgrade: websocket\r\n\r\n",
            False,
        ),
        (b"", False),
    ],
)
def test_only_a_whole_request_for_a_shoppers_socket_is_not_parsed_twice(request_: bytes, whole: bool) -> None:
    assert is_shoppers_upgrade(request_) is whole
