"""Firefox and WebKit, as far as loading a page and leaving it: by the protocols that they speak themselves (WebDriver
BiDi, WebDriver), since nothing more is asked of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import until_async

FIREFOX: Final = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT: Final = shutil.which("WebKitWebDriver")
XVFB: Final = shutil.which("Xvfb")
START_S: Final = 30.0
MINI: Final = sorted(Path("/usr/lib").glob("*/webkit2gtk-*/MiniBrowser"))


class Window(Protocol):
    """A browser window."""

    async def goto(self, url: str) -> None:
        """Load a page."""

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def _running(command: list[str], **more: str) -> Any:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **more}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def unwatched(chromium: Path, folder: Path, url: str) -> Any:
    """Chromium at this address as people run it: one that DevTools look into prerenders nothing."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _running(
        [str(chromium), "--headless=new", "--no-first-run", *root, f"--user-data-dir={folder}", url]
    ):
        yield


class _Firefox:
    """WebDriver BiDi."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._ids = itertools.count(1)
        self._context = ""

    async def begin(self) -> None:
        await self._ask("session.new", capabilities={})
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        await self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(START_S):
            while True:
                answer = json.loads(await self._line.recv())
                if answer.get("id") == number:
                    assert answer["type"] == "success", answer
                    return answer["result"]

    async def goto(self, url: str) -> None:
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        answer = await self._ask(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        return answer["result"].get("value")


@contextlib.asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[Window]:
    """A new Firefox without a window, with an empty profile."""
    assert FIREFOX is not None
    port = _free_port()
    command = [
        FIREFOX,
        "--headless",
        "--no-remote",
        "--profile",
        str(folder),
        f"--remote-debugging-port={port}",
    ]
    with _running(command, HOME=str(folder)):

        async def opened() -> ClientConnection | None:
            with contextlib.suppress(OSError):
                return await connect(f"ws://127.0.0.1:{port}/session", max_size=None)
            return None

        line = await until_async(opened, within_s=START_S)
        assert line is not None
        async with line:
            window = _Firefox(line)
            await window.begin()
            yield window


class _WebKit:
    """W3C WebDriver."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._session = ""

    async def begin(self) -> None:
        options = {"binary": str(MINI[-1]), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session = (await self._ask("POST", "/session", wanted))["sessionId"]

    async def end(self) -> None:
        await self._ask("DELETE", f"/session/{self._session}")

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    async def goto(self, url: str) -> None:
        await self._ask("POST", f"/session/{self._session}/url", {"url": url})

    async def evaluate(self, expression: str) -> Any:
        body = {"script": f"return {expression}", "args": []}
        return await self._ask("POST", f"/session/{self._session}/execute/sync", body)


@contextlib.asynccontextmanager
async def webkit(folder: Path) -> AsyncIterator[Window]:
    """A new WebKit window on a screen of its own."""
    assert WEBKIT is not None and XVFB is not None
    port, screen = _free_port(), 90 + os.getpid() % 900
    own = {"DISPLAY": f":{screen}", "GDK_BACKEND": "x11", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    own |= {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"} if os.geteuid() == 0 else {}
    with (
        _running([XVFB, f":{screen}", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]),
        _running([WEBKIT, f"--port={port}", "--host=127.0.0.1"], **own),
    ):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=START_S) as http:

            async def ready() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await http.get("/status")).status_code == 200
                return False

            await until_async(ready, within_s=START_S)
            window = _WebKit(http)
            await window.begin()
            try:
                yield window
            finally:
                await window.end()
