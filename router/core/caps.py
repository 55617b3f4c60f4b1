"""How much of each cap is used, for explanations. What decides is in `core.decision` (the session's) and in the store's
script (the visitor's); this says the same in figures.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from router.core.rules.model import Caps
from router.core.session import Session

Times = tuple[tuple[str, int], ...]
"""Rules and moments (ms), in the order of the moments."""


class Standing(Struct, frozen=True):
    """What a visitor was shown, over all sessions; `claimed`: what is about to be shown, with the moment at which that
    ends. They want to be left alone until `quiet_until` (ms; 0: no).
    """

    shown: Times = ()
    claimed: Times = ()
    quiet_until: int = 0


class CapUse(Struct, frozen=True):
    """A cap that allows `most`, and how many are `used`: by the rule itself or by all rules, in this session or by the
    visitor within `window_ms`. `frees_at` (ms): when it allows one more; None if it does now, or not in this session.
    """

    scope: Literal["rule", "all"]
    per: Literal["session", "visitor"]
    used: int
    most: int
    window_ms: int | None = None
    frees_at: int | None = None

    @property
    def spent(self) -> bool:
        """Whether it allows no more at the moment."""
        return self.used >= self.most


def uses(
    session: Session, rule: str, own: Caps, common: Caps, standing: Standing | None, now: int
) -> tuple[CapUse, ...]:
    """Every cap that the rule has to pass. Those of the visitor only where it is known what they were shown."""
    found = []
    if own.per_session is not None:
        found.append(CapUse("rule", "session", session.shown.get(rule, 0), own.per_session))
    if common.per_session is not None:
        found.append(CapUse("all", "session", sum(session.shown.values()), common.per_session))
    if standing is not None:
        if own.per_visitor is not None:
            mine = [(name, at) for name, at in standing.shown if name == rule]
            claimed = [(name, until) for name, until in standing.claimed if name == rule]
            found.append(_of_visitor("rule", own.per_visitor, mine, claimed, now))
        if common.per_visitor is not None:
            found.append(_of_visitor("all", common.per_visitor, standing.shown, standing.claimed, now))
    return tuple(found)


def _of_visitor(
    scope: Literal["rule", "all"],
    cap: tuple[int, int],
    shown: Times | list[tuple[str, int]],
    claimed: Times | list[tuple[str, int]],
    now: int,
) -> CapUse:
    most, window_ms = cap
    ends = sorted(
        [at + window_ms for _, at in shown if at > now - window_ms]
        + [until for _, until in claimed if until > now]
    )
    frees_at = ends[len(ends) - most] if most and len(ends) >= most else None
    return CapUse(scope, "visitor", len(ends), most, window_ms, frees_at)
