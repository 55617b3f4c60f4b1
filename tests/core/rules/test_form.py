"""The form of rules files: what it takes, what it refuses and with which words, and its JSON Schema."""

# ruff: noqa: E501  (a fault is one line)

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from router.core.document import FileErrors
from router.core.hours import Hours
from router.core.hours_form import ALWAYS_OPEN
from router.core.rules import form
from router.core.rules.conditions import Names
from router.core.rules.model import (
    All,
    AnyOf,
    Attribute,
    Available,
    Compare,
    Condition,
    Dates,
    GiveOffer,
    Invite,
    Known,
    Leaving,
    Not,
    Notice,
    Open,
    Repeats,
    Sequence,
    Shortfall,
    ShowArticle,
    Signs,
    Silence,
    Step,
    Tag,
    Webhook,
)  # fmt: skip

DEMO = Path(form.__file__).parents[2] / "demo" / "rules.yaml"
OFFICE = Hours("Asia/Tokyo", (((600, 1080),),) * 5 + ((), ()))
NAMES = Names(
    "JPY",
    {"help": OFFICE, "style": None},
    ["welcome"],
    ["sizes"],
    ["cart.wait", "cart.wait-2"],
    ["soon"],
    ["crm"],
)


def rule(when: str = "{cart.lines: 1}", then: str = "[article: sizes]", more: str = "") -> str:
    return f"version: 1\nrules:\n- id: a\n  when: {when}\n  then: {then}\n{more}"


def condition(when: str) -> Condition:
    return form.load("r.yaml", rule(when), NAMES).rules[0].when


def faults(text: str, names: Names = NAMES) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        form.load("r.yaml", text, names)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("when", "meaning"),
    [
        ("{page.type: cart}", Compare("page.type", "eq", "cart")),
        ("{page.type: {in: [cart, other]}}", Compare("page.type", "in", ("cart", "other"))),
        ("{page.path: /cart}", Compare("page.path", "eq", "/cart")),
        ("{page.language: ja}", Compare("page.language", "eq", "ja")),
        ("{dwell.page: {gte: 3m}}", Compare("dwell.page", "gte", 180_000)),
        ("{dwell.site: {lt: 1h}}", Compare("dwell.site", "lt", 3_600_000)),
        ("{cart.value: {gte: 8000 JPY}}", Compare("cart.value", "gte", 8000.0, "JPY")),
        ("{product.price: {lte: 99.5 JPY}}", Compare("product.price", "lte", 99.5, "JPY")),
        ("{cart.lines: 0}", Compare("cart.lines", "eq", 0)),
        (
            "{cart.quantity: {gte: 2, lt: 9}}",
            All((Compare("cart.quantity", "gte", 2), Compare("cart.quantity", "lt", 9))),
        ),
        ("{checkout.started: false}", Compare("checkout.started", "eq", False)),
        ("{repeats.page: {gte: 3 in 10m}}", Repeats("page", 3, 600_000)),
        ("{repeats.page: {path: /a, gte: 3 in 10m}}", Repeats("page", 3, 600_000, "/a")),
        ("{repeats.product: {gte: 3 in 24h}}", Repeats("product", 3, 86_400_000)),
        (
            "{silence: {of: checkout, since: cart, for: 45s, clock: visible}}",
            Silence("checkout", "cart", 45_000, "visible"),
        ),
        ("{repeats.category: {gte: 4 in 1h}}", Repeats("category", 4, 3_600_000)),
        ("{coupon.refused: {gte: 1 in 2m}}", Signs("coupon.refused", 1, 120_000)),
        ("{exit: pointer}", Leaving("pointer")),
        ("{scroll: {gte: 75%}}", Compare("scroll", "gte", 0.75)),
        ("{score: {gte: 80%}}", Compare("score", "gte", 0.8)),
        ("{visit.device: {in: [phone, tablet]}}", Compare("visit.device", "in", ("phone", "tablet"))),
        ("{visit.campaign: spring sale}", Compare("visit.campaign", "eq", "spring sale")),
        ("{visitor.orders: 0}", Compare("visitor.orders", "eq", 0)),
        ("{cart.shortfall: {to: 10000 JPY, lte: 1500 JPY}}", Shortfall(10_000.0, 1_500.0, "JPY")),
        ("{visitor.attribute: {name: plan, eq: gold}}", Attribute("plan", "eq", "gold")),
        (
            "{visitor.attribute: {name: points, gte: 5, lt: 9.5}}",
            All((Attribute("points", "gte", 5.0), Attribute("points", "lt", 9.5))),
        ),
        (
            "{sequence: {steps: [product, {page: /shipping}], within: 10m, without: [purchase]}}",
            Sequence((Step("product"), Step("page", "/shipping")), 600_000, ("purchase",)),
        ),
        ("{time.open: help}", Open(OFFICE, "help")),
        ("{time.open: style}", Open(ALWAYS_OPEN, "style")),
        (
            "{time.window: {zone: UTC, days: [sat], from: 10:00, until: 24:00}}",
            Open(Hours("UTC", ((),) * 5 + (((600, 1440),),) + ((),))),
        ),
        (
            "{all: [cart.lines: 1, availability.help.wait: {lte: 30s}, availability.style.free: {gte: 2}]}",
            All((
                Compare("cart.lines", "eq", 1), Available("help", "wait", "lte", 30_000),
                Available("style", "free", "gte", 2),
            )),
        ),
        ("{known: cart.value}", Known("cart.value")),
        ("{not: {known: cart.value}}", Not(Known("cart.value"))),
        ("{any: [cart.lines: 1, known: page.type]}", AnyOf((Compare("cart.lines", "eq", 1), Known("page.type")))),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_it_is_meant(when: str, meaning: Condition) -> None:
    assert condition(when) == meaning


def test_actions_are_read_in_order() -> None:
    then = "[invite: {queue: help, skills: [ja, gift], message: cart.wait}, offer: welcome, article: sizes]"
    (entry,) = form.load("r.yaml", rule(then=then), NAMES).rules
    assert entry.then == (
        Invite("help", ("ja", "gift"), "cart.wait"), GiveOffer("welcome"), ShowArticle("sizes"),
    )  # fmt: skip


def test_an_invite_may_have_several_texts_and_a_rule_what_always_follows() -> None:
    then = "[invite: {queue: help, message: [cart.wait, cart.wait-2]}, notice: soon]"
    (entry,) = form.load("r.yaml", rule(then=then, more="  also: [tag: hesitant, webhook: crm]"), NAMES).rules
    assert entry.then == (Invite("help", (), "cart.wait", ("cart.wait-2",)), Notice("soon"))
    assert entry.also == (Tag("hesitant"), Webhook("crm"))


def test_an_invite_without_a_message_takes_the_general_text_where_there_is_one() -> None:
    then = "[invite: {queue: help}]"
    general = Names("JPY", {"help": None}, [], [], ["invite"])
    (entry,) = form.load("r.yaml", rule(then=then), general).rules
    assert entry.then == (Invite("help", (), "invite"),)
    assert faults(rule(then=then)) == ["r.yaml:5:18: expected the key 'message' in invite, found none"]


def test_what_is_left_out_has_careful_defaults() -> None:
    read = form.load("r.yaml", rule(), NAMES)
    caps = read.defaults.caps
    assert (caps.per_session, caps.per_visitor) == (1, (3, 7 * 86_400_000))
    assert (caps.not_before_ms, caps.rest_after_dismissal_ms) == (30_000, 86_400_000)
    assert (read.defaults.holdout, read.site_holdout) == (0.0, 0.0)
    (entry,) = read.rules
    assert (entry.mode, entry.priority, entry.rollout, entry.holdout) == ("live", 50, 1.0, None)
    assert entry.dates is None


def test_off_is_a_mode_and_not_a_truth_value() -> None:
    assert form.load("r.yaml", rule(more="  mode: off"), NAMES).rules[0].mode == "off"


def test_dates_carry_their_time_zone() -> None:
    more = "  dates: {from: 2026-12-01T00:00+09:00, until: 2026-12-26T00:00:00Z}"
    (entry,) = form.load("r.yaml", rule(more=more), NAMES).rules
    assert entry.dates == Dates(1_796_050_800_000, 1_798_243_200_000)


@pytest.mark.parametrize(
    ("when", "fault"),
    [
        ("{page.typ: cart}", "4:10: expected a fact or condition, found 'page.typ'; did you mean 'page.type'?"),
        ("{page.type: kart}", "4:21: expected a page type, found 'kart'; did you mean 'cart'?"),
        ("{page.type: {equals: cart}}", "4:22: expected an operator of page.type, found 'equals'; known: eq, in"),
        ("{page.type: {gte: cart}}", "4:22: expected an operator of page.type, found 'gte'; known: eq, in"),
        ("{page.type: {}}", "4:21: expected an operator of page.type: eq, in, found a mapping"),
        ("{page.path: cart}", "4:21: expected a path that begins with a slash, such as `/shipping`, found 'cart'"),
        ("{page.language: Japanese}", "4:25: expected a language such as `ja`, found 'Japanese'"),
        ("{dwell.page: 3m}", "4:22: expected a comparison of dwell.page such as `{gte: ...}`, found '3m'"),
        ("{dwell.page: {gte: 180}}", "4:28: expected a duration of at most 24h such as `3m`, found '180'"),
        ("{dwell.page: {gte: 25h}}", "4:28: expected a duration of at most 24h such as `3m`, found '25h'"),
        ("{cart.value: {gte: 80 EUR}}", "4:28: expected money in the site's currency, such as `8000 JPY`, found '80 EUR'"),
        ("{cart.value: {gte: 8000}}", "4:28: expected money in the site's currency, such as `8000 JPY`, found '8000'"),
        ("{cart.lines: {gte: 1.5}}", "4:28: expected a whole number from 0 to 1000000, found '1.5'"),
        ("{checkout.started: yes}", "4:28: expected true or false, found 'yes'"),
        ("{repeats.page: {gte: 11 in 10m}}", "4:30: expected a count of at most 10 in a window of at most 24h, such as `3 in 10m`, found '11 in 10m'"),
        ("{repeats.page: {gte: 3}}", "4:30: expected a count of at most 10 in a window of at most 24h, such as `3 in 10m`, found '3'"),
        ("{repeats.product: {gte: 3 in 7d}}", "4:33: expected a count of at most 10 in a window of at most 24h, such as `3 in 10m`, found '3 in 7d'"),
        ("{repeats.product: {path: /a, gte: 3 in 1h}}", "4:28: expected a key of repeats.product, found 'path'; known: gte"),
        ("{repeats.page: {path: /a}}", "4:24: expected the key 'gte' in repeats.page, found none"),
        ("{silence: {of: checkin, since: cart, for: 45s, clock: wall}}", "4:24: expected a kind of event, found 'checkin'; did you mean 'checkout'?"),
        ("{silence: {of: cart, since: page, for: 45s, clock: visble}}", "4:60: expected a clock, found 'visble'; did you mean 'visible'?"),
        ("{silence: {of: cart, since: page, for: 0s, clock: wall}}", "4:48: expected a duration from 1s to 24h such as `45s`, found '0s'"),
        ("{silence: {of: cart, since: rage, for: 45s, clock: wall}}", "4:37: expected a kind of event, found 'rage'; did you mean 'page'?"),
        ("{scroll: {gte: 120%}}", "4:24: expected a share such as `10%`, found '120%'"),
        ("{exit: history}", "4:16: expected a sign of leaving, found 'history'; known: idle, pointer, return, scroll, tab"),
        ("{visit.device: watch}", "4:24: expected a device, found 'watch'; known: desktop, phone, tablet"),
        ("{cart.shortfall: {to: 100 EUR, lte: 5 JPY}}", "4:31: expected money in the site's currency, such as `8000 JPY`, found '100 EUR'"),
        ("{visitor.attribute: {name: plan}}", "4:29: expected a word, or a number for an order, found a mapping"),
        ("{visitor.attribute: {name: plan, gte: many}}", "4:47: expected a number, found 'many'"),
        ("{sequence: {steps: [cart], within: 10m}}", "4:28: expected a list of 2 to 8 steps, found a list"),
        ("{sequence: {steps: [cart, rage], within: 10m}}", "4:35: expected a kind of event, found 'rage'; did you mean 'page'?"),
        ("{time.open: night}", "4:21: expected a queue of the site, found 'night'; known: help, style"),
        ("{time.window: {zone: UTC, from: 18:00, until: 10:00}}", "4:23: expected `from` before `until`, found a mapping"),
        ("{time.window: {zone: Asia/Tokio}}", "4:30: expected a time zone such as Asia/Tokyo, found 'Asia/Tokio'; did you mean 'Asia/Tokyo'?"),
        ("{availability.night.wait: {lte: 30s}}", "4:10: expected a fact or condition, found 'availability.night.wait'; did you mean 'availability.help.wait'?"),
        ("{availability.help.wait: {lte: 30s}}", "4:9: expected a condition besides what is available: that alone is no moment to act"),
        ("{all: [cart.lines: 1, not: {availability.help.free: {gte: 1}}]}", "4:9: expected `availability` only in the outermost `all`: it is a gate, not a condition"),
        ("{known: cart.vaule}", "4:17: expected a fact, found 'cart.vaule'; did you mean 'cart.value'?"),
        ("{cart.lines: 1, page.type: cart}", "4:9: expected one key in a fact or condition, found 2"),
        ("{}", "4:9: expected one key in a fact or condition, found 0"),
        ("cart", "4:9: expected a fact or condition, found 'cart'"),
        ("{all: {cart.lines: 1}}", "4:15: expected a list of conditions, found a mapping"),
        ("{any: []}", "4:15: expected a list of conditions, found a list"),
        ("{not: [cart.lines: 1]}", "4:15: expected a fact or condition, found a list"),
    ],
)  # fmt: skip
def test_a_faulty_condition_is_told_by_place_and_expectation(when: str, fault: str) -> None:
    assert faults(rule(when)) == ["r.yaml:" + fault]


@pytest.mark.parametrize(
    ("then", "fault"),
    [
        ("[invite: {queue: hlep, message: cart.wait}]", "5:26: expected a queue of the site, found 'hlep'; did you mean 'help'?"),
        ("[invite: {queue: help, message: cart.wiat}]", "5:41: expected a text of an invite, found 'cart.wiat'; did you mean 'cart.wait'?"),
        ("[invite: {queue: help, message: cart.wait, skills: ja}]", "5:60: expected a list of skills, found 'ja'"),
        ("[offer: welcom]", "5:17: expected an offer of the site, found 'welcom'; did you mean 'welcome'?"),
        ("[article: faq]", "5:19: expected an article of the site, found 'faq'; known: sizes"),
        ("[notice: hello]", "5:18: expected a text of a notice, found 'hello'; known: soon"),
        ("[invite: {queue: help, message: [cart.wait]}]", "5:41: expected a list of 2 to 8 texts of invites, found a list"),
        ("[email: x]", "5:10: expected an action, found 'email'; known: article, invite, notice, offer"),
        ("[]", "5:9: expected a list of actions, found a list"),
        ("{article: sizes}", "5:9: expected a list of actions, found a mapping"),
    ],
)  # fmt: skip
def test_a_faulty_action_is_told_by_place_and_expectation(then: str, fault: str) -> None:
    assert faults(rule(then=then)) == ["r.yaml:" + fault]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("  also: [tag: Big Spender]", "6:15: expected an id of small letters, digits and dashes such as `cart-wait`, found 'Big Spender'"),
        ("  also: [webhook: crm2]", "6:19: expected a webhook of the site, found 'crm2'; did you mean 'crm'?"),
        ("  also: [mail: x]", "6:10: expected a tag or webhook, found 'mail'; known: tag, webhook"),
        ("  priorty: 3", "6:3: expected a key of a rule, found 'priorty'; did you mean 'priority'?"),
        ("  priority: high", "6:13: expected a whole number from 0 to 1000, found 'high'"),
        ("  mode: on", "6:9: expected a mode, found 'on'; known: live, off, shadow"),
        ("  holdout: 0.1", "6:12: expected a share such as `10%`, found '0.1'"),
        ("  rollout: 120%", "6:12: expected a share such as `10%`, found '120%'"),
        ("  valid: 5m", "6:10: expected a duration from 1s to 2m such as `20s`, found '5m'"),
        ("  patience: 5m", "6:13: expected a duration of at most 2m such as `20s`, found '5m'"),
        ("  caps: {per_visitor: 1 in 91d}", "6:23: expected a count in a window of at most 90d, such as `3 in 7d`, found '1 in 91d'"),
        ("  caps: {not_before: 30s}", "6:22: expected a time on the visible clock such as `30s visible`, found '30s'"),
        ("  caps: {rest_after_dismissal: 24h}", "6:10: expected a key of a rule's caps, found 'rest_after_dismissal'; known: not_before, per_session, per_visitor"),
        ("  dates: {from: 2026-12-01}", "6:17: expected a moment with its time zone such as `2026-12-01T00:00+09:00`, found '2026-12-01'"),
        ("  dates: {}", "6:10: expected `from` before `until`, or one of them, found a mapping"),
        ("  dates: {from: 2026-12-02T00:00Z, until: 2026-12-01T00:00Z}", "6:10: expected `from` before `until`, or one of them, found a mapping"),
        ("- {id: a, when: {cart.lines: 1}, then: [article: sizes]}", "6:3: expected each id once, found 'a' twice"),
        ("- {id: B, when: {cart.lines: 1}, then: [article: sizes]}", "6:8: expected an id of small letters, digits and dashes such as `cart-wait`, found 'B'"),
        ("- {id: b, then: [article: sizes]}", "6:3: expected the key 'when' in a rule, found none"),
        ("defaults: {holdout: 10}", "6:21: expected a share such as `10%`, found '10'"),
        ("site: {holdout: lots}", "6:17: expected a share such as `10%`, found 'lots'"),
        ("extra: 1", "6:1: expected a key of a rules file, found 'extra'; known: defaults, rules, site, version"),
    ],
)  # fmt: skip
def test_a_faulty_setting_is_told_by_place_and_expectation(more: str, fault: str) -> None:
    assert faults(rule(more=more)) == ["r.yaml:" + fault]


def test_another_version_is_refused() -> None:
    assert faults(rule().replace("version: 1", "version: 2")) == [
        "r.yaml:1:10: expected version 1, found '2'"
    ]


def test_a_file_has_a_thousand_rules_at_most() -> None:
    many = "".join(f"- {{id: r{i}, when: {{cart.lines: 1}}, then: [article: sizes]}}\n" for i in range(1001))
    assert faults(f"version: 1\nrules:\n{many}") == ["r.yaml:3:1: expected at most 1000 items, found 1001"]


def test_all_faults_are_told_not_only_the_first() -> None:
    text = rule("{all: [page.typ: x, cart.value: {gte: 1 EUR}]}", "[offer: nope]", "  mode: on")
    assert [fault.split(":")[1] for fault in faults(text)] == ["4", "4", "5", "6"]


# --- the schema --------------------------------------------------------------------------------------------


def test_the_schema_is_valid_and_takes_the_demo_rules() -> None:
    schema = form.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(DEMO.read_text()), schema)


@pytest.mark.parametrize(
    "text",
    [
        rule("{page.typ: cart}"),
        rule("{cart.value: {gte: 8000}}"),
        rule("{dwell.page: 3m}"),
        rule("{not: {silence: {of: checkout, since: cart, for: soon, clock: visible}}}"),
        rule("{cart.lines: 1, page.type: cart}"),
        rule(then="[popup: x]"),
        rule(then="[]"),
        rule(more="  mode: on"),
        rule(more="  priority: 1001"),
        rule(more="extra: 1"),
        rule().replace("version: 1", "version: 2"),
    ],
)
def test_the_schema_refuses_what_the_form_refuses(text: str) -> None:
    assert faults(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.load(text, Loader=yaml.SafeLoader), form.schema())
