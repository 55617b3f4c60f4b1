"""A shopper's page and an agent's console on blocking sockets, for clients that run one greenlet each.

They use `websocket-client`: it is written against plain blocking sockets, which Locust's monkey patching turns into
cooperative ones, and Locust brings it along. (picows and `websockets.asyncio` need an event loop; `websockets.sync`
runs a thread and several locks a connection.) Each socket has one reader greenlet that gives messages to a callback.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import gevent
import requests
from gevent.event import AsyncResult, Event
from websocket import ABNF, WebSocket, WebSocketException, create_connection

from router.core import protocol as wire
from router.core.events import AnyEvent
from router.replay.page import route_of

TIMEOUT_S: Final = 10.0

Seconds = float
OnAck = Callable[[Seconds], None]
FAULTS: Final = (WebSocketException, OSError, gevent.Timeout)


class PageSocket:
    """One page of a shopper. `on_ack(waited)` is called for each event, `on_message` for all but acks."""

    def __init__(self, page: str, on_ack: OnAck, on_message: Callable[[wire.ServerMessage], None]) -> None:
        self.page = page
        self.sent = 0
        self.acked = 0
        self._on_ack = on_ack
        self._on_message = on_message
        self._sent_at: list[float] = []
        self._welcome: AsyncResult = AsyncResult()
        self._settled = Event()
        self._settled.set()
        self._socket: WebSocket

    def connect(
        self, host: str, site: str, token: str | None, visitor: str | None, previous: str | None
    ) -> wire.Welcome:
        """Open the socket, say hello, wait for the welcome. Raises WebSocketException or OSError."""
        address = f"{host.replace('http', 'ws', 1)}/v1/shopper/{route_of(token)}"
        self._socket = create_connection(address, timeout=TIMEOUT_S, origin=host)
        self._socket.settimeout(None)
        gevent.spawn(self._read)
        self._send(wire.Hello(wire.VERSION, site, token, visitor, self.page, previous, "ja"))
        welcome: wire.Welcome = self._welcome.get(timeout=TIMEOUT_S)
        return welcome

    def events(self, events: Sequence[AnyEvent]) -> float:
        """Send events in one batch; returns when (`time.perf_counter`) that was."""
        now = time.perf_counter()
        first = self.sent + 1
        self.sent += len(events)
        self._sent_at += [now] * len(events)
        self._settled.clear()
        self._send(wire.Batch(self.page, first, list(events)))
        return now

    def say(self, cid: str, mid: str, text: str) -> None:
        """A chat line."""
        self._send(wire.Say(cid, mid, text))

    def end(self, cid: str) -> None:
        """The shopper ends the talk."""
        self._send(wire.End(cid))

    def leave(self) -> bool:
        """Wait for what is not acknowledged, then close; whether all was."""
        settled = bool(self._settled.wait(timeout=TIMEOUT_S))
        _close(self._socket)
        return settled

    def _send(self, message: wire.ClientMessage) -> None:
        self._socket.send(wire.encode(message), ABNF.OPCODE_BINARY)

    def _read(self) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            while True:
                opcode, data = self._socket.recv_data()
                if opcode == ABNF.OPCODE_CLOSE:
                    break
                self._take(wire.decode_server(data))
        self._welcome.set_exception(ConnectionError("closed before the welcome"))

    def _take(self, message: wire.ServerMessage) -> None:
        match message:
            case wire.Ack(page, n) if page == self.page:
                now = time.perf_counter()
                for number in range(self.acked, n):
                    self._on_ack(now - self._sent_at[number])
                self.acked = max(self.acked, n)
                if self.acked == self.sent:
                    self._settled.set()
            case wire.Welcome():
                self._welcome.set(message)
            case _:
                self._on_message(message)


class Console:
    """An agent's console: logged in, on a socket, available. `on_frame` gets what is not an answer."""

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
        else:
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
