"""Ownership of sessions: one owner at a time, a fence that needs no script, and nothing lost on the way."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys
from router.store.embedded import Embedded
from router.store.link import Link
from router.store.sessions import Elsewhere, Fenced, Mine, Sessions

Make = Callable[[str], Sessions]


@pytest.fixture
async def make(redis: Redis, valkey: Embedded) -> AsyncIterator[Make]:
    link = Link(valkey.url)
    await link.start()
    tokens = itertools.count(1)
    yield lambda node: Sessions(link, node, lambda: f"token{next(tokens)}")
    await link.close()


async def commit(store: Sessions, key: str, blob: bytes) -> object:
    done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    store.commit(key, blob, done.set_result)
    return await done


async def mine(store: Sessions, sid: str, **how: str) -> Mine:
    answer = await store.attach(sid, **how)
    assert isinstance(answer, Mine)
    return answer


async def test_a_new_session_is_empty_and_can_be_written(make: Make) -> None:
    a = make("a")
    got = await mine(a, "s1", page="p1")
    assert (got.blob, got.inbox) == (b"", ())
    assert await commit(a, keys.blob("s1", got.token), b"state") == b"OK"
    assert (await mine(a, "s1")).blob == b"state"


async def test_who_attached_before_is_fenced_by_the_new_name(make: Make) -> None:
    a, b = make("a"), make("b")
    first = await mine(a, "s1")
    second = await mine(b, "s1")
    assert await commit(a, keys.blob("s1", first.token), b"stale") is None
    assert await commit(b, keys.blob("s1", second.token), b"fresh") == b"OK"
    assert isinstance(await a.attach("s1", held=first.token), Fenced)


async def test_a_living_owner_with_open_pages_keeps_the_session(make: Make) -> None:
    a, b = make("a"), make("b")
    a.beat()
    await mine(a, "s1", page="p1")
    assert await b.attach("s1", page="p2") == Elsewhere("a", "token1")
    assert isinstance(await b.attach("s1", page="p2", previous="p1"), Mine), (
        "the only open page is being left"
    )


async def test_an_owner_whose_beat_stopped_is_taken_over(make: Make) -> None:
    a, b = make("a"), make("b")
    first = await mine(a, "s1", page="p1")
    await commit(a, keys.blob("s1", first.token), b"state")
    assert (await mine(b, "s1", page="p2")).blob == b"state"


async def test_a_half_open_page_that_comes_back_at_another_process_is_let_in(make: Make) -> None:
    a, b = make("a"), make("b")
    a.beat()
    await mine(a, "s1", page="p1")
    assert isinstance(await b.attach("s1", page="p1"), Mine)


async def test_after_a_page_closed_another_process_may_have_the_session(make: Make) -> None:
    a, b = make("a"), make("b")
    a.beat()
    await mine(a, "s1", page="p1")
    a.page_closed("s1", "p1")
    assert isinstance(await b.attach("s1"), Mine)


async def test_a_store_that_lost_its_data_is_no_fence(make: Make, redis: Redis) -> None:
    a = make("a")
    first = await mine(a, "s1")
    await redis.flushall()
    again = await a.attach("s1", held=first.token)
    assert isinstance(again, Mine) and again.blob == b""


async def test_a_late_commit_of_the_old_name_cannot_overwrite(make: Make) -> None:
    a = make("a")
    old = await mine(a, "s1")
    new = await mine(a, "s1", held=old.token)
    assert await commit(a, keys.blob("s1", new.token), b"new") == b"OK"
    assert await commit(a, keys.blob("s1", old.token), b"retransmitted") is None
    assert (await mine(a, "s1")).blob == b"new"


async def test_the_inbox_is_read_at_attach_and_ends_only_when_folded(make: Make) -> None:
    a = make("a")
    await a.leave_batch("s1", b"one")
    await a.leave_batch("s1", b"two")
    assert (await mine(a, "s1")).inbox == (b"one", b"two")
    a.folded("s1", (b"one",))
    assert await a.inbox("s1") == (b"two",)


async def test_a_full_inbox_refuses_instead_of_dropping(make: Make) -> None:
    a = make("a")
    for n in range(64):
        await a.leave_batch("s1", str(n).encode())
    with pytest.raises(Refused, match="full"):
        await a.leave_batch("s1", b"one too many")
    assert len(await a.inbox("s1")) == 64


async def test_six_racing_owners_lose_no_confirmed_commit(make: Make) -> None:
    """What was confirmed is there when the next owner attaches, whoever that is."""
    confirmed = 0
    chance = random.Random(7)
    owners = [make(f"n{n}") for n in range(6)]

    async def own(store: Sessions) -> None:
        nonlocal confirmed
        for _ in range(40):
            got = await store.attach("s1")
            assert isinstance(got, Mine)
            value = int(got.blob or b"0")
            for _ in range(chance.randrange(1, 6)):
                if await commit(store, keys.blob("s1", got.token), str(value + 1).encode()) != b"OK":
                    break
                value += 1
                confirmed += 1

    await asyncio.gather(*(own(store) for store in owners))
    assert int((await mine(owners[0], "s1")).blob) == confirmed


async def test_every_key_has_a_ttl(make: Make, redis: Redis) -> None:
    a = make("a")
    a.beat()
    await mine(a, "s1", page="p1")
    await a.leave_batch("s1", b"x")
    for key in await redis.keys("*"):
        assert await redis.ttl(key) > 0, key
