"""What a console shows as its agent's, and for how long."""

from __future__ import annotations

from loadtests.held import Holding
from loadtests.ledger import Held


def of(state: str, agent: str = "ann", cid: str = "one") -> dict[str, str]:
    return {"cid": cid, "state": state, "agent": agent}


def told(*changes: tuple[float, dict[str, str]]) -> list[Held]:
    """What is on record after these changes at these moments."""
    found: list[Held] = []
    now = 0.0
    holding = Holding("ann", found.append, lambda: now)
    for now, change in changes:  # noqa: B007  (the clock reads it)
        holding.changed(change)
    now = 99.0
    holding.clear()
    return found


def test_from_the_ring_to_the_close() -> None:
    changes = [(1.0, of("ringing")), (2.0, of("active")), (3.0, of("wrap-up")), (4.0, of("closed"))]
    assert told(*changes) == [Held("one", "ann", 1.0, 4.0)]


def test_until_it_is_somebody_elses() -> None:
    assert told((1.0, of("active")), (2.0, of("active", "bob"))) == [Held("one", "ann", 1.0, 2.0)]


def test_until_the_console_closes() -> None:
    assert told((1.0, of("active"))) == [Held("one", "ann", 1.0, 99.0)]


def test_what_never_was_theirs_is_not_on_record() -> None:
    assert told((1.0, of("active", "bob")), (2.0, of("closed"))) == []
