"""What the store and the journal say of a run, gathered for the checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from loadtests.ledger import Ledger
from router.core.session import Session
from router.live.commit import decode_session
from router.store import keys
from router.store.journal import read

Line = tuple[str, str]  # (author, mid)


@dataclass
class Evidence:
    """`sessions` by id, as far as they are stored. `lines`: how often each stands in its conversation. By decision: how
    often it was `made` and `shown`, and the rule it is of; `decided`: by session the decisions made and whatever else
    became of a rule that was true (""). `routing`: every routing record, in order.
    """

    sessions: dict[str, Session] = field(default_factory=dict)
    lines: dict[str, Counter[Line]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    rule_of: dict[str, str] = field(default_factory=dict)
    decided: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    routing: list[dict[str, Any]] = field(default_factory=list)

    def note(self, kind: str, record: dict[str, Any]) -> None:
        """One record of the journal."""
        if kind == "decision":
            did = record["did"] if record["outcome"] == "made" else ""
            self.decided[record["sid"]].append(did)
            if did:
                self.made[did] += 1
                self.rule_of[did] = record["rule"]
        elif kind == "shown":
            self.shown[record["did"]] += 1
        elif kind == "routing":
            self.routing.append(record)


async def gather(ledger: Ledger, redis: Redis) -> Evidence:
    """All that is stored of the ledger's sessions and conversations, and the journal of the store."""
    found = Evidence()
    for sid in {page.sid for page in ledger.pages}:
        session = await _session(redis, sid)
        if session is not None:
            found.sessions[sid] = session
    said = {line.cid for line in ledger.lines}
    for cid in said | {line.cid for line in ledger.heard}:
        entries: Any = await redis.xrange(keys.chat(cid))
        found.lines[cid] = Counter((f[b"author"].decode(), f[b"mid"].decode()) for _, f in entries)
    async for entry in read(redis):
        found.note(entry.kind, entry.record)
    return found


async def _session(redis: Redis, sid: str) -> Session | None:
    token: Any = await redis.hget(keys.owner(sid), "token")
    blob = await redis.get(keys.blob(sid, token.decode())) if isinstance(token, bytes) else None
    return decode_session(blob) if isinstance(blob, bytes) else None
