"""A conversation as it is written down when it has ended: what became of it, and every line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec

from router.core.chat import Line
from router.core.routing import Talk

CHARS: Final = 200_000  # of all lines together; beyond that the oldest are left out


def transcript(site: str, talk: Talk, lines: Sequence[Line]) -> dict[str, Any]:
    """The record: `lines` as in `Line`, `cut` how many of the oldest are not in it; moments in ms."""
    kept = _newest(lines)
    return {
        "site": site, "cid": talk.cid, "visitor": talk.visitor, "queue": talk.queue, "agent": talk.agent,
        "name": talk.agent_name, "opened": talk.opened, "accepted": talk.accepted, "closed": talk.closed,
        "end": talk.end, "disposition": talk.disposition, "note": talk.note, "tags": tags_of(talk),
        "fields": fields_of(talk), "lines": [asdict(line) for line in kept], "cut": len(lines) - len(kept),
    }  # fmt: skip


def tags_of(talk: Talk) -> list[str]:
    """The ids of its tags."""
    return msgspec.json.decode(talk.tags, type=list[str])


def fields_of(talk: Talk) -> dict[str, str]:
    """What was filled in when it was closed, by the field's id."""
    return msgspec.json.decode(talk.fields, type=dict[str, str])


def _newest(lines: Sequence[Line]) -> Sequence[Line]:
    room = CHARS
    for place in range(len(lines) - 1, -1, -1):
        room -= len(lines[place].text)
        if room < 0:
            return lines[place + 1 :]
    return lines
