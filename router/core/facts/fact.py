"""What a fact is: its type, which events can change it, its value, and whether it runs by itself.

A fact whose value is None is unknown. A running fact is a clock that counts milliseconds: `zero` gives the
moment at which it would have stood at zero, or None while it stands still; from that follows when it crosses
a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router.core import events as ev
from router.core.session import Session

Value = str | float | int | bool
Read = Callable[[Session, int], Value | None]
Elapsed = Callable[[Session, int], int | None]
Zero = Callable[[Session], int | None]
Times = Callable[[Session, int], Sequence[int] | None]  # none at all if they are less than the number
Kind = Literal[
    "page type", "path", "language", "duration", "money", "count", "flag", "ratio", "word", "device", "queue",
]  # fmt: skip
Scope = Literal["page", "cart", ""]

PROFILE: Final = 62
"""The bit of a mask that says: what the shop's backend tells of the visitor changed. No event has this number."""


def reading(*kinds: str) -> int:
    """The bit mask of these event kinds."""
    mask = 0
    for kind in kinds:
        mask |= 1 << ev.number(kind)
    return mask


# After these another page may be the current one, or it may be looked at differently.
VIEW: Final = reading("page", "dwell")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: `reads` is the mask of the event kinds that can change it, `scope` what it is bound to."""

    name: str
    kind: Kind
    reads: int
    read: Read
    zero: Zero | None = None
    scope: Scope = ""
