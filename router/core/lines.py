"""What a conversation asks of an agent while it waits: the steps of its queue, from all that the rule wants to less.

A step is a signature (`routing.signature`) with the wait after which it holds. A skill that is named as a language
(`ja`, `zh-tw`) is never dropped, nor asked for at a lower level: who does not speak it is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from router.core.hours import is_open, turns
from router.core.queue import Queue
from router.core.routing import signature

_LANGUAGE: Final = re.compile(r"[a-z]{2}(-[a-z0-9]+)*")


class Terms(Struct, frozen=True, kw_only=True):
    """What a queue gives to a conversation. `steps`: (after ms, signature), the first at once; `priority_ms`: how much
    older than it is it stands in line; `reply_ms`: within which what is left unanswered is to be answered; `closes`:
    the moment at which the queue closes, 0 if it does not.
    """

    queue: str
    steps: tuple[tuple[int, str], ...]
    ring_ms: int
    wrap_ms: int
    priority_ms: int = 0
    reply_ms: int = 0
    closes: int = 0


def is_language(skill: str) -> bool:
    """Whether a skill is a language by its name."""
    return _LANGUAGE.fullmatch(skill) is not None


def terms(name: str, queue: Queue, skills: Iterable[str], now: int) -> Terms:
    """The terms of a conversation that begins `now` (ms) and wants these skills. Raises `Refused("bad_request")` for
    bad names.
    """
    return Terms(
        queue=name,
        steps=_steps(name, queue, set(skills)),
        ring_ms=queue.ring_ms,
        wrap_ms=queue.wrap_up_ms,
        priority_ms=queue.priority_ms,
        reply_ms=queue.reply_ms,
        closes=closes(queue, now),
    )


def closes(queue: Queue, now: int) -> int:
    """When the queue closes next (ms); 0 if it is closed, or does not close."""
    if queue.hours is None or not is_open(queue.hours, now):
        return 0
    return turns(queue.hours, now) or 0


def _steps(name: str, queue: Queue, skills: set[str]) -> tuple[tuple[int, str], ...]:
    wanted, level, queues = set(skills), queue.level, [name]
    steps = [(0, _signature(queues, wanted, level))]
    relaxed = [(step.after_ms, step.drop, step.level, ()) for step in queue.relax]
    overflow = [(queue.overflow.after_ms, None, None, queue.overflow.to)] if queue.overflow else []
    for after_ms, drop, lower, more in sorted([*relaxed, *overflow], key=lambda step: step[0]):
        wanted -= {drop} if drop else set()
        level = min(level, lower) if lower else level
        queues += more
        found = _signature(queues, wanted, level)
        if found != steps[-1][1]:
            steps.append((after_ms, found))
    return tuple(steps)


def _signature(queues: list[str], skills: set[str], level: int) -> str:
    if level == 1:
        return signature("+".join(queues), skills)
    return signature(
        "+".join(queues), (skill if is_language(skill) else f"{skill}:{level}" for skill in skills)
    )


def kept_skills(sig: str) -> list[str]:
    """What a conversation still asks for in another queue: its languages."""
    skills = sig.partition("|")[2].split(",")
    return [skill for skill in skills if is_language(skill)]
