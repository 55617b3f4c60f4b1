"""router.live.holdings: a session is taken, kept, doubted and given up, and no acked event or last batch is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.session import is_visible
from router.live import holdings as module
from router.live.clock import WallClock
from router.live.held import Held
from router.replay.page import PageClient
from router.store import keys, scripts
from router.store.embedded import Embedded
from router.store.link import LinkLost
from router.store.sessions import Attached
from tests.agent import Agent
from tests.live.world import (
    CUP,
    T,
    Withheld,
    World,
    available,
    farewell,
    held_of,
    left,
    on_cart,
    stored,
    talking,
    view,
)  # fmt: skip
from tests.relay import Relay
from tests.service import InLoop, in_loop
from tests.shopper import Shopper, page_id
from tests.waiting import until, until_async


class Attaches:
    """Counts the attaches that leave for the store; `then` runs right behind the first one."""

    def __init__(self, at: InLoop, then: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._then = then
        link = at.service.link
        self._command = link.command
        link.command = self._look  # type: ignore[method-assign]

    def _look(self, args: tuple[str | bytes | int, ...], callback: Callable[[object], None]) -> None:
        self._command(args, callback)
        if args[1] in (scripts.sha("attach"), scripts.source("attach")):
            self.count += 1
            if self.count == 1:
                self._then()


async def first_page(service: InLoop) -> tuple[Shopper, PageClient]:
    """A shopper whose one page has been stored."""
    shopper = Shopper(service)
    page = await shopper.open()
    page.send(view("/a"))
    await page.stored()
    return shopper, page


async def next_page(shopper: Shopper, page: PageClient) -> PageClient:
    """The page that follows, and is stored as well."""
    onward = await shopper.open(previous=page.page)
    onward.send(view("/b"))
    await onward.stored()
    return onward


async def refused_page(
    shopper: Shopper, page: PageClient, monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    """The next page, whose attach has no answer; whether it reached the store is not known here."""
    service = shopper.at
    assert isinstance(service, InLoop)
    store = service.service.engine.store
    attach = store.attach

    async def unanswered(sid: str, *, page: str = "", previous: str = "", held: str = "") -> Attached:
        monkeypatch.setattr(store, "attach", attach)
        if arrives:
            await attach(sid, page=page, previous=previous, held=held)
        raise LinkLost("silent")

    monkeypatch.setattr(store, "attach", unanswered)
    with pytest.raises(ConnectionError):
        await shopper.connect(shopper.page(), previous=page.page)
    assert [error.name for error in shopper.all(wire.Error)] == ["unavailable"]
    await service.service.settled()


class TestTaking:
    async def test_a_change_behind_an_attach_does_not_fence_the_session_off_from_itself(
        self, service: InLoop, redis: Redis
    ) -> None:
        """Such a commit went out under the old name, was refused, attached again under the next page, for ever."""
        shopper, page = await first_page(service)
        await left(service, shopper, page)
        engine = service.service.engine
        attaches = Attaches(service, lambda: engine.committer.mark(held_of(service, shopper)))
        async with asyncio.timeout(3):
            await next_page(shopper, page)
        await service.service.settled()
        assert attaches.count == 1
        assert [step.label for step in (await stored(redis, shopper.sid)).journey] == ["/a", "/b"]

    async def test_an_attach_that_did_not_arrive_leaves_the_session_to_who_had_it(
        self, service: InLoop, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is folded next is written without waiting for another page to come."""
        shopper, page = await first_page(service)
        await left(service, shopper, page)
        await refused_page(shopper, page, monkeypatch, arrives=False)
        await service.service.engine.farewell(farewell(shopper, page.page, 2, view("/bye")))
        await service.service.settled()
        assert (await stored(redis, shopper.sid)).pages[page.page].mark == 2

    async def test_an_attach_whose_answer_was_lost_is_no_other_owners_and_loses_nothing(
        self, service: InLoop, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shopper, page = await first_page(service)
        await left(service, shopper, page)
        await refused_page(shopper, page, monkeypatch, arrives=True)
        await service.service.engine.farewell(farewell(shopper, page.page, 2, view("/bye")))
        await next_page(shopper, page)
        await service.service.settled()
        session = await stored(redis, shopper.sid)
        assert (session.pages[page.page].mark, session.events) == (2, 3)

    async def test_a_page_whose_old_socket_still_stands_here_is_let_in_at_another_process(
        self, service: InLoop, redis: Redis, valkey: Embedded, tmp_path: Path
    ) -> None:
        """A phone that changed networks: nobody here has noticed that the old socket is dead."""
        async with in_loop(valkey.url, WallClock(), tmp_path / "second") as second:
            shopper, page = await first_page(service)
            shopper.at = second
            same = await shopper.open(page.page)
            assert same.marks[page.page] == 1
            same.send_message(wire.Batch(page.page, 2, [view("/b")]))
            await until(lambda: any(ack.n == 2 for ack in shopper.all(wire.Ack)))
            assert (await stored(redis, shopper.sid)).events == 2

    async def test_who_reads_for_half_an_hour_keeps_the_cart(self, calm: World) -> None:
        """The page was open and looked at: the next one is not a new visit."""
        shopper = Shopper(calm.at)
        page = await on_cart(shopper)
        await calm.later(31 * 60)
        await shopper.open(previous=page.page)
        session = held_of(calm.at, shopper).session
        assert (session.cart.value, session.visits, session.started) == (CUP.price, 1, T)

    async def test_a_page_without_a_socket_is_not_visible_whatever_it_says_late(
        self, service: InLoop
    ) -> None:
        shopper = Shopper(service)
        first = await shopper.open()
        second = await shopper.open(previous=first.page)
        await left(service, shopper, first)
        second.send_message(wire.Batch(first.page, 1, [view("/a"), ev.Dwell(0, 0, ev.FOCUSED)]))
        await until(lambda: shopper.all(wire.Ack))
        assert not is_visible(held_of(service, shopper).session)


class TestLastBatches:
    async def test_a_last_batch_that_comes_while_others_are_being_stored_is_folded_too(
        self, service: InLoop, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two folds under way each shortened the inbox by as many as they had read: the second took this one away."""
        shopper, _ = await first_page(service)
        engine, pages = service.service.engine, [page_id() for _ in range(3)]
        commits, may_read = Withheld(engine.store), asyncio.Event()
        read = engine.store.inbox

        async def later(sid: str) -> tuple[bytes, ...]:
            await may_read.wait()
            return await read(sid)

        async def three() -> bool:
            return await redis.llen(keys.inbox(shopper.sid)) == 3

        commits.on = True
        for page in pages[:2]:
            await engine.farewell(farewell(shopper, page, 1, view("/bye")))
        monkeypatch.setattr(engine.store, "inbox", later)
        third = asyncio.create_task(engine.farewell(farewell(shopper, pages[2], 1, view("/bye"))))
        await until_async(three)
        commits.release()
        await engine.committer.idle()
        may_read.set()
        await third
        await engine.settled()
        session = await stored(redis, shopper.sid)
        assert [session.pages[page].mark for page in pages if page in session.pages] == [1, 1, 1]
        assert not await read(shopper.sid)

    async def test_a_last_batch_racing_the_next_pages_hello_is_folded_once(
        self, service: InLoop, redis: Redis
    ) -> None:
        engine = service.service.engine
        for _ in range(20):
            shopper, page = await first_page(service)
            page.close()
            body = farewell(shopper, page.page, 2, view("/bye"))
            onward, _ = await asyncio.gather(next_page(shopper, page), engine.farewell(body))
            await service.service.settled()
            session = await stored(redis, shopper.sid)
            marks = session.pages[page.page].mark, session.pages[onward.page].mark
            assert (session.events, *marks) == (3, 2, 1)

    async def test_a_last_batch_that_another_process_took_in_reaches_the_owner(
        self, service: InLoop, redis: Redis, valkey: Embedded, tmp_path: Path
    ) -> None:
        """The owner's other pages stay open, so no attach would ever look into the inbox."""
        async with in_loop(valkey.url, WallClock(), tmp_path / "second") as second:
            shopper, page = await first_page(service)
            await shopper.open()
            await second.service.engine.farewell(farewell(shopper, page.page, 2, view("/bye")))

            async def folded() -> bool:
                return (await stored(redis, shopper.sid)).pages[page.page].mark == 2

            await until_async(folded)

    async def test_a_last_batch_keeps_the_moment_at_which_it_came_in(self, calm: World) -> None:
        """It waited in the inbox for twenty minutes; what it tells of had happened before."""
        shopper, page = await first_page(calm.at)
        await left(calm.at, shopper, page)
        engine = calm.at.service.engine
        engine.holdings._drop(held_of(calm.at, shopper))
        await engine.farewell(farewell(shopper, page.page, 2, ev.CartAdd(0, CUP, currency="JPY")))
        await calm.later(20 * 60)
        await shopper.open(previous=page.page)
        session = held_of(calm.at, shopper).session
        assert [step.at for step in session.journey] == [T, T] and session.cart.value == CUP.price


class TestDoubt:
    async def test_a_blob_that_is_gone_is_written_again_and_no_event_is_lost(
        self, service: InLoop, redis: Redis
    ) -> None:
        """A store that lost a key is no other owner: what is held here is the best there is."""
        shopper, page = await first_page(service)
        held = held_of(service, shopper)
        await redis.delete(held.key)
        page.send(view("/b"))
        await page.stored()
        assert [step.label for step in (await stored(redis, shopper.sid)).journey] == ["/a", "/b"]
        assert page.connected and held_of(service, shopper) is held and not held.doubted

    async def test_one_doubt_at_a_time(self, service: InLoop) -> None:
        """Two attaches under one token: the first took the name that the second still asked with."""
        shopper, page = await first_page(service)
        held = held_of(service, shopper)
        attaches = Attaches(service)
        service.service.engine.holdings._doubt(held)
        service.service.engine.holdings._doubt(held)
        page.send(view("/b"))
        await page.stored()
        assert attaches.count == 1 and page.connected

    async def test_a_store_that_stays_away_ends_in_giving_up_and_what_was_not_acked_comes_again(
        self, redis: Redis, valkey: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ATTACH_TRIES", 2)
        monkeypatch.setattr(module, "RETRY_S", 0.01)
        async with Relay(valkey.port) as relay:
            url = f"redis://127.0.0.1:{relay.port}/0"
            async with in_loop(url, WallClock(), tmp_path) as service:
                shopper, page = await first_page(service)
                service.service.link._timeout_s = 0.1
                relay.fall_silent()
                page.send(view("/b"))
                await asyncio.wait_for(page.gone.wait(), 5)
                assert page.closed_with == 4104 and len(service.service.engine.holdings) == 0
                relay.heal()

                async def back() -> bool:
                    try:
                        await shopper.connect(page)
                    except ConnectionError:
                        return False
                    return True

                await until_async(back)
                await page.stored()
                journey = (await stored(redis, shopper.sid)).journey
                assert [step.label for step in journey] == ["/a", "/b"]

    async def test_who_gave_a_session_up_does_not_say_that_its_shopper_is_there(self, world: World) -> None:
        """Nobody leaves a session that is held no more, so the desk went on seeing a shopper for ever."""
        async with Agent(world.at) as agent:
            await available(agent)
            shopper = Shopper(world.at)
            page, cid = await talking(world, shopper, agent)
            held: Held = held_of(world.at, shopper)
            world.at.service.engine.holdings.give_up(held, "unavailable")
            await page.gone.wait()
            await world.later(60)
            desk = world.at.service.desk
            assert cid not in desk._present and cid not in desk._watches
