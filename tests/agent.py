"""A test's agent: logs in over HTTP, works over the socket, and keeps every frame that came."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from router.web.demo_seed import LOGIN, PASSWORD
from tests.service import InLoop, Process
from tests.waiting import until

Frame = dict[str, Any]


class Agent:
    """One console."""

    def __init__(self, at: InLoop | Process, login: str = LOGIN, password: str = PASSWORD) -> None:
        self.at = at
        self.login = login
        self.password = password
        self.got: list[Frame] = []
        self._refs = itertools.count(1)
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Agent:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def connect(self) -> Frame:
        """Log in and open the socket; returns `hello`."""
        async with httpx.AsyncClient(base_url=self.at.url, headers={"Origin": self.at.url}) as http:
            body = {"site": "demo", "login": self.login, "password": self.password}
            answer = await http.post("/agent/api/login", json=body)
            assert answer.status_code == 200, answer.text
            headers = {"X-CSRF-Token": answer.json()["csrf"]}
            ticket = (await http.post("/agent/api/ticket", headers=headers)).json()["ticket"]
        self._socket = await connect(f"{self.at.ws}/v1/agent?ticket={ticket}", origin=self.at.url)  # type: ignore[arg-type]
        self._reading = asyncio.create_task(self._read())
        return await self.next("hello")

    async def leave(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(Exception):
            async for text in self._socket:
                self.got.append(json.loads(text))

    async def ask(self, kind: str, **fields: Any) -> Frame:
        """Send a frame and wait for its answer, ok or error."""
        ref = next(self._refs)
        assert self._socket is not None
        await self._socket.send(json.dumps({"t": kind, "ref": ref, **fields}))
        found: list[Frame] = await until(lambda: [f for f in self.got if f.get("ref") == ref])
        self.got.remove(found[0])
        return found[0]

    def all(self, kind: str) -> list[Frame]:
        """The frames of a kind that came so far."""
        return [frame for frame in self.got if frame["t"] == kind]

    async def next(self, kind: str, *, within_s: float = 5.0) -> Frame:
        """Wait for a frame of the kind; it is taken out."""
        found = (await until(lambda: self.all(kind), within_s=within_s))[0]
        self.got.remove(found)
        return found
