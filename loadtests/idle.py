"""What a shopper costs who does nothing: memory of the service and of its store over many open sockets.

Each shopper has a session as shops record them: most have done little, some a lot. The service's resident memory and
the store's `used_memory` are read before they come and while they stand; the journal and the kept behaviour of their
events are counted as well. Then some of them go on while all are held, and the collector's pauses within the service
are read.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis import Redis

from loadtests import client, frames, mix, servers
from loadtests.client import Crowd, Line
from loadtests.frames import Acks, Lap
from loadtests.servers import on_core
from loadtests.watched import Watch
from router.live import collector
from router.store.embedded import Embedded

LENGTHS: Final = (1, 1, 2, 3, 4, 6, 9, 14, 24, 40)  # events after the two that open the page, in turn
SPARE_FILES: Final = 200
WARM: Final = 100
SETTLE_S: Final = 2.0
RATE: Final = 4000.0
PACE_S: Final = 5.0
KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Idle:
    """What was found. Memory in bytes a shopper; `session_bytes`: of every stored session, in order."""

    shoppers: int
    service_bytes: float
    store_bytes: float
    session_bytes: tuple[int, ...]
    longest_pause_ms: float
    pauses: int

    @property
    def kib(self) -> float:
        """KiB a shopper, the service's and the store's."""
        return (self.service_bytes + self.store_bytes) / KIB

    def session_percentile(self, share: float) -> int:
        """The size below which this share of the stored sessions is, in bytes."""
        return self.session_bytes[min(int(share * len(self.session_bytes)), len(self.session_bytes) - 1)]


def opened(address: str, number: int, per_frame: int) -> Callable[[], Line]:
    """A first visit of a shopper who has done something before standing still."""
    page, done = client.page_id(), LENGTHS[number % len(LENGTHS)]
    sent = mix.opening() + mix.session(number)[:done]
    sock = client.asked(address, "/v1/shopper/new", frames.hello("demo", page) + frames.batch(page, 1, sent))
    acks = Acks(page)

    def stands() -> Line:
        acks.take(client.upgraded(sock))
        while acks.newest < len(sent):
            acks.take(client.received(sock))
        return Line(sock, Lap(page, mix.session(number), per_frame), acks, len(sent))

    return stands


def measure(shoppers: int, seconds: float = PACE_S) -> Idle:
    """Start a service on a core of its own, and let so many come, or as many as the machine lets us open files."""
    shoppers = min(shoppers, servers.allow_files(shoppers + SPARE_FILES) - SPARE_FILES)
    mine, other = servers.cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-idle-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        redis = stack.enter_context(Redis.from_url(store.url))
        watch = Watch(folder / "watched")
        with on_core(mine):
            server = stack.enter_context(
                servers.service(folder / "data", store.url, program="loadtests.watched", **watch.variables)
            )
        with client.crowd(opened, server.address, WARM, 1):
            pass
        before = _memory(server, redis)
        with client.crowd(opened, server.address, shoppers, 1) as crowd:
            service, stored = (now - old for now, old in zip(_memory(server, redis), before, strict=True))
            sizes = _sessions(redis)
            _go_on(crowd, seconds)
            longest, count = watch.pauses()
    return Idle(shoppers, service / shoppers, stored / shoppers, sizes, longest, count)


def _memory(server: servers.Server, redis: Redis) -> tuple[int, int]:
    """(the service's, the store's) in bytes, when what was under way is done."""
    time.sleep(SETTLE_S)
    return servers.memory_bytes(server.pid), int(redis.info("memory")["used_memory"])


def _sessions(redis: Redis) -> tuple[int, ...]:
    """The sizes of all stored sessions, in order."""
    names = list(redis.scan_iter("s:*", count=1000))
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.strlen(name)
        return tuple(sorted(size for size in pipeline.execute() if size))


def _go_on(crowd: Crowd, seconds: float) -> None:
    gc.freeze()  # ten thousand lines of our own are not to be looked at meanwhile
    try:
        crowd.pace(RATE, seconds)
    finally:
        gc.unfreeze()


def table(found: Idle) -> str:
    """The figures for a reader."""
    return (
        f"{found.shoppers:,} idle shoppers, each a socket and a session\n"
        f"  {found.kib:.1f} KiB a shopper: service {found.service_bytes / KIB:.1f}, "
        f"store {found.store_bytes / KIB:.1f}\n"
        f"  a session in the store: p50 {found.session_percentile(0.5):,} bytes, "
        f"p99 {found.session_percentile(0.99):,}\n"
        f"  the collector while all are held: {found.pauses} pauses, the longest {found.longest_pause_ms:.2f} ms\n"
        f"  (what stands at the start is frozen, the young are looked at each {collector.YOUNG:,} objects, the old "
        "only while no session is held)"
    )


def summary(found: Idle) -> dict[str, float]:
    """The figures for a machine."""
    return {
        "idle_shoppers": found.shoppers,
        "kib_per_idle_shopper": round(found.kib, 2),
        "session_bytes_p50": found.session_percentile(0.5),
        "session_bytes_p99": found.session_percentile(0.99),
        "longest_collector_pause_ms": round(found.longest_pause_ms, 3),
    }
