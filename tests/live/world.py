"""What tests of the live service share: a driven world, the ways into an invite and a talk, and a look behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.session import Session
from router.live.clock import DrivenClock
from router.live.commit import decode_session
from router.live.held import Held
from router.replay.page import PageClient
from router.store import keys
from router.store.journal import read
from router.store.sessions import Sessions
from tests.agent import Agent
from tests.service import InLoop
from tests.shopper import Shopper, page_id
from tests.waiting import until

T = 1_780_000_000_000
CUP = ev.Item("cup-01", "Cup", price=4800.0)


class World:
    """The service, its clock, and what moves it."""

    def __init__(self, at: InLoop, clock: DrivenClock) -> None:
        self.at = at
        self.clock = clock

    async def later(self, seconds: float) -> None:
        """Let time pass."""
        service = self.at.service
        await service.settled()
        await self.clock.advance(self.clock.now() + int(seconds * 1000), service.settled)
        await service.settled()


class Withheld:
    """While `on`, commits are kept back: as if the store took its time. `release` sends them in their order."""

    def __init__(self, store: Sessions) -> None:
        self.on = False
        self._store = store
        self._commit = store.commit
        self._kept: list[tuple[str, bytes, Callable[[object], None]]] = []
        store.commit = self._take  # type: ignore[method-assign]

    def _take(self, key: str, blob: bytes, callback: Callable[[object], None]) -> None:
        if self.on:
            self._kept.append((key, blob, callback))
        else:
            self._commit(key, blob, callback)

    def release(self) -> None:
        """The store answers again."""
        self.on = False
        for kept in self._kept:
            self._commit(*kept)
        self._kept.clear()
        self._store.link.flush()


# --- what a shopper and an agent do ------------------------------------------------------------------------


def view(path: str, kind: str = "other") -> ev.Page:
    """A page view, now."""
    return ev.Page(0, kind, path)


def farewell(shopper: Shopper, page: str, first: int, *events: ev.AnyEvent) -> bytes:
    """The body of a page's last batch."""
    return wire.encode(wire.Farewell("demo", shopper.token or "", wire.Batch(page, first, list(events))))


async def on_cart(shopper: Shopper, quantity: int = 1) -> PageClient:
    """A shopper who looks at a cart that is worth it."""
    page = await shopper.open()
    item = ev.Item(CUP.id, CUP.name, price=CUP.price, quantity=quantity)
    page.send(
        ev.Page(0, "cart", "/demo/cart", title="カート"),
        ev.Dwell(0, 0, ev.FOCUSED),
        ev.CartAdd(0, item, currency="JPY"),
        ev.Cart(0, 1, quantity, 4800.0 * quantity, "JPY", [item]),
    )
    await page.stored()
    return page


async def invited(world: World, shopper: Shopper) -> tuple[PageClient, wire.Show]:
    """A shopper who sees an invite."""
    page = await on_cart(shopper)
    await world.later(8)
    show = await shopper.next(wire.Show)
    page.send(ev.Shown(0, show.decision))
    await page.stored()
    return page, show


async def talking(world: World, shopper: Shopper, agent: Agent) -> tuple[PageClient, str]:
    """A shopper in an active conversation, and its id."""
    page, show = await invited(world, shopper)
    page.send(ev.Accepted(0, show.decision))
    ring = await agent.next("ring")
    cid = ring["conversation"]["cid"]
    assert (await agent.ask("accept", cid=cid))["t"] == "ok"
    await until(lambda: [m for m in shopper.all(wire.Conversation) if m.state == "active"])
    return page, cid


async def available(agent: Agent) -> None:
    """The agent takes conversations."""
    assert (await agent.ask("presence", state="available"))["t"] == "ok"


async def heard(shopper: Shopper, page: PageClient) -> None:
    """All that the service had sent to the page before this has come: a gap is answered at once, without the store."""
    other = page_id()
    page.send_message(wire.Batch(other, 2, [view("/never")]))
    await until(lambda: any(gap.page == other for gap in shopper.all(wire.Gap)))


# --- behind the scenes -------------------------------------------------------------------------------------


def held_of(at: InLoop, shopper: Shopper) -> Held:
    """The shopper's session as this process holds it."""
    held = at.service.engine.holdings.get(shopper.sid)
    assert held is not None
    return held


async def left(at: InLoop, shopper: Shopper, *pages: PageClient) -> None:
    """Close pages, and wait until the service has seen it and is done with it."""
    held = held_of(at, shopper)
    for page in pages:
        page.close()
    await until(lambda: not any(page.page in held.peers for page in pages))
    await at.service.settled()


async def stored(redis: Redis, sid: str) -> Session:
    """The session as the store has it."""
    token: Any = await redis.hget(keys.owner(sid), "token")
    assert token is not None
    blob: Any = await redis.get(keys.blob(sid, token.decode()))
    assert blob is not None
    return decode_session(blob)


async def ends(redis: Redis, world: World) -> list[str]:
    """How decisions ended, in order."""
    await world.at.service.journal.flush()
    return [entry.record["end"] async for entry in read(redis) if entry.kind == "end"]


async def outcomes(redis: Redis, world: World) -> list[tuple[str, str]]:
    """What was decided, in order: (rule, outcome)."""
    await world.at.service.journal.flush()
    return [(e.record["rule"], e.record["outcome"]) async for e in read(redis) if e.kind == "decision"]
