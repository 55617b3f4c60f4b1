"""A shopper's page without a browser: the protocol's client, for replay, load and tests.

It keeps its events until they are acked, resends them after a reconnect, and tells what came to `on_message`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any, Final

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from router.core import protocol as wire
from router.core.events import AnyEvent
from router.core.protocol import ServerMessage

CONNECT_S: Final = 5.0
OnMessage = Callable[["PageClient", ServerMessage], None]


def _code(code: object) -> int:
    """picows gives its own enum for codes it knows and a bare number for others."""
    return int(getattr(code, "value", code))  # type: ignore[call-overload, no-any-return]


def route_of(token: str | None) -> str:
    """The last part of the socket's address: a hash of the session id, or `new`."""
    if token is None:
        return "new"
    return hashlib.sha256(token.split(".")[2].encode()).digest()[:16].hex()


class PageClient(WSListener):
    """One page. `token` and `visitor` are shared by whoever makes pages of one visitor."""

    def __init__(
        self, page: str, site: str, token: str | None, visitor: str | None, on_message: OnMessage
    ) -> None:
        self.page = page
        self.site = site
        self.token = token
        self.visitor = visitor
        self.marks: dict[str, int] = {}
        self.acked = 0
        self.closed_with: int | None = None
        self._sent = 0
        self._unacked: list[AnyEvent] = []
        self._on_message = on_message
        self._transport: WSTransport | None = None
        self._welcomed: asyncio.Future[None] | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.gone = asyncio.Event()

    # --- connecting ----------------------------------------------------------------------------------------

    async def dial(self, address: str, origin: str) -> None:
        """Open the socket, without a word yet; the service waits 10 s for the hello.

        Raises what picows and the system raise when there is no answer. Cancelled, it leaves no socket behind.
        """
        self.closed_with = None
        self.gone.clear()
        url = f"{address}/v1/shopper/{route_of(self.token)}"
        opening = asyncio.create_task(
            ws_connect(
                lambda: self,
                url,
                extra_headers={"Origin": origin},
                max_frame_size=1 << 20,
                websocket_handshake_timeout=CONNECT_S,
            )
        )
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:  # inside the handshake picows would leave the socket open
            await asyncio.wait([opening])
            self.close()
            raise

    async def connect(
        self, address: str, origin: str, *, previous: str | None = None, language: str | None = None
    ) -> None:
        """Open the socket unless it was dialled, say hello, wait for the welcome, resend what is not acked.

        Raises ConnectionError if the socket ends before the welcome; `closed_with` then has the code.
        """
        if self._transport is None:
            await self.dial(address, origin)
        if self._transport is None:
            raise ConnectionError(f"closed with {self.closed_with}")
        self._welcomed = asyncio.get_running_loop().create_future()
        hello = wire.Hello(wire.VERSION, self.site, self.token, self.visitor, self.page, previous, language)
        self.send_message(hello)
        async with asyncio.timeout(CONNECT_S):
            await self._welcomed
        self._resend()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """picows: the handshake is done."""
        self._transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """picows: the socket is gone."""
        if transport is not self._transport:
            return
        received = transport.close_handshake.recv if transport.close_handshake is not None else None
        if received is not None and self.closed_with is None:
            self.closed_with = _code(received.code)
        self._transport = None
        lost = ConnectionError(f"closed with {self.closed_with}")
        for future in (self._welcomed, *(future for _, future in self._waiting)):
            if future is not None and not future.done():
                future.set_exception(lost)
                future.exception()
        self._waiting.clear()
        self.gone.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """picows: a frame came."""
        if frame.msg_type == WSMsgType.BINARY:
            self._take(wire.decode_server(frame.get_payload_as_bytes()))
        elif frame.msg_type == WSMsgType.CLOSE:
            self.closed_with = _code(frame.get_close_code())
            transport.disconnect()

    def close(self) -> None:
        """End the socket as a page that is left does."""
        if self._transport is not None:
            self._transport.disconnect()

    @property
    def connected(self) -> bool:
        """Whether the socket stands."""
        return self._transport is not None

    # --- events --------------------------------------------------------------------------------------------

    @property
    def sent(self) -> int:
        """The number of the newest event."""
        return self._sent

    def send(self, *events: AnyEvent) -> int:
        """Number the events and send them; returns the number of the last one."""
        first = self._sent + 1
        self._sent += len(events)
        self._unacked.extend(events)
        if self._transport is not None and self._welcomed is not None and self._welcomed.done():
            self.send_message(wire.Batch(self.page, first, list(events)))
        return self._sent

    async def stored(self, n: int | None = None) -> None:
        """Wait until everything up to `n` (or all) is acked. Raises ConnectionError if the socket ends first."""
        n = self._sent if n is None else n
        if self.acked >= n:
            return
        if self._transport is None:
            raise ConnectionError("not connected")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((n, future))
        await future

    def send_message(self, message: Any) -> None:
        """Any message of the protocol."""
        assert self._transport is not None
        self._transport.send(WSMsgType.BINARY, wire.encode(message))

    def _resend(self) -> None:
        for start in range(0, len(self._unacked), wire.MAX_EVENTS):
            part = self._unacked[start : start + wire.MAX_EVENTS]
            self.send_message(wire.Batch(self.page, self.acked + 1 + start, part))

    def _take(self, message: ServerMessage) -> None:
        match message:
            case wire.Ack(page, n) if page == self.page:
                self._acked(n)
            case wire.Gap(page, want) if page == self.page:
                self._acked(want - 1)
                self._resend()
            case wire.Welcome():
                self.token, self.visitor, self.marks = message.token, message.visitor, message.marks
                self._acked(message.marks.get(self.page, 0))
                assert self._welcomed is not None
                if not self._welcomed.done():
                    self._welcomed.set_result(None)
        self._on_message(self, message)

    def _acked(self, n: int) -> None:
        if n <= self.acked:
            return
        del self._unacked[: n - self.acked]
        self.acked = n
        for entry in [entry for entry in self._waiting if entry[0] <= n]:
            self._waiting.remove(entry)
            if not entry[1].done():
                entry[1].set_result(None)
