"""The hot path's link: batched, ordered, and honest about what it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import hiredis
import pytest
from redis.asyncio import Redis

from router.store.embedded import Embedded
from router.store.link import Link, LinkLost
from tests.relay import Relay
from tests.waiting import until


@pytest.fixture
async def link(redis: Redis, valkey: Embedded) -> AsyncIterator[Link]:
    link = Link(valkey.url)
    await link.start()
    yield link
    await link.close()


async def test_replies_come_in_the_order_of_the_commands(link: Link) -> None:
    got: list[Any] = []
    for n in range(100):
        link.command(("ECHO", str(n)), got.append)
    await until(lambda: len(got) == 100)
    assert got == [str(n).encode() for n in range(100)]


async def test_commands_of_one_tick_go_out_in_one_write(link: Link) -> None:
    writes: list[bytes] = []
    transport = link._transport
    assert transport is not None
    write = transport.write

    class Spy:
        def write(self, data: bytes) -> None:
            writes.append(data)
            write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(transport, name)

    link._transport = Spy()  # type: ignore[assignment]
    got: list[Any] = []
    for _ in range(50):
        link.command(("PING",), got.append)
    await until(lambda: len(got) == 50)
    assert len(writes) == 1


async def test_an_error_reply_is_raised_by_call_and_the_link_goes_on(link: Link) -> None:
    with pytest.raises(hiredis.ReplyError):
        await link.call("NOSUCHCOMMAND")
    assert await link.call("PING") == b"PONG"


async def test_a_cut_connection_ends_every_command_as_unknown_and_comes_back(
    redis: Redis, valkey: Embedded
) -> None:
    ups = 0

    def up() -> None:
        nonlocal ups
        ups += 1

    async with Relay(valkey.port) as relay:
        link = Link(f"redis://127.0.0.1:{relay.port}/0", on_up=up)
        await link.start()
        relay.fall_silent()
        got: list[Any] = []
        for _ in range(10):
            link.command(("INCR", "x"), got.append)
        await asyncio.sleep(0)
        relay.cut()
        await until(lambda: len(got) == 10)
        assert all(isinstance(reply, LinkLost) for reply in got)
        relay.heal()
        await until(lambda: ups == 2)
        assert await link.call("PING") == b"PONG"
        await link.close()


async def test_a_silent_server_is_given_up_after_the_timeout(redis: Redis, valkey: Embedded) -> None:
    async with Relay(valkey.port) as relay:
        link = Link(f"redis://127.0.0.1:{relay.port}/0", timeout_s=0.2)
        await link.start()
        relay.fall_silent()
        with pytest.raises(LinkLost):
            async with asyncio.timeout(3):
                await link.call("PING")
        relay.heal()
        await until(lambda: link.up)
        await link.close()


async def test_a_command_without_a_connection_is_unknown_at_once(redis: Redis, valkey: Embedded) -> None:
    link = Link(valkey.url)
    with pytest.raises(LinkLost):
        await link.call("PING")


async def test_a_database_number_in_the_address_is_selected(redis: Redis, valkey: Embedded) -> None:
    link = Link(valkey.url.removesuffix("0") + "3")
    await link.start()
    await link.call("SET", "here", "1")
    assert await redis.exists("here") == 0
    await link.call("FLUSHDB")
    await link.close()
