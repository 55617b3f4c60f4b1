"""The sessions that this process owns: taken, kept, doubted, given up. Ownership is certain or nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from redis.exceptions import RedisError

from router.core.session import Session, expired, hide
from router.core.site import Site
from router.errors import Refused
from router.live.clock import Clock
from router.live.commit import Committer, decode_session
from router.live.held import Held
from router.store import keys
from router.store.link import LinkLost
from router.store.sessions import Fenced, Mine, Sessions
from router.store.visitors import Visitors

log = structlog.get_logger()

IDLE_MS: Final = 60_000
SWEEP_S: Final = 5.0
BEAT_S: Final = 1.0
TOUCH_MS: Final = 10 * 60_000
ATTACH_TRIES: Final = 20
RETRY_S: Final = 0.25

Inbox = tuple[bytes, ...]


class Holdings:
    """All of them, by session id. `on_taken(held, inbox)` is called when one was taken (again) from the store,
    `on_given_up(held, name)` when it is another's now, or the store is away for too long; `tasks` is what is under way.
    """

    def __init__(
        self,
        store: Sessions,
        visitors: Visitors,
        clock: Clock,
        on_taken: Callable[[Held, Inbox], None],
        on_given_up: Callable[[Held, str], None],
        on_kept: Callable[[Held], None],
    ) -> None:
        self.store = store
        self.visitors = visitors
        self.clock = clock
        self.committer = Committer(store, clock.now, self._doubt)
        self.tasks: set[asyncio.Task[object]] = set()
        self._held: dict[str, Held] = {}
        self._attaching: dict[str, asyncio.Task[Held]] = {}
        self._on_taken = on_taken
        self._on_given_up = on_given_up
        self._on_kept = on_kept

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Held]:
        """Every session held now."""
        return list(self._held.values())

    def get(self, sid: str) -> Held | None:
        """The session, if this process holds it."""
        return self._held.get(sid)

    def of_visitor(self, site: str, vid: str) -> list[Held]:
        """The sessions of a visitor that this process holds."""
        return [held for held in self._held.values() if held.session.visitor == vid and held.site.id == site]

    # --- beside everything ---------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Say again and again that this process lives."""
        while True:
            self.store.beat()
            await asyncio.sleep(BEAT_S)

    async def sweep(self) -> None:
        """Let go of sessions without open pages; keep those with one alive in the store."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.clock.now()
            for held in self.all():
                if held.peers:
                    self._on_kept(held)
                    if now - held.refreshed > TOUCH_MS:
                        self.committer.mark(held)
                elif now - held.idle_since > IDLE_MS and not (held.dirty or held.in_flight or held.deciding):
                    self._drop(held)

    def _drop(self, held: Held) -> None:
        held.due.clear()
        held.deadline = 0
        if self._held.get(held.session.sid) is held:
            del self._held[held.session.sid]

    # --- taking --------------------------------------------------------------------------------------------

    async def take(self, sid: str, vid: str, site: Site, page: str, previous: str) -> Held:
        """The session of this id, owned by this process for certain: open pages prove it, else the store is asked.

        Raises Refused: elsewhere, unavailable.
        """
        held = self._held.get(sid)
        if held is not None and held.peers and not expired(held.session, self.clock.now(), open_now=True):
            return held
        task = self._attaching.get(sid)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._attach(sid, vid, site, page, previous))
            self._attaching[sid] = task
            self.tasks.add(task)
            task.add_done_callback(partial(self._attached, sid))
        return await asyncio.shield(task)

    def _attached(self, sid: str, task: asyncio.Task[Held]) -> None:
        self.tasks.discard(task)
        self._attaching.pop(sid, None)
        if not task.cancelled():
            task.exception()  # whoever waited was told

    async def _attach(self, sid: str, vid: str, site: Site, page: str, previous: str) -> Held:
        known = self._held.get(sid)
        if known is not None:
            known.lost = True  # nothing is written under the old name while a new one is asked for
        try:
            token = known.token if known is not None else ""
            answer = await self.store.attach(sid, page=page, previous=previous, held=token)
            if isinstance(answer, Fenced) and known is not None:
                self.give_up(known, "fenced")
                known = None
                answer = await self.store.attach(sid, page=page, previous=previous)
        except LinkLost:
            if known is not None:
                self._doubt(known)
            raise Refused("unavailable") from None
        if not isinstance(answer, Mine):
            raise Refused("elsewhere")
        held = await self._open(answer, known, sid, vid, site)
        self._held[sid] = held
        self._on_taken(held, answer.inbox)
        return held

    async def _open(self, mine: Mine, known: Held | None, sid: str, vid: str, site: Site) -> Held:
        now = self.clock.now()
        key = keys.blob(sid, mine.token)
        if known is not None and not expired(known.session, now, open_now=bool(known.peers)):
            known.token, known.key = mine.token, key
            site.rules.adopt(known.session, now, known.due)
            self.committer.resume(known)
            return known
        session = _restored(mine.blob, now)
        fresh = session is None
        if session is None:
            session = Session(sid, site.id, vid, site.currency, now, now)
        held = Held(session, site, mine.token, key)
        held.refreshed = now
        try:
            if fresh:
                session.visits = await self.visitors.visit(site.id, vid, f"{sid}.{now}", now)
            session.profile = await self.visitors.profile(site.id, session.visitor)
        except (RedisError, OSError):
            raise Refused("unavailable") from None
        site.rules.adopt(session, now, held.due)
        return held

    # --- doubt ---------------------------------------------------------------------------------------------

    def _doubt(self, held: Held) -> None:
        """A commit was refused, or nobody knows what became of it: attach again before anything is written."""
        if held.doubted:
            return
        held.lost = held.doubted = True
        self.spawn(self._attach_again(held))

    async def _attach_again(self, held: Held) -> None:
        sid = held.session.sid
        for _ in range(ATTACH_TRIES):
            try:
                answer = await self.store.attach(sid, held=held.token)
            except LinkLost:
                await asyncio.sleep(RETRY_S)
                continue
            held.doubted = False
            if isinstance(answer, Mine):
                held.token, held.key = answer.token, keys.blob(sid, answer.token)
                for page in held.peers:
                    self.store.page_opened(sid, page)
                self.committer.resume(held)
            else:
                self.give_up(held, "fenced")
            return
        held.doubted = False
        self.give_up(held, "unavailable")

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something to a session beside; a store that is away ends it, and the session is doubted elsewhere."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(_quietly(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def give_up(self, held: Held, name: str) -> None:
        """Emit nothing, forget what is here; the pages come back with what was not acked."""
        held.lost = True
        held.owed.clear()
        held.after.clear()
        self._drop(held)
        self._on_given_up(held, name)


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except (LinkLost, RedisError, OSError):
        log.warning("the store is away")


def _restored(blob: bytes, now: int) -> Session | None:
    """The stored session, with no page looked at until it says so again; None if it is new, over or unreadable."""
    if not blob:
        return None
    try:
        session = decode_session(blob)
    except msgspec.DecodeError as error:
        log.error("a stored session cannot be read and begins anew", error=str(error))
        return None
    if expired(session, now):
        return None
    for page_id in session.pages:
        hide(session, page_id, session.newest)
    return session
