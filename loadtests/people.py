"""Shoppers who ask for a person and agents who answer, over real sockets, through whichever process is there."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from picows import WSError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin

from router.core import protocol as wire
from router.core.protocol import ServerMessage
from router.replay.page import PageClient
from router.store.logins import Logins

ORIGIN: Final = "http://127.0.0.1:1"
TALK_S: Final = (0.3, 1.5)
RETRY_S: Final = 1.0  # at most, as a page and a console wait at random before their first try
AWAY: Final = (OSError, TimeoutError, WSError, WebSocketException)
OVER: Final = ("wrap-up", "closed", "form")


class Town:
    """What everybody shares: the processes' addresses (HOST:PORT) that answer, and what was seen.

    `holders`: by conversation the agents who hold it, as their own consoles say. `gaps`: seconds from the word that a
    talk is over to the next ring there, while others waited.
    """

    def __init__(self, site: str, addresses: list[str], chance: random.Random) -> None:
        self.site = site
        self.addresses = addresses
        self.chance = chance
        self.holders: dict[str, set[str]] = {}
        self.doubled: set[str] = set()
        self.overshot: Counter[str] = Counter()
        self.gaps: list[float] = []
        self.waiting: Callable[[], bool] = lambda: False

    def door(self) -> str:
        """Any process that is there."""
        return self.chance.choice(self.addresses)

    async def breathe(self) -> None:
        """Wait before coming back."""
        await asyncio.sleep(self.chance.uniform(0, RETRY_S))

    def hold(self, cid: str, login: str) -> None:
        """An agent's console shows the conversation as theirs."""
        holders = self.holders.setdefault(cid, set())
        holders.add(login)
        if len(holders) > 1:
            self.doubled.add(cid)

    def let_go(self, cid: str, login: str) -> None:
        """It does not any more."""
        self.holders.get(cid, set()).discard(login)


class Visitor:
    """One page that asks for a person, comes back when its process dies, and stays until it is answered."""

    def __init__(self, town: Town, number: int) -> None:
        self.town = town
        self.done = asyncio.Event()
        self.cid = ""
        page = f"0{number:08d}-arrival"
        self._page = PageClient(page, town.site, None, None, self._hear)
        self._secret = ""

    async def live(self) -> None:
        """Until the talk is over."""
        while not self.done.is_set():
            try:
                await self._page.connect(f"ws://{self.town.door()}", ORIGIN, language="ja")
            except AWAY:
                await self.town.breathe()
                continue
            if self.cid:
                self._page.send_message(wire.Resume(self.cid, self._secret, 0))
            else:
                self._page.send_message(wire.Ask())
            gone = asyncio.create_task(self._page.gone.wait())
            done = asyncio.create_task(self.done.wait())
            await asyncio.wait([gone, done], return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            done.cancel()
            if not self.done.is_set():
                await self.town.breathe()
        self._page.close()

    def _hear(self, page: PageClient, message: ServerMessage) -> None:
        match message:
            case wire.Welcome(config={"talk": [cid, secret]}):
                self.cid, self._secret = cid, secret
            case wire.Conversation():
                self.cid = message.cid
                self._secret = message.secret or self._secret
                if message.state in OVER:
                    self.done.set()


class Answerer:
    """One agent: answers at once, talks for a second, closes, and comes back when the process dies."""

    def __init__(self, town: Town, logins: Logins, login: str, capacity: int) -> None:
        self.town = town
        self.login = login
        self.capacity = capacity
        self.address = ""
        self._logins = logins
        self._refs = itertools.count(1)
        self._socket: ClientConnection | None = None
        self._mine: set[str] = set()
        self._freed = 0.0  # when a slot fell free while others waited; 0: it does not count
        self._talking: set[asyncio.Task[None]] = set()
        self._stays = True

    async def work(self) -> None:
        """Until `vanish`."""
        while self._stays:
            with contextlib.suppress(*AWAY):
                await self._connected()
            await self.town.breathe()

    async def vanish(self) -> None:
        """The machine is gone: no word, and no way back."""
        self._stays = False
        if self._socket is not None:
            self._socket.transport.abort()

    async def _connected(self) -> None:
        self.address = self.town.door()
        _, login = await self._logins.start(self.town.site, self.login)
        ticket = await self._logins.ticket(login)
        url = f"ws://{self.address}/v1/agent?ticket={ticket}"
        async with connect(url, origin=Origin(f"http://{self.address}"), compression=None) as self._socket:
            await self._say("presence", state="available")
            try:
                async for text in self._socket:
                    self._hear(json.loads(text))
            finally:
                self._forget()

    async def _say(self, kind: str, **fields: Any) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"t": kind, "ref": next(self._refs), **fields}))

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame["t"]:
            case "hello":
                self._forget()
                for conversation in frame["conversations"]:
                    self._changed(conversation)
            case "ring":
                if self._freed:
                    self.town.gaps.append(time.perf_counter() - self._freed)
                    self._freed = 0.0
                self._changed(frame["conversation"])
            case "ring_over":
                self._lose(frame["cid"])
            case "conversation":
                self._changed(frame["conversation"])
            case "ok" if "conversation" in frame:
                self._changed(frame["conversation"])

    def _changed(self, conversation: dict[str, Any]) -> None:
        cid, state = conversation["cid"], conversation["state"]
        if conversation["agent"] != self.login or state == "closed":
            return self._lose(cid)
        self._mine.add(cid)
        if len(self._mine) > self.capacity:
            self.town.overshot[self.login] += 1
        if state == "ringing":
            self._do(self._say("accept", cid=cid))
        elif state == "active":
            self.town.hold(cid, self.login)
            self._do(self._talk(cid))
        return None

    def _forget(self) -> None:
        """What was shown is not known to be true any more."""
        for cid in list(self._mine):
            self._lose(cid)

    def _lose(self, cid: str) -> None:
        self._mine.discard(cid)
        self.town.let_go(cid, self.login)

    async def _talk(self, cid: str) -> None:
        await self._say("say", cid=cid, mid=secrets.token_urlsafe(12), text="Hello, how can I help?")
        await asyncio.sleep(self.town.chance.uniform(*TALK_S))
        if cid not in self._mine:
            return
        self._freed = time.perf_counter() if self.town.waiting() else 0.0
        await self._say("close", cid=cid, disposition="answered", note="")

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)
