"""router.core.offers: codes that people can type and nobody can guess; discounts to the last yen and cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.offers import ALPHABET, RANDOM_BYTES, discount, new_code, normal_code, rounded
from router.errors import Refused

seven = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


def test_the_alphabet_has_no_lookalikes() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("0O1I")


@given(seven)
def test_a_code_is_two_groups_of_five_and_normal(random: bytes) -> None:
    code = new_code(random)
    assert [len(group) for group in code.split("-")] == [5, 5]
    assert normal_code(code) == code


@given(st.sets(st.integers(0, 2**50 - 1), min_size=2, max_size=2))
def test_fifty_bits_count(numbers: set[int]) -> None:
    """Different numbers below 2**50 give different codes: none of the 50 bits is lost."""
    one, two = (new_code(number.to_bytes(RANDOM_BYTES, "big")) for number in numbers)
    assert one != two


def test_too_few_random_bytes_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="7 random bytes"):
        new_code(b"123456")


@pytest.mark.parametrize(
    "typed",
    [
        "k7qxm-4htpw",
        " K7QXM 4HTPW ",
        "K7QXM4HTPW",
        "K7QXM\u20104HTPW",
        "Ｋ７ＱＸＭ－４ＨＴＰＷ",
        "k7qxmー4htpw",
    ],
)
def test_what_people_type_is_forgiven(typed: str) -> None:
    assert normal_code(typed) == "K7QXM-4HTPW"


@pytest.mark.parametrize(
    "typed", ["", "K7QXM-4HTP", "K7QXM-4HTPWW", "K7QX0-4HTPW", "SUMMER10", "あ" * 10, "A" * 10**6]
)
def test_what_no_code_can_be_is_unknown(typed: str) -> None:
    with pytest.raises(Refused, match="unknown_code"):
        normal_code(typed)


@given(st.text())
def test_any_text_is_a_code_or_refused_by_name(typed: str) -> None:
    try:
        assert normal_code(normal_code(typed)) == normal_code(typed)
    except Refused as refused:
        assert refused.name == "unknown_code"


@pytest.mark.parametrize(
    ("total", "percent", "currency", "amount", "left"),
    [
        ("12345", 5, "JPY", "617", "11728"),  # 617.25
        ("12350", 5, "JPY", "618", "11732"),  # 617.5: half goes up
        ("19.99", 10, "USD", "2.00", "17.99"),  # 1.999
        ("0.10", 5, "EUR", "0.01", "0.09"),  # 0.005: half goes up
        ("1.0005", 10, "KWD", "0.100", "0.901"),  # the total itself is rounded first: 1.001
        ("29.989999999999998", 50, "USD", "15.00", "14.99"),  # a binary float's tail is not a price
        ("100", 2.5, "USD", "2.50", "97.50"),
        ("100", 100, "JPY", "100", "0"),
        ("0", 5, "JPY", "0", "0"),
    ],
)
def test_a_discount_in_the_currencys_smallest_unit(
    total: str, percent: float, currency: str, amount: str, left: str
) -> None:
    assert tuple(map(str, discount(Decimal(total), percent, currency))) == (amount, left)


@given(
    st.decimals(0, 10**12, places=4),
    st.integers(0, 1000).map(lambda tenths: tenths / 10),
    st.sampled_from(["JPY", "USD", "KWD", "CLF"]),
)
def test_amount_and_rest_add_up_and_never_turn_negative(
    total: Decimal, percent: float, currency: str
) -> None:
    amount, left = discount(total, percent, currency)
    assert amount + left == rounded(total, currency)
    assert amount >= 0
    assert left >= 0
