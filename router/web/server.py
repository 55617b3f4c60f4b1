"""Runs the service: finds a store, binds the port, serves until told to stop, and leaves no process behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from router.errors import StartError
from router.live import collector
from router.live.clock import WallClock
from router.settings import Settings, kept_secret
from router.store.embedded import Embedded, check_version
from router.web.app import Service
from router.web.gate import gate
from router.web.guardian import ENDING, Guardian

BACKLOG = 4096
uvicorn_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, slots=True)
class Running:
    """Where the service can be reached, and where its data is."""

    address: str
    data: Path


Announce = Callable[[Running], None]
Beside = Callable[[Running], Coroutine[Any, Any, None]]


def run(settings: Settings, *, announce: Announce | None = None, beside: Beside | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises StartError with one clear sentence if it cannot start.

    `announce` is told once when it runs; `beside` runs in the same loop for as long as it does.
    """
    _log_to_stderr(settings.log_level)
    keeper = Guardian() if settings.demo else _Once()
    listening = bind(settings.host, settings.port)
    with contextlib.ExitStack() as stack:
        stack.callback(listening.close)
        url = settings.redis_url
        if not url:
            url = stack.enter_context(Embedded(settings.data / "valkey")).url

        def serving(first: bool) -> None:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, url, listening, announce if first else None, beside, keeper.told))

        keeper.run(serving)


class _Once:
    """Notes signals that end: one that raised could come between the private store's start and its end."""

    def __init__(self) -> None:
        self.told: list[int] = []
        for number in ENDING:
            signal.signal(number, lambda number, _: self.told.append(number))

    def run(self, work: Callable[[bool], None]) -> None:
        """Do it, here and once."""
        work(True)


async def _serve(
    settings: Settings,
    url: str,
    listening: socket.socket,
    announce: Announce | None,
    beside: Beside | None,
    early: list[int],
) -> None:
    """Serve; not at all if a signal came `early`, before there was a server to stop."""
    await check_store(url)
    address = address_of(settings.host, listening.getsockname()[1])
    secret = settings.secret or kept_secret(settings.data)
    service = Service(settings, url, secret, WallClock(), address)
    server = make_server(service)
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, server.stop)
    if early:
        return
    told = loop.create_task(_tell(server, Running(address, settings.data), announce, beside))
    uvicorn_log.disabled = True  # a start that fails is told once, by whoever catches it
    try:
        await server.serve(sockets=[listening])
    except SystemExit:  # uvicorn's word for an app that did not start
        raise service.failure or StartError("The service did not start.") from None
    finally:
        told.cancel()
        uvicorn_log.disabled = False


async def _tell(server: Server, running: Running, announce: Announce | None, beside: Beside | None) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    uvicorn_log.disabled = False
    collector.settle()
    structlog.get_logger().info("serving", address=running.address, pid=os.getpid())
    if announce is not None:
        announce(running)
    if beside is not None:
        await beside(running)


class Server(uvicorn.Server):
    """uvicorn, but signals are ours: it would end the process before the private store is stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    def stop(self) -> None:
        """Begin to stop; asked twice, do not wait for slow clients."""
        self.force_exit = self.should_exit
        self.should_exit = True


def make_server(service: Service) -> Server:
    """A server for this service on the loop that runs."""
    config = uvicorn.Config(
        service.app,
        http=gate(service.shopper_protocol),
        ws="websockets-sansio",
        ws_max_size=16 * 1024,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        proxy_headers=False,
    )
    return Server(config)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError if the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise StartError(
            f"Cannot listen on {host}:{port} ({error.strerror}); choose another with PORT= or HOST=."
        ) from None
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def address_of(host: str, port: int) -> str:
    """Where a browser on this machine reaches it; an IPv6 address stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def check_store(url: str) -> None:
    """Raise StartError unless a Redis or Valkey of at least 7 answers at `url`."""
    try:
        client: Redis = Redis.from_url(
            url, protocol=2, socket_connect_timeout=3, socket_timeout=3, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:
        raise StartError(f"REDIS_URL is not an address of a Redis: {error}.") from None
    try:
        info = await client.info("server")
    except AuthenticationError:
        raise StartError("The Redis at REDIS_URL refuses the password.") from None
    except (RedisError, OSError):
        raise StartError(
            f"No Redis or Valkey answers at {_without_password(url)}; start one or leave REDIS_URL out."
        ) from None
    finally:
        await client.aclose()
    version = info.get("valkey_version") or info.get("redis_version", "0.0.0")
    check_version(f"v={version}", f"The server at {_without_password(url)}")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _log_to_stderr(level: str) -> None:
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
