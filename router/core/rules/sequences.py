"""The condition that steps were taken in an order."""

from __future__ import annotations

from router.core import facts
from router.core.events import number
from router.core.reasons import Reason
from router.core.rules.model import Sequence, Step
from router.core.rules.predicate import Predicate
from router.core.session import Session
from router.core.trail import LABEL_CHARS
from router.core.trail import Step as Taken


def sequence(condition: Sequence, holds: bool) -> Predicate:
    """Read from the journey, which remembers the latest deeds; so any deed may change it."""
    kinds = frozenset(number(step.kind) for step in condition.steps)

    def found(session: Session) -> bool:
        return session.last.keys() >= kinds and _followed(condition, session)

    def why(session: Session, now: int) -> tuple[Reason, ...]:
        return (Reason("sequence", "eq", holds, True, about=" > ".join(map(_step_name, condition.steps))),)

    reads = facts.reading(*facts.DEEDS)
    return Predicate(lambda session, now: found(session) is holds, why, reads)


def _followed(condition: Sequence, session: Session) -> bool:
    """Whether from some step of the journey the whole sequence follows in time, and nothing forbidden since."""
    journey = _without_reloads(sorted(session.journey, key=lambda taken: taken.at))
    forbidden = max((session.last.get(number(kind), (-1, 0))[0] for kind in condition.without), default=-1)
    first, *others = condition.steps
    for place, taken in enumerate(journey):
        if _is_step(first, taken) and taken.at > forbidden:
            last = _end(others, journey[place + 1 :], taken.at)
            if last is not None and last - taken.at <= condition.within_ms:
                return True
    return False


def _end(steps: list[Step], journey: list[Taken], at: int) -> int | None:
    """When the last of the steps was taken, each as early as can be; None if not all were."""
    following = iter(journey)
    for step in steps:
        taken = next((taken for taken in following if _is_step(step, taken)), None)
        if taken is None:
            return None
        at = taken.at
    return at


def _is_step(step: Step, taken: Taken) -> bool:
    return taken.kind == number(step.kind) and (not step.path or taken.label == step.path[:LABEL_CHARS])


def _without_reloads(journey: list[Taken]) -> list[Taken]:
    """A page that comes twice in a row was reloaded, which is no step."""
    page = number("page")
    kept: list[Taken] = []
    for taken in journey:
        before = next((old for old in reversed(kept) if old.kind == page), None)
        if taken.kind != page or before is None or before.label != taken.label:
            kept.append(taken)
    return kept


def _step_name(step: Step) -> str:
    return step.path or step.kind
