"""The shopper's socket: every bound has a name, and what one page does stays with that page."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from router.core import events as ev
from router.core import protocol as wire
from router.live.clock import WallClock
from router.live.commit import decode_session
from router.store import keys
from router.store.embedded import Embedded
from router.web.shopper import MAX_UNACKED, MAX_UNREAD, Roster, ShopperSocket
from tests.agent import Agent
from tests.relay import Relay
from tests.service import InLoop, in_loop
from tests.shopper import Shopper, page_id
from tests.waiting import until


@pytest.fixture
async def at(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    async with in_loop(valkey.url, WallClock(), tmp_path) as running:
        yield running


def view(path: str) -> ev.Page:
    return ev.Page(0, "other", path)


def impatient(at: InLoop, **seconds: float) -> None:
    """The same service with shorter bounds of time."""
    at.service.roster.stop()
    at.service.roster = Roster(at.service.engine, **seconds)


def open_socket(at: InLoop) -> connect:
    """A bare socket that has not said hello."""
    return connect(f"{at.ws}/v1/shopper/new", origin=Origin(at.url), compression=None, ping_interval=None)


async def closed_with(socket: ClientConnection) -> int:
    """The code that the service closes with; frames before it are read."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code


async def mark(redis: Redis, sid: str, page: str) -> int:
    """The page's mark as the store has it."""
    token = await redis.hget(keys.owner(sid), "token")
    assert isinstance(token, bytes)
    blob = await redis.get(keys.blob(sid, token.decode()))
    assert isinstance(blob, bytes)
    return decode_session(blob).pages[page].mark


def hello(page: str) -> bytes:
    return wire.encode(wire.Hello(wire.VERSION, "demo", None, None, page))


# --- time --------------------------------------------------------------------------------------------------


async def test_no_hello_in_time_is_silent(at: InLoop) -> None:
    impatient(at, hello_s=0.05)
    async with open_socket(at) as socket:
        assert await closed_with(socket) == 4106


async def test_a_page_that_said_hello_may_be_quiet(at: InLoop) -> None:
    impatient(at, hello_s=0.01, ping_s=0.3)
    page = await Shopper(at).open()
    sockets = at.service.roster.sockets
    (mine,) = sockets
    for _ in range(3):
        await until(lambda: mine.pinged)
        await until(lambda: not mine.pinged)
    assert page.connected, "a client that answers pings stays"


async def test_no_pong_in_time_is_silent(at: InLoop) -> None:
    """A page whose machine sleeps holds a socket that looks open."""
    impatient(at, ping_s=0.05)
    shopper = Shopper(at)
    async with Relay(at.port) as relay:
        page = shopper.page()
        await page.connect(f"ws://127.0.0.1:{relay.port}", at.url)
        relay.fall_silent()
        await until(lambda: not at.service.roster.sockets)
        relay.heal()
        await page.gone.wait()
    assert page.closed_with == 4106


async def test_a_socket_that_does_not_read_its_end_is_dropped(at: InLoop) -> None:
    """Closing waits until what is queued is sent, and that never comes when the page does not read."""
    impatient(at, ping_s=0.1)
    async with not_reading(at) as (_, mine):
        choke(mine)
        mine.close("overloaded")
        await until(lambda: mine not in at.service.roster.sockets)


# --- frames ------------------------------------------------------------------------------------------------


async def test_a_message_in_fragments_is_refused(at: InLoop) -> None:
    async with open_socket(at) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send([b"\x92\x01", b"\x02"])
        assert await closed_with(socket) == 4000


async def test_a_continuation_of_nothing_is_refused(at: InLoop) -> None:
    page = await Shopper(at).open()
    assert page._transport is not None
    page._transport.underlying_transport.write(b"\x80\x81\x00\x00\x00\x00x")
    await page.gone.wait()
    assert page.closed_with in (4000, 1002)


async def test_an_empty_close_is_answered_with_a_code_that_may_be_sent(at: InLoop) -> None:
    """`close()` without a code sends none; 1005 says so in an API and must never stand on the wire."""
    async with open_socket(at) as socket:
        socket.transport.write(b"\x88\x80\x00\x00\x00\x00")
        await asyncio.wait_for(socket.wait_closed(), 5)
        assert socket.protocol.close_rcvd is not None
        assert socket.protocol.close_rcvd.code == 1000


async def test_a_clients_ping_is_answered(at: InLoop) -> None:
    async with open_socket(at) as socket:
        await asyncio.wait_for(await socket.ping(b"there?"), 5)


async def test_what_stands_behind_a_bad_frame_is_not_looked_at(at: InLoop, redis: Redis) -> None:
    shopper = Shopper(at)
    page = await shopper.open()
    page.send_message([2, "nonsense"])
    page.send(view("/behind"))
    await page.gone.wait()
    assert page.closed_with == 4000 and page.acked == 0
    await shopper.connect(page)
    await page.stored()
    assert await mark(redis, shopper.sid, page.page) == 1


async def test_frames_right_behind_the_hello_wait_for_the_session(at: InLoop, redis: Redis) -> None:
    page = page_id()
    async with open_socket(at) as socket:
        await socket.send(hello(page))
        for n in range(1, 4):
            await socket.send(wire.encode(wire.Batch(page, n, [view(f"/{n}")])))
        welcome = wire.decode_server(await receive(socket))
        assert isinstance(welcome, wire.Welcome)
        while not (isinstance(got := wire.decode_server(await receive(socket)), wire.Ack) and got.n == 3):
            pass
    sid = welcome.token.split(".")[2]
    assert await mark(redis, sid, page) == 3


async def test_too_many_frames_before_the_welcome_are_refused(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    """The store is silent: what waits for the session is bounded."""
    async with (
        Relay(valkey.port) as relay,
        in_loop(f"redis://127.0.0.1:{relay.port}/0", WallClock(), tmp_path) as at,
        open_socket(at) as socket,
    ):
        relay.fall_silent()
        page = page_id()
        await socket.send(hello(page))
        with contextlib.suppress(ConnectionClosed):
            for n in range(1, 100):
                await socket.send(wire.encode(wire.Batch(page, n, [view(f"/{n}")])))
        assert await closed_with(socket) == 4001
        relay.heal()


async def test_a_refused_early_frame_does_not_take_the_others_with_it(at: InLoop) -> None:
    """One refused message once ended the loop over what had waited."""
    page = page_id()
    async with open_socket(at) as socket:
        await socket.send(hello(page))
        await socket.send(wire.encode(wire.Batch("000000000-forgotten", 1, [view("/old")])))
        await socket.send(wire.encode(wire.Batch(page, 1, [view("/new")])))
        got = [wire.decode_server(await receive(socket)) for _ in range(3)]
    assert any(isinstance(message, wire.Ack) and (message.page, message.n) == (page, 1) for message in got)


async def test_a_forgotten_page_is_refused_with_its_id(at: InLoop) -> None:
    """Without the id the page cannot know which of its batches is meant, and sends it again for ever."""
    shopper = Shopper(at)
    old, page = page_id(), await shopper.open()
    for _ in range(16):
        page = await shopper.open(previous=page.page)
    page.send_message(wire.Batch(old, 1, [view("/a")]))
    refused = await shopper.next(wire.Error)
    assert (refused.name, refused.about) == ("page_forgotten", old)


async def receive(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(5):
        got = await socket.recv()
    assert isinstance(got, bytes)
    return got


# --- backpressure ------------------------------------------------------------------------------------------


async def test_more_than_256_unacked_events_pause_the_socket_and_all_are_stored(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    async with (
        Relay(valkey.port) as relay,
        in_loop(f"redis://127.0.0.1:{relay.port}/0", WallClock(), tmp_path) as at,
    ):
        shopper, other = Shopper(at), Shopper(at)
        page, beside = await shopper.open(), await other.open()
        mine = socket_of(at, page.page)
        relay.fall_silent()
        for n in range(24):
            page.send(*(view(f"/{n}/" + "x" * 250) for _ in range(64)))
        await until(lambda: mine.paused)
        assert MAX_UNACKED < mine.taken <= 2 * MAX_UNACKED, (
            "the rest stays with the page, but for what one read took"
        )
        relay.heal()
        async with asyncio.timeout(10):
            await page.stored()
            beside.send(view("/beside"))
            await beside.stored()
        assert not mine.paused and await mark(redis, shopper.sid, page.page) == 1536


async def test_repeated_batches_never_pause_the_socket_for_ever(at: InLoop) -> None:
    """They are answered at once; once they were counted as owed an ack that nobody would send."""
    shopper = Shopper(at)
    page = await shopper.open()
    events: list[Any] = [view(f"/{n}") for n in range(64)]
    page.send(*events)
    await page.stored()
    for _ in range(8):
        page.send_message(wire.Batch(page.page, 1, events))
    await until(lambda: len(shopper.all(wire.Ack)) >= 8)
    page.send(view("/last"))
    async with asyncio.timeout(5):
        await page.stored()


async def test_batches_behind_a_gap_never_pause_the_socket_for_ever(at: InLoop) -> None:
    shopper = Shopper(at)
    page = await shopper.open()
    for n in range(8):
        page.send_message(wire.Batch(page.page, 1000 + 64 * n, [view("/x")] * 64))
    await until(lambda: len(shopper.all(wire.Gap)) == 8)
    page.send(view("/first"))
    async with asyncio.timeout(5):
        await page.stored()


async def test_a_slow_reader_is_dropped_and_loses_nothing_that_was_acked(at: InLoop, redis: Redis) -> None:
    """Agents and other sessions do not notice."""
    async with Agent(at) as agent, not_reading(at) as (page, mine):
        other = await Shopper(at).open()
        assert mine.held is not None
        sid = mine.held.session.sid
        choke(mine)
        for _ in range(MAX_UNREAD + 2):
            mine.send(b"unread")
        await until(lambda: mine not in at.service.roster.sockets)
        assert not mine.held
        other.send(view("/beside"))
        await other.stored()
        assert (await agent.ask("presence", state="available"))["t"] == "ok"
        assert await mark(redis, sid, page) == 1


async def test_a_reader_that_catches_up_stays(at: InLoop) -> None:
    async with not_reading(at) as (_, mine):
        choke(mine)
        mine.send(b"unread")
        assert mine.unread == 1
        assert mine.transport is not None
        mine.resume_writing()
        for _ in range(MAX_UNREAD):
            mine.pause_writing()
            mine.send(b"x")
            mine.resume_writing()
        assert mine in at.service.roster.sockets


def socket_of(at: InLoop, page: str) -> ShopperSocket:
    """The service's end of a page's socket."""
    return next(socket for socket in at.service.roster.sockets if socket.page == page)


@contextlib.asynccontextmanager
async def not_reading(at: InLoop) -> AsyncIterator[tuple[str, ShopperSocket]]:
    """A page that said hello, stored one event, and reads nothing any more; its id, and the service's end."""
    page = page_id()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", at.port))
    raw.setblocking(False)
    client = await connect(
        f"{at.ws}/v1/shopper/new",
        sock=raw,
        origin=Origin(at.url),
        compression=None,
        ping_interval=None,
    )
    try:
        await client.send(hello(page))
        await client.send(wire.encode(wire.Batch(page, 1, [view("/one")])))
        while not isinstance(wire.decode_server(await receive(client)), wire.Ack):
            pass
        client.transport.pause_reading()
        yield page, socket_of(at, page)
    finally:
        client.transport.abort()
        await client.wait_closed()


def choke(mine: ShopperSocket) -> None:
    """Fill the way to the page until the system takes no more."""
    for _ in range(1000):
        if mine.choked:
            return
        mine.send(b"x" * 30_000)
    raise AssertionError("the socket took 30 MB")
