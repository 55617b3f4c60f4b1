"""A conversation's lines: their form, their bounds, and what is said where some are gone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from router.core.protocol import MAX_MESSAGE_CHARS
from router.errors import Refused

MAX_LINES: Final = 500
SYSTEM_LINES: Final = (
    20  # kept free above MAX_LINES, so that a full conversation can still say that it closed
)
AUTHORS: Final = ("shopper", "agent", "system")
SYSTEM_TEXTS: Final = ("joined", "left", "closed", "waiting", "agent_lost")
MID_CHARS: Final = (8, 40)

_KEPT: Final = "\n\t"


@dataclass(frozen=True, slots=True)
class Line:
    """One stored line. Offsets are 1, 2, 3, ... without a hole; a system line's text is a key. `card`: what an agent
    sent, for which the text stands where it cannot be drawn.
    """

    offset: int
    author: str
    mid: str
    text: str
    at_ms: int
    name: str | None = None
    card: dict[str, Any] | None = None


def checked_text(text: str) -> str:
    """The text without control characters. Raises `Refused("bad_request")` if nothing or too much is left."""
    clean = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cs"))
    if not clean.strip() or len(clean) > MAX_MESSAGE_CHARS:
        raise Refused("bad_request", f"A message has 1 to {MAX_MESSAGE_CHARS} characters.")
    return clean


def checked_mid(mid: str) -> str:
    """The sender's own id of a message. Raises `Refused("bad_request")` unless it has 8 to 40 characters."""
    if not MID_CHARS[0] <= len(mid) <= MID_CHARS[1]:
        raise Refused("bad_request", "A message id has 8 to 40 characters.")
    return mid


def line_of(entry: str, fields: Mapping[str, str]) -> Line:
    """A stream entry as a line: its id is `<offset>-0`."""
    return Line(
        offset=int(entry.partition("-")[0]),
        author=fields["author"],
        mid=fields["mid"],
        text=fields["text"],
        at_ms=int(fields["at"]),
        name=fields.get("name") or None,
        card=msgspec.json.decode(fields["card"]) if "card" in fields else None,
    )


def missing(lines: Sequence[Line], after: int, newest: int) -> tuple[int, int] | None:
    """The lines (first, last) that should follow offset `after` but are gone, or None.

    `newest` is the offset of the last line ever stored.
    """
    first = lines[0].offset if lines else newest + 1
    return (after + 1, first - 1) if first > after + 1 else None
