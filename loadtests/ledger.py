"""What a crowd did, as it saw it: written down while it runs, compared with the store when it is over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from redis import Redis

from router.live.commit import decode_session
from router.store import keys


class PageRecord(msgspec.Struct):
    """One page: how many events were sent, and up to which number they were acknowledged."""

    sid: str
    page: str
    sent: int
    acked: int


class Said(msgspec.Struct):
    """One chat line that the service confirmed."""

    cid: str
    author: str
    mid: str


@dataclass
class Ledger:
    """Everything that happened."""

    pages: list[PageRecord] = field(default_factory=list)
    lines: list[Said] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """As JSON."""
        file.write_bytes(msgspec.json.encode({"pages": self.pages, "lines": self.lines}))

    @classmethod
    def read(cls, file: Path) -> Ledger:
        """What `write` wrote."""
        raw = json.loads(file.read_bytes())
        return cls(msgspec.convert(raw["pages"], list[PageRecord]), msgspec.convert(raw["lines"], list[Said]))

    @property
    def events(self) -> int:
        """How many events were sent."""
        return sum(page.sent for page in self.pages)


def check(ledger: Ledger, redis: Redis) -> list[str]:
    """What is wrong: an event that was not acknowledged, got lost or was folded twice; a line lost or doubled."""
    return [*_unacked(ledger), *_misfolded(ledger, redis), *_misplaced(ledger, redis)]


def _unacked(ledger: Ledger) -> Iterator[str]:
    for page in ledger.pages:
        if page.sent != page.acked:
            yield f"page {page.page}: {page.sent} events were sent, {page.acked} acknowledged"


def _misfolded(ledger: Ledger, redis: Redis) -> Iterator[str]:
    by_session: dict[str, list[PageRecord]] = {}
    for page in ledger.pages:
        by_session.setdefault(page.sid, []).append(page)
    for sid, pages in by_session.items():
        token = redis.hget(keys.owner(sid), "token")
        blob = redis.get(keys.blob(sid, token.decode())) if isinstance(token, bytes) else None
        if not isinstance(blob, bytes):
            yield f"session {sid}: it is not in the store"
            continue
        session = decode_session(blob)
        sent = sum(page.sent for page in pages)
        if session.events != sent:
            yield f"session {sid}: {sent} events were sent, {session.events} folded"
        for page in pages:
            held = session.pages.get(page.page)
            if held is not None and held.mark != page.sent:
                yield f"page {page.page}: {page.sent} events were sent, its mark is {held.mark}"


def _misplaced(ledger: Ledger, redis: Redis) -> Iterator[str]:
    stored: dict[str, Counter[tuple[bytes, bytes]]] = {}
    for line in ledger.lines:
        if line.cid not in stored:
            entries: Any = redis.xrange(keys.chat(line.cid))
            stored[line.cid] = Counter((fields[b"author"], fields[b"mid"]) for _, fields in entries)
        count = stored[line.cid][line.author.encode(), line.mid.encode()]
        if count != 1:
            yield f"conversation {line.cid}: the line {line.mid} of the {line.author} is stored {count} times"
