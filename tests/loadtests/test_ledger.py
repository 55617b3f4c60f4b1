"""A ledger survives being written, and adds up from what workers hand over."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.health import Report
from loadtests.latency import Row
from loadtests.ledger import Awaited, Heard, Held, Ledger, PageRecord, Said, Seen
from loadtests.pairs import End


@pytest.fixture
def ledger() -> Ledger:
    """One of everything."""
    return Ledger(
        pages=[PageRecord("sid", "page", 3, 3)],
        tried=["mid"],
        lines=[Said("cid", "shopper", "mid")],
        heard=[Heard("cid", "shopper", "mid")],
        seen=[Seen("sid", "vid", "did", "invite", "page", 1, False, 5.0)],
        awaited=[Awaited("sid", True)],
        held=[Held("cid", "ann", 1.0, 2.0)],
        ends=[End("did", True, 1.0, "host")],
        rows=[Row("message", 1, {"p50": 0.25})],
        health=[Report("0", 1.0, 10, 0.5)],
    )


def test_a_ledger_survives_being_written(ledger: Ledger, tmp_path: Path) -> None:
    ledger.write(tmp_path / "ledger.json")
    assert Ledger.read(tmp_path / "ledger.json") == ledger


def test_what_is_handed_over_arrives_once(ledger: Ledger) -> None:
    whole = Ledger()
    first = whole.add(ledger.take())
    assert first.events == whole.events == 3
    assert ledger == Ledger()
    ledger.pages.append(PageRecord("sid", "other", 2, 2))
    whole.add(ledger.take())
    assert [page.page for page in whole.pages] == ["page", "other"]
    assert whole.events == 5 and len(whole.seen) == 1


def test_two_ledgers_share_nothing() -> None:
    Ledger().pages.append(PageRecord("sid", "page", 1, 1))
    assert Ledger().pages == []
