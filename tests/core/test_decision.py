"""The pure part of deciding: draws that stay, and what raising a share does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.core.decision import draw, varied
from router.core.rules.model import GiveOffer, Invite

VISITORS = [f"visitor-{n}" for n in range(2000)]


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_raising_a_share_never_takes_anyone_out(visitor: str, rule: str, share: float, raised: float) -> None:
    """Who was in a roll-out or a holdout stays in it."""
    low, high = sorted((share, raised))
    assert not (draw(visitor, rule) < low) or draw(visitor, rule) < high


def test_a_share_is_about_that_share_of_visitors_and_rules_draw_apart() -> None:
    drawn = {rule: {visitor for visitor in VISITORS if draw(visitor, rule) < 0.2} for rule in ("a", "b")}
    assert all(320 < len(chosen) < 480 for chosen in drawn.values())
    assert 40 < len(drawn["a"] & drawn["b"]) < 130


def test_a_visitor_always_reads_the_same_of_several_texts_and_each_is_read_as_often() -> None:
    invite = Invite("help", ("ja",), "one", ("two", "three"))
    texts = [varied(invite, visitor, "rule") for visitor in VISITORS]
    assert texts == [varied(invite, visitor, "rule") for visitor in VISITORS]
    counts = [
        sum(isinstance(text, Invite) and text.message == name for text in texts)
        for name in ("one", "two", "three")
    ]
    assert sum(counts) == len(VISITORS) and min(counts) > 580
    assert varied(GiveOffer("five"), "v", "rule") == GiveOffer("five")
    assert varied(Invite("help", (), "one"), "v", "rule") == Invite("help", (), "one")
