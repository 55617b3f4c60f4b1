"""The shopper's socket: picows frames in, engine calls out, and every bound that keeps one page from hurting others."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, cast

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined]

from router.core import protocol as wire
from router.core.site import Site
from router.errors import ERRORS, Refused
from router.live.engine import Engine
from router.live.held import Held

log = structlog.get_logger()

PING_S: Final = 25.0
HELLO_S: Final = 10.0
MAX_UNACKED: Final = 256
MAX_UNREAD: Final = 256
MAX_EARLY: Final = 64
READ_BUFFER_BYTES: Final = 2048
BINARY: Final = WSMsgType.BINARY  # a look-up in an enum costs as much as a call


class ShopperSocket(WSListener):
    """One open page. It is the engine's `Peer` once its hello was accepted."""

    def __init__(self, roster: Roster, origin: str) -> None:
        self.roster = roster
        self.engine = roster.engine
        self.origin = origin
        self.page = ""
        self.site: Site
        self.held: Held | None = None
        self.transport: WSTransport | None = None
        self.heard = True
        self.pinged = False
        self.greeted = False
        self.early: list[wire.ClientMessage] = []
        self.taken = 0
        self.paused = False
        self.choked = False
        self.unread = 0
        self.closing = False

    # --- from picows ---------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self.transport = transport
        self.roster.joined(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came."""
        if self.closing:
            return
        self.heard = True
        kind = frame.msg_type
        if kind is BINARY and frame.fin:
            message = None
            try:
                message = wire.decode(frame.get_payload_as_bytes())
                self._message(message)
            except Refused as refused:
                self.refuse(refused, message)
            except Exception:
                log.exception("a message failed")
                self.close("overloaded")
        elif kind == WSMsgType.CLOSE:
            code = frame.get_close_code()  # "none given" has a number, but that must not be sent
            self._end(WSCloseCode.OK if code == WSCloseCode.NO_INFO else code, None)
        elif kind == WSMsgType.TEXT:
            self.close("text_frame")
        elif kind not in (WSMsgType.PING, WSMsgType.PONG):
            self.close("fragmented")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self.roster.sockets.discard(self)
        self.transport = None
        held, self.held = self.held, None
        if held is not None:
            self.engine.leave(held, self)

    def pause_writing(self) -> None:
        """The page does not read as fast as we write."""
        self.choked = True

    def resume_writing(self) -> None:
        """It caught up."""
        self.choked, self.unread = False, 0

    # --- messages ------------------------------------------------------------------------------------------

    def _message(self, message: wire.ClientMessage) -> None:
        held = self.held
        if held is not None:
            if type(message) is wire.Batch:
                self._batch(held, message)
            elif type(message) is wire.Hello:
                raise Refused("hello_expected", "A hello came twice.")
            else:
                self.engine.talks.message(held, self, message)
        elif type(message) is wire.Hello and not self.greeted:
            self._hello(message)
        elif self.greeted and type(message) is not wire.Hello and len(self.early) < MAX_EARLY:
            self.early.append(message)
        else:
            raise Refused("hello_expected")

    def _batch(self, held: Held, batch: wire.Batch) -> None:
        self.taken += self.engine.batch(held, self, batch)
        if self.taken > MAX_UNACKED and not self.paused and self.transport is not None:
            self.paused = True
            self.transport.underlying_transport.pause_reading()

    def _hello(self, hello: wire.Hello) -> None:
        site = self.engine.sites.get(hello.site)
        if site is None:
            raise Refused("unknown_site")
        if self.origin not in site.origins:
            raise Refused(
                "bad_origin", f"The origin {self.origin[:100]!r} is not on the list of site {site.id}."
            )
        self.greeted = True
        self.site, self.page = site, hello.page
        self.roster.spawn(self._attach(hello))

    async def _attach(self, hello: wire.Hello) -> None:
        try:
            held = await self.engine.hello(self, hello)
        except Refused as refused:
            self.refuse(refused, hello)
            return
        except Exception:
            log.exception("a hello failed")
            self.close("overloaded")
            return
        if self.transport is None:
            self.engine.leave(held, self)
            return
        self.held = held
        early, self.early = self.early, []
        for message in early:
            try:
                self._message(message)
            except Refused as refused:
                self.refuse(refused, message)

    # --- to the page ---------------------------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """Queue a frame; a page that leaves too many unread is closed."""
        transport = self.transport
        if transport is None or self.closing:
            return
        if self.choked:
            self.unread += 1
            if self.unread > MAX_UNREAD:
                self.abort()
                return
        transport.send(BINARY, frame)

    def acked(self, page: str, n: int) -> None:
        """What this socket sent is stored, up to here."""
        self.taken = 0
        if self.paused and self.transport is not None:
            self.paused = False
            self.transport.underlying_transport.resume_reading()

    def refuse(self, refused: Refused, message: wire.ClientMessage | None = None) -> None:
        """Say what was refused, and of which page; the table says whether the socket ends with it."""
        about = getattr(message, "page", None)
        self.send(wire.encode(wire.Error(refused.name, refused.detail, about)))
        if refused.meaning.close:
            self.close(refused.name)

    def close(self, name: str) -> None:
        """End the socket with the close code of a named error."""
        self._end(cast(WSCloseCode, ERRORS[name].close), name.encode())

    def _end(self, code: WSCloseCode, reason: bytes | None) -> None:
        if self.transport is not None and not self.closing:
            self.closing = True
            self.transport.send_close(code, reason)
            self.transport.disconnect()

    def abort(self) -> None:
        """End the socket without a word: the page does not read."""
        if self.transport is not None:
            self.transport.underlying_transport.abort()

    # --- now and then --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Called every `ping_s`: a socket that was not heard since is asked, one that did not answer is closed, and one
        that does not even read its end is dropped.
        """
        if self.closing:
            self.abort()
        elif self.heard:
            self.heard = self.pinged = False
        elif self.pinged or self.held is None:
            self.close("silent")
        elif self.transport is not None:
            self.pinged = True
            self.transport.send_ping()

    def hello_due(self) -> None:
        """The time for a hello is over."""
        if not self.greeted:
            self.close("silent")


class Roster:
    """All shopper sockets of this process, and what makes them.

    `ping_s`: how long a socket may be silent before it is asked, and again before it is closed; `hello_s`: how long it
    may take to say hello.
    """

    def __init__(self, engine: Engine, *, ping_s: float = PING_S, hello_s: float = HELLO_S) -> None:
        self.engine = engine
        self.sockets: set[ShopperSocket] = set()
        self._logger = logging.getLogger("picows.shopper")
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._ping_s = ping_s
        self._hello_s = hello_s
        self._timer = self._loop.call_later(ping_s, self._check)

    def protocol(self) -> asyncio.BufferedProtocol:
        """A picows server protocol for one connection. Compression is never negotiated; pings are ours."""
        protocol: asyncio.BufferedProtocol = WSProtocol(
            None, None, False, self._listener, self._logger, True, HELLO_S, False, 10.0, 10.0,
            WSAutoPingStrategy.PING_WHEN_IDLE, True,
            wire.MAX_FRAME_BYTES, None, READ_BUFFER_BYTES,
        )  # fmt: skip
        return protocol

    def joined(self, socket: ShopperSocket) -> None:
        """A socket stands: it has to say hello in time."""
        self.sockets.add(socket)
        self._loop.call_later(self._hello_s, socket.hello_due)

    def spawn(self, work: Any) -> None:
        """Run something of a socket; kept until it ends."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Check no more."""
        self._timer.cancel()

    def _listener(self, request: WSUpgradeRequest) -> ShopperSocket:
        return ShopperSocket(self, request.headers.get("Origin", ""))

    def _check(self) -> None:
        for socket in list(self.sockets):
            socket.check()
        self._timer = self._loop.call_later(self._ping_s, self._check)
