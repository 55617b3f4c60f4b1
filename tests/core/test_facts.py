"""Facts: each reads every event kind that can change it, and running ones tell when they began."""

from __future__ import annotations

import pytest

from router.core import events as ev
from router.core.facts import FACTS, Fact, kind_without_source, reading, silence, without_source
from router.core.fold import fold
from router.core.session import Session, admit

START = 1_000_000
PAGE = "000000001aaaaaaa"
CUP = ev.Item("cup", "Cup", price=10.0)

TELLING: list[ev.Event] = [
    ev.Page(0, "cart", "/cart", language="ja"),
    ev.Dwell(0, 0, ev.FOCUSED),
    ev.Dwell(0, 0, ev.HIDDEN),
    ev.ItemList(0, "all", 8),
    ev.Search(0, "cup", 3),
    ev.Product(0, CUP, 10.0, "JPY"),
    ev.CartAdd(0, CUP, 10.0, "JPY"),
    ev.Cart(0, 3, 5, 50.0, "JPY"),
    ev.CartRemove(0, CUP, 10.0, "JPY"),
    ev.Wishlist(0, CUP),
    ev.Checkout(0),
    ev.CheckoutStep(0, 1),
    ev.Payment(0, None, "started"),
    ev.Coupon(0, "hash", False),
    ev.Purchase(0, "o1"),
    ev.Page(0, "home", "/", language="en"),
]


def visit() -> Session:
    session = Session("s", "demo", "v", "JPY", START, START)
    admit(session, PAGE)
    return session


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_changes_only_by_the_events_it_reads(fact: Fact) -> None:
    session = visit()
    changed = 0
    for event in TELLING:
        before = (fact.read(session, START), fact.zero and fact.zero(session))
        kind = fold(session, PAGE, event, START)
        if (fact.read(session, START), fact.zero and fact.zero(session)) != before:
            assert fact.reads & (1 << kind), type(event)
            changed += 1
    assert changed


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_running_fact_agrees_with_its_zero(fact: Fact) -> None:
    session = visit()
    fold(session, PAGE, ev.Page(0, "home", "/"), START)
    fold(session, PAGE, ev.Dwell(0, 0, ev.FOCUSED), START + 7)
    fold(session, PAGE, ev.Dwell(0, 5, ev.VISIBLE), START + 20)
    fold(session, PAGE, ev.Dwell(0, 5, ev.FOCUSED), START + 30)
    if fact.zero is None:
        assert fact.read(session, START + 90) == fact.read(session, START + 30)
    else:
        zero = fact.zero(session)
        assert zero is not None
        assert fact.read(session, START + 90) == START + 90 - zero


@pytest.mark.parametrize("clock", ["visible", "wall"])
def test_a_silence_is_unknown_before_it_can_begin(clock: str) -> None:
    elapsed, zero, mask = silence("checkout", "cart", "visible" if clock == "visible" else "wall")
    session = visit()
    assert elapsed(session, START) is None
    assert zero(session) is None
    assert mask & reading("checkout", "cart") == reading("checkout", "cart")
    fold(session, PAGE, ev.Dwell(0, 0, ev.VISIBLE), START)
    fold(session, PAGE, ev.Cart(0, 1, 1), START + 10)
    assert elapsed(session, START + 25) == 15
    assert zero(session) == START + 10


def test_another_currency_is_unknown() -> None:
    session = visit()
    fold(session, PAGE, ev.Product(0, CUP, 10.0, "EUR"), START)
    fold(session, PAGE, ev.Cart(0, 1, 1, 10.0, "EUR"), START)
    assert FACTS["product.price"].read(session, START) is None
    assert FACTS["cart.value"].read(session, START) is None
    assert FACTS["cart.lines"].read(session, START) == 1


def test_words_without_a_source_are_told_from_words_that_are_none() -> None:
    assert without_source("visitor.orders")
    assert without_source("exit")
    assert without_source("visitors") is None
    assert not any(without_source(name) for name in FACTS)
    assert kind_without_source("scroll")
    assert kind_without_source("skroll") is None
