"""One port for everything: uvicorn's HTTP protocol, with one turn-off for the shopper's socket.

An upgrade of a shopper's path goes to picows, every other upgrade to uvicorn's own WebSocket protocol. What came in
the same packet behind the upgrade request is handed on as well (uvicorn's own hand-over drops it). A request's head
(its first line and headers) is bounded in bytes and in time, which uvicorn leaves open.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final, cast

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.errors import ERRORS

SHOPPER_PATH: Final = b"/v1/shopper/"
SHOPPER_GET: Final = b"GET " + SHOPPER_PATH
MAX_HEAD_BYTES: Final = 32 * 1024  # cookies and a long referrer are some 10 KiB
HEAD_S: Final = 10.0


class Gate(HttpToolsProtocol):
    """Parses requests as uvicorn does; `shopper_protocol` makes the protocol for a shopper's socket."""

    shopper_protocol: Callable[[], asyncio.BufferedProtocol]
    head_s = HEAD_S
    _head_bytes = 0
    _in_head = True
    _untouched = True
    _deadline: asyncio.TimerHandle | None = None

    def handle_websocket_upgrade(self) -> None:
        """Called by uvicorn while the parser's upgrade signal is being handled."""
        signal = sys.exception() if sys.version_info >= (3, 11) else None
        behind = self._packet[signal.args[0] :] if isinstance(signal, httptools.HttpParserUpgrade) else b""
        if not self.url.startswith(SHOPPER_PATH) or self.scope["method"] != "GET":
            super().handle_websocket_upgrade()
            if behind:
                cast(asyncio.Protocol, self.transport.get_protocol()).data_received(behind)
        else:
            self._hand_over(self._request() + behind)
        self._part()

    def _hand_over(self, request: bytes) -> None:
        self.connections.discard(self)
        protocol = self.shopper_protocol()
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        feed(protocol, request)

    def _part(self) -> None:
        """The parser and this protocol hold each other: parted, both go at once, and not when the collector comes."""
        self.parser = cast(Any, None)

    # --- asyncio -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection came: its first request has to come in time."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._untouched and is_shoppers_upgrade(data):
            self._head_came()  # parsed where it goes, and not here as well
            self._hand_over(data)
            self._part()
            return
        self._untouched = False
        self._packet = data
        self._head_bytes += len(data)
        if self._in_head:
            self._expect_head()
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head_came()
        super().connection_lost(exc)
        self._part()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_s, self.transport.close)

    def _head_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # --- the parser ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a head, maybe behind another request in the same packet."""
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole. Raising makes the parser's error, which `send_400_response` answers."""
        self._head_came()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MAX_HEAD_BYTES:
            raise ValueError("a head beyond the bound")
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole too: what comes next is another head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse by name what is no request, or one with too large a head, and end the connection."""
        name = "too_large" if self._head_bytes > MAX_HEAD_BYTES else "bad_request"
        meaning = ERRORS[name]
        body = orjson.dumps({"error": name, "text": meaning.text, "retry": meaning.retry})
        head = (
            f"HTTP/1.1 {meaning.status} \r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        )
        self.transport.write(
            head.encode() + b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n" + body
        )
        self.transport.close()

    def _request(self) -> bytes:
        lines = [b"GET ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            lines += [name, b": ", value, b"\r\n"]
        return b"".join([*lines, b"\r\n"])


def is_shoppers_upgrade(data: bytes) -> bool:
    """Whether a packet holds, as nearly always, a whole request for a shopper's socket; more may stand behind it."""
    if not data.startswith(SHOPPER_GET):
        return False
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    return end > 0 and b"\r\nupgrade: websocket\r\n" in data[: end + 2].lower()


def feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Give bytes to a protocol that reads into its own buffer."""
    rest = memoryview(data)
    while rest:
        buffer = memoryview(protocol.get_buffer(len(rest))).cast("B")
        count = min(len(buffer), len(rest))
        buffer[:count] = rest[:count]
        protocol.buffer_updated(count)
        rest = rest[count:]


def gate(shopper_protocol: Callable[[], asyncio.BufferedProtocol]) -> type[Gate]:
    """The protocol class to give to uvicorn as `http`."""
    attributes: dict[str, Any] = {"shopper_protocol": staticmethod(shopper_protocol)}
    return type("ShopGate", (Gate,), attributes)
