"""The pure part of deciding: what stands in the way, who is held out, and how a decision ends.

The order is: condition, suppression, caps, priority, capacity, holdout, reservation, commit. Conditions lie in
`core.rules`, capacity and reservations in the store; this is the rest.
"""

from __future__ import annotations

import hashlib
from typing import Final

from router.core.rules.model import Action, Caps, Invite
from router.core.session import PAYMENT_MS, Decision, Session, visible_clock

OPEN_MS: Final = 120_000
SHOWN_WITHIN_MS: Final = 3_000
LATE_MS: Final = 5_000
BOUGHT_MS: Final = 24 * 3_600_000

REST_MS: Final = 24 * 3_600_000
LONG_REST_MS: Final = 30 * 24 * 3_600_000
ALWAYS_MS: Final = 4_102_444_800_000  # the year 2100: nobody rests longer


def draw(who: str, what: str) -> float:
    """A number from 0 to 1 that is always the same for this visitor and rule: raising a share only adds people."""
    digest = hashlib.blake2b(f"{who}\0{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def varied(action: Action, visitor: str, rule: str) -> Action:
    """The action with the one of its texts that this visitor reads: always the same, each as often as the others."""
    if not isinstance(action, Invite) or not action.others:
        return action
    texts = (action.message, *action.others)
    return Invite(action.queue, action.skills, texts[int(draw(visitor, "variant " + rule) * len(texts))])


def suppressed(session: Session, now: int) -> str | None:
    """Why nothing proactive may happen now: payment, talking, bought, busy (a decision is open) or resting."""
    if session.payment_since and now - session.payment_since < PAYMENT_MS:
        return "payment"
    if session.talk:
        return "talking"
    if session.purchased_at and now - session.purchased_at < BOUGHT_MS:
        return "bought"
    if session.quiet_until > now:
        return "resting"
    if session.decision is not None:
        return "busy"
    return None


def capped(session: Session, rule: str, own: Caps, common: Caps, now: int) -> str | None:
    """Why this session may be shown nothing more, or nothing yet: the rule's own caps and those of all rules."""
    if common.per_session is not None and sum(session.shown.values()) >= common.per_session:
        return "per_session"
    if own.per_session is not None and session.shown.get(rule, 0) >= own.per_session:
        return "per_session"
    return "not_before" if not_before_left(session, own, common, now) else None


def not_before_left(session: Session, own: Caps, common: Caps, now: int) -> int:
    """Visible milliseconds that are still missing before anything may be shown; 0 if none are."""
    return max(0, own.not_before_ms - (seen := visible_clock(session, now)), common.not_before_ms - seen)


def rest_after(dismissals: int, never: bool, rest_ms: int) -> int:
    """How long nothing is shown after a dismissal: the caps' rest, 30 days from the second on, or always."""
    if never:
        return ALWAYS_MS
    return rest_ms if dismissals < 2 else LONG_REST_MS


def must_go(session: Session, now: int) -> str | None:
    """Why an open decision has to be taken away at once, whatever its rule says: payment or bought."""
    reason = suppressed(session, now)
    return reason if reason in ("payment", "bought") else None


def deadline(decision: Decision) -> int:
    """The moment at which the decision ends by itself: lapsed if never shown, unanswered if shown."""
    if decision.state != "shown":
        return decision.valid_until
    expires: int = decision.content.get("expires_at_ms", 0)
    return expires or decision.shown_at + OPEN_MS
