"""What both sides of a conversation share: it runs the routing scripts and passes on what they say.

Every reply may tell of transitions that had nothing to do with the request (deadlines that came): they go to
the journal, their system lines into the conversations, and whoever looks at what changed is woken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final, Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.core.hours import is_open
from router.core.queue import Break, Queue
from router.core.routing import Reply, wait_s
from router.core.rules.model import Action
from router.core.site import Article, Offer
from router.core.texts import Texts
from router.errors import Refused
from router.live.clock import Clock, Handle
from router.live.fanout import Fanout, Wake
from router.store.chats import Chats
from router.store.link import Link
from router.store.quick import Quick
from router.store.routing import Routing

log = structlog.get_logger()

Journal = Callable[[dict[str, Any]], None]
_notice: Final = msgspec.json.Decoder(tuple[str, str, str, str, int])


class Shop(Protocol):
    """What routing has to know of a site."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def queues(self) -> Mapping[str, Queue]: ...
    @property
    def texts(self) -> Texts: ...
    @property
    def articles(self) -> Mapping[str, Article]: ...
    @property
    def offers(self) -> Mapping[str, Offer]: ...
    @property
    def admin(self) -> Mapping[str, str]: ...
    @property
    def picture(self) -> str: ...
    @property
    def breaks(self) -> tuple[Break, ...]: ...
    def content(self, action: Action, language: str) -> dict[str, Any]:
        """The texts of an action in a language."""


class Glance(msgspec.Struct, frozen=True):
    """A site as the last sweep saw it: free slots and waiting conversations of each queue, and for how long (s) the
    next one would wait; None where nobody could know.
    """

    free: Mapping[str, int] = {}
    waiting: Mapping[str, int] = {}
    wait_s: Mapping[str, int | None] = {}


class Switchboard:
    """Routing and chats of all sites, on one node. The three `on_...` are set by who looks at conversations
    here.
    """

    def __init__(
        self,
        redis: Redis,
        sites: Mapping[str, Shop],
        clock: Clock,
        node: str,
        journal: Journal,
        lease_ms: int,
        link: Link | None = None,
    ) -> None:
        self.sites = sites
        self.clock = clock
        self.node = node
        self.lease_ms = lease_ms
        self.routing = Routing(redis, node, clock.timestamp_for_scripts, lease_ms, link)
        self.chats = Chats(redis, clock.timestamp_for_scripts, link)
        self.fanout = Fanout(redis, node, sites, self._heard, self._gap, Quick(redis, link))
        self.glances: dict[str, Glance] = {site: Glance() for site in sites}
        self.on_touch: Callable[[str, list[str], list[str]], None] = lambda site, talks, agents: None
        self.on_sign: Callable[[str, tuple[str, str, str, bool]], None] = lambda site, sign: None
        self.on_gap: Callable[[], None] = lambda: None
        self.on_ended: Callable[[str, str], None] = lambda site, cid: None
        self.on_unanswered: Callable[[str, str, str], Coroutine[Any, Any, None]] | None = None
        self._journal = journal
        self._armed: dict[str, tuple[int, Handle]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- running and passing on ---

    async def do(self, site: str, script: Awaitable[Reply]) -> Any:
        """Run a script, pass on what it says and return its value.

        Raises its refusal, `Refused("unavailable")` if the store cannot be reached.
        """
        try:
            reply = await script
            await self._pass_on(site, reply)
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error
        return reply.checked()

    async def _pass_on(self, site: str, reply: Reply) -> None:
        self._arm(site, reply)
        for event in reply.events:
            self._journal({"site": site, **event})
            self._follow(site, event)
        try:
            for line in reply.lines:
                await self._store(site, line)
        finally:
            self.on_touch(site, reply.talks, reply.agents)

    def _follow(self, site: str, event: dict[str, Any]) -> None:
        """What an end brings about, beside."""
        if event["kind"] in ("closed", "disposed"):
            self.on_ended(site, event["cid"])
        elif event["kind"] == "message_left" and event["message"] == event["left_by"] and self.on_unanswered:
            self.spawn(self.on_unanswered, site, event["message"], event["queue"])

    async def _store(self, site: str, line: str) -> None:
        cid, mid, text, name, _at = _notice.decode(line)
        try:
            await self.chats.append(cid, "system", mid, text, name)
        except Refused as refused:
            log.warning("system_line_dropped", cid=cid, text=text, error=refused.name)
        await self.routing.stored(site, line)
        await self.touch(site, cid, [])

    async def touch(self, site: str, cid: str, agents: list[str]) -> None:
        """A conversation has a new line: everybody who looks at it looks again."""
        self.on_touch(site, [cid], agents)
        await self.fanout.wake(site, Wake(self.node, [cid], agents))

    async def sign(self, site: str, sign: tuple[str, str, str, bool]) -> None:
        """Pass on what is stored nowhere, such as typing. It may be lost."""
        self.on_sign(site, sign)
        await self.fanout.wake(site, Wake(self.node, sign=sign))

    def _heard(self, site: str, wake: Wake) -> None:
        if wake.sign is not None:
            self.on_sign(site, wake.sign)
        self.on_touch(site, wake.talks, wake.agents)

    def _gap(self) -> None:
        self.on_gap()

    # --- time ---

    def _arm(self, site: str, reply: Reply) -> None:
        """Sweep when the next deadline comes; the script's clock may not be this node's."""
        due = reply.next and reply.next - reply.now + self.clock.now()
        armed = self._armed.pop(site, None)
        if armed is not None:
            armed[1].cancel()
        if due:
            self._armed[site] = due, self.clock.call_at(due, partial(self.spawn, self.sweep, site))

    async def sweep(self, site: str) -> None:
        """Settle what is due, and look at the site."""
        rows: list[tuple[str, int, int, int, int]] = await self.do(
            site, self.routing.sweep(site, self.sites[site].queues)
        )
        free: dict[str, int] = {}
        waiting: dict[str, int] = {}
        waits: dict[str, int | None] = {}
        for sig, slots, length, pace, staff in rows:
            queue, _, skills = sig.partition("|")
            if queue:
                waiting[queue] = waiting.get(queue, 0) + length
                if not skills:
                    free[queue] = slots if self.is_open(site, queue) else 0
                    waits[queue] = 0 if slots else wait_s(length + 1, pace, staff)
        self.glances[site] = Glance(free, waiting, waits)

    def is_open(self, site: str, queue: str, ahead_ms: int = 0) -> bool:
        """Whether a queue is within its hours, now or in a while; one without any, or gone from the site, always is."""
        known = self.sites[site].queues.get(queue)
        return known is None or known.hours is None or is_open(known.hours, self.clock.now() + ahead_ms)

    # --- work beside ---

    def spawn(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Do it beside; a store that cannot be reached is only told, the next sweep tries again."""
        task = asyncio.get_running_loop().create_task(self._quietly(work, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await work(*args)
        except (Refused, RedisError, OSError) as error:
            log.warning("not_passed_on", error=str(error))
        except Exception:
            log.exception("not_passed_on")

    async def settled(self) -> None:
        """Wait until everything that is being done beside is done, and what follows from it."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Cease: what is due is swept by the other nodes, or after the next start."""
        for _, handle in self._armed.values():
            handle.cancel()
        self._armed.clear()
        await self.fanout.stop()
        await self.settled()
