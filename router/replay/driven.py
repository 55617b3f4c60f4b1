"""The service as a child process on a clock of ours: start, move, kill, start again on the same store."""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from router.errors import StartError
from router.replay.service import PAIR

START_S: Final = 30.0
MOVE_S: Final = 30.0


class DrivenService:
    """`address` is where it is reached; `now` where its clock stands; `effects` how much has happened so far,
    `events` how many events were sent to it.
    """

    def __init__(self, redis_url: str, sites: Path, start: int) -> None:
        self.redis_url = redis_url
        self.sites = sites
        self.now = start
        self.effects = 0
        self.events = 0
        self.address = ""
        self.cpu_s = 0.0
        self._secret = secrets.token_urlsafe(32).encode()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def start(self) -> None:
        """Start the process at the moment where the clock stands."""
        ours, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), self.redis_url, str(self.sites), str(self.now)]
        self._process = subprocess.Popen(  # noqa: ASYNC220  (the replay has nothing else to do meanwhile)
            [sys.executable, "-m", "router.replay.service", *arguments],
            stdin=subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        assert self._process.stdin is not None
        self._process.stdin.write(self._secret + b"\n")
        self._process.stdin.close()
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        async with asyncio.timeout(START_S):
            self.address = (await self._reader.readline()).decode().strip()
        if not self.address:
            raise StartError("The service of the replay did not start; its error stands above.")
        self.effects = self.events = 0

    async def move(self, moment: int) -> bool:
        """Move the clock to `moment`, or to the first effect before it; whether anything had an effect."""
        self._writer.write(PAIR.pack(moment, self.events))
        try:
            async with asyncio.timeout(MOVE_S):
                answer = await self._reader.readexactly(PAIR.size)
        except asyncio.IncompleteReadError:
            raise StartError(
                "The service of the replay ended while it was needed; its error stands above."
            ) from None
        before = self.effects
        self.now, self.effects = PAIR.unpack(answer)
        return self.effects != before

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._writer.close()

    async def stop(self) -> None:
        """End it by closing the control socket."""
        self._writer.close()
        process = self._process
        if process is not None:
            try:
                await asyncio.to_thread(process.wait, 15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
