"""Simulated agents: real logins and real sockets; they answer rings, talk and close, at moments of the driven clock."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar
from typing import Any, Final

from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from router.core.site import Site
from router.store.agents import Agents

PASSWORD: Final = "simulated-and-harmless"  # noqa: S105  (lives in a private store, as long as the replay runs)
ANSWER_S: Final = (2, 15)
MISS: Final = 0.1
TALK_S: Final = (60, 300)
CAPACITY: Final = 3

Plan = Callable[[int, Callable[[], Awaitable[None]]], None]


async def enrol(redis: Redis, site: Site, count: int) -> list[str]:
    """Make the agents' accounts; each serves every queue with every skill that the rules ask for."""
    skills = {
        skill for rule in site.rules.rules for action in rule.then for skill in getattr(action, "skills", ())
    }
    agents = Agents(redis)
    logins = [f"agent-{n}" for n in range(1, count + 1)]
    try:
        for login in logins:
            await agents.add(
                site.id,
                login,
                login.title(),
                PASSWORD,
                queues=tuple(site.queues),
                skills=tuple(skills),
                capacity=CAPACITY,
            )
    finally:
        agents.close()
    return logins


class SimulatedAgent:
    """One console. `plan(seconds, work)` runs work on the driven clock; `reacted` counts what it was told."""

    def __init__(self, login: str, site: Site, plan: Plan, chance: random.Random) -> None:
        self.login = login
        self.site = site
        self.accepted: Counter[str] = Counter()
        self.missed = 0
        self.most_at_once = 0
        self.reacted = 0
        self._plan = plan
        self._chance = chance
        self._open: dict[str, str] = {}
        self._refs = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, address: str) -> None:
        """Log in, open the socket, be available."""
        ticket = await asyncio.to_thread(_ticket, address, self.site.id, self.login)
        url = f"{address.replace('http', 'ws', 1)}/v1/agent?ticket={ticket}"
        self._socket = await connect(url, origin=address, compression=None)  # type: ignore[arg-type]
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._ask("presence", state="available")

    @property
    def connected(self) -> bool:
        """Whether the socket stands."""
        return self._reading is not None and not self._reading.done()

    async def leave(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        assert self._socket is not None
        ref = next(self._refs)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[ref] = future
        try:
            await self._socket.send(json.dumps({"t": kind, "ref": ref, **fields}))
            async with asyncio.timeout(10):
                return await future
        except (ConnectionClosed, TimeoutError):
            return {"t": "error", "error": "unavailable"}
        finally:
            self._answers.pop(ref, None)

    async def _read(self, sock: ClientConnection) -> None:
        try:
            async for text in sock:
                self._take(json.loads(text))
        except ConnectionClosed:
            return

    def _take(self, frame: dict[str, Any]) -> None:
        if (ref := frame.get("ref")) is not None:
            future = self._answers.get(ref)
            if future is not None and not future.done():
                future.set_result(frame)
            return
        self.reacted += 1
        match frame["t"]:
            case "hello":
                self._open = {}
                for conversation in frame["conversations"]:
                    self._changed(conversation)
            case "ring":
                self._ring(frame["conversation"])
            case "conversation":
                self._changed(frame["conversation"])
            case "presence" if frame["state"] != "available" and frame.get("reason") == "missed_rings":
                self._plan(60, self._back)

    async def _back(self) -> None:
        await self._ask("presence", state="available")

    def _ring(self, conversation: dict[str, Any]) -> None:
        if self._chance.random() < MISS:
            self.missed += 1
            return
        cid = conversation["cid"]
        self._plan(self._chance.randint(*ANSWER_S), lambda: self._accept(cid, conversation["queue"]))

    async def _accept(self, cid: str, queue: str) -> None:
        answer = await self._ask("accept", cid=cid)
        if answer["t"] != "ok":
            return
        self.accepted[queue] += 1
        self._changed(answer["conversation"])
        await self._ask("say", cid=cid, mid=f"hello-{cid}"[:40], text="Hello, how can I help?")
        self._plan(self._chance.randint(*TALK_S), lambda: self._close(cid, queue))

    async def _close(self, cid: str, queue: str) -> None:
        await self._ask("close", cid=cid, disposition=self.site.queues[queue].dispositions[0].id, note="")

    def _changed(self, conversation: dict[str, Any]) -> None:
        """Keep count of the slots that are taken: an active talk and a wrap-up take one each."""
        mine = conversation.get("agent") == self.login and conversation["state"] in ("active", "wrap-up")
        if mine:
            self._open[conversation["cid"]] = conversation["state"]
            self.most_at_once = max(self.most_at_once, len(self._open))
        else:
            self._open.pop(conversation["cid"], None)


def _ticket(address: str, site: str, login: str) -> str:
    """Log in as a browser does; a ticket for one socket."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    headers = {"Origin": address, "Content-Type": "application/json"}
    body = json.dumps({"site": site, "login": login, "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{address}/agent/api/login", body, headers)  # noqa: S310  (always loopback)
    with opener.open(request, timeout=10) as answer:
        csrf = json.load(answer)["csrf"]
    request = urllib.request.Request(  # noqa: S310
        f"{address}/agent/api/ticket", b"{}", headers | {"X-CSRF-Token": csrf}
    )
    with opener.open(request, timeout=10) as answer:
        ticket: str = json.load(answer)["ticket"]
        return ticket
