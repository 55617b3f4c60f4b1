"""What shoppers did, as it was folded: kept for a while so that rules can be tried on a shop's own traffic.

A stream of its own beside the journal, so that it can never push out what the journal keeps. Writing never waits and
may lose: when the store is slow or away, the oldest chunks give way, counted. Events are kept with the page and the
moment they were received at; a session that two processes folded for a moment has some of them twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.core import events as ev
from router.core.session import Session
from router.store import keys
from router.store.life import goes_on
from router.store.link import Link
from router.store.quick import Quick

MIB: Final = 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
MAX_CHUNKS: Final = 64  # 4 MiB: seconds of a full node
WRITE_TIMEOUT_S: Final = 2.0
EVERY_S: Final = 1.0
_ARRAY_32: Final = b"\xdd"

_append: Final = msgspec.msgpack.Encoder().encode_into


class Batch(Struct, array_like=True, frozen=True):
    """Events of one page as they were folded together at `at` (ms). `mark` is the number of the last of them on its
    page; `open`: had the page a socket after that?
    """

    site: str
    session: str
    visitor: str
    visits: int
    language: str
    page: str
    mark: int
    at: int
    open: bool
    events: tuple[ev.AnyEvent, ...]


_chunk: Final = msgspec.msgpack.Decoder(tuple[Batch, ...])


class Behaviour:
    """One process's pen. `max_bytes`: how large the stream may grow; 0 keeps nothing.

    Counters for operating: `written` and `dropped` batches.
    """

    def __init__(self, redis: Redis, max_bytes: int, *, shard: int = 0, link: Link | None = None) -> None:
        self.written = 0
        self.dropped = 0
        self._quick = Quick(redis, link)
        self._key = keys.behaviour(shard)
        self._max_bytes = max_bytes
        self._open = bytearray()
        self._count = 0
        self._sealed: deque[tuple[int, bytes]] = deque()

    def add(
        self, session: Session, page: str, mark: int, at: int, is_open: bool, events: Sequence[Any]
    ) -> None:
        """Keep what was folded, or that a page was closed."""
        if not self._max_bytes:
            return
        batch = (
            session.site, session.sid, session.visitor, session.visits, session.language,
            page, mark, at, is_open, events,
        )  # fmt: skip
        _append(batch, self._open, -1)
        self._count += 1
        if len(self._open) > CHUNK_BYTES:
            self._seal()

    def _seal(self) -> None:
        if not self._count:
            return
        self._sealed.append((self._count, _ARRAY_32 + self._count.to_bytes(4, "big") + self._open))
        self._open, self._count = bytearray(), 0
        if len(self._sealed) > MAX_CHUNKS:
            self.dropped += self._sealed.popleft()[0]

    async def run(self) -> None:
        """Write again and again until cancelled, and once more then."""
        try:
            while goes_on():
                await asyncio.sleep(EVERY_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits. Never raises for a store that is away: it is tried again, as long as there is room."""
        self._seal()
        while self._sealed:
            count, chunk = self._sealed.popleft()
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await self._quick.run("behaviour_add", [self._key], [self._max_bytes, chunk])
            except (RedisError, OSError, TimeoutError):
                self._sealed.appendleft((count, chunk))
                return
            self.written += count


async def read(redis: Redis, site: str, *, shard: int = 0, page: int = 50) -> AsyncIterator[Batch]:
    """What is kept of a site, in the order in which it was written."""
    after = "-"
    while True:
        entries = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            await redis.xrange(keys.behaviour(shard), min=after, count=page),
        )
        if not entries:
            return
        for entry, fields in entries:
            after = f"({entry.decode()}"
            for batch in _chunk.decode(fields[b"r"]):
                if batch.site == site:
                    yield batch


async def kept(redis: Redis, site: str) -> list[Batch]:
    """All that is kept of a site, in the order of time, each event once."""
    found = [batch async for batch in read(redis, site)]
    return list(_once(sorted(found, key=lambda batch: batch.at)))


def _once(batches: list[Batch]) -> Iterator[Batch]:
    """Events that came again, since another process folded them as well, are left out."""
    marks: dict[tuple[str, str], int] = {}
    for batch in batches:
        known = marks.get((batch.session, batch.page), 0)
        new = min(batch.mark - known, len(batch.events))
        if new > 0:
            marks[batch.session, batch.page] = batch.mark
            yield msgspec.structs.replace(batch, events=batch.events[-new:])
        elif not batch.events:
            yield batch
