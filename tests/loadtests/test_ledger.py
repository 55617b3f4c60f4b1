"""The checks after a load test find what they are there for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis as store
from redis.asyncio import Redis

from loadtests.ledger import Ledger, PageRecord, Said, check
from router.core import events as ev
from router.core.fold import fold
from router.core.session import Session, admit
from router.live.commit import encode_session
from router.store import keys
from router.store.chats import Chats
from router.store.embedded import Embedded

SID, PAGE, CID = "s" * 22, "000000001-testing", "conversation-1"


@pytest.fixture
async def client(redis: Redis, valkey: Embedded) -> AsyncIterator[store.Redis]:
    """A store with one session of three events on one page, and one line."""
    session = Session(SID, "demo", "v" * 22, "JPY", 1000, 1000)
    admit(session, PAGE)
    for n in range(3):
        fold(session, PAGE, ev.Page(0, "list", f"/{n}"), 1000 + n)
    await redis.hset(keys.owner(SID), "token", "t")
    await redis.set(keys.blob(SID, "t"), encode_session(session))
    await Chats(redis, lambda: 0).append(CID, "shopper", "line-0001", "hello")
    with store.Redis.from_url(valkey.url) as found:
        yield found


def ledger(*, sent: int = 3, acked: int = 3, sid: str = SID, mid: str = "line-0001") -> Ledger:
    return Ledger([PageRecord(sid, PAGE, sent, acked)], [Said(CID, "shopper", mid)])


def test_what_was_sent_and_is_stored_once_is_right(client: store.Redis) -> None:
    assert check(ledger(), client) == []


def test_an_event_without_an_ack_is_found(client: store.Redis) -> None:
    assert check(ledger(acked=2), client) == [f"page {PAGE}: 3 events were sent, 2 acknowledged"]


@pytest.mark.parametrize("sent", [2, 4])
def test_an_event_that_is_doubled_or_lost_is_found(client: store.Redis, sent: int) -> None:
    assert check(ledger(sent=sent, acked=sent), client) == [
        f"session {SID}: {sent} events were sent, 3 folded",
        f"page {PAGE}: {sent} events were sent, its mark is 3",
    ]


def test_a_session_that_is_gone_is_found(client: store.Redis) -> None:
    gone = "g" * 22
    assert check(ledger(sid=gone), client) == [f"session {gone}: it is not in the store"]


def test_a_line_that_is_not_stored_is_found(client: store.Redis) -> None:
    assert check(ledger(mid="line-0002"), client) == [
        f"conversation {CID}: the line line-0002 of the shopper is stored 0 times"
    ]


def test_a_ledger_survives_being_written(tmp_path: Path) -> None:
    ledger().write(tmp_path / "ledger.json")
    assert Ledger.read(tmp_path / "ledger.json") == ledger()
