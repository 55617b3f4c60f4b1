"""router.replay.page: what a page without a browser leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from picows import WSError

from router.replay import page as module
from router.replay.page import PageClient
from tests.waiting import until


class Mute:
    """A server that takes the handshake's request and answers nothing, so that a page waits in the midst of it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await reader.read()
        self.left.set()
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with await asyncio.start_server(self.take, "127.0.0.1", 0) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_page_without_an_answer_gives_up_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.02)
    mute = Mute()
    async with mute.listening() as address:
        page = PageClient("p", "demo", None, None, lambda *_: None)
        with pytest.raises((TimeoutError, WSError)):
            await page.dial(address, "http://127.0.0.1")
        await until(mute.left.is_set)


async def test_a_page_that_is_cancelled_in_the_handshake_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    mute = Mute()
    async with mute.listening() as address:
        page = PageClient("p", "demo", None, None, lambda *_: None)
        dialling = asyncio.create_task(page.dial(address, "http://127.0.0.1"))
        await mute.asked.wait()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await until(mute.left.is_set, within_s=1.0)
