"""router.core.routing: names, the bound on open invites, the honest wait, and what a shopper may know."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.routing import Reply, Talk, invite_limits, signature, state_of, wait_s
from router.errors import Refused


def overshoot(invites: int, free: int, acceptance: float) -> float:
    """P(more than `free` of so many invites are accepted), summed term by term."""
    kept = sum(
        comb(invites, k) * acceptance**k * (1 - acceptance) ** (invites - k)
        for k in range(min(free, invites) + 1)
    )
    return 1 - kept


def talk(**fields: Any) -> Talk:
    return Talk(
        **{"cid": "talk-0001", "state": "waiting", "queue": "help", "sig": "help|", "secret": "s"} | fields
    )


def test_a_signature_does_not_depend_on_order_or_repetition() -> None:
    assert signature("help", ["ja", "gold", "ja"]) == signature("help", ["gold", "ja"]) == "help|gold,ja"
    assert signature("help", []) == "help|"


@pytest.mark.parametrize(
    "queue, skills", [("", []), ("a|b", []), ("help", ["a,b"]), ("x" * 41, []), ("日本", [])]
)
def test_a_name_that_could_be_mistaken_for_a_separator_is_refused(queue: str, skills: list[str]) -> None:
    with pytest.raises(Refused, match="bad_request"):
        signature(queue, skills)


def test_without_a_free_slot_no_invite_is_admitted() -> None:
    assert invite_limits()[0] == 0


@settings(deadline=None)
@given(st.floats(0.01, 0.9), st.integers(1, 24))
def test_the_limit_is_the_largest_number_that_keeps_the_risk(acceptance: float, free: int) -> None:
    limit = invite_limits(acceptance, 0.05, 24)[free]
    assert overshoot(limit, free, acceptance) <= 0.05 + 1e-9
    assert overshoot(limit + 1, free, acceptance) > 0.05 - 1e-9


def test_beyond_the_table_growing_in_proportion_is_on_the_safe_side() -> None:
    exact = invite_limits(slots=1024)
    last = len(invite_limits()) - 1
    assert last == 256
    for free in range(last, 1025):
        assert exact[last] * free // last <= exact[free]


def test_the_wait_is_a_position_times_how_often_a_slot_falls_free() -> None:
    assert wait_s(1, 300_000, 3) == 100
    assert wait_s(4, 300_000, 3) == 400


@pytest.mark.parametrize("position, pace, slots", [(0, 300_000, 3), (1, 0, 3), (1, 300_000, 0)])
def test_a_wait_nobody_could_know_is_not_invented(position: int, pace: int, slots: int) -> None:
    assert wait_s(position, pace, slots) is None


def test_the_shopper_does_not_learn_who_is_being_rung() -> None:
    ringing = talk(state="ringing", agent="ann", agent_name="Ann")
    assert state_of(ringing, 0).agent is None
    assert state_of(talk(state="active", agent="ann", agent_name="Ann"), 3).agent == "Ann"


def test_a_place_in_line_is_told_only_while_waiting() -> None:
    waiting = state_of(talk(position=2, pace=60_000, staffed=1), 0)
    assert (waiting.position, waiting.wait_s) == (2, 120)
    active = state_of(talk(state="active", position=2, pace=60_000, staffed=1), 0)
    assert (active.position, active.wait_s) == (None, None)


def test_a_refusal_in_a_reply_is_raised_by_its_name() -> None:
    with pytest.raises(Refused) as refused:
        Reply(0, 0, {"refused": "too_late"}, [], [], [], []).checked()
    assert refused.value.name == "too_late"
    assert Reply(0, 0, {"cid": "x"}, [], [], [], []).checked() == {"cid": "x"}
