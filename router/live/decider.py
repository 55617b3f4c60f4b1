"""From a rule that became true to a decision: suppression, caps, capacity, holdout, claims.

Claims (a visitor's cap, a slot's hold, a code) are idempotent by the decision's id and expire by themselves, so a crash
here costs nothing for ever. What becomes of a decision lies in `Delivery`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import astuple
from redis.exceptions import RedisError

from router.core.decision import capped, draw, not_before_left, suppressed
from router.core.rules.compile import Rule
from router.core.rules.model import Action, Invite, Webhook
from router.core.session import TAGS, Decision
from router.errors import Refused
from router.live.claims import Claims
from router.live.clock import Clock
from router.live.delivery import Delivery
from router.live.held import Held
from router.live.webhooks import Webhooks
from router.store.journal import Journal

MAX_PATIENT: Final = 1000
RETRY_MS: Final = 500


@dataclass(slots=True)
class Turn:
    """One round of a session's rules: which were `passed` over (rule, why), and which stand `below` the one tried."""

    held: Held
    passed: list[tuple[str, str]] = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    @property
    def others(self) -> list[tuple[str, str]]:
        """What else was true at this moment, and why it lost."""
        return [*self.passed, *((rule, "priority") for rule in self.below)]


class Decider:
    """Decides for sessions of this process; one decision a session at a time. `killed`: sites where nothing proactive
    is decided.
    """

    def __init__(
        self,
        clock: Clock,
        claims: Claims,
        delivery: Delivery,
        journal: Journal,
        webhooks: Webhooks,
        new_id: Callable[[], str],
    ) -> None:
        self.killed: set[str] = set()
        self.clock = clock
        self.claims = claims
        self.delivery = delivery
        self.journal = journal
        self.webhooks = webhooks
        self.new_id = new_id
        self._patient: dict[Held, dict[str, int]] = {}
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
                await self._round(held, sorted(rules, key=lambda rule: -rule.priority))
                rules, held.fired = held.fired, []
        finally:
            held.deciding = False

    async def _round(self, held: Held, rules: list[Rule]) -> None:
        """One decision at most: each rule is tried in its turn, and it is kept why it was passed over."""
        turn = Turn(held)
        for place, rule in enumerate(rules):
            turn.below = [other.id for other in rules[place + 1 :]]
            if await self._try(turn, rule):
                return

    async def _try(self, turn: Turn, rule: Rule) -> bool:
        """Whether this rule's turn ends the round: it made a decision, or it was held out."""
        held = turn.held
        session, now = held.session, self.clock.now()
        if held.site.id in self.killed:
            turn.passed.append((rule.id, "killed"))
            return False
        if rule.rollout < 1 and draw(session.visitor, "rollout " + rule.id) >= rule.rollout:
            turn.passed.append((rule.id, "rollout"))
            return False
        common = held.site.rules.defaults.caps
        reason = suppressed(session, now) or capped(session, rule.id, rule.caps, common, now)
        if reason == "not_before":
            self._wait(held, rule, now + not_before_left(session, rule.caps, common, now))
            turn.passed.append((rule.id, reason))
            return False
        if reason is not None:
            self._pass(turn, rule, "suppressed", reason)
            return False
        if rule.mode == "shadow":
            self._pass(turn, rule, "shadow")
            return False
        if held.site.rules.site_holdout and draw(session.visitor, "site") < held.site.rules.site_holdout:
            return await self._site_holdout(turn, rule, now)
        if self.claims.closed(held.site.id, rule):
            self._no_capacity(turn, rule, now)
            return False
        try:
            return await self._claim(turn, rule, now)
        except (RedisError, OSError, Refused) as error:
            self._pass(turn, rule, "unavailable", type(error).__name__)
            return False

    async def _claim(self, turn: Turn, rule: Rule, now: int) -> bool:
        held, did = turn.held, self.new_id()
        session = held.session
        if rule.holdout > 0 and draw(session.visitor, rule.id) < rule.holdout:
            return await self._hold_out(turn, rule, did, now)
        if not await self.claims.cap(held, rule, did, now):
            self._pass(turn, rule, "capped")
            return False
        try:
            claimed = await self.claims.first(held, rule, did, now)
        except (RedisError, OSError, Refused):
            self.delivery.spawn(self.claims.release_cap(held, rule, did))
            raise
        if claimed is None:
            await self.claims.release_cap(held, rule, did)
            self._no_capacity(turn, rule, now)
            return False
        action, content = claimed
        if self._moved_on(held, rule):
            await self.claims.release_cap(held, rule, did)
            await self.claims.release(held, did, action.kind)
            self._pass(turn, rule, "retracted", "moved_on", did=did)
            return False
        self._make(turn, rule, did, action, content, now)
        return True

    def _make(
        self, turn: Turn, rule: Rule, did: str, action: Action, content: dict[str, Any], now: int
    ) -> None:
        """The decision stands: it is kept with why, what else there was, and what always follows."""
        held, invite = turn.held, action if isinstance(action, Invite) else None
        session = held.session
        decision = Decision(
            did, rule.id, held.site.rules.version, action.kind, invite.queue if invite else "",
            invite.skills if invite else (), now, now + rule.valid_ms, session.current, session.cart.version, content,
            rule.why(session, now), variant=invite.message if invite else "",
        )  # fmt: skip
        self._patient.pop(held, None)
        self._record(
            held, rule, "made", did=did, action=action.kind, variant=decision.variant,
            why=[list(astuple(reason)) for reason in decision.why], others=turn.others,
        )  # fmt: skip
        self._follow(held, rule, decision)
        self.delivery.made(held, decision)

    def _follow(self, held: Held, rule: Rule, decision: Decision) -> None:
        """What runs with every decision of the rule: tags, webhooks."""
        session = held.session
        for also in rule.also:
            if isinstance(also, Webhook):
                about = {
                    "decision": decision.id, "rule": rule.id, "version": decision.version, "action": decision.kind,
                    "session": session.sid, "visitor": session.visitor, "at": decision.made_at,
                    "why": [list(astuple(reason)) for reason in decision.why],
                }  # fmt: skip
                self.webhooks.call(held.site.id, also.name, held.site.webhooks[also.name], decision.id, about)
            elif also.name not in session.tags:
                session.tags = [*session.tags, also.name][-TAGS:]

    async def _hold_out(self, turn: Turn, rule: Rule, did: str, now: int) -> bool:
        """Nothing is shown to who is held out, but all else is as it would have been: capacity first, then caps."""
        held = turn.held
        action = await self.claims.possible(held, rule, now)
        if action is None:
            self._no_capacity(turn, rule, now)
            return False
        if not await self.claims.cap(held, rule, did, now, held_out=True):
            self._pass(turn, rule, "capped")
            return False
        held.session.shown[rule.id] = held.session.shown.get(rule.id, 0) + 1
        self.delivery.changed(held)
        self._record(held, rule, "held_out", did=did, action=action.kind, others=turn.others)
        return True

    async def _site_holdout(self, turn: Turn, rule: Rule, now: int) -> bool:
        """Nothing proactive at all: what would have been is kept, and nothing else happens."""
        action = await self.claims.possible(turn.held, rule, now)
        kind = "" if action is None else action.kind
        self._record(turn.held, rule, "site_holdout", did=self.new_id(), action=kind, others=turn.others)
        return True

    def _no_capacity(self, turn: Turn, rule: Rule, now: int) -> None:
        turn.passed.append((rule.id, "no_capacity"))
        if rule.id not in self._patient.get(turn.held, ()):
            self._record(turn.held, rule, "no_capacity")
        self._wait(turn.held, rule, now)

    def _pass(self, turn: Turn, rule: Rule, outcome: str, reason: str = "", **more: object) -> None:
        """The rule is passed over: kept by itself, and with the decision that comes instead."""
        turn.passed.append((rule.id, reason or outcome))
        self._record(turn.held, rule, outcome, **({"reason": reason} if reason else {}), **more)

    def too_late(self, held: Held, rules: list[Rule]) -> None:
        """They became true while nobody watched, too long ago: noted, not shown."""
        for rule in rules:
            self._record(held, rule, "late")

    def _moved_on(self, held: Held, rule: Rule) -> bool:
        """Whether the world changed while the claims were made."""
        now = self.clock.now()
        if held.site.id in self.killed or not held.peers:
            return True
        return suppressed(held.session, now) is not None or not rule.test(held.session, now)

    # --- gates that open later -----------------------------------------------------------------------------

    def _wait(self, held: Held, rule: Rule, since: int) -> None:
        """Capacity and `not_before` are gates: the rule stays armed for its patience, counted from `since`."""
        if not rule.patience_ms or (held not in self._patient and len(self._patient) >= MAX_PATIENT):
            return
        if not self._retrying:
            self._retrying = True
            self.clock.call_at(self.clock.now() + RETRY_MS, self._retry)
        self._patient.setdefault(held, {}).setdefault(rule.id, since + rule.patience_ms)

    def _retry(self) -> None:
        """A gate may have opened: the waiting rule of the highest priority goes first, then the largest cart."""
        now = self.clock.now()
        ready: list[tuple[int, float, Held, Rule]] = []
        for held, waiting in list(self._patient.items()):
            for name, until in list(waiting.items()):
                rule = held.site.rules.find(name)
                if rule is None or now > until or not held.peers or not rule.test(held.session, now):
                    del waiting[name]
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
        return self.claims.may_act(held.site.id, rule)

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
