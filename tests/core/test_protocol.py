"""The wire's types: what is valid decodes, everything else is one named error."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core import protocol as wire
from router.core.events import KINDS, NAMES, Cart, Item, Page, Product, number
from router.errors import ERRORS, Refused

PAGE = "0abcdefgh1234567"


def test_a_batch_survives_the_wire() -> None:
    batch = wire.Batch(PAGE, 3, [Page(10, "cart", "/cart"), Product(0, Item("cup", price=3200.0))])
    assert wire.decode(wire.encode(batch)) == batch


def test_the_frame_is_the_documented_positional_array() -> None:
    frame = wire.encode(wire.Batch(PAGE, 1, [Cart(7, 2, 3, 9600.0, "JPY")]))
    assert msgspec.msgpack.decode(frame) == [2, PAGE, 1, [[7, 7, 2, 3, 9600.0, "JPY", None]]]


def test_appended_fields_of_a_later_version_are_ignored() -> None:
    frame = msgspec.msgpack.encode([2, PAGE, 1, [[1, 0, "home", "/", None, None, None, "new"]], "new"])
    decoded = wire.decode(frame)
    assert isinstance(decoded, wire.Batch) and decoded.events == [Page(0, "home", "/")]


@pytest.mark.parametrize(
    "message",
    [
        [],
        {},
        "text",
        [99, 1],
        [2, PAGE, 0, [[1, 0, "home", "/"]]],
        [2, PAGE, 1, []],
        [2, PAGE, 1, [[1, 0, "home", "/"]] * (wire.MAX_EVENTS + 1)],
        [2, "short", 1, [[1, 0, "home", "/"]]],
        [2, PAGE, 1, [[1, -1, "home", "/"]]],
        [2, PAGE, 1, [[1, 0, "home", "/" * 301]]],
        [2, PAGE, 1, [[1, 0, "home"]]],
        [2, PAGE, 1, [[77, 0]]],
        [2, PAGE, 1, [[7, 0, 1, 1, -5.0, "JPY"]]],
        [2, PAGE, 1, [[7, 0, 1, 1, 1e13, "JPY"]]],
        [2, PAGE, 1, [[14, 0, 5, 3]]],
        [3, "decision", "mid-00001", ""],
        [3, "decision", "mid-00001", "x" * 2001],
        [1, "1", "demo", None, None, PAGE],
    ],
)
def test_what_is_not_a_message_is_refused_by_name(message: object) -> None:
    with pytest.raises(Refused) as refused:
        wire.decode(msgspec.msgpack.encode(message))
    assert refused.value.name == "bad_frame" and refused.value.detail


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_frame(data: bytes) -> None:
    try:
        wire.decode(data)
    except Refused as refused:
        assert refused.name == "bad_frame"


def test_deep_nesting_is_a_bad_frame() -> None:
    with pytest.raises(Refused, match="bad_frame"):
        wire.decode(b"\x94\x02\xa8abcdefgh\x01" + b"\x91" * 100_000)


def test_invalid_utf8_is_a_bad_frame() -> None:
    with pytest.raises(Refused, match="bad_frame"):
        wire.decode(b"\x94\x02\xa8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x91\x94\x01\x00\xa1a\xa1b")


def test_event_numbers_and_names_are_one_to_one() -> None:
    assert {NAMES[number(kind)] for kind in KINDS} == set(KINDS)
    assert max(NAMES) < 64, "a kind's number is a bit of a mask"


def test_close_codes_keep_to_the_ranges_that_tell_a_client_what_to_do() -> None:
    for name, meaning in ERRORS.items():
        if 4100 <= meaning.close < 4200:
            assert meaning.retry, name
        elif meaning.close in range(4000, 4100):
            assert not meaning.retry, name
