"""Serves an ASGI app as the yardsticks do: uvicorn on uvloop with its fastest parsers, one process."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

BACKLOG: Final = 4096
LOOK_S: Final = 0.02


class Server(uvicorn.Server):
    """uvicorn, ended by SIGTERM without the signal being raised again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    def stop(self) -> None:
        """End, after a second even if somebody is still connected."""
        self.should_exit = True


def run(app: ASGIApp) -> None:
    """Serve on a free loopback port, said on stdout, until SIGTERM. No compression, no access log, no pings."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        listening.setblocking(False)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(Server(config), listening))


async def _serve(server: Server, listening: socket.socket) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    telling = asyncio.create_task(_tell(server, listening.getsockname()[1]))
    await server.serve(sockets=[listening])
    await telling


async def _tell(server: Server, port: int) -> None:
    while not (server.started or server.should_exit):
        await asyncio.sleep(LOOK_S)
    gc.collect()
    gc.freeze()
    print(port, flush=True)
