"""The agents' edge: logging in, and the socket between a console and the desk. `docs/agents.md` is its
contract.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from router.core import console
from router.core.rules.model import Action, GiveOffer, ShowArticle
from router.core.texts import LANGUAGES
from router.errors import ERRORS, Refused
from router.live.clock import Clock
from router.live.desk import Desk
from router.live.switchboard import Shop
from router.live.workplace import Seat
from router.store import keys
from router.store.agents import Agent, Agents
from router.store.logins import Login, Logins
from router.web import auth

log = structlog.get_logger()

OUTBOX: Final = 256  # frames a console may lag behind before it is asked to come back
CLOSE_TIMEOUT_S: Final = 5.0


class Credentials(Struct, frozen=True):
    """Body of `POST /agent/api/login`."""

    site: str
    login: str
    password: str


def routes(redis: Redis, sites: Mapping[str, Shop], desk: Desk, clock: Clock) -> list[BaseRoute]:
    """The addresses of `docs/agents.md`."""
    return AgentEdge(sites, desk, Agents(redis, clock.timestamp_for_scripts), Logins(redis)).routes()


class AgentEdge:
    """The addresses, and what they work with."""

    def __init__(self, sites: Mapping[str, Shop], desk: Desk, agents: Agents, logins: Logins) -> None:
        self._sites = sites
        self._desk = desk
        self._agents = agents
        self._logins = logins

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        return [
            Route("/agent/api/login", auth.refusing(self.login), methods=["POST"]),
            Route("/agent/api/me", auth.refusing(self.me), methods=["GET"]),
            Route("/agent/api/ticket", auth.refusing(self.ticket), methods=["POST"]),
            Route("/agent/api/logout", auth.refusing(self.logout), methods=["POST"]),
            WebSocketRoute("/v1/agent", self.socket),
        ]

    async def login(self, request: Request) -> Response:
        """Trade a password for a cookie."""
        auth.check_origin(request.headers)
        asked = await auth.body(request, Credentials)
        address = request.client.host if request.client else ""
        await self._logins.count_try(asked.site, asked.login, address)
        if asked.site not in self._sites:
            raise Refused("bad_login")
        agent = await self._agents.check(asked.site, asked.login, asked.password)
        await self._logins.succeeded(asked.site, asked.login)
        token, login = await self._logins.start(asked.site, asked.login)
        response = auth.answer(self._whoami(login, agent))
        auth.give_cookie(request, response, token)
        return response

    async def me(self, request: Request) -> Response:
        """Who the cookie is."""
        return auth.answer(self._whoami(*await self._admit(request)))

    async def ticket(self, request: Request) -> Response:
        """A one-use ticket for a socket."""
        login, _ = await self._admit(request)
        return auth.answer({"ticket": await self._logins.ticket(login)})

    async def logout(self, request: Request) -> Response:
        """End the login session, and its sockets on every node."""
        login, _ = await self._admit(request)
        await self._logins.end(login)
        await self._desk.agents.logout(login.site, login.id)
        response = Response(status_code=204)
        auth.take_cookie(response)
        return response

    async def _admit(self, request: Request) -> tuple[Login, Agent]:
        return await auth.admit(request, self._logins, self._agents, self._sites)

    async def _agent(self, login: Login) -> Agent:
        agent = await self._agents.get(login.site, login.login) if login.site in self._sites else None
        if agent is None:
            raise Refused("unauthorized")
        return agent

    def _whoami(self, login: Login, agent: Agent) -> dict[str, Any]:
        site = self._sites[login.site]
        queues = {
            name: {
                "name": queue.name, "dispositions": queue.dispositions,
                "tags": queue.tags, "fields": queue.fields,
                "service_level_s": queue.service_level.within_ms // 1000,
            }
            for name, queue in site.queues.items()
        }  # fmt: skip
        return {
            "agent": agent,
            "site": {
                "id": site.id, "name": site.name, "currency": site.currency, "language": site.language,
                "queues": queues, "breaks": site.breaks, "replies": _replies(site), "admin": site.admin,
                "picture": site.picture,
                "cards": _cards(site),
            },
            "csrf": login.csrf,
        }  # fmt: skip

    async def socket(self, websocket: WebSocket) -> None:
        """One console. It is accepted first: only an open socket can be closed with a code that tells why."""
        await websocket.accept()
        line = ConsoleSocket(websocket, self._desk)
        try:
            auth.check_origin(websocket.headers)
            login = await self._logins.redeem(websocket.query_params.get("ticket", ""))
            agent = msgspec.to_builtins(await self._agent(login))
        except Refused as refused:
            await line.close(refused.name)
        except (RedisError, OSError):
            await line.close("unavailable")
        else:
            await line.serve(login, agent)


def _replies(site: Shop) -> list[dict[str, str]]:
    """The replies that agents can begin with, in every language."""
    return [
        {"id": key, **{language: reply.pick(language, site.language) for language in LANGUAGES}}
        for key, reply in site.texts.replies.items()
    ]


def _cards(site: Shop) -> list[dict[str, Any]]:
    """What agents can send in a talk: articles, and offers of which they have a budget."""
    actions: list[tuple[str, str, Action]] = [
        *(("article", key, ShowArticle(article=key)) for key in site.articles),
        *(("offer", key, GiveOffer(offer=key)) for key, offer in site.offers.items() if offer.agent_budget),
    ]
    return [
        {"kind": kind, "id": key, "title": {name: site.content(action, name)["title"] for name in LANGUAGES}}
        for kind, key, action in actions
    ]


class ConsoleSocket:
    """An agent's socket: frames in, one at a time and in order; frames out through a bounded outbox."""

    def __init__(self, websocket: WebSocket, desk: Desk) -> None:
        self._websocket = websocket
        self._desk = desk
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(OUTBOX)
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(self, login: Login, agent: dict[str, Any]) -> None:
        """Until the console goes, its login ends, or it has to be closed."""
        try:
            seat = await self._desk.agents.connect(
                login.site, agent, login.id, self._send, lambda: self._end("unauthorized")
            )
        except Refused as refused:
            await self.close(refused.name)
            return
        tasks: list[asyncio.Future[Any]] = [
            asyncio.create_task(self._read(seat)),
            asyncio.create_task(self._write()),
        ]
        try:
            await asyncio.wait([*tasks, self._over], timeout=keys.AGENT_SESSION_TTL_S,
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Refused):  # the store is away: the lease ends what was not said
                await self._desk.agents.disconnect(seat)
        if not self._over.done():
            self._end("unauthorized")
        await self.close(self._over.result())

    async def close(self, name: str) -> None:
        """Close with the code that the error table gives; "" if the console has gone by itself."""
        if name:
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._websocket.close(ERRORS[name].close, name)

    def _end(self, name: str) -> None:
        if not self._over.done():
            self._over.set_result(name)

    def _send(self, frame: dict[str, Any]) -> None:
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            self._end("slow_reader")

    async def _write(self) -> None:
        try:
            while True:
                frame = await self._outbox.get()
                await self._websocket.send_text(msgspec.json.encode(frame).decode())
        except (WebSocketDisconnect, RuntimeError, OSError):
            self._end("")

    async def _read(self, seat: Seat) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return self._end("")
            text = message.get("text")
            if text is None:
                return self._end("bad_request")
            try:
                self._send(await self._answer(seat, text))
            except Refused as refused:
                if refused.name == "frame_too_big":
                    return self._end(refused.name)
                self._send(_refusal(refused, console.ref_of(text)))

    async def _answer(self, seat: Seat, text: str) -> dict[str, Any]:
        frame = console.decode(text)
        try:
            return {"t": "ok", "ref": frame.ref, **await self._desk.agents.handle(seat, frame)}
        except (RedisError, OSError):
            raise Refused("unavailable") from None
        except Refused:
            raise
        except Exception:
            log.exception("a console's frame failed")
            raise Refused("overloaded") from None


def _refusal(refused: Refused, ref: int | None) -> dict[str, Any]:
    retry = refused.meaning.retry
    return {"t": "error", "ref": ref, "error": refused.name, "text": refused.detail, "retry": retry}
