"""What durability costs: a store that syncs each write to disk beside one that keeps nothing."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from loadtests import client, contest, servers
from loadtests.contest import ONE, Contest, Contestant, Pace
from loadtests.servers import on_core
from router.store.embedded import Embedded

ALWAYS: Final = "fsync always"
NONE: Final = "no persistence"


def measure(pace: Pace) -> Contest:
    """Both in turn, each with a service and a store of its own; the services share a core, the stores the other."""
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-durable-")))
        stack.enter_context(on_core(other))
        always = stack.enter_context(Embedded(folder / "valkey", appendfsync="always"))
        none = stack.enter_context(Embedded())
        contestants = []
        for name, store in ((ALWAYS, always), (NONE, none)):
            with on_core(mine):
                server = stack.enter_context(servers.service(folder / f"data {name}", store.url))
            contestants.append(Contestant(name, server, client.shopper, store.process.pid))
        return contest.run(ONE, contestants, pace)


def ratio(found: Contest) -> float:
    """Frames a second, with each write synced to those without any."""
    always, none = (found.middle(name, lambda one: one.frames_per_s) for name in (ALWAYS, NONE))
    return always / none
