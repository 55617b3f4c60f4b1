"""Nothing of ours waits for the collector: what ends goes by its reference counts."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from router.core import protocol as wire
from router.live import collector
from tests.agent import Agent
from tests.live.world import World, available, on_cart, talking
from tests.shopper import Shopper
from tests.waiting import until

SHOPPERS = 10
TOLERATED = 5  # a cycle now and then (a refused script, a timeout) is no leak; one a session would be


@pytest.fixture
def collecting() -> Iterator[None]:
    """The collector's settings are the process's: they are given back."""
    before = gc.get_threshold()
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


def cycles() -> Counter[str]:
    """What of ours only the collector could free, by type."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    names = [type(left).__module__ + "." + type(left).__qualname__ for left in gc.garbage]
    gc.garbage.clear()
    return Counter(name for name in names if name.startswith(("router.", "uvloop.", "httptools.", "picows.")))


async def test_sessions_that_end_leave_no_cycles(world: World, collecting: None) -> None:
    shoppers = [Shopper(world.at) for _ in range(SHOPPERS)]
    pages = [await on_cart(shopper) for shopper in shoppers]
    for page in pages:
        page.close()
    await until(lambda: not world.at.service.roster.sockets)
    await world.at.close_pages()
    found = cycles()
    assert not {name: count for name, count in found.items() if count > TOLERATED}, found


async def test_conversations_that_end_leave_no_cycles(world: World, collecting: None) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        for _ in range(SHOPPERS):
            shopper = Shopper(world.at)
            page, cid = await talking(world, shopper, agent)
            page.send_message(wire.Say(cid, "mid-shopper-1", "one"))
            await shopper.next(wire.Stored)
            assert (await agent.ask("close", cid=cid, disposition="answered", note=""))["t"] == "ok"
            page.close()
            await page.gone.wait()
            await world.later(60)
            await available(agent)
    await world.at.close_pages()
    found = cycles()
    assert not {name: count for name, count in found.items() if count > TOLERATED}, found


def test_what_grows_old_is_not_looked_at_by_itself(collecting: None) -> None:
    collector.settle()
    gc.enable()
    looks = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(collector.YOUNG * collector.MIDDLE * 20)]
    assert gc.get_stats()[2]["collections"] == looks and kept


async def test_an_idle_process_is_tidied(monkeypatch: pytest.MonkeyPatch, collecting: None) -> None:
    monkeypatch.setattr(collector, "QUIET_S", 0.001)
    idle = False
    work = asyncio.create_task(collector.tidy(lambda: idle))
    looks = gc.get_stats()[2]["collections"]
    await asyncio.sleep(0.01)
    assert gc.get_stats()[2]["collections"] == looks
    idle = True
    await until(lambda: gc.get_stats()[2]["collections"] > looks)
    work.cancel()
