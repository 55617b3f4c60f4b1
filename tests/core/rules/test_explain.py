"""Explanations say what the compiled rules say, condition by condition."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from router.core import events as ev
from router.core.decision import draw
from router.core.fold import fold
from router.core.rules.compile import Due, RuleSet
from router.core.rules.explain import Node, explain, node
from router.core.rules.model import (
    All,
    AnyOf,
    Compare,
    Condition,
    DefaultCaps,
    Defaults,
    Entry,
    Not,
    RuleFile,
    ShowArticle,
    Silence,
)  # fmt: skip
from tests.core.rules.test_predicates import (
    HORIZON_MS,
    PAGES,
    Walk,
    conditions,
    flip,
    fresh,
    naive,
    walked,
    walks,
)

START = 1_000_000
STATES = {True: "true", False: "false", None: "unknown"}
NO_CAPS = Defaults(DefaultCaps(not_before_ms=0))


def rules(*entries: Entry, defaults: Defaults = NO_CAPS) -> RuleSet:
    return RuleSet(RuleFile(1, entries, defaults))


def article(name: str, when: Condition, **more: Any) -> Entry:
    return Entry(name, when, (ShowArticle("a"),), **more)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conditions, walks)
def test_every_condition_is_told_as_it_is(condition: Condition, walk: Walk) -> None:
    """True, false or unknown, as the naive interpreter says, down to the last part."""
    session, now = walked(walk)

    def agrees(one: Condition, told: Node) -> None:
        assert told.holds == STATES[naive(one, session, now)]
        parts = one.parts if isinstance(one, All | AnyOf) else (one.part,) if isinstance(one, Not) else ()
        for part, child in zip(parts, told.parts, strict=True):
            agrees(part, child)

    agrees(condition, node(condition, session, now))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conditions, walks)
def test_the_moment_at_which_a_rule_becomes_true_is_the_first_one(condition: Condition, walk: Walk) -> None:
    session, now = walked(walk)
    (told,) = explain(rules(article("a", condition)), session, now)
    assert told.holds is (naive(condition, session, now) is True)
    if not told.holds:
        turns = flip(condition, session, now)
        if turns is not None or (told.true_at is not None and told.true_at < now + HORIZON_MS):
            assert told.true_at == turns


def test_value_threshold_words_and_moment_of_a_silence() -> None:
    session = fresh()
    fold(session, PAGES[0], ev.Dwell(0, 0, ev.FOCUSED), START)
    fold(session, PAGES[0], ev.Cart(0, 1, 1, 50.0, "JPY"), START)
    when = All((Compare("cart.value", "gte", 80.0, "JPY"), Silence("checkout", "cart", 45_000, "visible")))
    (told,) = explain(rules(article("a", when)), session, START + 10_000)
    value, silence = told.condition.parts
    assert (value.holds, value.value, value.threshold, value.unit) == ("false", 50.0, 80.0, "JPY")
    assert value.words["en"] == "Cart value: 50 JPY (less than 80 JPY)"
    assert (silence.holds, silence.value, silence.threshold) == ("false", 10_000, 45_000)
    assert silence.turns_at == START + 45_000
    assert told.true_at is None  # the cart's value keeps it from it
    fold(session, PAGES[0], ev.Cart(0, 1, 1, 90.0, "JPY"), START + 10_000)
    (told,) = explain(rules(article("a", when)), session, START + 10_000)
    assert told.true_at == START + 55_000


def test_what_stands_in_the_way_is_told_in_the_order_of_a_decision() -> None:
    session = fresh()
    fold(session, PAGES[0], ev.Page(0, "cart", "/cart"), START)
    when = Compare("page.type", "eq", "cart")

    def obstacle(
        defaults: Defaults = NO_CAPS,
        *,
        site_holdout: float = 0.0,
        killed: bool = False,
        blocked: bool = False,
        **more: Any,
    ) -> str:
        file = RuleFile(1, (article("a", when, **more),), defaults, site_holdout)
        return explain(RuleSet(file), session, START, killed=killed, blocked=lambda rule: blocked)[0].obstacle

    assert obstacle() == ""
    assert obstacle(mode="off", killed=True) == "off"
    assert obstacle(killed=True, rollout=0.0) == "killed"
    assert obstacle(rollout=0.0) == "rollout"
    assert obstacle(Defaults(DefaultCaps(not_before_ms=30_000))) == "not_before"
    assert obstacle(mode="shadow", holdout=1.0) == "shadow"
    assert obstacle(site_holdout=1.0, blocked=True) == "site_holdout"
    assert obstacle(blocked=True, holdout=1.0) == "no_capacity"
    assert obstacle(holdout=1.0) == "held_out"
    session.shown["a"] = 1
    assert obstacle() == "per_session"
    session.payment_since = START
    assert obstacle() == "payment"


def test_draws_are_those_of_a_decision_and_truth_is_what_is_remembered() -> None:
    session, due = fresh(), Due()
    ruleset = rules(
        article("low", Compare("page.type", "eq", "cart"), priority=1),
        article("high", Compare("cart.lines", "gte", 9), holdout=0.5),
    )
    ruleset.edges(session, 1 << fold(session, PAGES[0], ev.Page(0, "cart", "/cart"), START), START, due)
    high, low = explain(ruleset, session, START)
    assert (high.rule, low.rule) == ("high", "low")
    assert (high.remembered, low.remembered) == (False, True)
    assert high.holdout.drawn == draw("v", "high")
    assert high.holdout.inside is (draw("v", "high") < 0.5)
