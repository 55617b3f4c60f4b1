"""Examples beside rules: how they are written, and what is told of faulty ones."""

# ruff: noqa: E501  (a fault is one line)

from __future__ import annotations

import pytest

from router.core import events as ev
from router.core.document import FileErrors
from router.core.rules.examples import Case, Wait, load


def cases(steps: str, expect: str = "nothing") -> tuple[Case, ...]:
    text = f"version: 1\ncases:\n- name: one\n  steps: {steps}\n  expect: {expect}\n"
    return load("t.yaml", text, ("cart-wait",), "JPY").cases


def test_steps_are_events_by_the_names_of_the_protocol_and_waits() -> None:
    (case,) = cases(
        "[page: {type: cart, path: /cart}, cart_add: {item: {id: cup, price: 500, quantity: 2}}, "
        "cart: {lines: 1, quantity: 2, value: 1000.5, items: [{id: cup}]}, wait: 45s, payment: {result: failed}, dead: ]",
        "[cart-wait]",
    )
    cup = ev.Item("cup", price=500.0, quantity=2)
    assert case.steps == (
        ev.Page(0, "cart", "/cart"),
        ev.CartAdd(0, cup, None, "JPY"),
        ev.Cart(0, 1, 2, 1000.5, "JPY", [ev.Item("cup")]),
        Wait(45_000),
        ev.Payment(0, None, "failed"),
        ev.Dead(0),
    )
    assert case.expect == ("cart-wait",)


@pytest.mark.parametrize(
    ("steps", "expect", "fault"),
    [
        (
            "[wait: 25h]",
            "nothing",
            "t.yaml:4:17: expected a duration of at most 24h such as `45s`, found '25h'",
        ),
        ("[pge: {}]", "nothing", "t.yaml:4:11: expected a step, found 'pge'; did you mean 'page'?"),
        ("[page: {type: cart}]", "nothing", "t.yaml:4:17: expected the field 'path' of page, found none"),
        (
            "[page: cart]",
            "nothing",
            "t.yaml:4:17: expected the fields of page: type, path, referrer, title, language, found 'cart'",
        ),
        (
            "[cart: {lines: 1, quantity: 1, worth: 3}]",
            "nothing",
            "t.yaml:4:17: expected a field of cart, found 'worth'; known: currency, items, lines, quantity, value",
        ),
        (
            "[cart: {lines: -1, quantity: 1}]",
            "nothing",
            "t.yaml:4:17: expected an event cart: Expected `int` >= 0 - at `lines`",
        ),
        ("[shown: {decision: x}]", "nothing", "t.yaml:4:11: expected a step, found 'shown'"),
        (
            "[wait: 1s]",
            "[cart-wiat]",
            "t.yaml:5:12: expected a rule of the file, found 'cart-wiat'; did you mean 'cart-wait'?",
        ),
        ("[wait: 1s]", "none", "t.yaml:5:11: expected a list of rules, found 'none'"),
    ],
)
def test_faulty_examples_are_told_by_place(steps: str, expect: str, fault: str) -> None:
    with pytest.raises(FileErrors) as caught:
        cases(steps, expect)
    assert str(caught.value).startswith(fault)
