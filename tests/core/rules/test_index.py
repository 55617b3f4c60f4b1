"""Columns: many rules answered at once say what each rule says by itself."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.core import events as ev
from router.core.fold import fold
from router.core.rules.compile import Due, RuleSet
from router.core.rules.index import Column, Comparison, bits, split
from router.core.rules.model import All, AnyOf, Compare, Condition, Entry, Not, RuleFile, ShowArticle, Silence
from router.core.session import Session
from tests.core.rules.test_predicates import PAGES, Walk, conditions, fixed, fresh, timed, walks

START = 1_000_000
HOLDS = {
    "eq": operator.eq, "ne": operator.ne, "gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt,
}  # fmt: skip
COMPARED = st.tuples(st.sampled_from(sorted(HOLDS)), st.sampled_from((0, 1, 2, 2.5, 3)))


def column(*rules: Sequence[tuple[str, object]]) -> Column:
    """A column of a fact that is what the clock says; each rule is its comparisons."""
    comparisons = {
        rank: [Comparison("fact", lambda session, now: now, None, op, value) for op, value in rule]
        for rank, rule in enumerate(rules)
        if rule
    }
    return Column(0, (1 << len(rules)) - 1, comparisons)


def allowed(rules: Column, value: Any) -> set[int]:
    """The ranks that the column allows while the fact is `value`."""
    return set(bits(rules.allows(fresh(), value)))


@given(
    st.lists(st.lists(COMPARED, max_size=3), min_size=1, max_size=8).filter(any),
    st.sampled_from((-1, 0, 0.5, 1, 1.7, 2, 2.2, 2.5, 3, 99)),
)
def test_a_column_allows_the_rules_all_of_whose_comparisons_hold(
    rules: list[list[tuple[str, float]]], value: float
) -> None:
    expected = {
        rank for rank, rule in enumerate(rules) if all(HOLDS[op](value, wanted) for op, wanted in rule)
    }
    assert allowed(column(*rules), value) == expected


@given(st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=3, unique=True))
def test_words_are_found_by_name_and_any_other_word_is_none_of_them(names: list[str]) -> None:
    rules = column([("eq", "a")], [("ne", "a")], [("in", tuple(names))], [("not_in", tuple(names))], [])
    for value in ("a", "b", "c", "d"):
        expected = {4} | {1 if value != "a" else 0} | {2 if value in names else 3}
        assert allowed(rules, value) == expected


def test_an_unknown_fact_allows_only_the_rules_that_do_not_ask_for_it() -> None:
    rules = column([("gte", 1)], [], [("ne", 1)])
    assert allowed(rules, None) == {1}


def test_a_condition_is_split_into_comparisons_and_a_rest() -> None:
    price = Compare("product.price", "gte", 10.0, "JPY")
    lines = Compare("cart.lines", "eq", 2)
    silence = Silence("checkout", "cart", 5000, "wall")
    either = AnyOf((price, lines))
    comparisons, rest = split(All((price, Not(either), All((silence, either)), Not(All((lines, price))))))
    assert [(one.key, one.op) for one in comparisons] == [
        ("product.price", "gte"), ("product.price", "lt"), ("cart.lines", "ne"), ("silence checkout cart wall", "gte"),
    ]  # fmt: skip
    assert rest == [either, Not(All((lines, price)))]


conjunctions = st.lists(fixed | timed, min_size=1, max_size=3).map(tuple).map(All)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conjunctions | conditions, min_size=12, max_size=24), walks)
def test_many_rules_at_once_say_what_each_says_by_itself(rules: list[Condition], walk: Walk) -> None:
    """After every event, and just before and at every moment that was promised; a rule that is off is never one."""
    entries = [Entry(f"r{place}", rule, (ShowArticle("a"),), place % 7) for place, rule in enumerate(rules)]
    entries[0] = Entry("r0", rules[0], (ShowArticle("a"),), mode="off")
    ruleset = RuleSet(RuleFile(1, tuple(entries)))
    session, now, due = fresh(), START, Due()
    fold(session, PAGES[0], ev.Page(0, "home", "/a"), now)
    ruleset.adopt(session, now, due)
    for pause, page, event in walk:
        until = now + pause
        while due and (moment := min(due.values())) <= until:
            assert remembered(ruleset, session) == asked(ruleset, session, moment - 1)
            ruleset.wake(session, moment, due)
            assert remembered(ruleset, session) == asked(ruleset, session, moment)
        now = until
        ruleset.edges(session, 1 << fold(session, page, event, now), now, due)
        assert remembered(ruleset, session) == asked(ruleset, session, now)


def remembered(ruleset: RuleSet, session: Session) -> set[str]:
    return {rule.id for rule in ruleset.true(session)}


def asked(ruleset: RuleSet, session: Session, now: int) -> set[str]:
    return {rule.id for rule in ruleset.rules if rule.mode != "off" and rule.test(session, now)}
