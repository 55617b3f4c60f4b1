"""The service on a clock that its parent drives: what `router replay` starts, never what serves a shop.

Over an inherited socket, one JSON object a line: `{"to": ms}` moves the clock there, stopping at every planned moment
and returning early as soon as anything had an effect; the answer is `{"now": ms, "effects": n}`. The effects are
counted by the journal, which notes every decision and every transition of a conversation.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import uvloop

from router.live.clock import DrivenClock
from router.settings import Settings
from router.web.app import Service
from router.web.server import bind, make_server

SWEEP_MS = 600_000  # lost wake-ups do not happen with one process; recorded weeks pass in seconds


async def serve(control: socket.socket, redis_url: str, sites: Path, secret: bytes, start: int) -> None:
    """Serve until the parent closes the control socket."""
    clock = DrivenClock(start)
    listening = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings(sites=sites, sweep_ms=SWEEP_MS, lease_ms=0, log_level="error")
    service = Service(settings, redis_url, secret, clock, address)
    for name, site in service.sites.items():
        service.sites[name] = msgspec.structs.replace(site, origins=(address,))
    server = make_server(service)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    reader, writer = await asyncio.open_unix_connection(sock=control)
    _say(writer, {"address": address})
    while line := await reader.readline():
        _say(writer, await _move(service, clock, json.loads(line)["to"]))
    server.should_exit = True
    await serving


async def _move(service: Service, clock: DrivenClock, moment: int) -> dict[str, int]:
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
    return {"now": clock.now(), "effects": service.journal.added}


def _say(writer: asyncio.StreamWriter, answer: Mapping[str, object]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Arguments: control socket's number, store, site file, start in ms. The secret comes on standard input."""
    number, redis_url, sites, start = sys.argv[1:]
    secret = sys.stdin.buffer.readline().strip()
    control = socket.socket(fileno=int(number))
    uvloop.run(serve(control, redis_url, Path(sites), secret, int(start)))


if __name__ == "__main__":
    main()
