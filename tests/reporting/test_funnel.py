"""The funnel counts sessions once, joins orders, and says when there is too little to tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.reporting.funnel import Funnel, Group, Reading, lift, wilson

T = 1_780_000_000_000


def funnel(*records: tuple[str, dict[str, Any]], site: str = "shop") -> Funnel:
    reading = Reading(site)
    for kind, record in records:
        reading.add(kind, record)
    return reading.funnel()


def decision(
    sid: str, outcome: str = "made", rule: str = "a", at: int = T, **more: Any
) -> tuple[str, dict[str, Any]]:
    record = {
        "site": "shop",
        "sid": sid,
        "rule": rule,
        "outcome": outcome,
        "at": at,
        "did": f"d-{rule}-{sid}",
    }
    return "decision", record | more


def order(
    name: str, sid: str, state: str = "placed", at: int = T + 1, value: float = 10.0
) -> tuple[str, dict[str, Any]]:
    return "order", {"site": "shop", "order": name, "sid": sid, "state": state, "at": at, "value": str(value)}


def test_each_step_is_counted_once_a_session() -> None:
    found = funnel(
        decision("s1"), decision("s1", did="d-2"), decision("s2"), decision("s3", "held_out"),
        decision("s4", "suppressed", reason="payment"), decision("s5", "capped"),
        ("shown", {"did": "d-a-s1", "sid": "s1", "at": T}), ("shown", {"did": "d-2", "sid": "s1", "at": T}),
        ("end", {"site": "shop", "did": "d-a-s1", "rule": "a", "end": "accepted"}),
        ("end", {"site": "shop", "did": "d-a-s2", "rule": "a", "end": "dismissed"}),
        ("routing", {"site": "shop", "kind": "ringing", "cid": "d-a-s1"}),
        ("routing", {"site": "shop", "kind": "accepted", "cid": "d-a-s1"}),
    )  # fmt: skip
    (row,) = found.rules
    assert (row.eligible, row.held_out.sessions, row.shown, row.accepted, row.answered) == (3, 1, 1, 1, 1)
    assert row.lost == {"capped": 1, "payment": 1}
    assert (found.programme.treated.sessions, found.programme.answered) == (2, 1)


def test_an_order_counts_once_after_the_rule_had_its_turn_unless_it_was_cancelled() -> None:
    found = funnel(
        decision("s1"), decision("s2"), decision("s3"), decision("s4", "held_out"),
        order("o1", "s1"), order("o1", "s1", "paid"), order("o2", "s2"), order("o2", "s2", "cancelled"),
        order("o3", "s3", at=T - 1), order("o4", "s4", value=30.5), order("o5", "unknown"),
    )  # fmt: skip
    (row,) = found.rules
    assert row.treated == Group(3, 1, 10.0)
    assert row.held_out == Group(1, 1, 30.5)


def test_the_sites_holdout_stands_beside_all_rules_together() -> None:
    found = funnel(
        decision("s1", rule="a"),
        decision("s1", rule="b"),
        decision("s2", "site_holdout", "a"),
        order("o", "s2"),
    )
    assert [row.rule for row in found.rules] == ["a", "b"]
    assert found.programme.treated.sessions == 1
    assert found.programme.held_out == Group(1, 1, 10.0)


def test_other_sites_and_other_records_are_passed_over() -> None:
    foreign = decision("s1")
    foreign[1]["site"] = "other"
    assert funnel(foreign, ("rules", {"site": "shop"})).rules == ()


def test_a_lift_is_told_with_its_interval_only_when_there_is_enough() -> None:
    assert lift(Group(29, 10), Group(500, 50)) is None
    assert lift(Group(500, 50), Group(100, 4)) is None
    found = lift(Group(1000, 120), Group(1000, 80))
    assert found is not None
    assert found.difference == pytest.approx(0.04)
    assert found.low == pytest.approx(0.0137, abs=5e-4)
    assert found.high == pytest.approx(0.0663, abs=5e-4)


@given(st.integers(1, 5000), st.floats(0, 1))
def test_an_interval_lies_around_its_share_and_within_bounds(count: int, share: float) -> None:
    hits = round(count * share)
    low, high = wilson(hits, count)
    assert -1e-9 <= low <= hits / count + 1e-9
    assert hits / count - 1e-9 <= high <= 1 + 1e-9
