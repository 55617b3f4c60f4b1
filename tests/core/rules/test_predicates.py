"""Compiled conditions against a naive interpreter that follows docs/rules.md word by word."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core import events as ev
from router.core.fold import fold
from router.core.hours import Hours
from router.core.rules.compile import Due, RuleSet
from router.core.rules.model import (
    All,
    AnyOf,
    Attribute,
    Available,
    Compare,
    Condition,
    Dates,
    Entry,
    Known,
    Leaving,
    Not,
    Open,
    Repeats,
    RuleFile,
    Sequence,
    Shortfall,
    ShowArticle,
    Signs,
    Silence,
    Step,
)  # fmt: skip
from router.core.rules.predicates import build
from router.core.session import Profile, Session, admit, visible_clock
from router.core.trail import Step as Taken

START = 1_000_000
PAGES = ("000000001aaaaaaa", "000000002bbbbbbb")
HORIZON_MS = 450


# --- the naive interpreter: True, False or None (unknown) --------------------------------------------------


def value_of(fact: str, session: Session, now: int) -> Any:
    page = session.pages.get(session.current)
    last = {ev.NAMES[kind]: at for kind, (at, _) in session.last.items()}
    match fact:
        case "page.type":
            return page.type or None if page else None
        case "page.path":
            return page.path or None if page else None
        case "page.language":
            return session.language[:2] or None
        case "dwell.page" | "dwell.site":
            running = now - page.since if page and page.state == ev.FOCUSED else 0
            if fact == "dwell.site":
                return session.focused_ms + running
            return page.focused_ms + running if page else None
        case "product.price":
            return session.product.price if session.product else None
        case "cart.value":
            return session.cart.value
        case "cart.lines":
            return session.cart.count
        case "cart.quantity":
            return session.cart.quantity
        case "checkout.started":
            return "checkout" in last and last["checkout"] > last.get("purchase", -1)
        case "scroll":
            return page.scroll / 100 if page else None
        case "idle":
            return now - session.idle_since if session.idle_since else None
        case "cart.age":
            return now - session.cart.since if session.cart.since else None
        case "payment.failed":
            return session.payment == "failed"
        case "product.category":
            return session.product.category if session.product else None
        case "visitor.orders":
            return session.profile.orders
    raise AssertionError(fact)


def naive(condition: Condition, session: Session, now: int) -> bool | None:
    match condition:
        case Compare():
            return compared(value_of(condition.fact, session, now), condition.op, condition.value)
        case Repeats():
            return repeated(condition, session, now)
        case Signs():
            seen = session.signs.times(
                {"search.count": "search", "coupon.refused": "coupon.refused"}[condition.of]
            )
            return len([at for at in seen if at > now - condition.window_ms]) >= condition.count
        case Leaving():
            return session.exit == condition.kind and now < session.exit_at + 5000
        case Shortfall():
            value = session.cart.value
            return None if value is None else 0 < condition.to - value <= condition.most
        case Attribute():
            return compared(session.profile.attributes.get(condition.name), condition.op, condition.value)
        case Sequence():
            return followed(condition, session)
        case Open():
            return opened(condition.hours, now)
        case Silence():
            return silent(condition, session, now)
        case Known():
            return value_of(condition.fact, session, now) is not None
        case Dates():
            begin, end = condition.from_ms, condition.until_ms
            return (begin is None or begin <= now) and (end is None or now < end)
        case Not():
            inner = naive(condition.part, session, now)
            return None if inner is None else not inner
        case All():
            parts = [naive(part, session, now) for part in condition.parts]
            return False if False in parts else None if None in parts else True
        case AnyOf():
            parts = [naive(part, session, now) for part in condition.parts]
            return True if True in parts else None if None in parts else False
        case Available():
            return True
    raise AssertionError(condition)


def compared(value: Any, op: str, wanted: Any) -> bool | None:
    if value is None:
        return None
    match op:
        case "eq":
            return bool(value == wanted)
        case "gte":
            return bool(value >= wanted)
        case "gt":
            return bool(value > wanted)
        case "lte":
            return bool(value <= wanted)
        case "lt":
            return bool(value < wanted)
        case "in":
            return value in wanted
    raise AssertionError(op)


def repeated(condition: Repeats, session: Session, now: int) -> bool | None:
    page = session.pages.get(session.current)
    if condition.of == "category":
        category = session.product.category if session.product else None
        if category is None:
            return None
        seen = session.signs.times("c:" + category)
        return len([at for at in seen if at > now - condition.window_ms]) >= condition.count
    if condition.of == "product":
        key = "i:" + session.product.id if session.product else None
    elif condition.path is not None:
        key = "p:" + condition.path
    else:
        key = "p:" + page.path if page and page.path else None
    if key is None:
        return None
    return len([at for at in session.seen.times(key) if at > now - condition.window_ms]) >= condition.count


def silent(condition: Silence, session: Session, now: int) -> bool | None:
    since = session.last.get(ev.number(condition.since))
    if since is None:
        return None
    of = session.last.get(ev.number(condition.of), (-1, -1))
    at, clock = max(since, of, key=lambda entry: entry[0])
    elapsed = now - at if condition.clock == "wall" else visible_clock(session, now) - clock
    return elapsed >= condition.for_ms


def followed(condition: Sequence, session: Session) -> bool:
    """Every way to choose the steps in time, one taken step for each."""
    journey = sorted(session.journey, key=lambda taken: taken.at)
    kept: list[Taken] = []
    for taken in journey:
        pages = [old for old in kept if old.kind == ev.number("page")]
        if taken.kind != ev.number("page") or not pages or pages[-1].label != taken.label:
            kept.append(taken)
    for chosen in itertools.combinations(kept, len(condition.steps)):
        fits = all(
            taken.kind == ev.number(step.kind) and step.path in ("", taken.label)
            for taken, step in zip(chosen, condition.steps, strict=True)
        )
        begin, end = chosen[0].at, chosen[-1].at
        forbidden = any(session.last.get(ev.number(kind), (-1, 0))[0] >= begin for kind in condition.without)
        if fits and not forbidden and end - begin <= condition.within_ms:
            return True
    return False


def opened(hours: Hours, now: int) -> bool:
    """By the clock on the wall there; the hours of these tests are UTC's."""
    at = datetime.fromtimestamp(now / 1000, UTC)
    minute = at.hour * 60 + at.minute
    return any(begin <= minute < end for begin, end in hours.days[at.weekday()])


# --- random conditions and sessions ------------------------------------------------------------------------

ORDER = st.sampled_from(("gte", "gt", "lte", "lt"))
SHORT = st.integers(0, 200)
DEED = st.sampled_from(("page", "product", "cart", "checkout", "cart_add"))

fixed: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, st.just("page.type"), st.just("eq"), st.sampled_from(("cart", "home"))),
    st.builds(Compare, st.just("page.type"), st.just("in"), st.just(("cart", "checkout"))),
    st.builds(Compare, st.just("page.path"), st.just("eq"), st.sampled_from(("/a", "/b"))),
    st.builds(Compare, st.just("page.language"), st.just("eq"), st.sampled_from(("ja", "en"))),
    st.builds(Compare, st.just("product.price"), ORDER, st.sampled_from((10.0, 20.0)), st.just("JPY")),
    st.builds(Compare, st.just("cart.value"), ORDER, st.sampled_from((0.0, 20.0, 40.0)), st.just("JPY")),
    st.builds(Compare, st.just("cart.value"), st.just("eq"), st.just(20.0), st.just("JPY")),
    st.builds(Compare, st.sampled_from(("cart.lines", "cart.quantity")), ORDER, st.integers(0, 3)),
    st.builds(Compare, st.just("checkout.started"), st.just("eq"), st.booleans()),
    st.builds(Compare, st.just("scroll"), ORDER, st.sampled_from((0.25, 0.5))),
    st.builds(Compare, st.just("payment.failed"), st.just("eq"), st.booleans()),
    st.builds(Compare, st.just("product.category"), st.just("eq"), st.sampled_from(("cups", "bowls"))),
    st.builds(Compare, st.just("visitor.orders"), ORDER, st.integers(0, 2)),
    st.builds(Shortfall, st.just(40.0), st.sampled_from((10.0, 20.0)), st.just("JPY")),
    st.builds(Attribute, st.just("plan"), st.just("eq"), st.sampled_from(("gold", "blue"))),
    st.builds(Attribute, st.just("points"), ORDER, st.sampled_from((5.0, 7.0))),
    st.builds(
        Sequence,
        st.lists(
            st.builds(Step, st.sampled_from(("product", "cart_add", "page")))
            | st.builds(Step, st.just("page"), st.just("/a")),
            min_size=2, max_size=3,
        ).map(tuple),
        st.integers(0, 200),
        st.sampled_from(((), ("purchase",), ("checkout",))),
    ),
    st.builds(
        Known, st.sampled_from(("page.type", "dwell.page", "product.price", "cart.value", "visitor.orders", "idle"))
    ),
)  # fmt: skip
MINUTE = START // 60_000 % 1440
timed: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, st.sampled_from(("dwell.page", "dwell.site", "idle", "cart.age")), ORDER, SHORT),
    st.builds(
        Signs, st.sampled_from(("search.count", "coupon.refused")), st.integers(1, 2), st.integers(1, 200)
    ),
    st.builds(Leaving, st.sampled_from(("pointer", "tab"))),
    st.builds(Silence, DEED, DEED, SHORT, st.sampled_from(("visible", "wall"))),
    st.builds(
        Repeats,
        st.just("page"),
        st.integers(1, 3),
        st.integers(1, 200),
        st.none() | st.sampled_from(("/a", "/b")),
    ),
    st.builds(Repeats, st.sampled_from(("product", "category")), st.integers(1, 3), st.integers(1, 200)),
    st.builds(Dates, st.integers(START, START + 900), st.none() | st.integers(START + 1000, START + 1400)),
)


def deeper(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=1, max_size=4).map(tuple)
    return st.one_of(st.builds(All, several), st.builds(AnyOf, several), st.builds(Not, inner))


conditions = st.recursive(fixed | timed, deeper, max_leaves=8)
rivals = st.lists(timed, min_size=2, max_size=3).map(tuple)
races: st.SearchStrategy[Condition] = st.builds(All, rivals) | st.builds(AnyOf, rivals)

AGE = st.just(0) | st.integers(0, 150)
ITEM = st.builds(
    ev.Item,
    st.sampled_from(("x", "y")),
    category=st.sampled_from((None, "cups", "bowls")),
    price=st.sampled_from((None, 10.0, 20.0)),
)
CURRENCY = st.sampled_from(("JPY", "JPY", "JPY", "EUR", None))
WORTH = st.sampled_from((None, 20.0, 40.0))

events: st.SearchStrategy[ev.Event] = st.one_of(
    st.builds(
        ev.Page,
        AGE,
        st.sampled_from(("home", "cart", "checkout")),
        st.sampled_from(("/a", "/b")),
        language=st.sampled_from((None, "ja", "en-GB")),
    ),
    st.builds(ev.Dwell, AGE, st.integers(0, 300), st.integers(0, 2)),
    st.builds(ev.Dwell, AGE, st.just(0), st.just(ev.FOCUSED)),
    st.builds(ev.Product, AGE, ITEM, WORTH, CURRENCY),
    st.builds(ev.CartAdd, AGE, ITEM, WORTH, CURRENCY),
    st.builds(ev.CartRemove, AGE, ITEM, WORTH, CURRENCY),
    st.builds(ev.Cart, AGE, st.integers(0, 3), st.integers(0, 3), WORTH, CURRENCY),
    st.builds(ev.Checkout, AGE),
    st.builds(ev.Purchase, AGE, st.just("o1")),
    st.builds(ev.Scroll, AGE, st.sampled_from((0.25, 0.5))),
    st.builds(ev.Search, AGE, st.none(), st.sampled_from((None, 0, 3))),
    st.builds(ev.Coupon, AGE, st.just("h"), st.booleans()),
    st.builds(ev.Exit, AGE, st.sampled_from(("pointer", "tab"))),
    st.builds(ev.Idle, AGE, st.sampled_from((0, 50))),
    st.builds(ev.Payment, AGE, st.none(), st.sampled_from(("started", "failed"))),
)
Walk = list[tuple[int, str, ev.Event]]
free: st.SearchStrategy[Walk] = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from(PAGES), events), max_size=12
)
OPENED: Walk = [(0, PAGES[0], ev.Page(0, "home", "/a")), (0, PAGES[0], ev.Dwell(0, 0, ev.FOCUSED))]
LOOKED_AT: Walk = [(20, PAGES[0], ev.Dwell(0, 0, ev.FOCUSED))]
walks = st.builds(
    lambda begin, middle, end: begin + middle + end,
    st.sampled_from((OPENED, [])),
    free,
    st.sampled_from((LOOKED_AT, [])),
)


def fresh() -> Session:
    session = Session("s", "demo", "v", "JPY", START, START)
    session.profile = Profile(1, attributes={"plan": "gold", "points": 7.0})
    for page in PAGES:
        admit(session, page)
    return session


def walked(walk: Walk) -> tuple[Session, int]:
    """The session after the walk, and the moment of its last step."""
    session, now = fresh(), START
    for pause, page, event in walk:
        now += pause
        fold(session, page, event, now)
    return session, now


def flip(condition: Condition, session: Session, now: int) -> int | None:
    """The first moment at which the condition turns true, or ceases to be; found by trying each."""
    was = naive(condition, session, now) is True
    moments = range(now + 1, now + HORIZON_MS)
    return next((at for at in moments if (naive(condition, session, at) is True) != was), None)


# --- the promises ------------------------------------------------------------------------------------------


@settings(max_examples=250, deadline=None)
@given(conditions, walks, st.integers(0, 300))
def test_a_compiled_condition_means_what_the_naive_one_means(
    condition: Condition, walk: Walk, later: int
) -> None:
    session, now = walked(walk)
    now += later
    truth = naive(condition, session, now)
    assert build(condition).test(session, now) is (truth is True)
    assert build(condition, holds=False).test(session, now) is (truth is False)


@settings(max_examples=150, deadline=None)
@given(conditions | races, walks, st.integers(0, 300))
def test_the_next_moment_is_never_late(condition: Condition, walk: Walk, later: int) -> None:
    session, now = walked(walk)
    now += later
    change = build(condition).change
    moment = None if change is None else change(session, now)
    assert moment is None or moment > now
    turns = flip(condition, session, now)
    if turns is not None:
        assert moment is not None
        assert moment <= turns


@settings(max_examples=150, deadline=None)
@given(timed, walks, st.integers(0, 300))
def test_the_next_moment_of_a_single_condition_is_exact(condition: Condition, walk: Walk, later: int) -> None:
    session, now = walked(walk)
    now += later
    change = build(condition).change
    assert change is not None
    moment, turns = change(session, now), flip(condition, session, now)
    if turns is not None or (moment is not None and moment < now + HORIZON_MS):
        assert moment == turns


@settings(max_examples=100, deadline=None)
@given(st.lists(conditions | timed, min_size=1, max_size=8), walks)
def test_no_rule_is_ever_missed(rules: list[Condition], walk: Walk) -> None:
    """Looking only at rules that read an event, and at due moments, keeps every bit right at all times."""
    ruleset = RuleSet(
        RuleFile(1, tuple(Entry(f"r{i}", rule, (ShowArticle("a"),)) for i, rule in enumerate(rules)))
    )
    session, now, due = fresh(), START, Due()
    fold(session, PAGES[0], ev.Page(0, "home", "/a"), now)
    ruleset.adopt(session, now, due)
    for pause, page, event in walk:
        for _ in range(pause):
            now += 1
            if due and min(due.values()) <= now:
                ruleset.wake(session, now, due)
            assert {rule.index for rule in ruleset.true(session)} == expected(rules, session, now)
        kind = fold(session, page, event, now)
        ruleset.edges(session, 1 << kind, now, due)
        assert {rule.index for rule in ruleset.true(session)} == expected(rules, session, now)


def expected(rules: list[Condition], session: Session, now: int) -> set[int]:
    return {place for place, rule in enumerate(rules) if naive(rule, session, now) is True}


@settings(max_examples=100, deadline=None)
@given(conditions, walks)
def test_whatever_holds_can_be_explained(condition: Condition, walk: Walk) -> None:
    """Each reason has a value and a threshold; only dates, which say nothing of a shopper, give none."""
    session, now = walked(walk)
    predicate = build(condition)
    if predicate.test(session, now):
        for reason in predicate.why(session, now):
            assert reason.value is not None
            assert reason.threshold is not None


@pytest.mark.parametrize("op", ["gte", "gt", "lte", "lt", "eq", "in"])
def test_an_unknown_fact_makes_a_comparison_false_and_its_negation_too(op: str) -> None:
    wanted = (10.0,) if op == "in" else 10.0
    condition = Compare("product.price", op, wanted, "JPY")
    for rule in (condition, Not(condition), Not(Not(condition)), All((Not(condition),))):
        assert not build(rule).test(fresh(), START)
    assert build(Not(Known("product.price"))).test(fresh(), START)


def test_a_count_is_reached_at_the_same_number_everywhere() -> None:
    """At least is at least: live, in the wake-up and in the reason; 2 are not 3, and 3 are."""
    session = fresh()
    predicate = build(Repeats("page", 3, 1000, "/a"))
    for seen in range(1, 5):
        fold(session, PAGES[0], ev.Page(0, "home", "/a"), START + seen)
        assert predicate.test(session, START + seen) is (seen >= 3)
    assert predicate.change is not None
    assert predicate.change(session, START + 4) == START + 2 + 1000
    assert predicate.why(session, START + 4)[0].value == 4
    assert predicate.test(session, START + 1001)
    assert not predicate.test(session, START + 1002)


def test_dwell_grows_only_while_the_page_is_focused() -> None:
    session = fresh()
    predicate = build(Compare("dwell.page", "gte", 100))
    assert predicate.change is not None
    fold(session, PAGES[0], ev.Page(0, "home", "/a"), START)
    assert predicate.change(session, START) is None
    fold(session, PAGES[0], ev.Dwell(0, 0, ev.FOCUSED), START + 50)
    assert predicate.change(session, START + 60) == START + 150
    fold(session, PAGES[0], ev.Dwell(0, 40, ev.VISIBLE), START + 90)
    assert predicate.change(session, START + 90) is None
    assert not predicate.test(session, START + 1000)
    fold(session, PAGES[0], ev.Dwell(0, 40, ev.FOCUSED), START + 1000)
    assert predicate.change(session, START + 1000) == START + 1060
    assert not predicate.test(session, START + 1059)
    assert predicate.test(session, START + 1060)


def test_an_all_waits_for_its_last_part_and_an_any_for_its_first() -> None:
    session = fresh()
    fold(session, PAGES[0], ev.Page(0, "home", "/a"), START)
    fold(session, PAGES[0], ev.Dwell(0, 0, ev.FOCUSED), START)
    short, long = Compare("dwell.page", "gte", 100), Compare("dwell.site", "gt", 200)
    for parts in ((short, long), (long, short)):
        every, some = build(All(parts)).change, build(AnyOf(parts)).change
        assert every is not None
        assert some is not None
        assert every(session, START) == START + 201
        assert some(session, START) == START + 100
        assert some(session, START + 100) is None


def test_a_visible_silence_waits_while_every_page_is_hidden() -> None:
    session = fresh()
    predicate = build(Silence("checkout", "cart", 100, "visible"))
    assert predicate.change is not None
    fold(session, PAGES[0], ev.Page(0, "cart", "/a"), START)
    fold(session, PAGES[0], ev.Dwell(0, 0, ev.VISIBLE), START)
    fold(session, PAGES[0], ev.Cart(0, 1, 1), START)
    assert predicate.change(session, START) == START + 100
    fold(session, PAGES[0], ev.Dwell(0, 0, ev.HIDDEN), START + 60)
    assert predicate.change(session, START + 60) is None
    assert not predicate.test(session, START + 5000)
    fold(session, PAGES[1], ev.Dwell(0, 0, ev.VISIBLE), START + 5000)
    assert predicate.change(session, START + 5000) == START + 5040
    assert predicate.test(session, START + 5040)


def test_a_silence_begins_anew_when_the_thing_happens() -> None:
    """From the later of the last `of` and the last `since`."""
    session = fresh()
    predicate = build(Silence("checkout", "cart", 100, "wall"))
    fold(session, PAGES[0], ev.Checkout(0), START)
    assert not predicate.test(session, START + 500)
    fold(session, PAGES[0], ev.Cart(0, 1, 1), START + 500)
    fold(session, PAGES[0], ev.Checkout(0), START + 590)
    assert not predicate.test(session, START + 689)
    assert predicate.test(session, START + 690)


def test_a_purchase_ends_a_started_checkout() -> None:
    session = fresh()
    started = build(Compare("checkout.started", "eq", True))
    assert not started.test(session, START)
    fold(session, PAGES[0], ev.Checkout(0), START + 1)
    assert started.test(session, START + 1)
    fold(session, PAGES[0], ev.Purchase(0, "o1"), START + 2)
    assert not started.test(session, START + 2)
    fold(session, PAGES[0], ev.Checkout(0), START + 3)
    assert started.test(session, START + 3)


def test_a_language_is_compared_without_its_region() -> None:
    session = fresh()
    fold(session, PAGES[0], ev.Page(0, "home", "/a", language="ja-JP"), START)
    assert build(Compare("page.language", "eq", "ja")).test(session, START)


def test_hours_turn_at_their_own_minute() -> None:
    """Open from 00:17 until 00:18 on the first day of the epoch, a Thursday."""
    week = Hours("UTC", tuple(((17, 18),) if day == 3 else () for day in range(7)))
    begin, end, session = 17 * 60_000, 18 * 60_000, fresh()
    for holds in (True, False):
        predicate = build(Open(week, "help"), holds)
        for now in (0, begin - 1, begin, end - 1, end):
            assert predicate.test(session, now) is (naive(Open(week), session, now) is holds)
        assert predicate.change is not None
        assert [predicate.change(session, now) for now in (0, begin, end - 1)] == [begin, end, end]


def test_a_sign_of_leaving_holds_for_five_seconds() -> None:
    session = fresh()
    leaving = build(Leaving("pointer"))
    assert leaving.change is not None
    fold(session, PAGES[0], ev.Exit(0, "pointer"), START)
    assert leaving.test(session, START + 4999) and not leaving.test(session, START + 5000)
    assert leaving.change(session, START) == START + 5000
    assert build(Not(Leaving("pointer"))).test(session, START + 5000)


def test_a_sequence_is_ordered_and_a_reload_is_no_step() -> None:
    steps = (Step("page", "/a"), Step("cart_add"), Step("page", "/a"))
    back = build(Sequence(steps, 60_000, ("purchase",)))
    session = fresh()
    add = ev.CartAdd(0, ev.Item("x"))
    for event in (ev.Page(0, "home", "/a"), add, ev.Page(0, "home", "/a")):
        fold(session, PAGES[0], event, START)
    assert not back.test(session, START)  # the page was only reloaded
    for event in (ev.Page(0, "cart", "/b"), ev.Page(0, "home", "/a")):
        fold(session, PAGES[0], event, START + 1)
    assert back.test(session, START + 1)
    fold(session, PAGES[0], ev.Purchase(0, "o1"), START + 2)
    assert not back.test(session, START + 2)
