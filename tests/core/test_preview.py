"""router.core.preview: what was not signed here, or too long ago, shows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.preview import VALID_MS, Preview, open_preview, sign_preview
from router.core.signing import sign_session
from router.errors import Refused

SECRET = b"s" * 32
SHOWN = Preview("shop", "invite", {"title": "お手伝いしましょうか", "text": "<b>"}, "ja", 1_000 + VALID_MS)


def test_a_link_shows_what_was_signed_until_its_time_is_over() -> None:
    token = sign_preview(SECRET, SHOWN)
    assert open_preview(SECRET, token, 1_000) == SHOWN
    assert open_preview(SECRET, token, SHOWN.until) == SHOWN
    with pytest.raises(Refused, match="expired"):
        open_preview(SECRET, token, SHOWN.until + 1)
    with pytest.raises(Refused, match="bad_token"):
        open_preview(b"t" * 32, token, 1_000)


@given(st.data())
def test_a_changed_token_shows_nothing(data: st.DataObject) -> None:
    token = sign_preview(SECRET, SHOWN)
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.characters(codec="utf-8").filter(lambda sign: sign != token[place]))
    with pytest.raises(Refused, match="bad_token"):
        open_preview(SECRET, token[:place] + sign + token[place + 1 :], 1_000)


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    for token in (text, "P." + text, f"P.{text}.{text}", sign_session(SECRET, "shop", "sid")):
        with pytest.raises(Refused, match="bad_token"):
            open_preview(SECRET, token, 1_000)
