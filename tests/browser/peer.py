"""The service's side of the shopper's protocol under a test's command, for what the real service never does
when asked: refuse, lose, send out of order, close with any code. The real core decodes and folds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from router.core import protocol as wire
from router.core.events import Event
from router.core.fold import fold
from router.core.session import Session, admit, continues
from router.errors import ERRORS, Refused
from router.web import demo
from tests.waiting import until

STATIC = Path(__file__).parents[2] / "static"


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


class Peer:
    """A server on a free loopback port. `received` holds (page id, number, event) once each, as folded.

    `answering`: are hellos and batches answered? `losing`: batches that are neither folded nor answered.
    `left`: messages that were posted, `leaving_fails`: errors that answer the next ones, `due`: the answer to others.
    `on_message` answers all else. `behaviour`: may pages watch what shoppers do beside?
    `refused`: frames that the core did not take; none may be left.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.sessions: dict[str, Session] = {}
        self.received: list[tuple[str, int, Event]] = []
        self.hellos: list[tuple[str, wire.Hello]] = []
        self.frames: list[wire.ClientMessage] = []
        self.farewells: list[wire.Farewell] = []
        self.withdrawals: list[wire.Withdrawal] = []
        self.sockets: list[WebSocket] = []
        self.orders: list[dict[str, Any]] = []
        self.codes: dict[str, str | None] = {}
        self.refused: list[Refused] = []
        self.talk: tuple[str, str] | None = None
        self.consent = "notice"
        self.answering = True
        self.losing = 0
        self.left: list[dict[str, Any]] = []
        self.leaving_fails: list[str] = []
        self.due = now()
        self.head = ""
        self.asked: list[str] = []
        self.body = "<p>bare</p>"
        self.language = "ja"
        self.policy = ""
        self.behaviour = False
        self.on_message: Callable[[wire.ClientMessage], list[Any]] = lambda message: []

    # --- for tests -----------------------------------------------------------------------------------------

    def kinds(self) -> list[str]:
        """Names of the received events, in order, without dwell."""
        return [name for _, _, event in self.received if (name := type(event).__name__) != "Dwell"]

    def of(self, kind: type[Any]) -> list[Any]:
        """Received events of a kind."""
        return [event for _, _, event in self.received if type(event) is kind]

    def said(self, kind: type[Any]) -> list[Any]:
        """Received messages of a kind."""
        return [message for message in self.frames if type(message) is kind]

    def lines_hold(self) -> bool:
        """Was every page's line folded as 1, 2, 3 ... ?"""
        pages: dict[str, list[int]] = {}
        for page, number, _ in self.received:
            pages.setdefault(page, []).append(number)
        return all(numbers == list(range(1, len(numbers) + 1)) for numbers in pages.values())

    async def send(self, *messages: Any) -> None:
        """To the newest page."""
        await self._send(self.sockets[-1], messages)

    async def close(self, code: int) -> None:
        """Close the newest page's socket."""
        await self.sockets.pop().close(code)

    def app(self) -> Starlette:
        """The beacon's two scripts, the shop, a bare page whose head is `head`, and the protocol."""
        return Starlette(
            routes=[
                Route("/behaviour.js", self._behaviour),
                *(Route(f"/{file.name}", _file(file.name)) for file in (STATIC / "dist").glob("*.js")),
                Route("/bare{rest:path}", self._bare),
                Route("/v1/last", self._last, methods=["POST"]),
                Route("/v1/forget", self._forget, methods=["POST"]),
                Route("/v1/messages", self._leave, methods=["POST"]),
                WebSocketRoute("/v1/shopper/{route}", self._socket),
                *demo.shop_routes(STATIC / "demo", self._redeem, self._place),
            ]
        )

    # --- the service's side --------------------------------------------------------------------------------

    async def _behaviour(self, request: Request) -> Response:
        if not self.behaviour:
            return Response(status_code=404)
        return _dist("behaviour.js")

    async def _bare(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        page = f"<!doctype html><html lang={self.language}><head>{self.head}</head><body>{self.body}</body></html>"
        return HTMLResponse(page, headers={"content-security-policy": self.policy} if self.policy else {})

    async def _send(self, ws: WebSocket, messages: Any) -> None:
        for message in messages:
            await ws.send_bytes(message if isinstance(message, bytes) else wire.encode(message))

    async def _socket(self, ws: WebSocket) -> None:
        await ws.accept()
        try:
            hello = wire.decode(await ws.receive_bytes())
            assert isinstance(hello, wire.Hello)
            self.hellos.append((ws.path_params["route"], hello))
            session = self._session(hello.token)
            self.sockets.append(ws)
            if self.answering:
                await self._send(ws, [self._welcome(session)])
            while True:
                await self._message(ws, session, wire.decode(await ws.receive_bytes()))
        except Refused as refused:
            self.refused.append(refused)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # the page is gone
        finally:
            if ws in self.sockets:
                self.sockets.remove(ws)

    async def _message(self, ws: WebSocket, session: Session, message: wire.ClientMessage) -> None:
        self.frames.append(message)
        if isinstance(message, wire.Batch) and self.losing:
            self.losing -= 1
        elif isinstance(message, wire.Batch):
            answer = self._fold(session, message)
            if self.answering:
                await self._send(ws, [answer])
        await self._send(ws, self.on_message(message))

    def _session(self, token: str | None) -> Session:
        sid = token.split(".")[2] if token else secrets.token_urlsafe(16)
        if sid not in self.sessions:
            self.sessions[sid] = Session(sid, "demo", "v", "JPY", now(), now())
        return self.sessions[sid]

    def _welcome(self, session: Session) -> wire.Welcome:
        marks = {page: kept.mark for page, kept in session.pages.items()}
        config = {"language": "ja", "currency": "JPY", "consent": self.consent, "talk": self.talk}
        visitor = f"V.demo.{'v' * 22}.{'s' * 22}"
        return wire.Welcome(f"S.demo.{session.sid}.{'s' * 22}", visitor, marks, now(), config)

    def _fold(self, session: Session, batch: wire.Batch) -> Any:
        try:
            page = admit(session, batch.page)
        except Refused as refused:
            return wire.Error(refused.name, refused.detail, batch.page)
        skip, gap = continues(page, batch.first, len(batch.events))
        if gap:
            return wire.Gap(batch.page, page.mark + 1)
        for event in batch.events[skip:]:
            fold(session, batch.page, event, now())
            self.received.append((batch.page, page.mark, event))
        return wire.Ack(batch.page, page.mark)

    async def _last(self, request: Request) -> Response:
        farewell = wire.decode_farewell(await request.body())
        assert "content-type" not in request.headers
        self.farewells.append(farewell)
        self._fold(self._session(farewell.token), farewell.batch)
        return Response(status_code=204, headers={"access-control-allow-origin": "*"})

    async def _forget(self, request: Request) -> Response:
        self.withdrawals.append(wire.decode_withdrawal(await request.body()))
        return Response(status_code=204, headers={"access-control-allow-origin": "*"})

    async def _leave(self, request: Request) -> Response:
        assert "content-type" not in request.headers
        self.left.append(json.loads(await request.body()))
        headers = {"access-control-allow-origin": "*"}
        if self.leaving_fails:
            error = self.leaving_fails.pop(0)
            return JSONResponse({"error": error}, status_code=ERRORS[error].status, headers=headers)
        return JSONResponse({"due_ms": self.due}, headers=headers)

    async def _redeem(self, code: str, order: str, value: float) -> float:
        if code not in self.codes:
            raise Refused("unknown_code")
        if self.codes[code] not in (None, order):
            raise Refused("redeemed")
        self.codes[code] = order
        return value // 20

    async def _place(self, order: dict[str, Any]) -> None:
        self.orders.append(order)


def route_of(token: str) -> str:
    """The last part of the socket's address that fits a session token."""
    return hashlib.sha256(token.split(".")[2].encode()).hexdigest()[:32]


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Peer]:
    """A peer that serves until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    peer = Peer(listening.getsockname()[1])
    config = uvicorn.Config(peer.app(), ws="websockets-sansio", log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    yield peer
    server.should_exit = True
    server.force_exit = True
    await task
    listening.close()


def _file(name: str) -> Callable[[Request], Any]:
    async def file(request: Request) -> Response:
        return _dist(name)

    return file


def _dist(name: str) -> Response:
    return FileResponse(STATIC / "dist" / name, headers={"access-control-allow-origin": "*"})
