"""Rule sets: what fires, in which order, when it is looked at again, and what a session adopts."""

from __future__ import annotations

import msgspec

from router.core import events as ev
from router.core.fold import fold
from router.core.rules import form
from router.core.rules.compile import MAX_RULES, PLANS, Due, RuleSet
from router.core.session import Session, admit

START = 1_000_000
PAGE = "000000001aaaaaaa"


def rules(*lines: str, head: str = "") -> RuleSet:
    """A rule set; each line is what stands in a rule's braces beside its id (r0, r1, ...) and its action."""
    text = "".join(f"  - {{id: r{i}, then: [article: a], {line}}}\n" for i, line in enumerate(lines))
    return RuleSet(form.load("rules.yaml", f"version: 1\n{head}\nrules:\n{text}"))


class Visit:
    """A session with its due moments, under a rule set."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.rules = ruleset
        self.session = Session("s", "demo", "v", "JPY", START, START)
        self.due = Due()
        admit(self.session, PAGE)
        ruleset.adopt(self.session, START, self.due)

    def event(self, event: ev.Event, after: int = 0) -> list[str]:
        """The ids of the rules that fire by this event."""
        kind = fold(self.session, PAGE, event, START + after)
        return [rule.id for rule in self.rules.edges(self.session, 1 << kind, START + after, self.due)]

    def true(self) -> list[str]:
        """The ids of the rules that are remembered as true."""
        return [rule.id for rule in self.rules.true(self.session)]

    def wake(self, after: int) -> list[str]:
        return [rule.id for rule in self.rules.wake(self.session, START + after, self.due)]


def page(kind: str = "home", path: str = "/") -> ev.Page:
    return ev.Page(0, kind, path)


def cart(value: float) -> ev.Cart:
    return ev.Cart(0, 1, 1, value, "JPY")


def test_a_rule_fires_when_it_turns_true_and_again_only_after_it_was_false() -> None:
    visit = Visit(rules("when: {cart.value: {gte: 100 JPY}}"))
    assert visit.event(cart(99)) == []
    assert visit.event(cart(100)) == ["r0"]
    assert visit.event(cart(101)) == []
    assert visit.event(cart(1)) == []
    assert visit.event(cart(100)) == ["r0"]


def test_every_rule_that_turned_true_is_given_highest_priority_first_ties_as_written() -> None:
    """The top match may be kept from showing; those below it are not hidden by it."""
    same = "when: {cart.lines: 1}"
    visit = Visit(rules(f"{same}, priority: 10", f"{same}, priority: 90", f"{same}, priority: 90", same))
    assert visit.event(cart(1)) == ["r1", "r2", "r3", "r0"]


def test_all_conditions_count_not_only_the_first() -> None:
    visit = Visit(rules("when: {all: [page.type: cart, cart.value: {gte: 100 JPY}, dwell.page: {gte: 5s}]}"))
    assert visit.event(page("cart", "/cart")) == []
    assert visit.event(ev.Dwell(0, 0, ev.FOCUSED)) == []
    assert visit.due == {}
    assert visit.event(cart(100)) == []
    assert list(visit.due.values()) == [START + 5000]
    assert visit.wake(4999) == []
    assert visit.wake(5000) == ["r0"]
    assert visit.due == {}


def test_a_silence_fires_at_its_moment_and_is_disarmed_by_what_it_waited_for() -> None:
    line = "when: {silence: {of: checkout, since: cart, for: 45s, clock: wall}}"
    visit = Visit(rules(line))
    assert visit.event(cart(1)) == []
    assert list(visit.due.values()) == [START + 45_000]
    assert visit.event(ev.Checkout(0), 44_999) == []
    assert list(visit.due.values()) == [START + 44_999 + 45_000]
    assert visit.wake(45_000) == []


def test_a_visible_silence_is_rescheduled_when_the_page_is_hidden_and_seen_again() -> None:
    visit = Visit(rules("when: {silence: {of: checkout, since: cart, for: 45s, clock: visible}}"))
    visit.event(ev.Dwell(0, 0, ev.VISIBLE))
    visit.event(cart(1))
    assert list(visit.due.values()) == [START + 45_000]
    visit.event(ev.Dwell(0, 0, ev.HIDDEN), 40_000)
    assert visit.due == {}
    visit.event(ev.Dwell(0, 0, ev.VISIBLE), 100_000)
    assert list(visit.due.values()) == [START + 105_000]
    assert visit.wake(105_000) == ["r0"]


def test_a_window_that_slides_on_rearms_its_rule() -> None:
    visit = Visit(rules("when: {repeats.page: {path: /a, gte: 2 in 10s}}"))
    assert visit.event(page(path="/a")) == []
    assert visit.event(page(path="/a"), 4000) == ["r0"]
    assert list(visit.due.values()) == [START + 10_000]
    assert visit.wake(10_000) == []
    assert visit.true() == []
    assert visit.event(page(path="/a"), 12_000) == ["r0"]


def test_a_late_event_still_counts_in_its_window() -> None:
    visit = Visit(rules("when: {repeats.page: {path: /a, gte: 2 in 10s}}"))
    assert visit.event(page(path="/a"), 9000) == []
    other = "000000002bbbbbbb"
    admit(visit.session, other)
    kind = fold(visit.session, other, ev.Page(8000, "home", "/a"), START + 10_000)
    fired = visit.rules.edges(visit.session, 1 << kind, START + 10_000, visit.due)
    assert [rule.id for rule in fired] == ["r0"]
    assert list(visit.due.values()) == [START + 12_000]


def test_a_rule_that_is_off_is_never_looked_at() -> None:
    visit = Visit(rules("when: {cart.lines: 1}, mode: off", "when: {cart.lines: 1}, mode: shadow"))
    assert visit.event(cart(1)) == ["r1"]
    assert visit.true() == ["r1"]


def test_only_rules_that_read_an_event_are_looked_at() -> None:
    """What time made true is not noticed by an event that the rule does not read, but by its own moment."""
    visit = Visit(rules("when: {dwell.site: {gte: 5s}}", "when: {cart.lines: 1}"))
    visit.event(page())
    visit.event(ev.Dwell(0, 0, ev.FOCUSED))
    assert visit.event(cart(1), 6000) == ["r1"]
    assert visit.wake(6000) == ["r0"]


def test_what_is_remembered_of_mixtures_of_events_is_bounded() -> None:
    visit = Visit(rules("when: {cart.lines: 1}"))
    for mask in range(3 * PLANS):
        visit.rules.edges(visit.session, mask, START, visit.due)
    assert len(visit.rules._plans) <= PLANS


def test_a_rule_that_holds_from_the_start_fires_at_the_first_event_it_reads() -> None:
    visit = Visit(rules("when: {cart.lines: 0}"))
    assert visit.event(page()) == []
    assert visit.event(ev.Cart(0, 0, 0)) == ["r0"]


def test_a_session_under_other_rules_adopts_what_is_true_without_firing() -> None:
    visit = Visit(rules("when: {cart.lines: 2}"))
    visit.event(cart(1))
    changed = rules("when: {page.type: home}", "when: {cart.lines: 1}", "when: {dwell.site: {gte: 5s}}")
    visit.event(page(), 10)
    visit.event(ev.Dwell(0, 0, ev.FOCUSED), 10)
    visit.rules = changed
    changed.adopt(visit.session, START + 100, visit.due)
    assert visit.session.ruleset == changed.version
    assert visit.true() == ["r0", "r1"]
    assert list(visit.due.values()) == [START + 5010]
    assert visit.event(cart(2), 200) == []
    assert visit.wake(5010) == ["r2"]


def test_a_moment_that_passed_while_nobody_watched_is_due_at_attach_and_says_how_late_it_is() -> None:
    ruleset = rules("when: {silence: {of: checkout, since: cart, for: 45s, clock: wall}}")
    visit = Visit(ruleset)
    visit.event(cart(1))
    elsewhere = msgspec.msgpack.decode(msgspec.msgpack.encode(visit.session), type=Session)
    due = Due()
    ruleset.adopt(elsewhere, START + 60_000, due)
    assert list(due.values()) == [START + 45_000]
    assert [rule.id for rule in ruleset.wake(elsewhere, START + 60_000, due)] == ["r0"]
    assert due == {}
    assert ruleset.wake(elsewhere, START + 70_000, due) == []


def test_adopting_twice_changes_nothing() -> None:
    visit = Visit(rules("when: {cart.lines: 1}", "when: {dwell.site: {gte: 5s}}"))
    visit.event(cart(1))
    visit.event(ev.Dwell(0, 0, ev.FOCUSED))
    before = (visit.session.truth, dict(visit.due))
    visit.rules.adopt(visit.session, START + 10, visit.due)
    assert (visit.session.truth, visit.due) == before


def test_dates_open_and_close_a_rule() -> None:
    visit = Visit(
        rules(
            "when: {cart.lines: 1}, "
            "dates: {from: '1970-01-01T00:17:00+00:00', until: '1970-01-01T01:18:00+01:00'}"
        )
    )
    begin, end = 17 * 60_000, 18 * 60_000
    assert visit.event(cart(1)) == []
    assert list(visit.due.values()) == [begin]
    assert visit.wake(begin - START) == ["r0"]
    assert list(visit.due.values()) == [end]
    assert visit.wake(end - START) == []
    assert visit.true() == []
    assert visit.due == {}


def test_a_rule_carries_what_a_decision_needs() -> None:
    head = "defaults: {holdout: 10%}\nsite: {holdout: 5%}"
    ruleset = rules(
        "when: {page.type: cart}",
        "when: {not: {cart.value: {lt: 5 JPY}}}, holdout: 20%, rollout: 50%, valid: 5s, patience: 0s, "
        "caps: {per_session: 2, per_visitor: 1 in 90d, not_before: 1m visible}",
        "when: {dwell.site: {gte: 3m}}",
        head=head,
    )
    first, second, third = ruleset.rules
    assert (first.holdout, first.rollout, first.valid_ms, first.patience_ms) == (0.1, 1.0, 20_000, 20_000)
    assert (second.holdout, second.rollout, second.valid_ms, second.patience_ms) == (0.2, 0.5, 5000, 0)
    assert (second.caps.per_session, second.caps.per_visitor) == (2, (1, 90 * 86_400_000))
    assert second.caps.not_before_ms == 60_000
    assert [sorted(rule.scope) for rule in ruleset.rules] == [["page"], ["cart"], []]
    assert (first.timed, second.timed, third.timed) == (False, False, True)
    assert ruleset.site_holdout == 0.05
    assert ruleset.find("r1") is second
    assert ruleset.find("zz") is None
    assert first.why(Visit(ruleset).session, START)[0].fact == "page.type"


def test_a_session_can_store_the_bits_of_the_largest_rule_set() -> None:
    ruleset = rules(*["when: {cart.lines: 1}"] * MAX_RULES)
    visit = Visit(ruleset)
    assert len(visit.event(cart(1))) == MAX_RULES
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(visit.session), type=Session)
    assert len(ruleset.true(stored)) == MAX_RULES


def test_the_version_follows_the_meaning_and_not_the_layout() -> None:
    plain = rules("when: {cart.lines: 1}")
    assert len(plain.version) == 8
    assert rules("priority: 50, when: {cart.lines: {eq: 1}}", head="# a comment").version == plain.version
    assert rules("when: {cart.lines: 2}").version != plain.version
    assert rules("when: {cart.lines: 1}", head="defaults: {holdout: 1%}").version != plain.version
