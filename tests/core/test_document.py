"""Files are read as text with places: what is wrong is said with its place, and all of it at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.document import Document, FileErrors, attempt, parse
from router.core.scalars import pattern, whole
from router.core.shapes import Choice, Fields, Key, ListOf, OneKey, Placing, Table

NAME = pattern("a small name", "[a-z]+|[0-9]+")
SMALL: Fields[dict[str, Any]] = Fields(
    "a thing",
    dict,
    {
        "name": Key(NAME, required=True),
        "mode": Key(Choice("a mode", ("live", "shadow", "off"))),
        "sizes": Key(ListOf("a list of sizes", whole(1, 9), 3, key=int)),
        "by": Key(Table("counts by id", NAME, whole(0, 9))),
        "one": Key(OneKey("a choice", {"left": whole(0, 9), "right": NAME})),
        "count": Key(whole(0, 9), name="number"),
    },
    lambda name: "not yet" if name == "later" else None,
)
KEYS = "by, count, mode, name, one, sizes"
NO_TOKEN = "that cannot start any token"


def faults(text: str) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        parse("x.yaml", text, SMALL)
    return str(caught.value).splitlines()


def test_values_are_typed_by_their_shape_alone() -> None:
    """`off` stays a word, a number in quotes is a number where a number is meant."""
    text = "name: no\nmode: off\nsizes: ['1', 2]\nby: {a: 3}\none: {right: '007'}\ncount: 5"
    assert parse("x", text, SMALL) == {
        "name": "no", "mode": "off", "sizes": (1, 2), "by": {"a": 3}, "one": "007", "number": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: a\nmode: of", "x.yaml:2:7: expected a mode, found 'of'; did you mean 'off'?"),
        ("name: a\nmode: zzz", "x.yaml:2:7: expected a mode, found 'zzz'; known: live, off, shadow"),
        ("name: a\nmode:", "x.yaml:2:6: expected a mode, found nothing"),
        ("name: a\nmode: [off]", "x.yaml:2:7: expected a mode, found a list"),
        ("name: {}", "x.yaml:1:7: expected a small name, found a mapping"),
        ("mode: off", "x.yaml:1:1: expected the key 'name' in a thing, found none"),
        ("name: a\nmod: off", "x.yaml:2:1: expected a key of a thing, found 'mod'; did you mean 'mode'?"),
        ("name: a\nlater: 1", "x.yaml:2:1: 'later': not yet"),
        ("name: a\nname: b", "x.yaml:2:1: expected each key once, found 'name' twice"),
        ("name: a\n? [b]\n: c", "x.yaml:2:3: expected a name, found a list"),
        ("name: a\nsizes: 3", "x.yaml:2:8: expected a list of sizes, found '3'"),
        ("name: a\nsizes: []", "x.yaml:2:8: expected a list of sizes, found a list"),
        ("name: a\nsizes: [1, 2, 3, 4]", "x.yaml:2:8: expected at most 3 items, found 4"),
        ("name: a\nsizes: [1, 01]", "x.yaml:2:12: expected each id once, found '1' twice"),
        ("name: a\nsizes: [1, 10]", "x.yaml:2:12: expected a whole number from 1 to 9, found '10'"),
        ("name: a\nby: {B: 1}", "x.yaml:2:6: expected a small name, found 'B'"),
        ("name: a\none: {left: 1, right: a}", "x.yaml:2:6: expected one key in a choice, found 2"),
        ("name: a\none: {lift: 1}", "x.yaml:2:7: expected a choice, found 'lift'; did you mean 'left'?"),
        ("- a", "x.yaml:1:1: expected a thing, found a list"),
        ("", "x.yaml:1:1: expected a mapping, found an empty file"),
        ("# only a comment", "x.yaml:1:1: expected a mapping, found an empty file"),
        ("name: &a b", "x.yaml:1:7: expected a value, found the anchor '&a': write it out"),
        ("name: *a", "x.yaml:1:7: expected a value, found the alias '*a': write it out"),
        ("name: !int 3", "x.yaml:1:7: expected a value, found the tag '!int': write it out"),
        ("<<: {name: b}\nname: a", f"x.yaml:1:1: expected a key of a thing, found '<<'; known: {KEYS}"),
        ("name: 'a", "x.yaml:1:9: expected YAML: found unexpected end of stream"),
        ("name: a\n\tmode: off", f"x.yaml:2:1: expected YAML: found character '\\t' {NO_TOKEN}"),
        ("name: a\n---\nname: b", "x.yaml:2:1: expected YAML: but found another document"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(text: str, fault: str) -> None:
    assert faults(text) == [fault]


def test_all_faults_of_a_file_are_told_in_order() -> None:
    found = faults("mod: off\nsizes: [x, 2, y]\none: {}\nby: {A: b}")
    assert [line.split(": ")[0] for line in found] == [
        "x.yaml:1:1", "x.yaml:1:1", "x.yaml:2:9", "x.yaml:2:15", "x.yaml:3:6", "x.yaml:4:6", "x.yaml:4:9",
    ]  # fmt: skip


def test_deep_nesting_is_refused_and_cannot_exhaust_the_stack() -> None:
    assert faults("name: " + "[" * 5000 + "]" * 5000) == [
        "x.yaml:1:38: expected at most 32 levels, found more"
    ]


def test_long_values_are_shortened_in_what_is_told() -> None:
    assert len(faults("name: a\nmode: " + "x" * 5000)[0]) < 120


def test_control_characters_are_a_fault_not_a_traceback() -> None:
    assert faults("name: a\x00b")[0].startswith("x.yaml:1:1: expected YAML: ")


def test_a_placed_value_can_be_found_fault_with_later() -> None:
    doc = Document("x.yaml")
    shape: Fields[dict[str, Any]] = Fields("a thing", dict, {"name": Key(Placing(NAME))})
    placed = attempt(doc, "name: a", shape)
    assert placed is not None
    doc.unknown(placed["name"].node, "a colour", placed["name"].value, ())
    assert [str(fault) for fault in doc.faults] == ["x.yaml:1:7: expected a colour, found 'a'; there is none"]


@settings(deadline=None)
@given(st.text(max_size=200) | st.text("{}[]:,-?&*!|>'\"%@`# \n\tabname", max_size=60))
def test_no_text_makes_anything_but_a_value_or_named_faults(text: str) -> None:
    try:
        parse("x", text, SMALL)
    except FileErrors as error:
        assert error.faults
