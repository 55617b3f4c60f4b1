"""A shopper's page and an agent's console on blocking sockets, for clients that run one greenlet each.

They use `websocket-client`: it is written against plain blocking sockets, which Locust's monkey patching turns into
cooperative ones, and Locust brings it along. (picows and `websockets.asyncio` need an event loop; `websockets.sync`
runs a thread and several locks a connection.) Each socket has one reader greenlet that gives messages to a callback.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import gevent
import requests
from gevent.event import AsyncResult, Event
from websocket import ABNF, WebSocket, WebSocketException, create_connection

from loadtests import moments
from router.core import protocol as wire
from router.core.events import AnyEvent
from router.replay.page import route_of

TIMEOUT_S: Final = 10.0

Moment = float
OnAck = Callable[[str, float], None]
FAULTS: Final = (WebSocketException, OSError, gevent.Timeout)


class PageSocket:
    """One page of a shopper. `on_ack(entry, seconds)` is called for each event, `on_message` for all but acks.

    `link` counts the page's sockets. `back_at`: when a dropped page was meant to be back; what it waited for meanwhile
    is measured from then. Moments are those of `loadtests.moments`.
    """

    def __init__(self, page: str, on_ack: OnAck, on_message: Callable[[wire.ServerMessage], None]) -> None:
        self.page = page
        self.acked = 0
        self.link = 0
        self.back_at: Moment = 0.0
        self._on_ack = on_ack
        self._on_message = on_message
        self._sent: list[tuple[AnyEvent, str, Moment]] = []
        self._welcome: AsyncResult = AsyncResult()
        self._said: dict[str, wire.Say] = {}
        self._settled = Event()
        self._up = Event()
        self._left = False
        self._socket: WebSocket

    @property
    def sent(self) -> int:
        """How many events were sent; resent ones count once."""
        return len(self._sent)

    def connect(
        self, host: str, site: str, token: str | None, visitor: str | None, previous: str | None
    ) -> wire.Welcome:
        """Open the socket, say hello, wait for the welcome, resend what is above its mark.

        Raises WebSocketException, OSError or gevent.Timeout.
        """
        address = f"{host.replace('http', 'ws', 1)}/v1/shopper/{route_of(token)}"
        self.link += 1
        self._welcome = AsyncResult()
        self._socket = create_connection(address, timeout=TIMEOUT_S, origin=host)
        self._socket.settimeout(None)
        gevent.spawn(self._read, self._socket, self._welcome)
        self._send(wire.Hello(wire.VERSION, site, token, visitor, self.page, previous, "ja"))
        welcome: wire.Welcome = self._welcome.get(timeout=TIMEOUT_S)
        self._resend(welcome.marks.get(self.page, 0))
        return welcome

    def drop(self, back_at: Moment) -> None:
        """Lose the socket without a goodbye. `connect` is due at `back_at`, and sends what was to be sent meanwhile."""
        self.back_at = back_at
        self._up.clear()
        below = self._socket.sock
        if below is not None:
            with contextlib.suppress(OSError):
                below.shutdown(socket.SHUT_RDWR)

    def events(self, events: Sequence[AnyEvent], due: Moment, entry: str) -> None:
        """Send events in one batch, meant to be sent at the moment `due`: their acks are measured from it.

        A page that was left sends nothing any more.
        """
        if self._left:
            return
        first = self.sent + 1
        self._sent += [(event, entry, due) for event in events]
        self._settled.clear()
        if self._up.is_set():
            self._send(wire.Batch(self.page, first, list(events)))

    def say(self, cid: str, mid: str, text: str) -> None:
        """A chat line; until it is stored, every new socket sends it again."""
        line = self._said[mid] = wire.Say(cid, mid, text)
        if self._up.is_set():
            self._send(line)

    def resume(self, cid: str, secret: str, after: int) -> None:
        """Ask for the lines of a talk after the offset `after`."""
        self._send(wire.Resume(cid, secret, after))

    def end(self, cid: str) -> None:
        """The shopper ends the talk. Raises as `stand` does."""
        self.stand()
        self._send(wire.End(cid))

    def stand(self) -> None:
        """Wait until there is a socket. Raises gevent.Timeout if a dropped one does not come back."""
        if not self._up.wait(timeout=TIMEOUT_S):
            raise gevent.Timeout(TIMEOUT_S)

    def leave(self) -> bool:
        """Wait for what is not acknowledged, then close; whether all was."""
        with gevent.Timeout(TIMEOUT_S, False):
            while self.acked < self.sent:
                self._settled.wait()
        self._left = True
        _close(self._socket)
        return self.acked == self.sent

    def _resend(self, mark: int) -> None:
        self._up.set()
        self._acknowledged(mark)
        rest = [event for event, _, _ in self._sent[mark:]]
        if rest:
            self._send(wire.Batch(self.page, mark + 1, rest))
        for line in self._said.values():
            self._send(line)

    def _send(self, message: wire.ClientMessage) -> None:
        self._socket.send(wire.encode(message), ABNF.OPCODE_BINARY)

    def _read(self, sock: WebSocket, welcome: AsyncResult) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            while True:
                opcode, data = sock.recv_data()
                if opcode == ABNF.OPCODE_CLOSE:
                    break
                self._take(wire.decode_server(data))
        if not welcome.ready():
            welcome.set_exception(ConnectionError("closed before the welcome"))

    def _take(self, message: wire.ServerMessage) -> None:
        match message:
            case wire.Ack(page, n) if page == self.page:
                self._acknowledged(n)
            case wire.Welcome():
                self._welcome.set(message)
            case wire.Stored():
                self._said.pop(message.mid, None)
                self._on_message(message)
            case _:
                self._on_message(message)

    def _acknowledged(self, n: int) -> None:
        now = moments.now()
        for _, entry, due in self._sent[self.acked : n]:
            self._on_ack(entry, now - max(due, self.back_at))
        self.acked = max(self.acked, n)
        if self.acked == self.sent:
            self._settled.set()


class Console:
    """An agent's console: logged in, on a socket, available. `on_frame` gets what is not an answer, and the answers
    that bring a conversation, in the order in which they came.
    """

    def __init__(
        self, host: str, site: str, login: str, password: str, on_frame: Callable[[dict[str, Any]], None]
    ) -> None:
        self._on_frame = on_frame
        self._refs = itertools.count(1)
        self._answers: dict[int, AsyncResult] = {}
        ticket = _ticket(host, site, login, password)
        address = f"{host.replace('http', 'ws', 1)}/v1/agent?ticket={ticket}"
        self._socket = create_connection(address, timeout=TIMEOUT_S, origin=host)
        self._socket.settimeout(None)
        self.closed = Event()
        gevent.spawn(self._read)
        self.ask("presence", state="available")

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a frame; its answer, ok or error. Raises gevent.Timeout."""
        ref = next(self._refs)
        answer = self._answers[ref] = AsyncResult()
        try:
            self._socket.send(json.dumps({"t": kind, "ref": ref, **fields}))
            got: dict[str, Any] = answer.get(timeout=TIMEOUT_S)
            return got
        finally:
            del self._answers[ref]

    def leave(self) -> None:
        """Close the socket."""
        _close(self._socket)

    def _read(self) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            while True:
                opcode, data = self._socket.recv_data()
                if opcode == ABNF.OPCODE_CLOSE:
                    break
                self._take(json.loads(data))
        self.closed.set()

    def _take(self, frame: dict[str, Any]) -> None:
        answer = self._answers.get(frame.get("ref", 0))
        if answer is not None:
            answer.set(frame)
        if answer is None or "conversation" in frame:
            self._on_frame(frame)


def _ticket(host: str, site: str, login: str, password: str) -> str:
    """Log in as a browser does."""
    with requests.Session() as http:
        http.headers["Origin"] = host
        body = {"site": site, "login": login, "password": password}
        answer = http.post(f"{host}/agent/api/login", json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        http.headers["X-CSRF-Token"] = answer.json()["csrf"]
        answer = http.post(f"{host}/agent/api/ticket", timeout=TIMEOUT_S)
        answer.raise_for_status()
        return str(answer.json()["ticket"])


def _close(sock: WebSocket) -> None:
    with contextlib.suppress(WebSocketException, OSError):
        sock.close(timeout=1)
