"""router.core.redact: no card number passes, and nothing else changes."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.redact import MASK, is_card, redacted, tail, veiled

PREFIXES = (
    ("4", 13), ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("300", 14), ("36", 14), ("39", 16), ("3528", 16), ("3589", 16), ("6011", 16), ("65", 16), ("62", 17), ("62", 19),
    ("50", 13), ("67", 18),
)  # fmt: skip
GAPS = ("", " ", "-", "  ", " - ", "\u3000", "−", "ー", ".", "\n", "\u200b", "\u00a0", "/")


def luhn_completed(digits: str) -> str:
    return next(digits + last for last in "0123456789" if is_luhn(digits + last))


def is_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix, length = draw(st.sampled_from(PREFIXES))
    body = draw(st.text("0123456789", min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix)))
    return luhn_completed(prefix + body)


@st.composite
def written(draw: st.DrawFn, card: str) -> str:
    """A card in any grouping, any gap at each place, digits of any width."""
    wide = draw(st.booleans())
    shown = "".join(chr(ord(digit) + 0xFEE0) for digit in card) if wide else card
    return "".join(digit + draw(st.sampled_from(GAPS)) for digit in shown[:-1]) + shown[-1]


def digits_of(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())


@given(
    st.data(),
    cards(),
    st.sampled_from(("", "カードは ", "card: ", "私の番号、")),
    st.sampled_from(("", " です", "!")),
)
def test_every_card_in_any_grouping_is_masked_but_for_its_last_four(
    data: st.DataObject, card: str, ahead: str, behind: str
) -> None:
    text = ahead + data.draw(written(card)) + behind
    masked = redacted(text)
    assert MASK in masked and masked.startswith(ahead) and masked.endswith(behind)
    assert digits_of(masked) == card[-4:] or len(digits_of(masked)) < 4  # overlapping numbers leave less
    assert redacted(masked) == masked


@given(st.data(), cards(), st.integers(1, 12))
def test_the_rest_of_a_number_that_began_in_the_message_before_is_masked_whole(
    data: st.DataObject, card: str, cut: int
) -> None:
    early, late = data.draw(written(card[:cut])), data.draw(written(card[cut:]))
    stored = [redacted("番号は " + early)]
    later = redacted(late + " です", tail(stored))
    assert MASK in later and card not in digits_of("".join(stored) + later)
    assert not digits_of(later) or MASK in stored[0] or is_card(card[cut:]) or len(digits_of(later)) <= 4


def test_a_number_in_four_messages_never_becomes_whole() -> None:
    stored: list[str] = []
    for part in ("4111", "1111", "１１１１", "1111 です"):
        stored.append(redacted(part, tail(stored)))
    assert stored == ["4111", "1111", "１１１１", f"{MASK} です"]


@given(st.text(max_size=300))
def test_what_has_no_card_number_is_unchanged(text: str) -> None:
    runs = re.findall(r"\d", text)
    if len(runs) < 13:
        assert redacted(text) is text
    assert redacted(redacted(text)) == redacted(text)


@given(st.text("0123456789", min_size=13, max_size=19))
def test_a_number_that_is_no_card_stays_byte_for_byte(number: str) -> None:
    text = f"注文番号 {number}"
    assert (redacted(text) == text) is not is_card(number)


@pytest.mark.parametrize(
    "text",
    [
        "注文番号は 4111 1111 1111 1112 です",  # the Luhn check fails
        "お電話は 090-1234-5678、+81 90-1234-5678 です",
        "ヤマト 1234-5678-9012 / 佐川 401234567890",
        "order #20260000004242, 3 items, 12,800 JPY, 2026-11-26 10:30",
        "9111111111111111",  # nobody's prefix
        "41111111111111111111111111111111",  # one number, far too long
        "JAN 4512345678906",
        "",
    ],
)
def test_order_phone_and_tracking_numbers_stay(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", "•••• 1111"),
        ("4111-1111-1111-1111", "•••• 1111"),
        ("４１１１１１１１１１１１１１１１", "•••• 1111"),
        ("カード:4111111111111111,期限12/28", "カード:•••• 1111,期限12/28"),
        ("3782 822463 10005 (Amex)", "•••• 0005 (Amex)"),
        ("5555555555554444と4242 4242 4242 4242", "•••• 4444と•••• 4242"),
        ("注文 1234567 4111 1111 1111 1111", "注文 1234567 •••• 1111"),
        ("4️⃣111111111111111", "•••• 1111"),
    ],
)
def test_how_a_masked_number_reads(text: str, masked: str) -> None:
    assert redacted(text) == masked


def test_numbers_of_two_messages_that_make_no_card_stay() -> None:
    assert tail(["注文番号は 12345678 です"]) == "12345678"
    assert redacted("電話は 090-1234-5678", tail(["注文番号は 12345678 です"])) == "電話は 090-1234-5678"
    assert tail(["4111 1111 とても長い説明がこのあとに続いていきますので"]) == ""
    assert tail(["•••• 1111"]) == "1111"


def test_what_is_still_typed_shows_no_number_that_may_become_a_card() -> None:
    typed = "4111 1111 1111 1111"
    for end in range(len(typed) + 1):
        assert sum(map(str.isdecimal, veiled(typed[:end]))) < 8
    assert veiled("order 1234567, two cups") == "order 1234567, two cups"
    assert veiled("pay ４１１１１１１１ now") == "pay •••• now"
