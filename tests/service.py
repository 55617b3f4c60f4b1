"""The real service for tests: in this loop with a clock of the test's, or as a process that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from router.live.clock import Clock
from router.replay.page import PageClient
from router.settings import Settings
from router.web import demo_seed
from router.web.app import Service
from router.web.server import Server, bind, make_server

SECRET = b"a secret for tests, 32 bytes long"
START_S = 60.0


class InLoop:
    """The service in the test's own loop, on a real port."""

    def __init__(self, service: Service, server: Server, port: int) -> None:
        self.service = service
        self.server = server
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws = f"ws://127.0.0.1:{port}"
        self.opened: list[PageClient] = []

    async def close_pages(self) -> None:
        """No test leaves a socket behind."""
        for page in self.opened:
            page.close()
        async with asyncio.timeout(5):
            for page in self.opened:
                await page.gone.wait()


@contextlib.asynccontextmanager
async def in_loop(redis_url: str, clock: Clock, folder: Path, **settings: Any) -> AsyncIterator[InLoop]:
    """Start the service with the demo's site; it ends with the block."""
    demo_seed.hasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[assignment]
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    chosen = replace(Settings(demo=True, data=folder, log_level="error"), **settings)
    service = Service(chosen, redis_url, SECRET, clock, f"http://127.0.0.1:{port}")
    server = make_server(service)
    running = InLoop(service, server, port)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            assert not task.done(), task
            await asyncio.sleep(0.005)
        yield running
    finally:
        server.should_exit = True
        await task
        await running.close_pages()


class Process:
    """`router demo` (or `serve`) as a process of its own. `url` is where it is reached."""

    def __init__(
        self, folder: Path, redis_url: str, *, port: int = 0, command: str = "demo", **env: str
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        environment = os.environ | {"ROUTER_DATA": str(folder), "REDIS_URL": redis_url} | env
        with self.log.open("ab") as log:
            self._start = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "router", command, "--port", str(port)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        self.url = self._address()
        self.port = int(self.url.rpartition(":")[2])
        self.ws = self.url.replace("http", "ws", 1)
        self.opened: list[PageClient] = []

    def _address(self) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            text = self.log.read_bytes()[self._start :].decode()
            for line in text.splitlines():
                with contextlib.suppress(ValueError):
                    entry = json.loads(line)
                    if isinstance(entry, dict) and entry.get("event") == "serving":
                        return str(entry["address"])
            assert self.process.poll() is None, text
            time.sleep(0.02)
        raise AssertionError(f"the service did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
