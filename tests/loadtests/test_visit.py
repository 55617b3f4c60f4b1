"""What a shopper's visit makes of what the service says, and from when it measures."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import gevent
import pytest

from loadtests import moments
from loadtests.crowd import Crowd
from loadtests.ledger import Awaited
from loadtests.visit import Visit
from router.core import events as ev
from router.core import protocol as wire

DID, CID = "decision-0001", "conversation-1"


class FakePage:
    """A page without a socket: notes the events that it was to send."""

    def __init__(self) -> None:
        self.page = "000000001-testing"
        self.link = 1
        self.back_at = 0.0
        self.sent: list[ev.AnyEvent] = []

    def events(self, events: Sequence[ev.AnyEvent], due: float, entry: str) -> None:
        self.sent += events


@pytest.fixture
def page() -> FakePage:
    return FakePage()


@pytest.fixture
def reported() -> list[tuple[str, float]]:
    return []


@pytest.fixture
def visit(page: FakePage, reported: list[tuple[str, float]]) -> Visit:
    """Somebody whose page is open."""
    made = Visit("", Random(1), 1.0, lambda name, s: reported.append((name, s)), Crowd(), moments.now())
    made.page = page  # type: ignore[assignment]
    made.token = "S.demo." + "s" * 22 + ".x"
    return made


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("kind", ["invite", "offer", "article"])
def test_what_is_drawn_is_told_at_once_though_nobody_answers(
    visit: Visit, page: FakePage, kind: str, again: bool
) -> None:
    """Untold, it lapsed at the service, which then showed more than its caps without knowing."""
    visit.came(wire.Show(DID, kind, {}, 1000, again))
    gevent.sleep(0)
    assert page.sent == [ev.Shown(0, DID)]
    (seen,) = visit.crowd.ledger.seen
    assert (seen.did, seen.kind, seen.again, seen.sid) == (DID, kind, again, "s" * 22)


def test_an_invite_that_is_taken_back_is_not_answered(visit: Visit) -> None:
    visit.came(wire.Show(DID, "invite", {}, 1000, False))
    visit.came(wire.Retract("decision-0002", "lapsed"))
    assert visit.invite.ready()
    visit.came(wire.Retract(DID, "lapsed"))
    assert not visit.invite.ready()


def test_an_invite_counts_from_the_moment_it_was_due(visit: Visit, reported: list[tuple[str, float]]) -> None:
    visit.due = moments.now() - 0.5
    visit.came(wire.Show(DID, "invite", {}, 1000, False))
    ((name, waited),) = reported
    assert name == "trigger→invite" and 0.5 <= waited < 5


def test_what_a_dropped_page_missed_counts_from_its_return(
    visit: Visit, page: FakePage, reported: list[tuple[str, float]]
) -> None:
    visit.due = moments.now() - 500
    page.back_at = moments.now()
    visit.came(wire.Show(DID, "invite", {}, 1000, False))
    visit.came(wire.Message(CID, 1, "agent", moments.stamped(moments.now() - 500), "hello", 0, "Ann"))
    assert [name for name, _ in reported] == ["trigger→invite", "message"]
    assert all(waited < 5 for _, waited in reported)
    assert [(line.author, line.cid) for line in visit.crowd.ledger.heard] == [("agent", CID)]


def test_who_waited_in_vain_is_on_record_unless_the_run_was_over(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.visit.INVITE_S", 0.01)
    visit.stay(0)
    assert visit.crowd.ledger.awaited == [Awaited("s" * 22, False)]
    visit.crowd.end()
    visit.stay(0)
    assert len(visit.crowd.ledger.awaited) == 1
