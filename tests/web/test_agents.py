"""router.web.agents: what a console meets at the edge, over real HTTP and real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from redis.asyncio import Redis
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from router.errors import ERRORS
from router.live.clock import WallClock
from router.live.desk import Desk
from router.live.workplace import Seat
from router.store.agents import Agents
from router.store.logins import TRIES_PER_LOGIN, Logins
from router.web.agents import OUTBOX, AgentEdge
from tests.floor import SITE, SITES
from tests.waiting import until

WHO = {"site": SITE, "login": "ann", "password": "correct horse"}
CID = "talk-0001"


class Edge:
    """The agents' addresses on a free port, with one agent, ann."""

    def __init__(self, redis: Redis) -> None:
        self.desk = Desk(redis, SITES, WallClock(), "n1")
        self.agents = Agents(redis, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        app = Starlette(routes=AgentEdge(SITES, self.desk, self.agents, Logins(redis)).routes())
        config = uvicorn.Config(app, port=0, ws="websockets-sansio", log_level="critical", lifespan="off")
        self.server = uvicorn.Server(config)
        self.host = ""

    async def start(self) -> None:
        await self.agents.add(
            SITE, "ann", "Ann", "correct horse", queues=["help"], languages=["ja"], capacity=2
        )
        await self.desk.start()
        self.task = asyncio.create_task(self.server.serve())
        await until(lambda: self.server.started)
        self.host = f"127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        self.http = httpx.AsyncClient(base_url=f"http://{self.host}")

    async def stop(self) -> None:
        await self.http.aclose()
        self.server.should_exit = True
        await self.task
        await self.desk.stop()
        self.agents.close()

    async def login(self) -> str:
        """Log ann in; the client has the cookie from now on. Returns the CSRF token."""
        answer = await self.http.post("/agent/api/login", json=WHO)
        assert answer.status_code == 200
        return str(answer.json()["csrf"])

    async def ticket(self, csrf: str) -> str:
        answer = await self.http.post("/agent/api/ticket", headers={"X-CSRF-Token": csrf})
        return str(answer.json()["ticket"])

    async def socket(self, ticket: str, **options: Any) -> ClientConnection:
        return await connect(f"ws://{self.host}/v1/agent?ticket={ticket}", **options)

    async def console(self) -> ClientConnection:
        """A socket that has had its hello."""
        socket = await self.socket(await self.ticket(await self.login()))
        assert (await told(socket, "hello"))["agent"]["login"] == "ann"
        return socket


async def told(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of this kind."""
    async with asyncio.timeout(5):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame["t"] == kind:
                return frame


async def ask(socket: ClientConnection, **frame: Any) -> dict[str, Any]:
    """Send a frame and return its answer."""
    await socket.send(json.dumps(frame))
    async with asyncio.timeout(5):
        while True:
            answer: dict[str, Any] = json.loads(await socket.recv())
            if answer.get("ref") == frame.get("ref") and answer["t"] in ("ok", "error"):
                return answer


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the socket was closed."""
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionClosed) as info:
            while True:
                await socket.recv()
    assert info.value.rcvd is not None
    return info.value.rcvd.code, info.value.rcvd.reason


@pytest.fixture
async def edge(redis: Redis) -> AsyncIterator[Edge]:
    edge = Edge(redis)
    await edge.start()
    yield edge
    await edge.stop()


# --- logging in --------------------------------------------------------------------------------------------


async def test_logging_in_gives_a_cookie_no_script_can_read_and_who_one_is(edge: Edge) -> None:
    answer = await edge.http.post("/agent/api/login", json=WHO)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
    body = answer.json()
    assert body["agent"] == {
        "login": "ann", "name": "Ann", "role": "agent", "queues": ["help"], "skills": [], "languages": ["ja"],
        "capacity": 2,
    }  # fmt: skip
    assert body["site"]["id"] == SITE and body["site"]["currency"] == "JPY"
    assert body["site"]["queues"]["help"]["name"] == {"ja": "ご案内", "en": "Help"}
    assert body["site"]["queues"]["help"]["dispositions"][0] == {
        "id": "sold",
        "name": {"ja": "購入", "en": "Sold"},
    }
    assert (await edge.http.get("/agent/api/me")).json() == body
    assert answer.headers["cache-control"] == "no-store"


async def test_behind_https_the_cookie_is_secure(edge: Edge) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    answer = await edge.http.post("/agent/api/login", json=WHO, headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"login": "bob"}, {"site": "other"}])
async def test_a_wrong_login_does_not_say_what_is_wrong(edge: Edge, changed: dict[str, str]) -> None:
    answer = await edge.http.post("/agent/api/login", json=WHO | changed)
    assert answer.status_code == 401
    assert answer.json() == {"error": "bad_login", "text": ERRORS["bad_login"].text, "retry": False}
    assert "set-cookie" not in answer.headers


async def test_guessing_is_limited_even_with_the_right_password_at_the_end(edge: Edge) -> None:
    for _ in range(TRIES_PER_LOGIN):
        await edge.http.post("/agent/api/login", json=WHO | {"password": "guess"})
    answer = await edge.http.post("/agent/api/login", json=WHO)
    assert (answer.status_code, answer.json()["error"], answer.json()["retry"]) == (429, "too_many", True)


@pytest.mark.parametrize(
    "body, name",
    [
        (b"", "bad_request"), (b"[]", "bad_request"), (b'{"site": 1}', "bad_request"),
        (b"\xff", "bad_request"),
        (b"[" * 4000, "bad_request"), (b"x" * 5000, "too_large"),
    ],
)  # fmt: skip
async def test_a_spoilt_body_is_refused_by_name(edge: Edge, body: bytes, name: str) -> None:
    answer = await edge.http.post("/agent/api/login", content=body)
    assert (answer.status_code, answer.json()["error"]) == (ERRORS[name].status, name)


async def test_without_a_login_there_is_nothing(edge: Edge) -> None:
    for answer in (
        await edge.http.get("/agent/api/me"),
        await edge.http.post("/agent/api/ticket"),
        await edge.http.get("/agent/api/me", headers={"Cookie": "router_agent=forged"}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_every_change_needs_the_csrf_token_and_a_page_of_this_host(edge: Edge) -> None:
    csrf = await edge.login()
    for address in ("/agent/api/ticket", "/agent/api/logout"):
        for headers, name in (
            ({}, "csrf"), ({"X-CSRF-Token": "wrong"}, "csrf"),
            ({"X-CSRF-Token": csrf, "Origin": "https://evil.example"}, "bad_origin"),
        ):  # fmt: skip
            answer = await edge.http.post(address, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, name)
    evil = await edge.http.post("/agent/api/login", json=WHO, headers={"Origin": "https://evil.example"})
    assert evil.json()["error"] == "bad_origin"
    assert (await edge.http.get("/agent/api/me")).status_code == 200


async def test_logging_out_ends_the_session_its_sockets_and_its_cookie(edge: Edge) -> None:
    csrf = await edge.login()
    socket = await edge.socket(await edge.ticket(csrf))
    await told(socket, "hello")
    answer = await edge.http.post("/agent/api/logout", headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 204
    assert await closed(socket) == (4003, "unauthorized")
    assert (await edge.http.get("/agent/api/me")).status_code == 401


# --- the socket --------------------------------------------------------------------------------------------


async def test_a_ticket_opens_one_socket(edge: Edge) -> None:
    ticket = await edge.ticket(await edge.login())
    socket = await edge.socket(ticket)
    await told(socket, "hello")
    assert await closed(await edge.socket(ticket)) == (4003, "bad_ticket")
    assert await closed(await edge.socket("")) == (4003, "bad_ticket")
    await socket.close()


async def test_a_page_of_another_host_gets_no_socket_and_does_not_use_up_the_ticket(edge: Edge) -> None:
    ticket = await edge.ticket(await edge.login())
    assert await closed(await edge.socket(ticket, origin="https://evil.example")) == (4005, "bad_origin")
    socket = await edge.socket(ticket, origin=f"http://{edge.host}")
    await told(socket, "hello")
    await socket.close()


async def test_a_conversation_over_the_socket(edge: Edge) -> None:
    socket = await edge.console()
    assert await ask(socket, t="presence", ref=1, state="available") == {"t": "ok", "ref": 1}
    await edge.desk.accept(SITE, CID, "secret", "help", ["ja"], "ja", {"who": {"language": "ja"}})
    ring = await told(socket, "ring")
    assert ring["conversation"]["cid"] == CID and ring["deadline_ms"] > ring["conversation"]["opened_ms"]
    answer = await ask(socket, t="accept", ref=2, cid=CID)
    assert answer["conversation"]["state"] == "active"
    assert answer["conversation"]["messages"][0]["text"] == "joined"
    say = {"t": "say", "cid": CID, "mid": "m-000001", "text": "<b>こんにちは</b>"}
    assert (await ask(socket, **say, ref=3))["offset"] == (await ask(socket, **say, ref=4))["offset"] == 2
    await edge.desk.say(SITE, CID, "m-000002", "shopper", "hello")
    message = await told(socket, "message")
    assert (message["cid"], message["message"]["author"], message["message"]["text"]) == (
        CID,
        "shopper",
        "hello",
    )
    history = await ask(socket, t="history", ref=5, cid=CID, after=1)
    assert [line["text"] for line in history["messages"]] == ["<b>こんにちは</b>", "hello"]
    assert (await ask(socket, t="close", ref=6, cid=CID, disposition="sold", note="ok")) == {
        "t": "ok",
        "ref": 6,
    }
    await socket.close()


async def test_spoilt_frames_are_refused_by_name_and_the_socket_lives_on(edge: Edge) -> None:
    socket = await edge.console()
    for text, ref, name in (
        ("nonsense", None, "bad_request"),
        ('{"t":"fly","ref":7}', 7, "bad_request"), ("[" * 3000, None, "bad_request"),
        ('{"t":"accept","ref":8,"cid":"talk-none"}', 8, "no_conversation"),
        ('{"t":"presence","ref":9,"state":"asleep"}', 9, "bad_request"),
    ):  # fmt: skip
        await socket.send(text)
        error = await told(socket, "error")
        assert (error["ref"], error["error"], error["retry"]) == (ref, name, False)
    assert (await ask(socket, t="presence", ref=10, state="away"))["t"] == "ok"
    await socket.close()


@pytest.mark.parametrize("frame, name", [("x" * 17_000, "frame_too_big"), (b"binary", "bad_request")])
async def test_what_no_console_sends_closes_the_socket(edge: Edge, frame: str | bytes, name: str) -> None:
    socket = await edge.console()
    await socket.send(frame)
    assert await closed(socket) == (ERRORS[name].close, name)


async def test_a_console_that_does_not_read_is_asked_to_come_back(edge: Edge) -> None:
    socket = await edge.console()
    (seat,) = _seats(edge)
    for n in range(OUTBOX + 2):
        seat.send({"t": "typing", "cid": CID, "on": bool(n % 2)})
    assert await closed(socket) == (4103, "slow_reader")


async def test_a_console_that_goes_leaves_no_seat_behind(edge: Edge) -> None:
    socket = await edge.console()
    await ask(socket, t="presence", ref=1, state="available")
    await edge.desk.accept(SITE, CID, "secret", "help", [], "ja", {})
    await told(socket, "ring")
    await socket.close()
    await until(lambda: not _seats(edge))
    await edge.desk.settled()
    assert (await edge.desk.resume(SITE, CID, "secret")).state == "waiting"


async def test_an_agent_who_is_no_more_is_not_logged_in(edge: Edge, redis: Redis) -> None:
    csrf = await edge.login()
    ticket = await edge.ticket(csrf)
    await redis.flushall()
    assert await closed(await edge.socket(ticket)) == (4003, "bad_ticket")
    assert (await edge.http.get("/agent/api/me")).status_code == 401


def _seats(edge: Edge) -> list[Seat]:
    return list(edge.desk.agents._seats(SITE))
