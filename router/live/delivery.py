"""An open decision and the shopper's pages: sent once it is stored, drawn once, drawn again, taken away, ended.

It goes to the page that was looked at last, to the next one if that does not draw it within 3 s, is checked again
before every send, and ends exactly once: accepted, dismissed, copied, unanswered, lapsed, retracted, deferred, late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from router.core import protocol as wire
from router.core.decision import LATE_MS, SHOWN_WITHIN_MS, deadline, must_go, rest_after
from router.core.events import HIDDEN, Accepted, Copied, Deferred, Dismissed, Event, Shown
from router.core.session import Decision
from router.errors import Refused
from router.live.claims import Claims
from router.live.clock import Clock
from router.live.commit import Committer
from router.live.held import Held, Peer
from router.live.talks import Talks
from router.live.timers import Timers
from router.store.journal import Journal

log = structlog.get_logger()

QUIET_ENDS: Final = (
    "copied",
    "deferred",
)  # the page itself knows; no other has drawn it, or it may stay there


class Delivery:
    """Open decisions of this process's sessions. `tasks`: what is being settled with the store."""

    def __init__(
        self, clock: Clock, claims: Claims, talks: Talks, journal: Journal, new_id: Callable[[], str]
    ) -> None:
        self.clock = clock
        self.claims = claims
        self.talks = talks
        self.journal = journal
        self.new_id = new_id
        self.tasks: set[asyncio.Task[None]] = set()
        self._committer: Committer
        self._timers: Timers

    def bind(self, committer: Committer, timers: Timers) -> None:
        """The engine's own parts, which exist only after this."""
        self._committer = committer
        self._timers = timers

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Settle something with the store beside; what fails ends by itself, and is told."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, (RedisError, OSError, Refused)):
            log.warning("a claim was not settled; it ends by itself", error=str(error))
        else:
            log.error("a decision failed", error=repr(error), exc_info=error)

    def changed(self, held: Held) -> None:
        """The session changed beside any event."""
        self._committer.mark(held)

    def made(self, held: Held, decision: Decision) -> None:
        """The session has a decision: it is sent as soon as it is stored."""
        held.session.decision = decision
        held.tried.clear()
        self._committer.mark(held, partial(self._deliver, held, decision.id))
        self._plan(held)

    # --- showing -------------------------------------------------------------------------------------------

    def _deliver(self, held: Held, did: str) -> None:
        """The decision is stored: send it to the page that is looked at, unless it was sent."""
        if not held.tried:
            self._deliver_next(held, did)

    def _deliver_next(self, held: Held, did: str) -> None:
        """Send the decision to the visible page that comes next, if it still holds."""
        decision, now = held.session.decision, self.clock.now()
        if decision is None or decision.id != did or decision.state != "claimed":
            return
        if now >= decision.valid_until:
            self._end(held, decision, "lapsed", now)
            return
        if not self._in_scope(held, decision, now):
            self._end(held, decision, "retracted", now, reason="scope")
            return
        peer = self._visible_peer(held, other_than=held.tried)
        if peer is not None:
            held.tried.add(peer.page)
            self._show(held, decision, peer, now, again=False)
        self._plan(held)

    def _show(self, held: Held, decision: Decision, peer: Peer, now: int, *, again: bool) -> None:
        left = max(0, deadline(decision) - now)
        peer.send(wire.encode(wire.Show(decision.id, decision.kind, decision.content, left, again)))
        if not again:
            sent = {
                "did": decision.id,
                "site": held.site.id,
                "sid": held.session.sid,
                "ms": now - decision.made_at,
            }
            self.journal.add("sent", sent | {"at": now})

    def _in_scope(self, held: Held, decision: Decision, now: int) -> bool:
        if must_go(held.session, now):
            return False
        rule = held.site.rules.find(decision.rule)
        return rule is not None and rule.test(held.session, now)

    def _visible_peer(self, held: Held, other_than: set[str]) -> Peer | None:
        """The open page that was looked at last and is visible now; another one if that page did not draw it."""
        pages = held.session.pages
        visible = [page for page in held.peers if page in pages and pages[page].state != HIDDEN]
        visible.sort(key=lambda page: (page == held.session.current, pages[page].since), reverse=True)
        return next((held.peers[page] for page in visible if page not in other_than), None)

    def _redraw(self, held: Held, did: str, page: str) -> None:
        """The next page of the shop has said what it is: an open decision is drawn again there without a fuss."""
        decision, peer = held.session.decision, held.peers.get(page)
        if decision is not None and decision.id == did and decision.state == "shown" and peer is not None:
            self._show(held, decision, peer, self.clock.now(), again=True)

    def kept(self, held: Held) -> None:
        """Called now and then for a session with open pages: an acceptance that the store was away for is repeated."""
        decision = held.session.decision
        if decision is not None and decision.state == "accepted" and not (held.dirty or held.in_flight):
            self.talks.open(held, decision)

    def attached(self, held: Held) -> None:
        """The session came from the store: what its decision still owes is done (again)."""
        decision, now = held.session.decision, self.clock.now()
        if decision is None:
            return
        if decision.state == "accepted":
            self._committer.mark(held, partial(self.talks.open, held, decision))
        elif now - deadline(decision) > LATE_MS:
            self._end(held, decision, "late", now)
        elif decision.state == "shown":
            self.spawn(self.claims.confirm(held, decision))
        self._plan(held)

    # --- what the page says --------------------------------------------------------------------------------

    def feedback(self, held: Held, event: Event, now: int) -> None:
        """An event about a decision was folded."""
        decision = held.session.decision
        if isinstance(event, Accepted):
            self._accepted(held, event.decision, now)
            return
        if decision is None or decision.id != getattr(event, "decision", None):
            return  # it ended before this came: nothing is owed any more
        match event:
            case Shown():
                self._shown(held, decision, now)
            case Dismissed():
                self._dismissed(held, decision, event.never, now)
            case Copied():
                self._end(held, decision, "copied", now)
            case Deferred():
                self._deferred(held, decision, event.reason, now)

    def _deferred(self, held: Held, decision: Decision, reason: str, now: int) -> None:
        """This page cannot draw it; another visible one may, or has."""
        if decision.state == "shown":
            return
        if self._visible_peer(held, other_than=held.tried) is not None:
            self._deliver_next(held, decision.id)
        else:
            self._end(held, decision, "deferred", now, reason=reason)

    def _shown(self, held: Held, decision: Decision, now: int) -> None:
        if decision.exposures > 1:
            return  # drawn again on another page
        self.journal.add("shown", {"did": decision.id, "sid": held.session.sid, "at": now})
        self._committer.mark(held, lambda: self.spawn(self.claims.confirm(held, decision)))
        self._plan(held)

    def _accepted(self, held: Held, did: str, now: int) -> None:
        """Yes to an invite, also to one that had lapsed: then it is a conversation that the shopper began."""
        session = held.session
        decision = session.decision if session.decision and session.decision.id == did else session.past
        if decision is None or decision.id != did or decision.kind != "invite" or session.talk:
            return
        if session.decision is not None and session.decision is not decision:
            self._end(held, session.decision, "retracted", now, reason="answered")
        decision.state = "accepted"
        session.decision, session.past = decision, None
        session.secret = session.secret or self.new_id()
        held.deadline = 0
        self._record_end(held, decision, "accepted", now)
        self._retract(held, decision, "answered")
        self._committer.mark(held, partial(self.talks.open, held, decision))

    def _dismissed(self, held: Held, decision: Decision, never: bool, now: int) -> None:
        session = held.session
        session.dismissed += 1
        rest_ms = rest_after(session.dismissed, never, held.site.rules.defaults.caps.rest_after_dismissal_ms)
        session.quiet_until = max(session.quiet_until, now + rest_ms)
        self._end(held, decision, "dismissed", now)
        self._committer.mark(
            held, lambda: self.spawn(self.claims.dismissed(held, decision.id, never=never, rest_ms=rest_ms))
        )

    # --- ends ----------------------------------------------------------------------------------------------

    def recheck(self, held: Held, page: str, now: int) -> None:
        """Something happened on `page` while a decision is open: payment or a purchase takes it away at once; a page
        that became visible gets it, or gets it again. Anything is sent only once what happened is stored.
        """
        decision = held.session.decision
        if decision is None or decision.state == "accepted":
            return
        reason = must_go(held.session, now)
        if reason is not None:
            self._end(held, decision, "retracted", now, reason=reason)
        elif decision.state == "claimed" and not held.tried:
            self._committer.mark(held, partial(self._deliver, held, decision.id))
        elif decision.state == "shown" and page in held.peers and page not in held.tried:
            held.tried.add(page)
            self._committer.mark(held, partial(self._redraw, held, decision.id, page))

    def stop(self, held: Held, now: int) -> None:
        """The kill switch: an open decision is taken away; an answer that was given stays."""
        decision = held.session.decision
        if decision is not None and decision.state != "accepted":
            self._end(held, decision, "retracted", now, reason="killed")

    def deadline(self, held: Held, now: int) -> None:
        """The decision's own moment has come: nobody drew it, or nobody answered."""
        decision = held.session.decision
        held.deadline = 0
        if decision is None or decision.state == "accepted":
            return
        if now >= deadline(decision):
            self._end(held, decision, "unanswered" if decision.state == "shown" else "lapsed", now)
        elif decision.state == "claimed":
            self._deliver_next(held, decision.id)
        else:
            self._plan(held)

    def _plan(self, held: Held) -> None:
        """The next moment at which the open decision has to be looked at."""
        decision = held.session.decision
        if decision is None or decision.state == "accepted":
            held.deadline = 0
            return
        end = deadline(decision)
        waiting_for_shown = decision.state == "claimed" and bool(held.tried)
        held.deadline = min(end, self.clock.now() + SHOWN_WITHIN_MS) if waiting_for_shown else end
        self._timers.plan(held)

    def _end(self, held: Held, decision: Decision, how: str, now: int, *, reason: str = "") -> None:
        session = held.session
        session.decision = None
        session.past = decision if decision.kind == "invite" else None
        held.deadline = 0
        held.tried.clear()
        self._record_end(held, decision, how, now, reason=reason)
        if how not in QUIET_ENDS:
            self._retract(held, decision, "answered" if how == "dismissed" else reason or how)
        shown = decision.state == "shown"
        self._committer.mark(held)
        self.spawn(self.claims.ended(held, decision, shown=shown))

    def _retract(self, held: Held, decision: Decision, reason: str) -> None:
        frame = wire.encode(wire.Retract(decision.id, reason))
        for peer in held.peers.values():
            peer.send(frame)

    def _record_end(self, held: Held, decision: Decision, how: str, now: int, *, reason: str = "") -> None:
        entry = {
            "did": decision.id,
            "site": held.site.id,
            "sid": held.session.sid,
            "rule": decision.rule,
            "end": how,
        }
        self.journal.add("end", entry | {"at": now, "reason": reason})
