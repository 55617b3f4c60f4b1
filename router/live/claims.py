"""What a decision has to get hold of before it may be made: the visitor's cap, a slot, a code.

Each claim is one script, idempotent by the decision's id, and ends by itself if nobody confirms it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router.core.decision import OPEN_MS, varied
from router.core.offers import RANDOM_BYTES, new_code
from router.core.rules.compile import Rule
from router.core.rules.model import Action, Available, GiveOffer, Invite
from router.core.session import Decision
from router.live.clock import Clock
from router.live.desk import Desk
from router.live.held import Held
from router.store.offers import Offers
from router.store.visitors import Visitors

Claimed = tuple[Action, dict[str, Any]]


class Claims:
    """Claims on behalf of sessions."""

    def __init__(
        self,
        clock: Clock,
        visitors: Visitors,
        offers: Offers,
        desk: Desk,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._clock = clock
        self._visitors = visitors
        self._offers = offers
        self._desk = desk
        self._random_bytes = random_bytes

    async def cap(self, held: Held, rule: Rule, did: str, now: int, *, held_out: bool = False) -> bool:
        """Whether the visitor's caps allow one more; a held-out decision is spent at once."""
        return await self._visitors.claim_cap(
            held.site.id,
            held.session.visitor,
            did,
            rule.id,
            rule_cap=rule.caps.per_visitor,
            all_cap=held.site.rules.defaults.caps.per_visitor,
            now=now,
            held_out=held_out,
        )

    async def release_cap(self, held: Held, rule: Rule, did: str) -> None:
        """Nothing will be shown after all."""
        await self._visitors.release(held.site.id, held.session.visitor, did, rule.id)

    async def first(self, held: Held, rule: Rule, did: str, now: int) -> Claimed | None:
        """The first action of the rule that capacity and budget allow, claimed, with its content in the shopper's
        language.
        """
        language = held.session.language or held.site.language
        for one in rule.then:
            action = varied(one, held.session.visitor, rule.id)
            extra = await self._claim(held, action, did, now, rule.valid_ms)
            if extra is not None:
                return action, held.site.content(action, language) | extra
        return None

    async def _claim(
        self, held: Held, action: Action, did: str, now: int, valid_ms: int
    ) -> dict[str, Any] | None:
        site = held.site
        if isinstance(action, Invite):
            ends = now + valid_ms + OPEN_MS  # it may be drawn late, and is then open for a while
            held_slot = await self._desk.hold(
                site.id, did, action.queue, action.skills, ends, held.session.sid, held.session.visitor
            )  # fmt: skip
            return {} if held_slot else None
        if isinstance(action, GiveOffer):
            offer = site.offers[action.offer]
            code = await self._offers.reserve(
                site.id, did, action.offer, code=new_code(self._random_bytes(RANDOM_BYTES)), budget=offer.budget,
                percent=offer.percent, expires_in_ms=offer.expires_ms, visitor=held.session.visitor, now=now,
            )  # fmt: skip
            return None if code is None else {"code": code.code, "expires_at_ms": code.expires_at}
        return {}

    async def possible(self, held: Held, rule: Rule, now: int) -> Action | None:
        """The action that `first` would take, as far as can be seen without claiming anything."""
        site = held.site
        for action in rule.then:
            if isinstance(action, Invite):
                possible = self._desk.free(site.id).get(action.queue, 0) > 0
            elif isinstance(action, GiveOffer):
                spent = await self._offers.spent(site.id, action.offer, now)
                possible = spent < site.offers[action.offer].budget
            else:
                possible = True
            if possible:
                return action
        return None

    def closed(self, site: str, rule: Rule) -> bool:
        """Whether something that the rule wants available is not, by a view at most a second old."""
        return not all(self._available(site, gate) for gate in rule.gates)

    def _available(self, site: str, gate: Available) -> bool:
        if gate.of == "free":
            return self._desk.free(site).get(gate.queue, 0) >= gate.value
        wait_s = self._desk.wait_s(site, gate.queue)
        return wait_s is not None and wait_s * 1000 <= gate.value

    def may_act(self, site: str, rule: Rule) -> bool:
        """Whether an action of the rule seems possible, by a view at most a second old."""
        if self.closed(site, rule):
            return False
        free = self._desk.free(site)
        return any(not isinstance(action, Invite) or free.get(action.queue, 0) for action in rule.then)

    async def release(self, held: Held, did: str, kind: str) -> None:
        """Give back what an action claimed."""
        if kind == "invite":
            await self._desk.release(held.site.id, did)
        elif kind == "offer":
            await self._offers.release(held.site.id, did)

    async def confirm(self, held: Held, decision: Decision) -> None:
        """It was shown: the cap counts, the code is the shopper's. Harmless to repeat."""
        site, visitor = held.site.id, held.session.visitor
        await self._visitors.confirm(site, visitor, decision.id, decision.rule, decision.shown_at)
        if decision.kind == "offer":
            await self._offers.confirm(site, decision.id)

    async def dismissed(self, held: Held, did: str, *, never: bool, rest_ms: int) -> None:
        """The shopper said no: the visitor rests, in later sessions too."""
        now = self._clock.now()
        await self._visitors.dismissed(
            held.site.id, held.session.visitor, did, never=never, rest_ms=rest_ms, now=now
        )

    async def ended(self, held: Held, decision: Decision, *, shown: bool) -> None:
        """The decision is over: a slot is free again; what was never shown does not count."""
        if decision.kind == "invite":
            await self._desk.release(held.site.id, decision.id)
        if not shown:
            await self._visitors.release(held.site.id, held.session.visitor, decision.id, decision.rule)
            if decision.kind == "offer":
                await self._offers.release(held.site.id, decision.id)
