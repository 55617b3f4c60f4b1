"""What shoppers did is kept in order and within its bound, each event once, and never at the cost of anything else."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core.session import Session
from router.store import behaviour, keys
from router.store.behaviour import CHUNK_BYTES, MAX_CHUNKS, Behaviour

MIB = 1024 * 1024
PAGE = "000000001loadtest"
NOBODY = "redis://127.0.0.1:1/0"


def session(sid: str = "sid-1", site: str = "demo") -> Session:
    return Session(sid, site, "vid-1", "JPY", 1_000, 1_000, "ja", 3)


def views(*paths: str) -> list[ev.Page]:
    return [ev.Page(0, "other", path) for path in paths]


async def test_what_was_kept_is_read_in_the_order_of_time(redis: Redis) -> None:
    pen, other = Behaviour(redis, MIB), Behaviour(redis, MIB)
    pen.add(session(), PAGE, 1, 2_000, True, views("/b"))
    pen.add(session(), PAGE, 0, 3_000, False, ())
    other.add(session("sid-2"), PAGE, 2, 1_500, True, views("/a", "/a2"))
    other.add(session("sid-3", "another"), PAGE, 1, 1_000, True, views("/x"))
    await pen.flush()
    await other.flush()
    first, second, closed = await behaviour.kept(redis, "demo")
    assert (first.session, first.at, first.events) == ("sid-2", 1_500, tuple(views("/a", "/a2")))
    assert (second.visitor, second.visits, second.language, second.page) == ("vid-1", 3, "ja", PAGE)
    assert (closed.events, closed.open) == ((), False)
    assert (pen.written, other.written) == (2, 2)


async def test_events_that_two_processes_folded_come_once(redis: Redis) -> None:
    pen = Behaviour(redis, MIB)
    pen.add(session(), PAGE, 2, 1_000, True, views("/1", "/2"))
    pen.add(session(), PAGE, 4, 2_000, True, views("/2", "/3", "/4"))
    pen.add(session(), PAGE, 4, 3_000, True, views("/4"))
    await pen.flush()
    kept = await behaviour.kept(redis, "demo")
    assert [event.path for batch in kept for event in batch.events if isinstance(event, ev.Page)] == [
        "/1", "/2", "/3", "/4",
    ]  # fmt: skip


async def test_the_stream_stays_within_its_bound_and_the_newest_stays(redis: Redis) -> None:
    bound = 4 * CHUNK_BYTES
    pen = Behaviour(redis, bound)
    for number in range(1, 20_001):
        pen.add(session(), PAGE, number, number, True, views(f"/some/path/{number}"))
        if number % 500 == 0:
            await pen.flush()
    assert (await redis.memory_usage(keys.behaviour(0)) or 0) <= bound + CHUNK_BYTES
    assert (await behaviour.kept(redis, "demo"))[-1].mark == 20_000


async def test_nothing_is_kept_where_that_is_switched_off(redis: Redis) -> None:
    pen = Behaviour(redis, 0)
    pen.add(session(), PAGE, 1, 1_000, True, views("/"))
    await pen.flush()
    assert not await redis.exists(keys.behaviour(0))


async def test_a_store_that_is_away_costs_the_oldest_only(redis: Redis) -> None:
    away: Redis = Redis.from_url(NOBODY, retry=None)
    pen = Behaviour(away, MIB)
    count = 0
    while not pen.dropped:
        count += 1
        pen.add(session(), PAGE, count, count, True, views("/" + "x" * 290))
    await pen.flush()
    assert pen.written == 0
    assert pytest.approx(pen.dropped, rel=0.2) == count / MAX_CHUNKS
    pen._quick._redis = redis
    await pen.flush()
    assert pen.written == count - pen.dropped
    await away.aclose()
