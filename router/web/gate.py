"""One port for everything: uvicorn's HTTP protocol, with one turn-off for the shopper's socket.

An upgrade of a shopper's path goes to picows, every other upgrade to uvicorn's own WebSocket protocol. What came in
the same packet behind the upgrade request is handed on as well (uvicorn's own hand-over drops it).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SHOPPER_PATH: Final = b"/v1/shopper/"


class Gate(HttpToolsProtocol):
    """Parses requests as uvicorn does; `shopper_protocol` makes the protocol for a shopper's socket."""

    shopper_protocol: Callable[[], asyncio.BufferedProtocol]

    def handle_websocket_upgrade(self) -> None:
        """Called by uvicorn while the parser's upgrade signal is being handled."""
        signal = sys.exception() if sys.version_info >= (3, 11) else None
        behind = self._packet[signal.args[0] :] if isinstance(signal, httptools.HttpParserUpgrade) else b""
        if not self.url.startswith(SHOPPER_PATH) or self.scope["method"] != "GET":
            super().handle_websocket_upgrade()
            if behind:
                self.transport.get_protocol().data_received(behind)  # type: ignore[union-attr]
            return
        self.connections.discard(self)
        protocol = self.shopper_protocol()
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        feed(protocol, self._request() + behind)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        self._packet = data
        super().data_received(data)

    def _request(self) -> bytes:
        lines = [b"GET ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            lines += [name, b": ", value, b"\r\n"]
        return b"".join([*lines, b"\r\n"])


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
