"""What the checks say of a run, and the exit status; that each finds what it is for is in `test_broken_servers`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter

import pytest

from loadtests import checks
from loadtests.checks import FAILED, HELD, INVALID, Check, Limits, judge, tell, verdict
from loadtests.evidence import Evidence
from loadtests.health import Report
from loadtests.latency import Row
from loadtests.ledger import Awaited, Heard, Held, Ledger, PageRecord, Said, Seen
from loadtests.pairs import End
from router.core import events as ev
from router.core.fold import fold
from router.core.session import Session, admit

SID, PAGE, CID, MID = "s" * 22, "000000001-testing", "conversation-1", "line-0001"


@pytest.fixture
def ledger() -> Ledger:
    """A session of three events, an invite that was accepted, one line heard."""
    return Ledger(
        pages=[PageRecord(SID, PAGE, 3, 3)],
        tried=[MID],
        lines=[Said(CID, "shopper", MID)],
        heard=[Heard(CID, "shopper", MID)],
        seen=[Seen(SID, "v", CID, "invite", PAGE, 1, False, 1.0)],
        awaited=[Awaited(SID, True)],
        held=[Held(CID, "ann", 1.0, 2.0)],
        ends=[End(CID, False, 1.0)],
        rows=[Row("event→ack", 3, {"p99": 5.0})],
        health=[Report("0", 1.0, 10, 0.1)],
    )


@pytest.fixture
def evidence() -> Evidence:
    """The store's side of it."""
    session = Session(SID, "demo", "v" * 22, "JPY", 1000, 1000)
    admit(session, PAGE)
    for n in range(3):
        fold(session, PAGE, ev.Page(0, "list", f"/{n}"), 1000 + n)
    found = Evidence({SID: session}, {CID: Counter({("shopper", MID): 1, ("system", "system-1"): 1})})
    found.note("decision", {"sid": SID, "outcome": "made", "did": CID, "rule": "cart-wait"})
    found.note("shown", {"did": CID})
    found.note("routing", {"kind": "accepted", "cid": CID, "agent": "ann", "state": "active"})
    return found


@pytest.fixture(scope="module")
def limits() -> Limits:
    return Limits(checks.site_of(checks.DEMO, "demo"), 1)


def faults(ledger: Ledger, evidence: Evidence, limits: Limits) -> list[str]:
    return [fault for check in judge(ledger, evidence, limits) for fault in check.faults]


def test_what_was_sent_and_is_stored_once_is_right(
    ledger: Ledger, evidence: Evidence, limits: Limits
) -> None:
    found = judge(ledger, evidence, limits)
    assert [check.name for check in found] == list(checks.CHECKS)
    assert verdict(found) == HELD and faults(ledger, evidence, limits) == []


def test_a_run_without_events_is_none(limits: Limits) -> None:
    assert faults(Ledger(), Evidence(), limits) == ["not one event was sent", "no generator told how it was"]


@pytest.mark.parametrize("sent", [2, 4])
def test_an_event_that_is_doubled_or_lost_is_found(
    ledger: Ledger, evidence: Evidence, limits: Limits, sent: int
) -> None:
    ledger.pages = [PageRecord(SID, PAGE, sent, sent)]
    assert faults(ledger, evidence, limits) == [
        f"session {SID}: {sent} events were sent, 3 folded",
        f"page {PAGE}: {sent} events were sent, its mark is 3",
    ]


def test_a_session_that_is_gone_is_found(ledger: Ledger, evidence: Evidence, limits: Limits) -> None:
    evidence.sessions.clear()
    assert faults(ledger, evidence, limits) == [f"session {SID}: it is not in the store"]


def test_a_rule_that_was_true_without_a_decision_is_found(
    ledger: Ledger, evidence: Evidence, limits: Limits
) -> None:
    ledger.awaited.append(Awaited("other", False))
    assert faults(ledger, evidence, limits) == ["session other: a rule was true, and nothing was decided"]
    evidence.note("decision", {"sid": "other", "outcome": "refused"})  # the journal says why not
    assert faults(ledger, evidence, limits) == []


def test_a_showing_that_the_journal_does_not_know_is_found(
    ledger: Ledger, evidence: Evidence, limits: Limits
) -> None:
    evidence.shown.clear()
    assert faults(ledger, evidence, limits) == [
        f"decision {CID}: it was shown and accepted, and the journal does not know"
    ]


def test_an_agent_who_accepts_what_is_anothers_is_found(
    ledger: Ledger, evidence: Evidence, limits: Limits
) -> None:
    evidence.note("routing", {"kind": "accepted", "cid": CID, "agent": "bob", "state": "active"})
    assert faults(ledger, evidence, limits) == [f"conversation {CID}: bob accepted it while it was ann's"]


def test_a_talk_that_was_given_back_may_be_anothers(
    ledger: Ledger, evidence: Evidence, limits: Limits
) -> None:
    evidence.note("routing", {"kind": "agent_lost", "cid": CID, "agent": "", "state": "waiting"})
    evidence.note("routing", {"kind": "accepted", "cid": CID, "agent": "bob", "state": "active"})
    ledger.held.append(Held(CID, "bob", 2.0, 3.0))
    assert faults(ledger, evidence, limits) == []


def test_one_talk_after_the_other_is_not_two(ledger: Ledger, evidence: Evidence, limits: Limits) -> None:
    ledger.held.append(Held("conversation-2", "ann", 2.0, 3.0))
    assert faults(ledger, evidence, limits) == []
    ledger.held.append(Held("conversation-3", "ann", 1.5, 2.5))
    assert faults(ledger, evidence, limits) == ["agent ann had 2 conversations at once, and has 1 slots"]


def named(*failed: str) -> list[Check]:
    """The outcome of a run in which these checks fail."""
    return [Check(name, ("so",) if name in failed else ()) for name in checks.CHECKS]


@pytest.mark.parametrize(
    ("failed", "status"),
    [
        ((), HELD),
        (("latency",), FAILED),
        (("generator",), INVALID),
        (("generator", "latency"), INVALID),
        (("generator", "events"), FAILED),
        *(((name,), FAILED) for name in checks.CHECKS if name != "generator"),
    ],
)
def test_the_exit_status(failed: tuple[str, ...], status: int) -> None:
    assert verdict(named(*failed)) == status


def test_an_invalid_run_says_so_and_judges_no_latency() -> None:
    told = list(tell(named("generator", "latency")))
    assert "latency: not judged" in told and "generator: FAILED" in told
    assert told[-1].startswith("INVALID: the generator did not keep up")


def test_a_long_list_of_faults_is_cut() -> None:
    told = list(tell([Check("events", tuple("abcdefg"))]))
    assert told == ["events: FAILED", "  a", "  b", "  c", "  d", "  e", "  ... and 2 more"]


def test_a_limit_names_an_entry() -> None:
    assert checks.parse_limit("event→ack=50") == ("event→ack", 50.0)
    with pytest.raises(ArgumentTypeError, match="is none of"):
        checks.parse_limit("ack=50")
