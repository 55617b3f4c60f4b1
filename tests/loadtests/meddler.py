"""A peer between clients and the service that passes everything on but what it is told to spoil.

It speaks just enough HTTP to find the sockets among the connections, and RFC 6455 framing without fragments.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from router.core import protocol as wire

Write = Callable[[bytes], Awaitable[None]]
BINARY, TEXT = 2, 1


class Line:
    """One client's socket through the meddler. `login`: whose console it is; "" is a shopper's page."""

    def __init__(self, up: Write, down: Write) -> None:
        self.up = up
        self.down = down
        self.login = ""
        self.notes: dict[str, Any] = {}


class Fault:
    """Spoils nothing. `up` gets what a client sends and `down` what the service sends; each passes on what it will."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    async def page_up(self, line: Line, message: wire.ClientMessage) -> None:
        """A page's message on its way to the service."""
        await line.up(wire.encode(message))

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        """The service's message on its way to a page."""
        await line.down(wire.encode(message))

    async def console_up(self, line: Line, frame: dict[str, Any]) -> None:
        """A console's frame on its way to the service."""
        await line.up(json.dumps(frame).encode())

    async def console_down(self, line: Line, frame: dict[str, Any]) -> None:
        """The service's frame on its way to a console."""
        await line.down(json.dumps(frame).encode())


class Meddler:
    """Listens on a free loopback port while it is entered; `address` is HOST:PORT. `origin`: what pages then claim."""

    def __init__(self, service: str, origin: str, fault: Fault) -> None:
        self._service = service
        self._origin = origin
        self._fault = fault
        self._busy: set[asyncio.Task[None]] = set()
        self.address = ""

    async def __aenter__(self) -> Meddler:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        host, _, port = self._service.partition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._connection(reader, writer, up_reader, up_writer)
        finally:
            for stream in (writer, up_writer):
                stream.close()

    async def _connection(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        while b"Upgrade: websocket" not in head:
            body = await reader.readexactly(_length(head))
            await _sender(up_writer)(self._rewritten(head) + body)
            answer = await up_reader.readuntil(b"\r\n\r\n")
            await _sender(writer)(answer + await up_reader.readexactly(_length(answer)))
            head = await reader.readuntil(b"\r\n\r\n")
        await _sender(up_writer)(self._rewritten(head))
        await _sender(writer)(await up_reader.readuntil(b"\r\n\r\n"))
        page = b"/v1/shopper/" in head.partition(b"\r\n")[0]
        opcode = BINARY if page else TEXT
        line = Line(_framed(up_writer, opcode, mask=True), _framed(writer, opcode, mask=False))
        self._fault.lines.append(line)
        up = self._pump(reader, up_writer, line, up=True, page=page)
        down = self._pump(up_reader, writer, line, up=False, page=page)
        ways = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line, *, up: bool, page: bool
    ) -> None:
        while True:
            raw, opcode, payload = await _frame(reader)
            if opcode not in (BINARY, TEXT):
                await _sender(writer)(raw)
            elif page and up:
                await self._fault.page_up(line, wire.decode(payload))
            elif page:
                await self._fault.page_down(line, wire.decode_server(payload))
            elif up:
                await self._fault.console_up(line, json.loads(payload))
            else:
                frame = json.loads(payload)
                line.login = frame["agent"]["login"] if frame["t"] == "hello" else line.login
                await self._fault.console_down(line, frame)

    def _rewritten(self, head: bytes) -> bytes:
        """The same request as if it had been made to the service itself."""
        first = head.partition(b"\r\n")[0]
        origin = self._origin if b"/v1/shopper/" in first else f"http://{self._service}"
        head = re.sub(rb"(?i)\r\nOrigin: [^\r]*", b"\r\nOrigin: " + origin.encode(), head)
        return re.sub(rb"(?i)\r\nHost: [^\r]*", b"\r\nHost: " + self._service.encode(), head)


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)\r\nContent-Length: (\d+)", head)
    return int(found[1]) if found else 0


def _sender(writer: asyncio.StreamWriter) -> Write:
    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    return send


def _framed(writer: asyncio.StreamWriter, opcode: int, *, mask: bool) -> Write:
    """Write payloads as single frames; the mask of zeros is one as good as any."""
    send = _sender(writer)

    async def framed(payload: bytes) -> None:
        flag, size = (0x80 if mask else 0), len(payload)
        head = (
            bytes((0x80 | opcode, flag | size))
            if size < 126
            else struct.pack(">BBH", 0x80 | opcode, flag | 126, size)
        )
        await send(head + (bytes(4) if mask else b"") + payload)

    return framed


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, int, bytes]:
    """The next frame: as it came, its opcode, its payload unmasked."""
    raw = await reader.readexactly(2)
    size, masked = raw[1] & 0x7F, raw[1] & 0x80
    if size >= 126:
        more = await reader.readexactly(2 if size == 126 else 8)
        raw, size = raw + more, int.from_bytes(more, "big")
    mask = await reader.readexactly(4) if masked else bytes(4)
    body = await reader.readexactly(size)
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))
    return raw + (mask if masked else b"") + body, raw[0] & 0x0F, payload
