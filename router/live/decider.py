"""From a rule that became true to something on the page: suppression, caps, capacity, holdout, claims, commit, show.

A decision is part of the session's committed state before it is sent, is checked again before every send, and ends
exactly once: accepted, dismissed, unanswered, lapsed, retracted, deferred. Claims (a visitor's cap, a slot's hold, a
code) are idempotent by the decision's id and expire by themselves, so a crash here costs nothing for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from router.core import protocol as wire
from router.core.decision import (
    LATE_MS,
    SHOWN_WITHIN_MS,
    capped,
    deadline,
    draw,
    must_go,
    not_before_left,
    rest_after,
    suppressed,
)
from router.core.events import HIDDEN, Accepted, Copied, Deferred, Dismissed, Event, Shown
from router.core.rules.compile import Rule
from router.core.rules.model import Invite
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

MAX_PATIENT: Final = 1000
RETRY_MS: Final = 500


class Decider:
    """Decides for sessions of this process; one decision a session at a time. `tasks`: the claims under way."""

    def __init__(
        self, clock: Clock, claims: Claims, talks: Talks, journal: Journal, new_id: Callable[[], str]
    ) -> None:
        self.clock = clock
        self.claims = claims
        self.talks = talks
        self.journal = journal
        self.new_id = new_id
        self.decided = 0
        self._committer: Committer
        self._timers: Timers
        self.tasks: set[asyncio.Task[None]] = set()
        self._patient: dict[Held, dict[int, int]] = {}
        self._retrying = False

    def bind(self, committer: Committer, timers: Timers) -> None:
        """The engine's own parts, which exist only after this."""
        self._committer = committer
        self._timers = timers

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
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

    # --- firing --------------------------------------------------------------------------------------------

    def consider(self, held: Held, fired: list[Rule], now: int) -> None:
        """These rules became true; highest priority first."""
        if held.deciding:
            held.fired.extend(fired)
            return
        held.deciding = True
        self._spawn(self._decide(held, fired))

    async def _decide(self, held: Held, rules: list[Rule]) -> None:
        try:
            while rules:
                for rule in sorted(rules, key=lambda rule: -rule.priority):
                    if await self._try(held, rule):
                        break
                rules, held.fired = held.fired, []
        finally:
            held.deciding = False

    async def _try(self, held: Held, rule: Rule) -> bool:
        """Whether this rule's turn ends the round: it made a decision, or it was held out."""
        session, now = held.session, self.clock.now()
        if rule.rollout < 1 and draw(session.visitor, "rollout " + rule.id) >= rule.rollout:
            return False
        common = held.site.rules.defaults.caps
        reason = suppressed(session, now) or capped(session, rule.id, rule.caps, common, now)
        if reason == "not_before":
            self._wait(held, rule, now + not_before_left(session, rule.caps, common, now))
            return False
        if reason is not None:
            self._record(held, rule, "suppressed", reason=reason)
            return False
        if rule.mode == "shadow":
            self._record(held, rule, "shadow")
            return False
        if held.site.rules.site_holdout and draw(session.visitor, "site") < held.site.rules.site_holdout:
            self._record(held, rule, "site_holdout")
            return True
        try:
            return await self._claim(held, rule, now)
        except (RedisError, OSError, Refused) as error:
            self._record(held, rule, "unavailable", reason=type(error).__name__)
            return False

    async def _claim(self, held: Held, rule: Rule, now: int) -> bool:
        session, did = held.session, self.new_id()
        if rule.holdout > 0 and draw(session.visitor, rule.id) < rule.holdout:
            return await self._hold_out(held, rule, did, now)
        if not await self.claims.cap(held, rule, did, now):
            self._record(held, rule, "capped")
            return False
        try:
            claimed = await self.claims.first(held, rule, did, now)
        except (RedisError, OSError, Refused):
            self._spawn(self.claims.release_cap(held, rule, did))
            raise
        if claimed is None:
            await self.claims.release_cap(held, rule, did)
            self._no_capacity(held, rule, now)
            return False
        action, content = claimed
        if self._moved_on(held, rule):
            await self.claims.release_cap(held, rule, did)
            await self.claims.release(held, did, action.kind)
            self._record(held, rule, "retracted", did=did, reason="moved_on")
            return False
        queue, skills = (action.queue, action.skills) if isinstance(action, Invite) else ("", ())
        session.decision = Decision(
            did, rule.id, held.site.rules.version, action.kind, queue, skills, now, now + rule.valid_ms,
            session.current, session.cart.version, content, rule.why(session, now),
        )  # fmt: skip
        self.decided += 1
        self._patient.pop(held, None)
        self._record(held, rule, "made", did=did, action=action.kind)
        self._committer.mark(held, partial(self._deliver, held, did))
        self._plan(held)
        return True

    async def _hold_out(self, held: Held, rule: Rule, did: str, now: int) -> bool:
        """Nothing is shown to who is held out, but all else is as it would have been: capacity first, then caps."""
        action = await self.claims.possible(held, rule, now)
        if action is None:
            self._no_capacity(held, rule, now)
            return False
        if not await self.claims.cap(held, rule, did, now, held_out=True):
            self._record(held, rule, "capped")
            return False
        held.session.shown[rule.id] = held.session.shown.get(rule.id, 0) + 1
        self._committer.mark(held)
        self._record(held, rule, "held_out", did=did, action=action.kind)
        return True

    def _no_capacity(self, held: Held, rule: Rule, now: int) -> None:
        if rule.index not in self._patient.get(held, ()):
            self._record(held, rule, "no_capacity")
        self._wait(held, rule, now)

    def too_late(self, held: Held, rules: list[Rule]) -> None:
        """They became true while nobody watched, too long ago: noted, not shown."""
        for rule in rules:
            self._record(held, rule, "late")

    def _moved_on(self, held: Held, rule: Rule) -> bool:
        """Whether the world changed while the claims were made."""
        now = self.clock.now()
        return suppressed(held.session, now) is not None or not rule.test(held.session, now) or not held.peers

    # --- gates that open later -----------------------------------------------------------------------------

    def _wait(self, held: Held, rule: Rule, since: int) -> None:
        """Capacity and `not_before` are gates: the rule stays armed for its patience, counted from `since`."""
        if not rule.patience_ms or (held not in self._patient and len(self._patient) >= MAX_PATIENT):
            return
        if not self._retrying:
            self._retrying = True
            self.clock.call_at(self.clock.now() + RETRY_MS, self._retry)
        self._patient.setdefault(held, {}).setdefault(rule.index, since + rule.patience_ms)

    def _retry(self) -> None:
        """A gate may have opened: the waiting rule of the highest priority goes first, then the largest cart."""
        now = self.clock.now()
        ready: list[tuple[int, float, Held, Rule]] = []
        for held, waiting in list(self._patient.items()):
            for index, until in list(waiting.items()):
                rule = held.site.rules.rules[index]
                if now > until or not held.peers or not rule.test(held.session, now):
                    del waiting[index]
                elif self._open(held, rule, now):
                    ready.append((-rule.priority, -(held.session.cart.value or 0), held, rule))
            if not waiting:
                del self._patient[held]
        for _, _, held, rule in sorted(ready, key=lambda entry: entry[:2]):
            self.consider(held, [rule], now)
        self._retrying = bool(self._patient)
        if self._retrying:
            self.clock.call_at(now + RETRY_MS, self._retry)

    def _open(self, held: Held, rule: Rule, now: int) -> bool:
        """Whether neither gate seems closed any more."""
        common = held.site.rules.defaults.caps
        if not_before_left(held.session, rule.caps, common, now):
            return False
        return self.claims.may_act(held, rule)

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
            self._spawn(self.claims.confirm(held, decision))
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
        self._committer.mark(held, lambda: self._spawn(self.claims.confirm(held, decision)))
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
            held, lambda: self._spawn(self.claims.dismissed(held, decision.id, never=never, rest_ms=rest_ms))
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
        if how not in ("copied", "deferred"):
            self._retract(held, decision, "answered" if how == "dismissed" else reason or how)
        shown = decision.state == "shown"
        self._committer.mark(held)
        self._spawn(self.claims.ended(held, decision, shown=shown))

    def _retract(self, held: Held, decision: Decision, reason: str) -> None:
        frame = wire.encode(wire.Retract(decision.id, reason))
        for peer in held.peers.values():
            peer.send(frame)

    # --- the record ----------------------------------------------------------------------------------------

    def _record(self, held: Held, rule: Rule, outcome: str, **more: object) -> None:
        entry = {
            "site": held.site.id,
            "sid": held.session.sid,
            "rule": rule.id,
            "version": held.site.rules.version,
            "outcome": outcome,
            "at": self.clock.now(),
        }
        self.journal.add("decision", entry | more)

    def _record_end(self, held: Held, decision: Decision, how: str, now: int, *, reason: str = "") -> None:
        entry = {
            "did": decision.id,
            "site": held.site.id,
            "sid": held.session.sid,
            "rule": decision.rule,
            "end": how,
        }
        self.journal.add("end", entry | {"at": now, "reason": reason})
