"""The journal: what was decided, shown and what came of it, as a stream that reporting reads.

Writing never waits: `add` puts a record into a bounded buffer, `flush` writes what is there. When the store
is slow or away and the buffer is full, events give way first, then exposures, then decisions; orders,
redemptions and transcripts are refused instead, so that their caller knows. Every record has a number
within its source: a gap is what was dropped, a repeat is a write whose outcome was unknown, and `read`
skips repeats.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, deque
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol, cast

import msgpack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.errors import Refused
from router.store import keys, scripts
from router.store.life import goes_on
from router.store.link import Link
from router.store.quick import Quick

EVENT, EXPOSURE, DECISION, KEPT = range(4)
RANKS: Final = {
    "event": EVENT,
    "sent": EXPOSURE,
    "shown": EXPOSURE,
    "feedback": EXPOSURE,
    "order": KEPT,
    "redemption": KEPT,
    "transcript": KEPT,
}
"""What gives way when the buffer is full, lowest first; any kind that is not listed ranks as a decision."""

MAX_LEN: Final = 1_000_000  # entries of about 200 bytes
MAX_BUFFER_BYTES: Final = 4 * 1024 * 1024  # some 20,000 records: seconds of a full node
BATCH: Final = 32  # records a script call: a tenth of a millisecond in which the store does nothing else
FLUSH_TIMEOUT_S: Final = 2.0
_OVERHEAD_BYTES: Final = 64


class Clock(Protocol):
    """What the journal knows of time."""

    def now(self) -> int:
        """The moment it is, in milliseconds since the epoch."""


class Entry(NamedTuple):
    """One record as it was read: `id` is its place in the stream, `at` (ms) when it was added."""

    id: str
    source: str
    number: int
    kind: str
    at: int
    record: dict[str, Any]


_Raw = tuple[bytes, dict[bytes, bytes]]


class _Buffered(NamedTuple):
    number: int
    kind: str
    at: int
    packed: bytes

    @property
    def rank(self) -> int:
        return RANKS.get(self.kind, DECISION)

    @property
    def size(self) -> int:
        return len(self.packed) + _OVERHEAD_BYTES


class Journal:
    """One process's pen. `source` names this life of the process and is never used again.

    Counters for operating: `written`, `dropped` by kind, `refused`, `failures` (of flushes).
    """

    def __init__(
        self,
        redis: Redis,
        source: str,
        clock: Clock,
        *,
        shard: int = 0,
        max_len: int = MAX_LEN,
        max_buffer_bytes: int = MAX_BUFFER_BYTES,
        link: Link | None = None,
    ) -> None:
        self.written = 0
        self.refused = 0
        self.failures = 0
        self.dropped: Counter[str] = Counter()
        self._quick = Quick(redis, link)
        self._source = source
        self._clock = clock
        self._key = keys.journal(shard)
        self._max_len = max_len
        self._max_bytes = max_buffer_bytes
        self._bytes = 0
        self._number = 0
        self._buffers: tuple[deque[_Buffered], ...] = tuple(deque() for _ in range(KEPT + 1))
        self._pen = asyncio.Lock()

    # --- adding: never waits -------------------------------------------------------------------------------

    def add(self, kind: str, record: dict[str, Any]) -> None:
        """Buffer a record (what msgpack can hold). Kinds ranked `KEPT` may raise `Refused("overloaded")`."""
        self._number += 1
        entry = _Buffered(self._number, kind, self._clock.now(), msgpack.packb(record))
        if self._make_room(entry.rank, entry.size):
            self._buffers[entry.rank].append(entry)
            self._bytes += entry.size
        elif entry.rank == KEPT:
            self.refused += 1
            raise Refused("overloaded", "The journal cannot be written at the moment.")
        else:
            self.dropped[kind] += 1

    def check(self, size: int = 1024) -> None:
        """Raise `Refused("overloaded")` if a record of so many bytes, ranked `KEPT`, would be refused."""
        if not self._make_room(KEPT, size):
            self.refused += 1
            raise Refused("overloaded", "The journal cannot be written at the moment.")

    def _make_room(self, rank: int, size: int) -> bool:
        """Whether `size` bytes fit, once records of up to this rank gave way, lowest and oldest first."""
        if size > self._max_bytes:
            return False
        for buffer in self._buffers[: min(rank, DECISION) + 1]:
            while buffer and self._bytes + size > self._max_bytes:
                gone = buffer.popleft()
                self._bytes -= gone.size
                self.dropped[gone.kind] += 1
        return self._bytes + size <= self._max_bytes

    @property
    def added(self) -> int:
        """Records that were ever added."""
        return self._number

    @property
    def waiting(self) -> int:
        """Records that are buffered."""
        return sum(map(len, self._buffers))

    # --- writing -------------------------------------------------------------------------------------------

    async def run(self, every_s: float = 0.05) -> None:
        """Flush again and again until cancelled, and once more then."""
        try:
            while goes_on():
                await asyncio.sleep(every_s)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> int:
        """Write what is buffered, oldest first; returns how many records were written.

        Never raises for a store that is away: what was not confirmed goes back into the buffer for the next
        time.
        """
        count = 0
        async with self._pen:
            for _ in range(0, self.waiting, BATCH):
                batch = self._take()
                if not batch or not await self._write(batch):
                    break
                count += len(batch)
        return count

    def _take(self) -> list[_Buffered]:
        """The oldest records of all ranks; their bytes stay counted until they are written."""
        batch = list(islice(heapq.merge(*self._buffers), BATCH))
        for entry in batch:
            self._buffers[entry.rank].popleft()
        return batch

    def _put_back(self, batch: list[_Buffered]) -> None:
        for entry in reversed(batch):
            self._buffers[entry.rank].appendleft(entry)

    async def _write(self, batch: list[_Buffered]) -> bool:
        args: list[scripts.Arg] = [self._max_len, self._source]
        for entry in batch:
            args += entry
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await self._quick.run("journal_add", [self._key], args)
        except (RedisError, OSError, TimeoutError):
            self._put_back(batch)
            self.failures += 1
            return False
        except BaseException:
            self._put_back(batch)
            raise
        self._bytes -= sum(entry.size for entry in batch)
        self.written += len(batch)
        return True


async def read(redis: Redis, *, shard: int = 0, after: str = "0-0", page: int = 500) -> AsyncIterator[Entry]:
    """The records of a journal after the entry `after`, in their order, each once; ends where it ends."""
    newest: dict[str, int] = {}
    while True:
        entries = cast("list[_Raw]", await redis.xrange(keys.journal(shard), min=f"({after}", count=page))
        if not entries:
            return
        for entry_id, fields in entries:
            after = entry_id.decode()
            entry = _entry(after, fields)
            if entry.number > newest.get(entry.source, 0):
                newest[entry.source] = entry.number
                yield entry


async def latest(redis: Redis, count: int, *, shard: int = 0) -> list[Entry]:
    """The newest records, newest first; a repeat of a write with an unknown outcome may be among them."""
    entries = cast("list[_Raw]", await redis.xrevrange(keys.journal(shard), count=count))
    return [_entry(entry_id.decode(), fields) for entry_id, fields in entries]


def _entry(entry_id: str, fields: dict[bytes, bytes]) -> Entry:
    return Entry(
        entry_id,
        fields[b"s"].decode(),
        int(fields[b"n"]),
        fields[b"k"].decode(),
        int(fields[b"t"]),
        msgpack.unpackb(fields[b"r"]),
    )
