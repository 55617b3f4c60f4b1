"""router.store.journal: writing never waits, and what gives way when the store is away is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from router.errors import Refused
from router.store import journal as module
from router.store import keys, scripts
from router.store.embedded import free_port
from router.store.journal import BATCH, Entry, Journal, read

PAD = {"pad": "x" * 95}
PAD_BYTES = len(msgpack.packb(PAD)) + module._OVERHEAD_BYTES


class Clock:
    """Time that stands still until it is set."""

    def __init__(self) -> None:
        self.moment = 1_700_000_000_000

    def now(self) -> int:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(redis: Redis, clock: Clock) -> Journal:
    return Journal(redis, "node-1", clock)


def away(**more: Any) -> Redis:
    """A client whose server is not there."""
    return Redis.from_url(f"redis://127.0.0.1:{free_port()}/0", retry=None, **more)


async def everything(redis: Redis) -> list[Entry]:
    return [entry async for entry in read(redis)]


async def test_what_is_added_is_read_back_in_order(redis: Redis, journal: Journal, clock: Clock) -> None:
    journal.add("decision", {"rule": "cart-wait", "at": 5, "why": [["cart.value", 9600.5]], "none": None})
    clock.moment += 7
    journal.add("order", {"order": "あ-1"})
    assert journal.waiting == 2
    assert await journal.flush() == 2
    assert journal.waiting == 0
    one, two = await everything(redis)
    assert one[1:] == (
        "node-1", 1, "decision", clock.moment - 7,
        {"rule": "cart-wait", "at": 5, "why": [["cart.value", 9600.5]], "none": None},
    )  # fmt: skip
    assert two[1:] == ("node-1", 2, "order", clock.moment, {"order": "あ-1"})
    assert [entry async for entry in read(redis, after=one.id)] == [two]


async def test_order_holds_over_kinds_batches_and_pages(redis: Redis, journal: Journal) -> None:
    kinds = ["event", "order", "decision", "shown", "conversation"]
    count = 3 * BATCH + 5
    for n in range(count):
        journal.add(kinds[n % 5], {"n": n})
    assert await journal.flush() == count
    assert [entry.record["n"] async for entry in read(redis, page=50)] == list(range(count))


async def test_nothing_buffered_asks_nothing_of_the_store(journal: Journal) -> None:
    assert await journal.flush() == 0
    assert await Journal(away(), "node-2", Clock()).flush() == 0


async def test_shards_are_streams_of_their_own(redis: Redis, clock: Clock) -> None:
    other = Journal(redis, "node-1", clock, shard=3)
    other.add("decision", {})
    await other.flush()
    assert await everything(redis) == []
    assert [entry.kind async for entry in read(redis, shard=3)] == ["decision"]


async def test_the_stream_is_bounded(redis: Redis, clock: Clock) -> None:
    """Approximately: whole nodes of the stream (100 entries by default) fall off its old end."""
    journal = Journal(redis, "node-1", clock, max_len=300)
    for n in range(2000):
        journal.add("decision", {"n": n})
    await journal.flush()
    assert 300 <= await redis.xlen(keys.journal(0)) <= 500
    assert (await everything(redis))[-1].record == {"n": 1999}


# --- the store is away -------------------------------------------------------------------------------------


async def test_a_store_that_is_away_costs_nothing_and_loses_nothing(redis: Redis, clock: Clock) -> None:
    journal = Journal(away(), "node-1", clock)
    for n in range(2 * BATCH):
        journal.add("decision", {"n": n})
    assert await journal.flush() == 0
    assert (journal.failures, journal.waiting) == (1, 2 * BATCH)
    journal.add("event", {"n": 2 * BATCH})
    journal._quick._redis = redis
    assert await journal.flush() == 2 * BATCH + 1
    assert [entry.record["n"] for entry in await everything(redis)] == list(range(2 * BATCH + 1))


async def test_a_write_whose_outcome_is_unknown_is_read_once(redis: Redis, clock: Clock) -> None:
    """The store wrote, the answer was lost: the resent records are there twice, and are read once."""

    class Lossy:
        lost = 0

        async def evalsha(self, *args: Any) -> Any:
            await redis.eval(scripts.source("journal_add"), *args[1:])
            self.lost += 1
            raise RedisConnectionError("the answer was lost")

    journal = Journal(redis, "node-1", clock)
    journal._quick._redis = lossy = Lossy()  # type: ignore[assignment]
    journal.add("decision", {"n": 0})
    journal.add("order", {"n": 1})
    assert await journal.flush() == 0
    assert lossy.lost == 1
    journal.add("decision", {"n": 2})
    journal._quick._redis = redis
    assert await journal.flush() == 3
    assert await redis.xlen(keys.journal(0)) == 5
    assert [entry.record["n"] for entry in await everything(redis)] == [0, 1, 2]


async def test_a_store_that_hangs_is_given_up_after_a_bound(
    redis: Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hung:
        async def evalsha(self, *args: Any) -> Any:
            await asyncio.Event().wait()

    monkeypatch.setattr(module, "FLUSH_TIMEOUT_S", 0.01)
    journal = Journal(redis, "node-1", clock)
    journal._quick._redis = Hung()  # type: ignore[assignment]
    journal.add("decision", {})
    assert await journal.flush() == 0
    assert (journal.failures, journal.waiting) == (1, 1)


async def test_adding_goes_on_while_a_write_is_under_way(redis: Redis, clock: Clock) -> None:
    go, began = asyncio.Event(), asyncio.Event()

    class Slow:
        async def evalsha(self, *args: Any) -> Any:
            began.set()
            await go.wait()
            return await redis.eval(scripts.source("journal_add"), *args[1:])

    journal = Journal(redis, "node-1", clock)
    journal._quick._redis = Slow()  # type: ignore[assignment]
    journal.add("decision", {"n": 0})
    first = asyncio.create_task(journal.flush())
    await began.wait()
    journal.add("decision", {"n": 1})
    second = asyncio.create_task(journal.flush())
    go.set()
    assert [await first, await second] == [1, 1]
    assert [entry.record["n"] for entry in await everything(redis)] == [0, 1]


async def test_run_writes_by_itself_and_once_more_at_its_end(redis: Redis, journal: Journal) -> None:
    task = asyncio.create_task(journal.run(every_s=0.001))
    journal.add("decision", {"n": 0})
    async with asyncio.timeout(5):
        while not journal.written:
            await asyncio.sleep(0.001)
    task.cancel()
    journal.add("decision", {"n": 1})
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry.record["n"] for entry in await everything(redis)] == [0, 1]


# --- the buffer is full ------------------------------------------------------------------------------------


def full(clock: Clock, *kinds: str) -> Journal:
    """A journal whose buffer holds ten records of these kinds, and no more."""
    journal = Journal(away(), "node-1", clock, max_buffer_bytes=10 * PAD_BYTES)
    for n in range(10):
        journal.add(kinds[n % len(kinds)], PAD)
    assert journal.waiting == 10
    assert not journal.dropped
    return journal


def test_events_give_way_first_then_exposures_then_decisions(clock: Clock) -> None:
    journal = full(clock, "decision", "shown", "event", "feedback", "end")
    order = []
    for _ in range(10):
        before = journal.dropped.copy()
        journal.add("redemption", PAD)
        order += list(journal.dropped - before)
    assert order == ["event"] * 2 + ["shown", "feedback"] * 2 + ["decision", "end"] * 2
    assert journal.waiting == 10


@pytest.mark.parametrize("kind", ["order", "redemption", "transcript"])
def test_orders_redemptions_and_transcripts_are_refused_not_dropped(clock: Clock, kind: str) -> None:
    journal = full(clock, "redemption", "transcript", "order")
    with pytest.raises(Refused, match="overloaded"):
        journal.check()
    with pytest.raises(Refused, match="overloaded"):
        journal.add(kind, PAD)
    assert journal.refused == 2
    assert journal.waiting == 10


@pytest.mark.parametrize("kind", ["event", "shown", "decision"])
def test_the_rest_is_dropped_and_counted_and_never_raises(clock: Clock, kind: str) -> None:
    journal = full(clock, "redemption")
    journal.add(kind, PAD)
    assert journal.dropped == {kind: 1}


def test_no_kind_pushes_out_a_higher_one(clock: Clock) -> None:
    journal = full(clock, "decision")
    journal.add("event", PAD)
    journal.add("shown", PAD)
    assert journal.dropped == {"event": 1, "shown": 1}
    journal.add("decision", PAD)
    assert journal.dropped == {"event": 1, "shown": 1, "decision": 1}
    assert journal.waiting == 10


def test_a_record_larger_than_the_buffer_pushes_nothing_out(clock: Clock) -> None:
    journal = full(clock, "event")
    journal.add("decision", {"pad": "x" * 10_000})
    assert journal.dropped == {"decision": 1}
    assert journal.waiting == 10


async def test_what_was_dropped_is_a_gap_in_the_numbers(redis: Redis, clock: Clock) -> None:
    journal = full(clock, "event", "decision")
    journal.add("redemption", PAD)
    journal._quick._redis = redis
    await journal.flush()
    assert [entry.number for entry in await everything(redis)] == [*range(2, 12)]
