"""The way of one event through the real service: stored before acknowledged, folded once, owned by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.live.clock import WallClock
from router.store import keys
from router.store.embedded import Embedded
from tests.live.world import stored, view
from tests.relay import Relay
from tests.service import InLoop, in_loop
from tests.shopper import Shopper, page_id
from tests.waiting import until, until_async


async def test_an_acked_event_is_in_the_store(service: InLoop, redis: Redis) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    for n in range(20):
        page.send(view(f"/{n}"))
        await page.stored()
        assert (await stored(redis, shopper.sid)).pages[page.page].mark == n + 1


async def test_resent_and_overlapping_batches_are_folded_once(service: InLoop, redis: Redis) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    page.send(view("/a"), view("/b"))
    await page.stored()
    page.send_message(wire.Batch(page.page, 1, [view("/a"), view("/b"), view("/c")]))
    page.send_message(wire.Batch(page.page, 3, [view("/c")]))
    await until(lambda: shopper.all(wire.Ack) and shopper.all(wire.Ack)[-1].n == 3)
    session = await stored(redis, shopper.sid)
    assert (session.events, [step.label for step in session.journey]) == (3, ["/a", "/b", "/c"])


async def test_a_gap_is_answered_with_the_number_that_is_wanted(service: InLoop) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    page.send_message(wire.Batch(page.page, 5, [view("/e")]))
    assert await shopper.next(wire.Gap) == wire.Gap(page.page, 1)


async def test_two_tabs_share_one_session(service: InLoop, redis: Redis) -> None:
    shopper = Shopper(service)
    first = await shopper.open()
    second = await shopper.open()
    for page in (first, second):
        page.send(view("/x"), view("/y"))
        await page.stored()
    session = await stored(redis, shopper.sid)
    assert session.events == 4 and {page.mark for page in session.pages.values()} == {2}


async def test_a_duplicated_tab_that_resends_anothers_events_doubles_nothing(
    service: InLoop, redis: Redis
) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    page.send(view("/a"))
    await page.stored()
    copy = await shopper.open()
    copy.send_message(wire.Batch(page.page, 1, [view("/a")]))
    await until(lambda: len(shopper.all(wire.Ack)) == 2)
    assert (await stored(redis, shopper.sid)).events == 1


async def test_twenty_quick_navigations_in_two_tabs_lose_nothing(service: InLoop, redis: Redis) -> None:
    """Each page leaves with unacked events that its successor resends under the old page's id."""
    shopper = Shopper(service)
    await shopper.open()

    async def tab() -> int:
        sent, previous = 0, None
        for n in range(20):
            page = await shopper.open(previous=previous.page if previous else None)
            if previous is not None and previous.acked < previous.sent:
                left: list[ev.AnyEvent] = [view(f"/{k}") for k in range(previous.acked, previous.sent)]
                page.send_message(wire.Batch(previous.page, previous.acked + 1, left))
            page.send(*(view(f"/{k}") for k in range(3)))
            sent += 3
            if n < 19:
                page.close()
            previous = page
        assert previous is not None
        await previous.stored()
        return sent

    total = sum(await asyncio.gather(tab(), tab()))
    assert total == 120

    async def all_stored() -> bool:
        return (await stored(redis, shopper.sid)).events == total

    await until_async(all_stored)


async def test_the_last_batch_by_post_is_folded(service: InLoop, redis: Redis) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    page.send(view("/a"))
    await page.stored()
    body = wire.encode(wire.Farewell("demo", shopper.token or "", wire.Batch(page.page, 2, [view("/b")])))
    async with httpx.AsyncClient() as client:
        answer = await client.post(service.url + "/v1/last", content=body)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"

    async def there() -> bool:
        return (await stored(redis, shopper.sid)).events == 2

    await until_async(there)
    await until_async(lambda: _empty(redis, keys.inbox(shopper.sid)))


async def _empty(redis: Redis, key: str) -> bool:
    return not await redis.exists(key)


async def test_the_last_batch_waits_in_the_inbox_for_the_next_attach(service: InLoop, redis: Redis) -> None:
    shopper = Shopper(service)
    page = await shopper.open()
    page.close()
    holdings = service.service.engine.holdings
    held = holdings.get(shopper.sid)
    assert held is not None
    await until(lambda: not held.peers)
    await service.service.settled()
    holdings._drop(held)
    body = wire.encode(wire.Farewell("demo", shopper.token or "", wire.Batch(page.page, 1, [view("/late")])))
    await service.service.engine.farewell(body)
    assert held.session.events == 0
    again = await shopper.open()
    assert again.connected
    taken = holdings.get(shopper.sid)
    assert taken is not None and taken.session.pages[page.page].mark == 1


async def test_a_page_older_than_the_sixteen_remembered_is_refused_by_name(service: InLoop) -> None:
    shopper = Shopper(service)
    old = page_id()
    newest = None
    for _ in range(17):
        newest = await shopper.open(previous=newest.page if newest else None)
    assert newest is not None
    newest.send_message(wire.Batch(old, 1, [view("/a")]))
    refused = await shopper.next(wire.Error)
    assert refused.name == "page_forgotten" and newest.connected


class TestBadInput:
    @pytest.mark.parametrize(
        ("frame", "code"),
        [
            (b"", 4000),
            (b"\xff" * 50, 4000),
            (wire.encode(wire.Typing("a" * 10, True)), 4001),
            (b"x" * 40_000, 1009),
        ],
    )
    async def test_a_hostile_first_frame_closes_with_its_code(
        self, service: InLoop, frame: bytes, code: int
    ) -> None:
        got = await _raw(service, frame)
        assert got == code

    async def test_a_text_frame_closes_with_1003(self, service: InLoop) -> None:
        assert await _raw(service, "text") == 1003

    async def test_an_unknown_site_an_origin_that_is_not_listed_and_a_forged_token(
        self, service: InLoop
    ) -> None:
        ok = {"version": 1, "token": None, "visitor": None, "page": page_id()}
        hello = wire.Hello(site="nowhere", **ok)  # type: ignore[arg-type]
        assert await _raw(service, wire.encode(hello)) == 4004
        good = wire.encode(wire.Hello(site="demo", **ok))  # type: ignore[arg-type]
        assert await _raw(service, good, origin="https://evil.example") == 4005
        forged = wire.Hello(site="demo", **ok | {"token": "S.demo." + "a" * 22 + "." + "b" * 22})  # type: ignore[arg-type]
        assert await _raw(service, wire.encode(forged)) == 4200
        newer = wire.Hello(site="demo", **ok | {"version": 2})  # type: ignore[arg-type]
        assert await _raw(service, wire.encode(newer)) == 4002

    async def test_a_bad_frame_hurts_neither_the_session_nor_anothers(
        self, service: InLoop, redis: Redis
    ) -> None:
        victim, other = Shopper(service), Shopper(service)
        page, bystander = await victim.open(), await other.open()
        page.send(view("/a"))
        await page.stored()
        page.send_message([2, "nonsense"])
        await page.gone.wait()
        assert page.closed_with == 4000
        bystander.send(view("/b"))
        await bystander.stored()
        await victim.connect(page)
        assert page.marks[page.page] == 1 and (await stored(redis, victim.sid)).events == 1

    async def test_a_second_hello_is_refused(self, service: InLoop) -> None:
        shopper = Shopper(service)
        page = await shopper.open()
        page.send_message(wire.Hello(1, "demo", None, None, page.page))
        await page.gone.wait()
        assert page.closed_with == 4001


async def _raw(service: InLoop, frame: bytes | str, origin: str | None = None) -> int:
    """The close code that a first frame gets."""
    from websockets.asyncio.client import connect  # noqa: PLC0415
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415
    from websockets.typing import Origin  # noqa: PLC0415

    async with connect(
        f"{service.ws}/v1/shopper/new",
        origin=Origin(origin or service.url),
        compression=None,
    ) as socket:
        await socket.send(frame)
        try:
            async with asyncio.timeout(5):
                while True:
                    await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code


async def test_two_processes_one_owner_and_elsewhere_says_come_back(
    service: InLoop, redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    async with in_loop(valkey.url, WallClock(), tmp_path / "second") as second:
        shopper = Shopper(service)
        page = await shopper.open()
        page.send(view("/a"))
        await page.stored()
        there = shopper.page()
        with pytest.raises(ConnectionError):
            await there.connect(second.ws, second.url)
        assert there.closed_with == 4100
        await there.connect(second.ws, second.url, previous=page.page)
        there.send(view("/b"))
        await there.stored()
        page.send(view("/stale"))
        await page.gone.wait()
        assert page.closed_with == 4101, "who was taken over emits nothing and closes"
        session = await stored(redis, shopper.sid)
        assert [step.label for step in session.journey] == ["/a", "/b"]


async def test_a_silent_store_during_commits_loses_no_acked_event(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    """The link falls silent under load, is given up, and what the kernel still held is delivered when it heals."""
    async with Relay(valkey.port) as relay:
        url = f"redis://127.0.0.1:{relay.port}/0"
        async with in_loop(url, WallClock(), tmp_path) as service:
            service.service.link._timeout_s = 0.3
            shoppers = [Shopper(service) for _ in range(8)]
            pages = [await shopper.open() for shopper in shoppers]
            for n in range(60):
                if n == 20:
                    relay.fall_silent()
                if n == 40:
                    relay.heal()
                for page in pages:
                    page.send(view(f"/{n}"))
                await asyncio.sleep(0.03)
            for shopper, page in zip(shoppers, pages, strict=True):
                async with asyncio.timeout(10):
                    while page.acked < 60:
                        if not page.connected:
                            await shopper.connect(page)
                        try:
                            await page.stored()
                        except ConnectionError:
                            continue
                session = await stored(redis, shopper.sid)
                assert [step.label for step in session.journey] == [f"/{n}" for n in range(40, 60)]
                assert session.events == 60
