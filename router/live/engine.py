"""The way of one event in this process: fold, decide, commit, and only then acknowledge.

The engine knows sessions, pages and rules; sockets are `Peer`s to it. What follows from a decision (claims,
invites, talks) lies in `Decider` and `Talks`, which work beside the events and never hold up an ack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from redis.exceptions import RedisError

from router.core import protocol as wire
from router.core import signing
from router.core.events import NUMBERS, Accepted, Copied, Deferred, Dismissed, Shown
from router.core.session import Session, admit, continues, expired, fold, hide
from router.core.site import Site
from router.errors import Refused
from router.live.clock import Clock
from router.live.commit import Committer, decode_session
from router.live.decider import Decider
from router.live.held import Held, Peer
from router.live.talks import Talks
from router.live.timers import Timers
from router.store import keys
from router.store.link import LinkLost
from router.store.sessions import Elsewhere, Fenced, Mine, Sessions
from router.store.visitors import Visitors

log = structlog.get_logger()

IDLE_MS: Final = 60_000
SWEEP_S: Final = 5.0
BEAT_S: Final = 1.0
TOUCH_MS: Final = 10 * 60_000
ATTACH_TRIES: Final = 20
ACKS_S: Final = 1.0
FEEDBACK: Final = sum(1 << NUMBERS[kind] for kind in (Shown, Accepted, Dismissed, Copied, Deferred))


class Engine:
    """All sessions that this process owns."""

    def __init__(
        self,
        sites: Mapping[str, Site],
        store: Sessions,
        visitors: Visitors,
        clock: Clock,
        secret: bytes,
        new_id: Callable[[], str],
        decider: Decider,
        talks: Talks,
    ) -> None:
        self.sites = sites
        self.store = store
        self.visitors = visitors
        self.clock = clock
        self.secret = secret
        self.new_id = new_id
        self.held: dict[str, Held] = {}
        self.committer = Committer(store, clock.now, self._doubt)
        self.timers = Timers(clock, self._wake)
        self.decider = decider
        self.talks = talks
        self.events = 0
        self._attaching: dict[str, asyncio.Task[Held]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        decider.bind(self.committer, self.timers)
        talks.bind(self.committer)

    # --- life of the process -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to beat, so that other processes know this one lives."""
        self.store.beat()
        self._spawn(self._beat())
        self._spawn(self._sweep())

    async def stop(self, *, timeout_s: float = 5.0) -> None:
        """Close every socket with `restarting` once its acks are out, store what is left, give the sessions free."""
        await self._settled_within(ACKS_S)
        for held in list(self.held.values()):
            for peer in list(held.peers.values()):
                peer.close("restarting")
        if not await self._settled_within(timeout_s):
            log.warning("stopped with commits under way", sessions=self.committer.in_flight)
        self.timers.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.store.end()

    async def _settled_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.settled()
        except TimeoutError:
            return False
        return True

    async def settled(self) -> None:
        """Return when no commit, claim or attach is under way (a driven clock may then go on)."""
        while True:
            under_way = {*self.decider.tasks, *self.talks.tasks, *self._attaching.values()}
            if under_way:
                await asyncio.wait(under_way)
            elif self.committer.busy:
                await self.committer.idle()
            else:
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.store.beat()

    async def _sweep(self) -> None:
        """Let go of sessions without open pages; keep those with one alive in the store."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.clock.now()
            for held in list(self.held.values()):
                if held.peers:
                    if now - held.refreshed > TOUCH_MS:
                        self.committer.mark(held)
                elif now - held.idle_since > IDLE_MS and not (held.dirty or held.in_flight or held.deciding):
                    self._drop(held)

    def _drop(self, held: Held) -> None:
        self.timers.forget(held)
        if self.held.get(held.session.sid) is held:
            del self.held[held.session.sid]

    # --- a page opens --------------------------------------------------------------------------------------

    async def hello(self, peer: Peer, hello: wire.Hello) -> Held:
        """Attach the page's session and welcome the page, once all that it would learn is stored.

        Raises Refused: bad_version, bad_token, elsewhere, unavailable, page_forgotten.
        """
        if hello.version != wire.VERSION:
            raise Refused("bad_version", f"Version {hello.version} was asked for; {wire.VERSION} is spoken.")
        site = peer.site
        sid = signing.open_session(self.secret, site.id, hello.token) if hello.token else self.new_id()
        vid = signing.open_visitor(self.secret, site.id, hello.visitor) if hello.visitor else self.new_id()
        held = await self._hold(sid, vid, site, hello.page, hello.previous or "")
        self._open_page(held, peer, hello)
        welcome = partial(self._welcome, held, peer)
        if held.dirty or held.in_flight or held.lost:
            self.committer.mark(held, welcome)
        else:
            welcome()
        return held

    def _open_page(self, held: Held, peer: Peer, hello: wire.Hello) -> None:
        session = held.session
        try:
            admit(session, hello.page)
        except Refused:
            self.store.page_closed(session.sid, hello.page)
            raise
        if hello.language and not session.language:
            session.language = hello.language
        if held.peers:
            self.store.page_opened(session.sid, hello.page)
        older = held.peers.get(hello.page)
        held.peers[hello.page] = peer
        if older is not None and older is not peer:
            older.close("fenced")
        self.timers.plan(held)

    def _welcome(self, held: Held, peer: Peer) -> None:
        session = held.session
        if held.peers.get(peer.page) is not peer:
            return
        config = {
            "language": held.site.language,
            "currency": held.site.currency,
            "consent": held.site.consent,
            "talk": [session.talk, session.secret] if session.talk else None,
        }
        token = signing.sign_session(self.secret, session.site, session.sid)
        visitor = signing.sign_visitor(self.secret, session.site, session.visitor)
        marks = {page_id: page.mark for page_id, page in session.pages.items()}
        peer.send(wire.encode(wire.Welcome(token, visitor, marks, self.clock.now(), config)))
        self.decider.page_opened(held, peer)

    async def _hold(self, sid: str, vid: str, site: Site, page: str, previous: str) -> Held:
        """The session of this id, owned by this process for certain: open pages prove it, else the store is asked."""
        held = self.held.get(sid)
        if held is not None and held.peers and not expired(held.session, self.clock.now()):
            return held
        task = self._attaching.get(sid)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._attach(sid, vid, site, page, previous))
            self._attaching[sid] = task
            task.add_done_callback(lambda _: self._attaching.pop(sid, None))
        return await asyncio.shield(task)

    async def _attach(self, sid: str, vid: str, site: Site, page: str, previous: str) -> Held:
        known = self.held.get(sid)
        try:
            held_token = known.token if known is not None else ""
            answer = await self.store.attach(sid, page=page, previous=previous, held=held_token)
            if isinstance(answer, Fenced):
                assert known is not None
                self._fenced(known)
                known = None
                answer = await self.store.attach(sid, page=page, previous=previous)
        except LinkLost:
            raise Refused("unavailable") from None
        if isinstance(answer, Elsewhere):
            raise Refused("elsewhere")
        assert isinstance(answer, Mine)
        held = await self._take(answer, known, sid, vid, site)
        self.held[sid] = held
        self._fold_inbox(held, answer.inbox)
        self.decider.attached(held)
        return held

    async def _take(self, mine: Mine, known: Held | None, sid: str, vid: str, site: Site) -> Held:
        now = self.clock.now()
        key = keys.blob(sid, mine.token)
        if known is not None and not expired(known.session, now):
            known.token, known.key = mine.token, key
            self.committer.resume(known)
            return known
        session = self._restore(mine.blob, now)
        fresh = session is None
        if session is None:
            session = Session(sid, site.id, vid, site.currency, now, now)
        held = Held(session, site, mine.token, key)
        held.refreshed = now
        site.rules.adopt(session, now, held.due)
        if fresh:
            try:
                session.visits = await self.visitors.visit(site.id, vid, f"{sid}.{now}", now)
            except (RedisError, OSError):
                raise Refused("unavailable") from None
        return held

    def _restore(self, blob: bytes, now: int) -> Session | None:
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

    # --- events --------------------------------------------------------------------------------------------

    def batch(self, held: Held, peer: Peer, batch: wire.Batch) -> int:
        """Fold what is new of a batch and decide on it; returns for how many of its events an ack is still to come.

        Raises Refused("page_forgotten").
        """
        session = held.session
        page_id = batch.page
        page = session.pages.get(page_id) or admit(session, page_id)
        events = batch.events
        skip, gap = continues(page, batch.first, len(events))
        if gap:
            peer.send(wire.encode(wire.Gap(page_id, page.mark + 1)))
            return 0
        if skip == len(events) and not (held.dirty or held.in_flight or held.lost):
            peer.send(wire.encode(wire.Ack(page_id, page.mark)))
            return 0
        now = self.clock.now()
        mask = self._fold(held, page_id, events[skip:] if skip else events, now)
        held.owed.append((peer, page_id, page.mark))
        self.committer.mark(held)
        self._decide(held, mask, now)
        return len(events)

    def _fold(self, held: Held, page_id: str, events: list[Any], now: int) -> int:
        session = held.session
        mask = 0
        for event in events:
            kind = fold(session, page_id, event, now)
            mask |= 1 << kind
            if kind >= 30:
                self.decider.feedback(held, event, now)
        self.events += len(events)
        return mask

    def _decide(self, held: Held, mask: int, now: int) -> None:
        fired = held.site.rules.edges(held.session, mask, now, held.due)
        if held.session.decision is not None:
            self.decider.recheck(held, now)
        if fired:
            self.decider.consider(held, fired, now)
        if held.session.talk:
            self.talks.context_changed(held, mask, now)
        self.timers.plan(held)

    def _wake(self, held: Held, now: int) -> None:
        session = held.session
        before = session.truth
        fired = held.site.rules.wake(session, now, held.due)
        if session.truth != before:
            self.committer.mark(held)
        if held.deadline and held.deadline <= now:
            self.decider.deadline(held, now)
        if fired:
            self.decider.consider(held, fired, now)

    # --- last batches --------------------------------------------------------------------------------------

    async def farewell(self, body: bytes) -> None:
        """Store a page's last batch; the owner folds it, here at once. Raises Refused."""
        last = wire.decode_farewell(body)
        if last.site not in self.sites:
            raise Refused("unknown_site")
        sid = signing.open_session(self.secret, last.site, last.token)
        try:
            await self.store.leave_batch(sid, body)
            held = self.held.get(sid)
            if held is not None:
                self._fold_inbox(held, await self.store.inbox(sid))
        except LinkLost:
            raise Refused("unavailable") from None

    def _fold_inbox(self, held: Held, inbox: tuple[bytes, ...]) -> None:
        if not inbox:
            return
        now = self.clock.now()
        mask = 0
        for body in inbox:
            try:
                batch = wire.decode_farewell(body).batch
                page = admit(held.session, batch.page)
            except Refused:
                continue
            skip, gap = continues(page, batch.first, len(batch.events))
            if not gap:
                mask |= self._fold(held, batch.page, batch.events[skip:], now)
        self.committer.mark(held, partial(self.store.folded, held.session.sid, len(inbox)))
        if mask:
            self._decide(held, mask, now)

    def ordered(self, sid: str, state: str) -> None:
        """The shop's backend reported an order of this session: nothing proactive stands in its way any more."""
        held = self.held.get(sid)
        if held is not None and state in ("placed", "paid"):
            now = self.clock.now()
            held.session.payment_since, held.session.purchased_at = 0, now
            self.committer.mark(held)
            self.decider.recheck(held, now)

    # --- a page closes -------------------------------------------------------------------------------------

    def leave(self, held: Held, peer: Peer) -> None:
        """The page's socket is gone."""
        if held.peers.get(peer.page) is not peer:
            return
        del held.peers[peer.page]
        now = self.clock.now()
        self.store.page_closed(held.session.sid, peer.page)
        page = held.session.pages.get(peer.page)
        if page is not None and page.state:
            hide(held.session, peer.page, now)
            self.committer.mark(held)
        if held.peers:
            held.site.rules.edges(held.session, 1 << 14, now, held.due)
            self.timers.plan(held)
        else:
            held.idle_since = now
            self.timers.forget(held)
        self.talks.page_closed(held, peer)

    # --- doubt ---------------------------------------------------------------------------------------------

    def _doubt(self, held: Held) -> None:
        """A commit was refused, or nobody knows what became of it: attach again before anything is written."""
        self._spawn(self._attach_again(held))

    async def _attach_again(self, held: Held) -> None:
        for _ in range(ATTACH_TRIES):
            try:
                answer = await self.store.attach(held.session.sid, held=held.token)
            except LinkLost:
                await asyncio.sleep(0.25)
                continue
            if isinstance(answer, Mine):
                held.token, held.key = answer.token, keys.blob(held.session.sid, answer.token)
                for page in held.peers:
                    self.store.page_opened(held.session.sid, page)
                self.committer.resume(held)
            else:
                self._fenced(held)
            return
        self._give_up(held, "unavailable")

    def _fenced(self, held: Held) -> None:
        self._give_up(held, "fenced")

    def _give_up(self, held: Held, name: str) -> None:
        """Emit nothing, forget what is here; the pages come back with what was not acked."""
        held.lost = True
        held.owed.clear()
        held.after.clear()
        self._drop(held)
        for peer in list(held.peers.values()):
            peer.close(name)
        held.peers.clear()
