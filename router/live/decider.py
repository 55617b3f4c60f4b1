"""From a rule that became true to a decision: suppression, caps, capacity, holdout, claims.

Claims (a visitor's cap, a slot's hold, a code) are idempotent by the decision's id and expire by themselves, so a crash
here costs nothing for ever. What becomes of a decision lies in `Delivery`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from router.core.decision import capped, draw, not_before_left, suppressed
from router.core.rules.compile import Rule
from router.core.rules.model import Invite
from router.core.session import Decision
from router.errors import Refused
from router.live.claims import Claims
from router.live.clock import Clock
from router.live.delivery import Delivery
from router.live.held import Held
from router.store.journal import Journal

MAX_PATIENT: Final = 1000
RETRY_MS: Final = 500


class Decider:
    """Decides for sessions of this process; one decision a session at a time."""

    def __init__(
        self, clock: Clock, claims: Claims, delivery: Delivery, journal: Journal, new_id: Callable[[], str]
    ) -> None:
        self.clock = clock
        self.claims = claims
        self.delivery = delivery
        self.journal = journal
        self.new_id = new_id
        self._patient: dict[Held, dict[int, int]] = {}
        self._retrying = False

    # --- firing --------------------------------------------------------------------------------------------

    def consider(self, held: Held, fired: list[Rule], now: int) -> None:
        """These rules became true; highest priority first."""
        if held.deciding:
            held.fired.extend(fired)
            return
        held.deciding = True
        self.delivery.spawn(self._decide(held, fired))

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
        if self.claims.closed(held, rule):
            self._no_capacity(held, rule, now)
            return False
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
            self.delivery.spawn(self.claims.release_cap(held, rule, did))
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
        decision = Decision(
            did, rule.id, held.site.rules.version, action.kind, queue, skills, now, now + rule.valid_ms,
            session.current, session.cart.version, content, rule.why(session, now),
        )  # fmt: skip
        self._patient.pop(held, None)
        self._record(held, rule, "made", did=did, action=action.kind)
        self.delivery.made(held, decision)
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
        self.delivery.changed(held)
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
