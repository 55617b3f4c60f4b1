"""The hot path's own connection to Redis: one persistent socket, whatever a loop tick produced in one write.

Commands are queued with a callback and written together when the tick ends. Replies come in order. A command whose
reply did not come before the connection broke, or within `timeout_s`, ends with `LinkLost`: its outcome is
unknown and it is never sent again from here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import hiredis

Reply = Any
Callback = Callable[[Reply], None]

TIMEOUT_S: Final = 2.0
RETRY_S: Final = 0.2
MAX_PENDING: Final = 100_000


class LinkLost(Exception):
    """The connection broke before the reply came: nobody knows whether the command took effect."""


class Link(asyncio.Protocol):
    """One connection to one server, reconnecting for ever until closed."""

    def __init__(
        self, url: str, *, on_up: Callable[[], None] = lambda: None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = urlsplit(url)
        self._on_up = on_up
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._pending: deque[Callback] = deque()
        self._out: list[bytes] = []
        self._planned = False
        self._closed = False
        self._answered = 0
        self._watched = -1
        self.up = False
        self._first_up = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._pack = hiredis.pack_command

    # --- what others use -----------------------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """Commands whose reply has not come."""
        return len(self._pending)

    async def start(self) -> None:
        """Connect; returns when the first connection stands."""
        self._connecting = self._loop.create_task(self._connect(), name="link")
        self._watch()
        await self._first_up.wait()

    def command(self, args: tuple[str | bytes | int, ...], callback: Callback) -> None:
        """Queue a command; `callback` gets its reply, an error reply as an exception, or `LinkLost`."""
        if not self.up or len(self._pending) >= MAX_PENDING:
            self._loop.call_soon(callback, LinkLost())
            return
        self._queue(args, callback)

    def _queue(self, args: tuple[str | bytes | int, ...], callback: Callback) -> None:
        self._out.append(self._pack(args))  # type: ignore[arg-type]  # the stub wants a tuple of one
        self._pending.append(callback)
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is queued now, in one piece."""
        self._planned = False
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    async def call(self, *args: str | bytes | int) -> Reply:
        """One command, awaited. Raises `LinkLost` or the server's error."""
        future: asyncio.Future[Reply] = self._loop.create_future()
        self.command(args, partial(_settle, future))
        return await future

    async def close(self) -> None:
        """Write what is queued, then end the connection and its reconnecting."""
        self._closed = True
        self.flush()
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    # --- the connection ------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        while not self._closed:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._open()
                    await self._greet()
            except (OSError, TimeoutError, LinkLost, hiredis.HiredisError):
                if self._transport is not None:
                    self._transport.abort()
                await asyncio.sleep(RETRY_S)
                continue
            self.up = True
            self._first_up.set()
            self._on_up()
            return

    async def _open(self) -> None:
        if self._url.scheme == "unix":
            await self._loop.create_unix_connection(lambda: self, self._url.path)
            return
        await self._loop.create_connection(
            lambda: self,
            self._url.hostname or "127.0.0.1",
            self._url.port or 6379,
            ssl=self._url.scheme == "rediss" or None,
        )

    async def _greet(self) -> None:
        if self._url.password:
            user = (unquote(self._url.username),) if self._url.username else ()
            await self._ask("AUTH", *user, unquote(self._url.password))
        database = self._url.path.lstrip("/") if self._url.scheme != "unix" else ""
        if database not in ("", "0"):
            await self._ask("SELECT", database)
        await self._ask("PING")

    async def _ask(self, *args: str) -> Reply:
        future: asyncio.Future[Reply] = self._loop.create_future()
        self._queue(args, partial(_settle, future))
        return await future

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._reader = hiredis.Reader(replyError=_error)

    def data_received(self, data: bytes) -> None:
        """asyncio: replies came; each goes to the oldest callback."""
        reader, pending = self._reader, self._pending
        reader.feed(data)
        while (reply := reader.gets()) is not False:
            self._answered += 1
            pending.popleft()(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the socket is gone; every unanswered command has an unknown outcome."""
        self._transport = None
        self._out.clear()
        lost, self._pending = self._pending, deque()
        was_up, self.up = self.up, False
        for callback in lost:
            callback(LinkLost())
        if was_up and not self._closed:
            self._connecting = self._loop.create_task(self._connect(), name="link")

    def _watch(self) -> None:
        """A connection that owes replies and gave none since the last look is not trusted any longer."""
        if self._transport is not None and self._pending and self._watched == self._answered:
            self._transport.abort()
        self._watched = self._answered if self._pending else -1
        if not self._closed:
            self._watchdog = self._loop.call_later(self._timeout_s, self._watch)


def _settle(future: asyncio.Future[Reply], reply: Reply) -> None:
    if future.done():
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)


def _error(text: str) -> Exception:
    return hiredis.ReplyError(text)
