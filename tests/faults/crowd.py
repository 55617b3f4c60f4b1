"""Shoppers who go on whatever happens: they browse, come back, and say again what was not stored."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine
from typing import Any

from picows import WSError
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.session import Session
from router.live.commit import decode_session
from router.replay.page import PageClient
from router.store import keys
from tests.agent import Agent
from tests.service import InLoop, Process
from tests.shopper import Shopper
from tests.waiting import until

AWAY = (OSError, TimeoutError, WSError)
EVERY_S = 0.01
RETRY_S = 0.1


class Visitor(Shopper):
    """A shopper with one page who never gives up. `closed`: the close codes met on the way."""

    def __init__(self, at: InLoop | Process) -> None:
        super().__init__(at)
        self.tab: PageClient = self.page()
        self.paths: list[str] = []
        self.closed: list[int | None] = []

    async def come(self) -> None:
        """Be connected, however long it takes."""
        while not self.tab.connected:
            try:
                await self.connect(self.tab)
            except AWAY:
                self.closed.append(self.tab.closed_with)
                await asyncio.sleep(RETRY_S)

    def see(self, path: str) -> None:
        """One more page view; it goes out now, or after the next welcome."""
        self.paths.append(path)
        self.tab.send(ev.Page(0, "other", path))

    async def browse(self) -> None:
        """See one path after the other until cancelled."""
        for n in itertools.count():
            await self.come()
            self.see(f"/{n}")
            await asyncio.sleep(EVERY_S)
            if not self.tab.connected:
                self.closed.append(self.tab.closed_with)

    async def settle(self) -> None:
        """Be connected, with everything that was sent acked."""
        await self.come()
        while self.tab.acked < self.tab.sent:
            await self.come()
            with contextlib.suppress(ConnectionError):
                await self.tab.stored()

    async def check(self, redis: Redis) -> None:
        """What was acked is in the store exactly once and in order, in one blob alone."""
        session = await stored(redis, self.sid)
        assert session.pages[self.tab.page].mark == session.events == self.tab.acked == len(self.paths)
        assert [step.label for step in session.journey] == self.paths[-20:]


async def stored(redis: Redis, sid: str) -> Session:
    """The session as the store has it. There is one blob of it, and the owner's record names it."""
    names = [name async for name in redis.scan_iter(match=f"s:{{{sid}}}:*")]
    token = await redis.hget(keys.owner(sid), "token")
    assert isinstance(token, bytes)
    assert names == [keys.blob(sid, token.decode()).encode()]
    blob = await redis.get(names[0])
    assert isinstance(blob, bytes)
    return decode_session(blob)


class Crowd:
    """So many visitors who browse from the beginning of the block until `settle`, and whatever else goes on beside."""

    def __init__(self, at: InLoop | Process, size: int) -> None:
        self.visitors = [Visitor(at) for _ in range(size)]
        self._going_on: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Crowd:
        for visitor in self.visitors:
            self.also(visitor.browse())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._cease()
        for visitor in self.visitors:
            visitor.tab.close()
            await until(lambda visitor=visitor: not visitor.tab.connected)  # type: ignore[misc]

    def also(self, work: Coroutine[Any, Any, None]) -> None:
        """Let this go on too; it must not end by itself."""
        self._going_on.append(asyncio.create_task(work))

    async def busy(self, more: int) -> None:
        """Return when every visitor has had so many events more acked."""
        goals = [(visitor, visitor.tab.acked + more) for visitor in self.visitors]
        await until(lambda: all(visitor.tab.acked >= goal for visitor, goal in goals), within_s=30)

    async def settle(self) -> None:
        """Everything ceases, and everything that was sent is acked."""
        for task in self._going_on:
            assert not task.done(), task
        await self._cease()
        async with asyncio.timeout(30):
            await asyncio.gather(*(visitor.settle() for visitor in self.visitors))

    async def _cease(self) -> None:
        for task in self._going_on:
            task.cancel()
        await asyncio.gather(*self._going_on, return_exceptions=True)
        self._going_on.clear()


class Talk:
    """A conversation of which both sides say line after line, each again until it is stored."""

    def __init__(self, visitor: Visitor, agent: Agent, cid: str, secret: str) -> None:
        self.visitor = visitor
        self.agent = agent
        self.cid = cid
        self.secret = secret
        self.said: list[str] = []
        self.answered: list[str] = []

    async def shopper(self) -> None:
        """The shopper's side, until cancelled."""
        for n in itertools.count(1):
            mid = f"mid-shopper-{n}"
            while not any(got.mid == mid for got in self.visitor.all(wire.Stored)):
                await self.visitor.come()
                with contextlib.suppress(AssertionError):  # the socket ended between the two
                    self.visitor.tab.send_message(wire.Say(self.cid, mid, f"question {n}"))
                with contextlib.suppress(AssertionError):
                    await until(
                        lambda mid=mid: (
                            any(got.mid == mid for got in self.visitor.all(wire.Stored))  # type: ignore[misc]
                            or not self.visitor.tab.connected
                        ),
                        within_s=1,
                    )
            self.said.append(f"question {n}")
            await asyncio.sleep(5 * EVERY_S)

    async def console(self) -> None:
        """The agent's side, until cancelled: the console comes back by itself too."""
        for n in itertools.count(1):
            while True:
                try:
                    async with asyncio.timeout(2):
                        answer = await self.agent.ask(
                            "say", cid=self.cid, mid=f"mid-agent-{n}", text=f"answer {n}"
                        )
                    if answer["t"] == "ok":
                        break
                    assert answer["retry"], answer
                except Exception:
                    await come_back(self.agent)
            self.answered.append(f"answer {n}")
            await asyncio.sleep(5 * EVERY_S)

    async def repeat(self) -> None:
        """Both sides say everything again, as after a confirmation that did not come."""
        self.visitor.got.clear()
        await self.visitor.come()
        for n, text in enumerate(self.said, 1):
            self.visitor.tab.send_message(wire.Say(self.cid, f"mid-shopper-{n}", text))
            assert (await self.visitor.next(wire.Stored)).mid == f"mid-shopper-{n}"
        for n, text in enumerate(self.answered, 1):
            assert (await self.agent.ask("say", cid=self.cid, mid=f"mid-agent-{n}", text=text))["t"] == "ok"

    async def lines(self) -> dict[str, list[str]]:
        """What the conversation holds, by author, as the agent's history has it."""
        answer = await self.agent.ask("history", cid=self.cid, after=0)
        messages = answer["messages"]
        assert [m["offset"] for m in messages] == list(range(1, len(messages) + 1))
        return {who: [m["text"] for m in messages if m["author"] == who] for who in ("shopper", "agent")}


async def come_back(agent: Agent) -> None:
    """Log in and connect again, however long it takes."""
    while True:
        await agent.leave()
        try:
            await agent.connect()
        except Exception:
            await asyncio.sleep(RETRY_S)
        else:
            return


async def begin_talk(visitor: Visitor, agent: Agent) -> Talk:
    """The visitor was ten seconds on the delivery page, again and again; is invited, says yes, and the agent too."""
    await visitor.come()
    looked = [ev.Page(10_000, "shipping", "/demo/shipping") for _ in range(4)]
    visitor.paths += [view.path for view in looked]
    visitor.paths.insert(1, "")  # the visibility is an event without a path
    visitor.tab.send(looked[0], ev.Dwell(10_000, 0, ev.FOCUSED), *looked[1:])
    show = await visitor.next(wire.Show, within_s=10)
    visitor.tab.send(ev.Shown(0, show.decision), ev.Accepted(0, show.decision))
    visitor.paths += ["", ""]
    ring = await agent.next("ring", within_s=10)
    cid = ring["conversation"]["cid"]
    assert (await agent.ask("accept", cid=cid))["t"] == "ok"
    states = await until(lambda: [m for m in visitor.all(wire.Conversation) if m.secret])
    assert states[0].secret is not None
    return Talk(visitor, agent, cid, states[0].secret)
