"""The service on a clock that its parent drives: what `router replay` starts, never what serves a shop.

Over an inherited socket: first the service's address as a line, then pairs of 64-bit numbers. `MOVE` (moment, events)
waits until so many events were folded and moves the clock there, stopping at every planned moment and returning early
as soon as anything had an effect; the answer `MOVED` is (now, effects). The effects are counted by the journal, which
notes every decision and every transition of a conversation.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from router.live import collector
from router.live.clock import DrivenClock
from router.settings import Settings
from router.web.app import Service
from router.web.server import bind, make_server

PAIR: Final = struct.Struct("<qq")
FOLDED_S: Final = 2.0
SWEEP_MS: Final = 3_600_000  # lost wake-ups do not happen with one process; recorded weeks pass in seconds


async def serve(control: socket.socket, redis_url: str, sites: Path, secret: bytes, start: int) -> None:
    """Serve until the parent closes the control socket."""
    clock = DrivenClock(start)
    listening = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings(sites=sites, sweep_ms=SWEEP_MS, lease_ms=0, behaviour_bytes=0, log_level="error")
    service = Service(settings, redis_url, secret, clock, address)
    for name, site in service.sites.items():
        service.sites[name] = msgspec.structs.replace(site, origins=(address,))
    server = make_server(service)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    reader, writer = await asyncio.open_unix_connection(sock=control)
    collector.settle()
    writer.write(address.encode() + b"\n")
    while (asked := await reader.read(PAIR.size)) and len(asked) == PAIR.size:
        moment, events = PAIR.unpack(asked)
        await _folded(service, events)
        writer.write(PAIR.pack(*await _move(service, clock, moment)))
    server.should_exit = True
    await serving


async def _folded(service: Service, events: int) -> None:
    """Wait until the events that were sent before the move are folded: they come on other sockets."""
    deadline = time.monotonic() + FOLDED_S
    while service.engine.events < events and time.monotonic() < deadline:
        await asyncio.sleep(0)


async def _move(service: Service, clock: DrivenClock, moment: int) -> tuple[int, int]:
    """Advance to `moment`, or to the first effect on the way."""
    before = service.journal.added
    await service.settled()
    while service.journal.added == before:
        due = clock.next_due()
        if due is None or due > moment:
            await clock.advance(moment, service.settled)
            break
        await clock.advance(due, service.settled)
    if service.journal.added != before:
        for _ in range(5):
            await asyncio.sleep(0)  # let the consoles' writers finish
    return clock.now(), service.journal.added


def main() -> None:
    """Arguments: control socket's number, store, site file, start in ms. The secret comes on standard input."""
    number, redis_url, sites, start = sys.argv[1:]
    secret = sys.stdin.buffer.readline().strip()
    control = socket.socket(fileno=int(number))
    uvloop.run(serve(control, redis_url, Path(sites), secret, int(start)))


if __name__ == "__main__":
    main()
