"""The store killed, full, or unreachable while everybody goes on: no acked event is lost, and none is overwritten."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from router.live.clock import WallClock
from router.store import keys
from router.store.embedded import Embedded, free_port
from tests.faults.crowd import Crowd, Visitor, stored
from tests.relay import Relay
from tests.service import InLoop, in_loop
from tests.waiting import until, until_async

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]

MEMORY = Path("/dev/shm")  # noqa: S108  (a disk without delays, where there is one)


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """`everysec` promises nothing while an fdatasync is slow, as a busy test machine's disk may be: use none."""
    if request.getfixturevalue("appendfsync") == "everysec" and MEMORY.is_dir():
        with tempfile.TemporaryDirectory(dir=MEMORY) as in_memory:
            yield Path(in_memory)
    else:
        yield tmp_path / "valkey"


async def is_ready(at: InLoop) -> bool:
    """What `/readyz` says."""
    async with httpx.AsyncClient(base_url=at.url) as http:
        answer = await http.get("/readyz")
    assert answer.json()["ready"] is (answer.status_code == 200)
    return answer.status_code == 200


async def is_not_ready(at: InLoop) -> bool:
    return not await is_ready(at)


@pytest.mark.parametrize("appendfsync", ["always", "everysec"])
async def test_kill_9_of_valkey_under_load(tmp_path: Path, folder: Path, appendfsync: str) -> None:
    """The service recovers by itself, says meanwhile that it is not ready, and no acked event is lost."""
    port = free_port()
    begin = partial(Embedded, folder, port=port, appendfsync=appendfsync)
    store = await asyncio.to_thread(begin)
    try:
        async with in_loop(store.url, WallClock(), tmp_path) as at, Crowd(at, 8) as crowd:
            for _ in range(2):
                await crowd.busy(20)
                store.process.kill()
                store.process.wait()
                await until_async(partial(is_not_ready, at))
                await asyncio.to_thread(store.stop)
                store = await asyncio.to_thread(begin)
                await until_async(partial(is_ready, at), within_s=15)
            await crowd.busy(20)
            await crowd.settle()
            async with contextlib.aclosing(Redis.from_url(store.url)) as redis:
                for visitor in crowd.visitors:
                    await visitor.check(redis)
    finally:
        await asyncio.to_thread(store.stop)


async def test_a_store_that_was_full_for_a_while_is_caught_up_with(tmp_path: Path) -> None:
    """A refused commit once left its session unwritten for ever: attaching again met an error that nobody caught."""
    with Embedded() as store:
        async with (
            in_loop(store.url, WallClock(), tmp_path) as at,
            contextlib.aclosing(Redis.from_url(store.url)) as redis,
            Crowd(at, 4) as crowd,
        ):
            await crowd.busy(10)
            await redis.config_set("maxmemory", "1")
            acked = [visitor.tab.acked for visitor in crowd.visitors]
            await until(lambda: all(v.tab.sent > v.tab.acked + 5 for v in crowd.visitors))
            late = Visitor(at)
            with pytest.raises(ConnectionError):
                await late.connect(late.tab)
            assert late.tab.closed_with == 4104
            await redis.config_set("maxmemory", "0")
            await crowd.busy(10)
            await crowd.settle()
            assert all(v.tab.acked > before for v, before in zip(crowd.visitors, acked, strict=True))
            for visitor in crowd.visitors:
                await visitor.check(redis)


@contextlib.asynccontextmanager
async def cut_off_and_whole(valkey: Embedded, folder: Path) -> AsyncIterator[tuple[Relay, InLoop, InLoop]]:
    """Two processes on one store, the first behind a relay that can fall silent."""
    async with (
        Relay(valkey.port) as relay,
        in_loop(f"redis://127.0.0.1:{relay.port}/0", WallClock(), folder / "a") as a,
        in_loop(valkey.url, WallClock(), folder / "b") as b,
    ):
        yield relay, a, b


async def test_a_healed_blackhole_overwrites_nothing(redis: Redis, valkey: Embedded, tmp_path: Path) -> None:
    """While A is cut off from the store, shoppers move to B. What A's kernel still holds is delivered when it heals."""
    async with (
        cut_off_and_whole(valkey, tmp_path) as (relay, a, b),
        Crowd(a, 4) as staying,
        Crowd(a, 4) as moving,
    ):
        await asyncio.gather(staying.busy(20), moving.busy(20))
        relay.fall_silent()
        await until(lambda: all(visitor.tab.sent > visitor.tab.acked + 5 for visitor in moving.visitors))
        for visitor in moving.visitors:
            visitor.at = b
            visitor.tab.close()
        await moving.busy(20)
        acked = [visitor.tab.acked for visitor in moving.visitors]
        relay.heal()
        await until(lambda: a.service.link.up, within_s=10)
        await asyncio.gather(staying.busy(20), moving.busy(20))
        for visitor, before in zip(moving.visitors, acked, strict=True):
            session = await stored(redis, visitor.sid)
            assert session.pages[visitor.tab.page].mark >= before
            owner = await redis.hgetall(keys.owner(visitor.sid))
            assert owner[b"node"] == b.service.node.encode()
            assert keys.open_page(b.service.node, visitor.tab.page).encode() in owner
        await until(lambda: not [v for v in moving.visitors if a.service.engine.holdings.get(v.sid)])
        await asyncio.gather(staying.settle(), moving.settle())
        for visitor in (*staying.visitors, *moving.visitors):
            await visitor.check(redis)


async def test_what_a_cut_off_process_says_late_of_its_pages_is_not_about_the_new_owners(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    """The old owner's "this page is closed" came after the page had opened at the new one, and was taken for it: a
    third process could then take over a session whose page was open.
    """
    async with cut_off_and_whole(valkey, tmp_path) as (relay, a, b):
        visitor = Visitor(a)
        await visitor.come()
        relay.fall_silent()
        visitor.tab.close()
        held = a.service.engine.holdings.get(visitor.sid)
        assert held is not None
        await until(lambda: not held.peers)
        await redis.delete(keys.beat(a.service.node))
        visitor.at = b
        await visitor.come()
        relay.heal()
        await until_async(lambda: redis.exists(keys.beat(a.service.node)), within_s=10)
        owner = await redis.hgetall(keys.owner(visitor.sid))
        assert keys.open_page(b.service.node, visitor.tab.page).encode() in owner
        third = visitor.page()
        with pytest.raises(ConnectionError):
            await third.connect(a.ws, a.url)
        assert third.closed_with == 4100
        visitor.tab.close()
