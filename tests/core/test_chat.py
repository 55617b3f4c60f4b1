"""router.core.chat: the bounds of a line, and what is said where lines are gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.chat import Line, checked_mid, checked_text, line_of, missing
from router.errors import Refused


def lines(*offsets: int) -> list[Line]:
    return [Line(offset, "shopper", f"m-{offset:06}", "text", 0) for offset in offsets]


@pytest.mark.parametrize("text", ["", "   ", "\x00\x1b", "\n\n", "x" * 2001])
def test_a_message_that_is_empty_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="bad_request"):
        checked_text(text)


def test_control_characters_are_dropped_and_line_breaks_kept() -> None:
    assert checked_text("a\x00b\x1b[31m\nc\td\ud800") == "ab[31m\nc\td"


@given(st.text(max_size=2100))
def test_whatever_passes_is_within_the_bounds_and_can_be_stored(text: str) -> None:
    try:
        clean = checked_text(text)
    except Refused:
        return
    assert 1 <= len(clean) <= 2000
    assert clean.encode("utf-8").decode("utf-8") == clean == checked_text(clean)


def test_a_message_id_has_8_to_40_characters() -> None:
    assert checked_mid("m" * 8) and checked_mid("m" * 40)
    for mid in ("m" * 7, "m" * 41):
        with pytest.raises(Refused):
            checked_mid(mid)


def test_a_stream_entry_becomes_the_line_of_its_offset() -> None:
    entry = {"author": "agent", "mid": "m-000001", "text": "こんにちは", "name": "Ann", "at": "17"}
    assert line_of("12-0", entry) == Line(12, "agent", "m-000001", "こんにちは", 17, "Ann")
    assert line_of("12-0", entry | {"name": ""}).name is None


def test_lines_that_are_gone_are_named() -> None:
    assert missing(lines(4, 5), after=1, newest=5) == (2, 3)
    assert missing([], after=2, newest=5) == (3, 5)


def test_nothing_is_missing_where_lines_go_on() -> None:
    assert missing(lines(2, 3), after=1, newest=3) is None
    assert missing([], after=3, newest=3) is None
    assert missing([], after=9, newest=3) is None
