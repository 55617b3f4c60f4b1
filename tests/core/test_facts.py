"""Facts: each reads every event kind that can change it, and running ones tell when they began."""

from __future__ import annotations

import pytest

from router.core import events as ev
from router.core.facts import FACTS, PROFILE, SIGNS, Fact, category_times, reading, sign_times, silence
from router.core.fold import fold
from router.core.session import Decision, Profile, Session, admit

START = 1_000_000
PAGE = "000000001aaaaaaa"
CUP = ev.Item("cup", "Cup", "tableware", price=10.0)

TELLING: list[ev.Event] = [
    ev.Page(0, "cart", "/cart", "https://search.example/", language="ja"),
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
    ev.Scroll(0, 0.5),
    ev.Exit(0, "pointer"),
    ev.Rage(0, 3),
    ev.Dead(0),
    ev.Struggle(0, "email", 9_000, 2),
    ev.Idle(0, 30_000),
    ev.Idle(0, 0),
    ev.Trouble(0, "script"),
    ev.Trouble(0, "request"),
    ev.Visit(0, "phone", "mail", "newsletter", "spring", "JP"),
    ev.Shown(0, "decision-1"),
    ev.Payment(0, None, "failed"),
    ev.Purchase(0, "o1"),
    ev.Search(0, "cups", 0),
    ev.Page(0, "home", "/", language="en"),
]
# What no event tells: it is there from the attach on, or the shop's backend says it.
GIVEN = {"visit.number", "visitor.returning"}


def visit() -> Session:
    session = Session("s", "demo", "v", "JPY", START, START)
    admit(session, PAGE)
    session.decision = Decision(
        "decision-1", "r", "v", "article", "", (), START, START + 9_000, PAGE, 0, {"title": "t"}
    )
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
    assert changed or fact.reads >> PROFILE & 1 or fact.name in GIVEN


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_running_fact_agrees_with_its_zero(fact: Fact) -> None:
    session = visit()
    fold(session, PAGE, ev.Page(0, "home", "/"), START)
    fold(session, PAGE, ev.Dwell(0, 0, ev.FOCUSED), START + 7)
    fold(session, PAGE, ev.Dwell(0, 5, ev.VISIBLE), START + 20)
    fold(session, PAGE, ev.Dwell(0, 5, ev.FOCUSED), START + 30)
    fold(session, PAGE, ev.CartAdd(0, CUP, 10.0, "JPY"), START + 30)
    fold(session, PAGE, ev.Idle(0, 20), START + 30)
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


@pytest.mark.parametrize("name", SIGNS)
def test_a_sign_is_counted_by_the_events_it_reads(name: str) -> None:
    times, reads = sign_times(name)
    session, told = visit(), 0
    for event in TELLING:
        before = times(session, 1)
        kind = fold(session, PAGE, event, START)
        if times(session, 1) != before:
            assert reads & (1 << kind)
            told += 1
    assert told


def test_a_category_is_that_of_the_product_seen_last() -> None:
    session = visit()
    assert category_times(session, 1) is None
    fold(session, PAGE, ev.Product(0, CUP), START)
    fold(session, PAGE, ev.Product(0, ev.Item("bowl", "Bowl", "tableware")), START + 1)
    assert category_times(session, 2) == [START, START + 1]
    assert not category_times(session, 3)
    fold(session, PAGE, ev.Product(0, ev.Item("vase", "Vase")), START + 2)
    assert category_times(session, 1) is None


def test_what_the_backend_says_of_a_visitor_is_unknown_until_it_says_so() -> None:
    session = visit()
    names = ("visitor.orders", "visitor.tier", "score")
    assert [FACTS[name].read(session, START) for name in names] == [None, None, None]
    session.profile = Profile(2, "gold", 0.8)
    assert [FACTS[name].read(session, START) for name in names] == [2, "gold", 0.8]
