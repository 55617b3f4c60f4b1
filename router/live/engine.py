"""The way of one event in this process: fold, decide, commit, and only then acknowledge.

The engine knows sessions, pages and rules; sockets are `Peer`s to it. What follows from a decision (claims,
invites, talks) lies in `Decider`, `Delivery` and `Talks`, which work beside the events and never hold up an ack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import structlog

from router.core import protocol as wire
from router.core import signing
from router.core.clean import clean
from router.core.decision import LATE_MS
from router.core.events import number
from router.core.facts import PROFILE
from router.core.fold import fold
from router.core.session import admit, continues, hide
from router.core.site import Site
from router.errors import Refused
from router.live.changeover import Changeover
from router.live.clock import Clock
from router.live.decider import Decider
from router.live.held import Held, Peer
from router.live.holdings import Holdings, Inbox
from router.live.talks import Talks
from router.live.timers import Timers
from router.store.behaviour import Behaviour
from router.store.link import LinkLost
from router.store.sessions import Sessions
from router.store.visitors import Visitors

log = structlog.get_logger()

ACKS_S: Final = 1.0
DWELL: Final = 1 << number("dwell")


class Engine:
    """What happens to the sessions that this process holds."""

    def __init__(
        self,
        sites: dict[str, Site],
        store: Sessions,
        visitors: Visitors,
        clock: Clock,
        secret: bytes,
        new_id: Callable[[], str],
        decider: Decider,
        talks: Talks,
        behaviour: Behaviour,
    ) -> None:
        self.sites = sites
        self.store = store
        self.clock = clock
        self.secret = secret
        self.new_id = new_id
        self.holdings = Holdings(store, visitors, clock, self._taken, self._given_up, decider.delivery.kept)
        self.committer = self.holdings.committer
        self.timers = Timers(clock, self._wake)
        self.decider = decider
        self.delivery = decider.delivery
        self.talks = talks
        self.behaviour = behaviour
        self.events = 0
        self._beside: list[asyncio.Task[None]] = []
        self.delivery.bind(self.committer, self.timers)
        talks.bind(self.committer)
        self.changeover = Changeover(sites, clock, self.holdings, self.timers, decider)

    # --- life of the process -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to beat, so that other processes know this one lives."""
        self._beside = [
            asyncio.create_task(self.holdings.beat()),
            asyncio.create_task(self.holdings.sweep()),
        ]

    async def stop(self, *, timeout_s: float = 5.0) -> None:
        """Close every socket with `restarting` once its acks are out, store what is left, give the sessions free."""
        await self._settled_within(ACKS_S)
        for held in self.holdings.all():
            for peer in list(held.peers.values()):
                peer.close("restarting")
        if not await self._settled_within(timeout_s):
            log.warning("stopped with commits under way", sessions=self.committer.in_flight)
        self.timers.stop()
        under_way = [*self._beside, *self.holdings.tasks]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
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
            under_way = {*self.delivery.tasks, *self.talks.tasks, *self.holdings.tasks}
            if under_way:
                await asyncio.wait(under_way)
            elif self.committer.busy:
                await self.committer.idle()
            else:
                return

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
        held = await self.holdings.take(sid, vid, site, hello.page, hello.previous or "")
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

    def _taken(self, held: Held, inbox: Inbox) -> None:
        self._fold_inbox(held, inbox)
        self.delivery.attached(held)

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
        self._decide(held, page_id, mask, now)
        return len(events)

    def _fold(self, held: Held, page_id: str, events: list[Any], now: int) -> int:
        session = held.session
        mask = 0
        for event in events:
            kind = fold(session, page_id, event, now)
            mask |= 1 << kind
            if kind >= 30:
                self.delivery.feedback(held, event, now)
        page, is_open = session.pages[page_id], page_id in held.peers
        if not is_open:  # what a page without a socket said of being seen
            hide(session, page_id, page.last)
        self.events += len(events)
        self.behaviour.add(session, page_id, page.mark, now, is_open, events)
        return mask

    def _decide(self, held: Held, page_id: str, mask: int, now: int) -> None:
        fired = held.site.rules.edges(held.session, mask, now, held.due)
        if held.session.decision is not None:
            self.delivery.recheck(held, page_id, now)
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
            self.delivery.deadline(held, now)
        if fired:
            late = [rule for rule in fired if rule.test(session, now - LATE_MS)]
            self.decider.too_late(held, late)
            fired = [rule for rule in fired if rule not in late]
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
            for event in last.batch.events:
                clean(event)
            await self.store.leave_batch(sid, _entry(self.clock.now(), wire.encode(last)))
            if not await self._fold_farewells(sid):
                await self.talks.desk.farewell(last.site, sid)
        except LinkLost:
            raise Refused("unavailable") from None

    def farewell_elsewhere(self, sid: str) -> None:
        """Another process took a last batch in; if the session is held here, fold it."""
        if self.holdings.get(sid) is not None:
            self.holdings.spawn(self._fold_farewells(sid))

    async def _fold_farewells(self, sid: str) -> bool:
        """Fold what lies in the inbox, if this process holds the session. Raises LinkLost."""
        if self.holdings.get(sid) is None:
            return False
        inbox = await self.store.inbox(sid)
        held = self.holdings.get(sid)
        if held is None:
            return False
        self._fold_inbox(held, inbox)
        return True

    def _fold_inbox(self, held: Held, inbox: Inbox) -> None:
        for entry in inbox:
            received, body = _opened(entry)
            try:
                batch = wire.decode_farewell(body).batch
                page = admit(held.session, batch.page)
            except Refused:
                continue
            skip, gap = continues(page, batch.first, len(batch.events))
            if not gap and skip < len(batch.events):
                mask = self._fold(held, batch.page, batch.events[skip:], received)
                self._decide(held, batch.page, mask, self.clock.now())
        if inbox:
            self.committer.mark(held, partial(self.store.folded, held.session.sid, inbox))

    def ordered(self, sid: str, state: str) -> None:
        """The shop's backend reported an order of this session: nothing proactive stands in its way any more."""
        held = self.holdings.get(sid)
        if held is not None and state in ("placed", "paid"):
            now = self.clock.now()
            held.session.payment_since, held.session.purchased_at = 0, now
            self.committer.mark(held)
            self.delivery.recheck(held, "", now)

    def visitor_told(self, site: str, vid: str) -> None:
        """The shop's backend said something of a visitor, here or at another process: rules may read it."""
        for held in self.holdings.of_visitor(site, vid):
            self.holdings.spawn(self._profile_changed(held))

    async def _profile_changed(self, held: Held) -> None:
        profile = await self.holdings.visitors.profile(held.site.id, held.session.visitor)
        if profile != held.session.profile:
            held.session.profile = profile
            self.committer.mark(held)
            self._decide(held, "", 1 << PROFILE, self.clock.now())

    # --- a page closes -------------------------------------------------------------------------------------

    def leave(self, held: Held, peer: Peer) -> None:
        """The page's socket is gone."""
        self.talks.unwatch(peer)
        if held.peers.get(peer.page) is not peer:
            return
        del held.peers[peer.page]
        held.tried.discard(peer.page)
        session, now = held.session, self.clock.now()
        session.newest = max(session.newest, now)
        self.store.page_closed(session.sid, peer.page)
        self.behaviour.add(session, peer.page, 0, now, False, ())
        page = session.pages.get(peer.page)
        if page is not None and page.state:
            hide(session, peer.page, now)
        self.committer.mark(held)
        if held.peers:
            self._decide(held, "", DWELL, now)
        else:
            held.idle_since = now
            self.timers.forget(held)
            self.talks.gone(held)

    def _given_up(self, held: Held, name: str) -> None:
        """The session is another's: nobody here hears of it any more, and its pages come back elsewhere."""
        peers = list(held.peers.values())
        held.peers.clear()
        for peer in peers:
            self.talks.unwatch(peer)
            peer.close(name)
        self.talks.forget(held)


def _entry(received: int, body: bytes) -> bytes:
    """A last batch as it waits in the inbox: when it came, and what came."""
    return received.to_bytes(8, "big") + body


def _opened(entry: bytes) -> tuple[int, bytes]:
    return int.from_bytes(entry[:8], "big"), entry[8:]
