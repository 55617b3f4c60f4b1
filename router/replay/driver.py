"""Recorded sessions over real sockets, in the order of their own time.

One timeline holds what was recorded and what simulated people will do. Before each entry the service's clock moves to
its moment, stopping wherever something happened on the way, so that everybody can react at the moment it did.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.core import events as ev
from router.core import protocol as wire
from router.core.protocol import ServerMessage
from router.core.site import Site
from router.errors import ERRORS
from router.live.commit import decode_session
from router.replay.agents import SimulatedAgent
from router.replay.driven import DrivenService
from router.replay.page import PageClient
from router.replay.recording import Action, Recording
from router.store import keys

LINGER_MS: Final = 150_000
ACCEPTANCE: Final = 0.06  # 3 to 9 of a hundred, as others measured
DISMISS, COPY = 0.25, 0.3
LONGEST_TALK_MS: Final = 30 * 60_000
SAY_AFTER_MS: Final = 5_000
STORED_S: Final = 10.0
RECONNECT_TRIES: Final = 40
SETTLE_TURNS: Final = 6
COMPARE: Final = 200
AHEAD: Final = 4  # actions

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Display:
    """Something that was shown to a shopper: when, by which decision."""

    session: str
    visitor: str
    decision: str
    kind: str
    at: int


@dataclass(slots=True)
class Tally:
    """What the driver saw and counted."""

    sent: int = 0
    acked: int = 0
    stored: int = 0
    doubled: int = 0
    lost: int = 0
    sessions: int = 0
    reconnects: int = 0
    displays: list[Display] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)
    talks: int = 0
    errors: list[str] = field(default_factory=list)


class Shopper:
    """One recorded session on one page."""

    def __init__(self, driver: Driver, session: str, visitor: str) -> None:
        self.driver = driver
        self.session = session
        self.visitor = visitor
        self.talking = ""
        self.last_at = 0
        self.recorded = 0
        self.stimulus = 0.0
        self.epoch = 0
        number = next(driver.page_numbers)
        token, known = driver.tokens.get(session), driver.visitors.get(visitor)
        self.page = PageClient(f"0{number:08d}-replay", driver.site.id, token, known, self._message)

    @property
    def sid(self) -> str:
        """The session's id."""
        assert self.page.token is not None
        return self.page.token.split(".")[2]

    async def dial(self) -> None:
        """Open the socket ahead of time; what fails is tried again when it is needed."""
        with contextlib.suppress(OSError, TimeoutError):
            await self.page.dial(self.driver.socket_address, self.driver.service.address)

    async def open(self) -> None:
        """Connect; a service that was killed is tried until it is back."""
        self.page.visitor = self.driver.visitors.get(self.visitor)
        for attempt in itertools.count():
            try:
                await self.page.connect(
                    self.driver.socket_address, self.driver.service.address, language="en"
                )
                break
            except (OSError, TimeoutError):
                if attempt >= RECONNECT_TRIES:
                    raise
                self.driver.tally.reconnects += 1
                await asyncio.sleep(0.1)
        self._welcomed()

    def _welcomed(self) -> None:
        """Keep the tokens as a browser would. A session without any other page began anew: the older one was over."""
        driver, page = self.driver, self.page
        assert page.visitor is not None and page.token is not None
        driver.visitors[self.visitor] = page.visitor
        driver.tokens[self.session] = page.token
        if not self.epoch:
            if not page.marks.keys() - {page.page}:
                driver.begun[self.session] = driver.begun.get(self.session, 0) + 1
                driver.expected[self.session] = 0
            self.epoch = driver.begun[self.session]

    async def send(self, *events: ev.AnyEvent) -> None:
        """Send; the next move of the clock waits until it was folded."""
        self.driver.tally.sent += len(events)
        if not self.page.connected:
            await self.open()
        self.driver.expected[self.session] += len(events)
        self.stimulus = time.perf_counter()
        self.driver.service.events += len(events)
        self.page.send(*events)

    async def stored(self) -> None:
        """Wait until all is acked, over as many connections as that takes."""
        while True:
            try:
                async with asyncio.timeout(STORED_S):
                    await self.page.stored()
                return
            except ConnectionError:
                await self.open()

    def _message(self, page: PageClient, message: ServerMessage) -> None:
        match message:
            case wire.Show(again=False):
                self._shown(message)
            case wire.Conversation():
                self._conversation(message)
            case wire.Error() if message.name != "too_late" and not ERRORS[message.name].retry:
                self.driver.tally.errors.append(f"{message.name}: {message.detail}")

    def _shown(self, show: wire.Show) -> None:
        driver = self.driver
        driver.reacted += 1
        since = max(self.stimulus, driver.moved_at)
        driver.tally.delays_ms.append((time.perf_counter() - since) * 1000)
        at = driver.service.now
        driver.tally.displays.append(
            Display(f"{self.session}#{self.epoch}", self.visitor, show.decision, show.kind, at)
        )
        driver.plan(at, lambda: self.send(ev.Shown(0, show.decision)))
        drawn = driver.chance.random()
        answer: ev.AnyEvent | None = None
        if show.kind == "invite" and drawn < driver.acceptance:
            answer = ev.Accepted(0, show.decision)
        elif show.kind == "offer" and drawn < COPY:
            answer = ev.Copied(0, show.decision)
        elif drawn > 1 - DISMISS:
            answer = ev.Dismissed(0, show.decision, drawn > 0.99)
        if answer is not None:
            chosen = answer
            driver.plan(at + driver.chance.randint(1_000, 15_000), lambda: self.send(chosen))

    def _conversation(self, state: wire.Conversation) -> None:
        self.driver.reacted += 1
        if state.state in ("closed", "wrap-up"):
            self.talking = ""
        elif not self.talking:
            self.talking = state.cid
            self.driver.tally.talks += 1
        elif state.state == "active":
            cid = state.cid
            self.driver.plan(self.driver.service.now + SAY_AFTER_MS, lambda: self._say(cid))

    async def _say(self, cid: str) -> None:
        if self.talking and self.page.connected:
            self.page.send_message(
                wire.Say(cid, f"line-{self.page.page}"[:40], "How long does delivery take?")
            )


class Driver:
    """Runs a recording through a service. `progress(done)` is told after each action; `faults` are done before the
    action of their number. `acceptance`: the share of invites that shoppers accept.
    """

    def __init__(
        self,
        recording: Recording,
        site: Site,
        service: DrivenService,
        redis: Redis,
        agents: list[SimulatedAgent],
        chance: random.Random,
        *,
        progress: Callable[[int], None] = lambda done: None,
        faults: dict[int, Work] | None = None,
        acceptance: float = ACCEPTANCE,
    ) -> None:
        self.recording = recording
        self.site = site
        self.service = service
        self.redis = redis
        self.agents = agents
        self.chance = chance
        self.acceptance = acceptance
        self.tally = Tally()
        self.visitors: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.begun: dict[str, int] = {}
        self.expected: dict[str, int] = {}
        self.page_numbers = itertools.count(1)
        self.reacted = 0
        self.moved_at = 0.0
        self._progress = progress
        self._faults = faults or {}
        self._shoppers: dict[str, Shopper] = {}
        self._left: dict[str, Shopper] = {}
        self._dialled: dict[str, tuple[Shopper, asyncio.Task[None]]] = {}
        self._planned: list[tuple[int, int, Work]] = []
        self._order = itertools.count()

    @property
    def socket_address(self) -> str:
        """Where shoppers' sockets go."""
        return self.service.address.replace("http", "ws", 1)

    def plan(self, at: int, work: Work) -> None:
        """Do `work` when the driven clock comes to `at`."""
        heapq.heappush(self._planned, (at, next(self._order), work))

    def plan_in(self, seconds: int, work: Work) -> None:
        """Do `work` so many seconds from where the clock stands."""
        self.plan(self.service.now + seconds * 1000, work)

    async def run(self) -> None:
        """The whole recording, and what it leaves to be done."""
        for number, action in enumerate(self.recording.actions):
            self._dial_ahead(number + AHEAD)
            if number in self._faults:
                await self._faults[number]()
                await self._agents_back()
            await self._until(action.at)
            await self._act(action)
            self._progress(number + 1)
        while self._planned:
            await self._until(self._planned[0][0])
        await self._compare()

    def _dial_ahead(self, number: int) -> None:
        """A session that is about to begin opens its socket while others are served; its hello waits for its moment."""
        if number < len(self.recording.actions):
            action = self.recording.actions[number]
            if action.session not in self.tokens and action.session not in self._dialled:
                shopper = Shopper(self, action.session, action.visitor)
                task = asyncio.get_running_loop().create_task(shopper.dial())
                self._dialled[action.session] = shopper, task

    async def _new_shopper(self, action: Action) -> Shopper:
        shopper, task = self._dialled.pop(action.session, (None, None))
        if shopper is None or task is None:
            return Shopper(self, action.session, action.visitor)
        await task
        return shopper

    async def _agents_back(self) -> None:
        """After a fault, agents whose socket broke log in again, as consoles do."""
        for agent in self.agents:
            if not agent.connected:
                await agent.connect(self.service.address)

    async def _until(self, moment: int) -> None:
        """Move on to `moment`, doing what was planned until then, and what that brings about."""
        while True:
            due = self._planned[0][0] if self._planned else None
            target = moment if due is None or due > moment else due
            if target > self.service.now and await self._moved(target):
                continue
            if due is None or due > moment:
                return
            _, _, work = heapq.heappop(self._planned)
            await work()

    async def _moved(self, target: int) -> bool:
        """Move the clock towards `target`; whether something happened that somebody may react to."""
        if target < self.service.now:
            return False
        self.moved_at = time.perf_counter()
        if not await self.service.move(target):
            return False
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
        return True

    async def _act(self, action: Action) -> None:
        shopper = self._shoppers.get(action.session)
        if shopper is None:
            if action.session in self._left:
                await self._compare()
            shopper = self._shoppers[action.session] = await self._new_shopper(action)
            self.tally.sessions += 1
            await shopper.open()
            await shopper.send(*action.events, ev.Dwell(0, 0, ev.FOCUSED))
            self.plan(action.at + LINGER_MS, lambda: self._leave(shopper))
        else:
            await shopper.send(*action.events)
        shopper.last_at = action.at
        shopper.recorded += len(action.events)

    async def _leave(self, shopper: Shopper) -> None:
        """The shopper goes when nothing was recorded for a while and no conversation is open."""
        idle = self.service.now - shopper.last_at
        if shopper.talking and idle < LONGEST_TALK_MS:
            self.plan(self.service.now + LINGER_MS, lambda: self._leave(shopper))
            return
        if idle < LINGER_MS and shopper.session in self._shoppers:
            self.plan(shopper.last_at + LINGER_MS, lambda: self._leave(shopper))
            return
        await shopper.stored()
        self._left[shopper.session] = shopper
        if len(self._left) >= COMPARE:
            await self._compare()
        shopper.page.close()
        self._shoppers.pop(shopper.session, None)

    async def _compare(self) -> None:
        """What the store has of the sessions that were left against what was sent; many in one round trip."""
        left, self._left = list(self._left.values()), {}
        sids = [shopper.sid for shopper in left]
        tokens = await self._ask(("HGET", keys.owner(sid), "token") for sid in sids)
        names = (keys.blob(sid, (token or b"").decode()) for sid, token in zip(sids, tokens, strict=True))
        for shopper, blob in zip(left, await self._ask(("GET", name) for name in names), strict=True):
            self._weigh(shopper, blob)

    async def _ask(self, commands: Iterable[tuple[str, ...]]) -> list[bytes | None]:
        asked = list(commands)
        for attempt in itertools.count():
            try:
                async with self.redis.pipeline(transaction=False) as pipe:
                    for command in asked:
                        pipe.execute_command(*command)
                    answers: list[bytes | None] = await pipe.execute()
                    return answers
            except RedisError:  # a store that was killed is tried until it is back
                if attempt >= RECONNECT_TRIES:
                    raise
                await asyncio.sleep(0.1)
        raise AssertionError("unreachable")

    def _weigh(self, shopper: Shopper, blob: bytes | None) -> None:
        page, tally = shopper.page, self.tally
        tally.acked += page.acked
        session = decode_session(blob) if blob else None
        if session is None:
            tally.lost += page.sent
            tally.errors.append(f"session {shopper.session} is not in the store")
            return
        kept = session.pages.get(page.page)
        mark = kept.mark if kept is not None else 0
        tally.stored += mark
        tally.lost += max(0, page.sent - mark)
        tally.doubled += max(0, session.events - self.expected[shopper.session])
