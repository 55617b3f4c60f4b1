"""Why a rule is true or not, for one session at one moment: every condition with its value and its threshold, when it
would turn if nothing more happened, and what else stands in the way. The same predicates as live.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import Struct

from router.core.caps import CapUse, Standing, uses
from router.core.decision import capped, draw, not_before_left, suppressed
from router.core.reasons import Reason
from router.core.rules import predicates
from router.core.rules.compile import Rule, RuleSet
from router.core.rules.model import All, AnyOf, Available, Compare, Condition, Dates, Not, Open, Silence
from router.core.rules.predicate import Predicate
from router.core.rules.words import LANGUAGES, cap, sentence
from router.core.session import Session

Holds = Literal["true", "false", "unknown"]
NAMES: Final = {All: "all", AnyOf: "any", Not: "not"}


class Node(Struct, frozen=True):
    """One condition. `words` are of its reason, in both languages; `turns_at` (ms) is when it would turn if nothing
    more happened, None if it would not. `parts` are those of `all`, `any` and `not`.
    """

    what: str
    holds: Holds
    words: dict[str, str]
    value: Any = None
    threshold: Any = None
    unit: str = ""
    turns_at: int | None = None
    parts: tuple[Node, ...] = ()


class Draw(Struct, frozen=True):
    """Where the visitor stands in a share: in it if `drawn` is below `share`."""

    share: float
    drawn: float

    @property
    def inside(self) -> bool:
        """Whether the visitor belongs to the share."""
        return self.drawn < self.share


class Told(Struct, frozen=True):
    """A cap with how much of it is used, in words of both languages."""

    use: CapUse
    spent: bool
    words: dict[str, str]


class Explained(Struct, frozen=True):
    """A rule for a session. `obstacle` says what would keep it from acting now; "" if nothing in the session does.

    `remembered`: the session took it for true already, so it does not fire again before it was false. `true_at` (ms) is
    when it would become true if nothing more happened.
    """

    rule: str
    mode: str
    priority: int
    holds: bool
    remembered: bool
    condition: Node
    true_at: int | None
    obstacle: str
    not_before_ms: int
    shown: int
    holdout: Draw
    site_holdout: Draw
    rollout: Draw
    caps: tuple[Told, ...]


def explain(
    rules: RuleSet,
    session: Session,
    now: int,
    *,
    killed: bool = False,
    blocked: Callable[[Rule], bool] = lambda rule: False,
    standing: Standing | None = None,
) -> list[Explained]:
    """Every rule of the set, in the order of priority. `blocked`: does it lack an agent, or what it wants available?
    `standing`: what the visitor was shown over all sessions; None if that is not known.
    """
    pairs = zip(rules.rules, rules.entries, strict=True)
    ordered = sorted(pairs, key=lambda pair: -pair[0].priority)
    true = {rule.id for rule in rules.true(session)}
    return [
        _explained(rules, rule, entry.when, session, now, rule.id in true, killed, blocked(rule), standing)
        for rule, entry in ordered
    ]


def _explained(
    rules: RuleSet,
    rule: Rule,
    when: Condition,
    session: Session,
    now: int,
    remembered: bool,
    killed: bool,
    blocked: bool,
    standing: Standing | None,
) -> Explained:
    common = rules.defaults.caps
    caps = uses(session, rule.id, rule.caps, common, standing, now)
    resting = standing is not None and standing.quiet_until > now
    spent = (
        "resting"
        if resting
        else "per_visitor"
        if any(use.spent for use in caps if use.per == "visitor")
        else ""
    )
    holds = rule.test(session, now)
    who = session.visitor
    rollout = Draw(rule.rollout, draw(who, "rollout " + rule.id))
    site = Draw(rules.site_holdout, draw(who, "site"))
    own = Draw(rule.holdout, draw(who, rule.id))
    return Explained(
        rule=rule.id,
        mode=rule.mode,
        priority=rule.priority,
        holds=holds,
        remembered=remembered,
        condition=node(when, session, now),
        true_at=None if holds else _true_at(rule, session, now),
        obstacle=_obstacle(rules, rule, session, now, killed, blocked, spent, rollout, site, own),
        not_before_ms=not_before_left(session, rule.caps, common, now),
        shown=session.shown.get(rule.id, 0),
        holdout=own,
        site_holdout=site,
        rollout=rollout,
        caps=tuple(
            Told(use, use.spent, {language: cap(use, now, language) for language in LANGUAGES})
            for use in caps
        ),
    )


def _true_at(rule: Rule, session: Session, now: int) -> int | None:
    """Walk from one possible turn to the next; a condition of many clocks turns a few times at most."""
    moment: int | None = now
    for _ in range(64):
        moment = rule.change(session, moment) if moment is not None else None
        if moment is None or rule.test(session, moment):
            return moment
    return None


def _obstacle(
    rules: RuleSet,
    rule: Rule,
    session: Session,
    now: int,
    killed: bool,
    blocked: bool,
    spent: str,
    rollout: Draw,
    site: Draw,
    own: Draw,
) -> str:
    """What keeps it from acting, in the order of a decision. `spent`: why the visitor may be shown nothing more."""
    if rule.mode == "off":
        return "off"
    if killed:
        return "killed"
    if rule.rollout < 1 and not rollout.inside:
        return "rollout"
    stopped = suppressed(session, now) or capped(session, rule.id, rule.caps, rules.defaults.caps, now)
    if stopped is not None:
        return stopped
    if rule.mode == "shadow":
        return "shadow"
    if site.inside:
        return "site_holdout"
    if blocked:
        return "no_capacity"
    return spent or ("held_out" if own.inside else "")


# --- conditions ----------------------------------------------------------------------------------------------


def node(condition: Condition, session: Session, now: int) -> Node:
    """The condition at this moment, with all its parts."""
    parts = _parts(condition)
    predicate, opposite = predicates.build(condition), predicates.build(condition, holds=False)
    state: Holds = (
        "true" if predicate.test(session, now) else "false" if opposite.test(session, now) else "unknown"
    )
    turns = predicate.change(session, now) if predicate.change is not None else None
    if parts:
        children = tuple(node(part, session, now) for part in parts)
        return Node(NAMES[type(condition)], state, {}, turns_at=turns, parts=children)
    reason = _reason(predicate if state != "false" else opposite, session, now)
    if reason is None or state == "unknown":
        return Node(_name(condition), state, {}, turns_at=turns, **_asked(condition))
    words = {language: sentence(reason, language) for language in ("ja", "en")}
    return Node(
        _name(condition), state, words, reason.value, _asked(condition).get("threshold", reason.threshold), reason.unit,
        turns,
    )  # fmt: skip


def _parts(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case All() | AnyOf():
            return condition.parts
        case Not():
            return (condition.part,)
    return ()


def _reason(predicate: Predicate, session: Session, now: int) -> Reason | None:
    reasons = predicate.why(session, now)
    return reasons[0] if reasons else None


def _name(condition: Condition) -> str:
    """What a condition is called in a rules file, with what it is about."""
    match condition:
        case Compare():
            return f"{condition.fact} {condition.op}"
        case Silence():
            return f"silence of {condition.of} since {condition.since} ({condition.clock})"
        case Available():
            return f"availability.{condition.queue}.{condition.of} {condition.op}"
        case Open():
            return f"time.open {condition.queue}" if condition.queue else "time.window"
        case Dates():
            return "dates"
    tag = condition.__struct_config__.tag
    about = (
        getattr(condition, "of", None) or getattr(condition, "kind", None) or getattr(condition, "name", None)
    )
    about = about or getattr(condition, "fact", None)
    return f"{tag} {about}" if about else str(tag)


def _asked(condition: Condition) -> dict[str, Any]:
    match condition:
        case Compare():
            shown = (
                ", ".join(map(str, condition.value))
                if isinstance(condition.value, tuple)
                else condition.value
            )
            return {"threshold": shown}
        case Silence():
            return {"threshold": condition.for_ms}
        case Available():
            return {"threshold": condition.value}
    return {}
