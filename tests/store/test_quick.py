"""router.store.quick: the link where it is up, the library where it is not, and the same answer by both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from router.store import scripts
from router.store.embedded import Embedded
from router.store.link import Link, LinkLost
from router.store.quick import Quick, pairs
from tests.waiting import until

KEYS = ("c:{talk}", "c:{talk}:ids")
LINE: tuple[Any, ...] = (1, "shopper", "mid-000001", "hello", "", 500, 60, "", "")


@pytest.fixture
async def link(valkey: Embedded) -> AsyncIterator[Link]:
    link = Link(valkey.url)
    await link.start()
    yield link
    await link.close()


def asks(redis: Redis, link: Link) -> list[Quick]:
    """Over the link, by the library alone, and with a link that never stood."""
    return [Quick(redis, link), Quick(redis), Quick(redis, Link("redis://127.0.0.1:1"))]


async def test_every_way_gives_the_same_answer(redis: Redis, link: Link) -> None:
    for quick in asks(redis, link):
        await redis.flushdb()
        await redis.script_flush()
        assert await quick.run("append", KEYS, LINE) == [1, 1], "a script that is not known is sent"
        assert await quick.run("append", KEYS, LINE) == [1, 0]
        newest, entries = await quick.ask(("HGET", KEYS[1], "newest"), ("XRANGE", KEYS[0], "-", "+"))
        assert newest == b"1" and entries[0][0] == b"1-0" and b"hello" in entries[0][1]
        assert await quick.ask(("HGET", "none", "x")) == [None]
        await redis.hset("hash", mapping={"a": "1", "b": "2"})
        await redis.zadd("scores", {"x": 1_780_000_000_000})
        found = await quick.ask(
            ("HGETALL", "hash"), ("ZRANGE", "scores", 0, -1, "WITHSCORES"), ("HGETALL", "none")
        )
        told, scores, nothing = map(pairs, found)
        assert dict(told) == {b"a": b"1", b"b": b"2"} and nothing == []
        assert [(member, int(float(score))) for member, score in scores] == [(b"x", 1_780_000_000_000)]
        with pytest.raises(ResponseError):
            await quick.ask(("HGET", KEYS[0], "x"))
        with pytest.raises(ResponseError):
            await quick.run("append", (), ())


async def test_a_link_that_breaks_before_the_answer_is_made_good(
    redis: Redis, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script may have run: run once more it changes nothing."""
    quick, call = Quick(redis, link), link.call

    async def breaks(*words: Any) -> Any:
        await call(*words)
        raise LinkLost

    monkeypatch.setattr(link, "call", breaks)
    await redis.script_load(scripts.source("append"))
    assert await quick.run("append", KEYS, LINE) == [1, 0]
    assert (await quick.ask(("XLEN", KEYS[0])))[0] == 1
    monkeypatch.undo()
    await redis.client_kill_filter(_type="normal", skipme=True)
    assert await quick.run("append", KEYS, LINE) == [1, 0]
    await until(lambda: link.up)
