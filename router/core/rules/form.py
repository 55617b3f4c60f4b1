"""The form of a rules file: what stands where, how it is typed, and which names it may use.

The same shapes load a file and give its JSON Schema, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from yaml.nodes import MappingNode, Node

from router.core import facts, units
from router.core.document import Document, Json, Shape, parse
from router.core.facts import FACTS, Fact
from router.core.rules.compile import MAX_RULES
from router.core.rules.model import (
    Action,
    All,
    AnyOf,
    Caps,
    Compare,
    Condition,
    Dates,
    DefaultCaps,
    Defaults,
    Entry,
    GiveOffer,
    Invite,
    Known,
    Not,
    Repeats,
    RuleFile,
    ShowArticle,
    Silence,
)  # fmt: skip
from router.core.scalars import FLAG, ID, KEY, LANGUAGE, PATH, SHARE, SKILL, VERSION, length, whole, written
from router.core.session import CAP_MS
from router.core.shapes import Again, Choice, Fields, Key, ListOf, Made, OneKey, Scalar
from router.core.trail import SEEN_TIMES

MAX_MS: Final = CAP_MS  # a session lives 24 h, so nothing in it lasts longer
MAX_VISITOR_MS: Final = 90 * units.DAY  # as long as a visitor's caps are kept
MAX_VALID_MS: Final = 2 * units.MINUTE  # well within the 5 min that claims of a decision live
MAX_PARTS: Final = 32


@dataclass(frozen=True, slots=True)
class Names:
    """The currency of a site and the names that its rules may use; None: any."""

    currency: str | None = None
    queues: Collection[str] | None = None
    offers: Collection[str] | None = None
    articles: Collection[str] | None = None
    messages: Collection[str] | None = None


ANY: Final = Names()


# --- scalars ---------------------------------------------------------------------------------------------


def _rate(most: int, most_ms: int) -> Callable[[str], tuple[int, int]]:
    def make(text: str) -> tuple[int, int]:
        count, window = units.rate(text)
        if not (1 <= count <= most and 0 < window <= most_ms):
            raise ValueError(text)
        return count, window

    return make


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return int(moment.timestamp() * 1000)


CAP_RATE: Final = written(
    "a count in a window of at most 90d, such as `3 in 7d`", units.RATE, _rate(1000, MAX_VISITOR_MS)
)
SEEN_RATE: Final = written(
    f"a count of at most {SEEN_TIMES} in a window of at most 24h, such as `3 in 10m`",
    units.RATE,
    _rate(SEEN_TIMES, MAX_MS),
)
NOT_BEFORE: Final = written("a time on the visible clock such as `30s visible`", units.VISIBLE, units.visible)
VALID: Final = length("a duration from 1s to 2m such as `20s`", units.SECOND, MAX_VALID_MS)
PATIENCE: Final = length("a duration of at most 2m such as `20s`", 0, MAX_VALID_MS)
REST: Final = length("a duration of at most 90d such as `24h`", 0, MAX_VISITOR_MS)
FOR: Final = length("a duration from 1s to 24h such as `45s`", units.SECOND, MAX_MS)
MOMENT: Final = Scalar(
    "a moment with its time zone such as `2026-12-01T00:00+09:00`",
    _moment,
    {"type": "string", "format": "date-time"},
)
DWELL: Final = length("a duration of at most 24h such as `3m`", 0, MAX_MS)


# --- comparisons -------------------------------------------------------------------------------------------


def _money(currency: str | None) -> Scalar[tuple[float, str]]:
    def make(text: str) -> tuple[float, str]:
        value, unit = units.money(text)
        if currency is not None and unit != currency:
            raise ValueError(text)
        return value, unit

    if currency is None:
        return written("money such as `8000 JPY`", units.MONEY, make)
    return written(f"money in the site's currency, such as `8000 {currency}`", units.MONEY, make)


_ORDER: Final = ("gte", "gt", "lte", "lt")
_OPS: Final[dict[str, tuple[str, ...]]] = {
    "page type": ("eq", "in"),
    "path": ("eq", "in"),
    "language": ("eq", "in"),
    "flag": ("eq",),
    "count": ("eq", *_ORDER),
    "money": ("eq", *_ORDER),
    "duration": _ORDER,
}


def _value(fact: Fact, currency: str | None) -> Shape[Any]:
    shapes: dict[str, Shape[Any]] = {
        "page type": Choice("a page type", facts.PAGE_TYPES),
        "path": PATH,
        "language": LANGUAGE,
        "flag": FLAG,
        "count": whole(0, 1_000_000),
        "money": _money(currency),
        "duration": DWELL,
    }
    return shapes[fact.kind]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What stands after a fact: a value that it equals, or operators with values that all hold."""

    fact: Fact
    value: Shape[Any]

    @property
    def _ops(self) -> tuple[str, ...]:
        return _OPS[self.fact.kind]

    def load(self, node: Node, doc: Document) -> Condition:
        if isinstance(node, MappingNode):
            return self._operators(node, doc)
        if "eq" in self._ops:
            return self._compare("eq", self.value.load(node, doc))
        raise doc.wrong(node, f"a comparison of {self.fact.name} such as `{{gte: ...}}`")

    def _operators(self, node: Node, doc: Document) -> Condition:
        pairs = doc.pairs(node, f"a comparison of {self.fact.name}")
        if not pairs:
            raise doc.wrong(node, f"an operator of {self.fact.name}: {', '.join(self._ops)}")
        parts = tuple(doc.all(lambda pair: self._operator(*pair, doc), pairs))
        return parts[0] if len(parts) == 1 else All(parts)

    def _operator(self, op: str, key: Node, node: Node, doc: Document) -> Condition:
        if op not in self._ops:
            raise doc.unknown(key, f"an operator of {self.fact.name}", op, self._ops)
        return self._compare(op, (self._list() if op == "in" else self.value).load(node, doc))

    def _list(self) -> ListOf[Any]:
        return ListOf(f"a list of values of {self.fact.name}", self.value)

    def _compare(self, op: str, value: Any) -> Compare:
        if self.fact.kind == "money":
            amount, unit = value
            return Compare(self.fact.name, op, amount, unit)
        return Compare(self.fact.name, op, value)

    def schema(self) -> Json:
        plain = [self.value.schema()] if "eq" in self._ops else []
        operators = {op: (self._list() if op == "in" else self.value).schema() for op in self._ops}
        mapping = {
            "type": "object",
            "properties": operators,
            "minProperties": 1,
            "additionalProperties": False,
        }
        return {"anyOf": [*plain, mapping]}


# --- conditions --------------------------------------------------------------------------------------------


def _repeats(of: Literal["page", "product"], gte: tuple[int, int], path: str | None = None) -> Repeats:
    return Repeats(of, *gte, path)


def condition(currency: str | None) -> OneKey[Condition]:
    """One condition: a fact with its comparison, repeats, a silence, `known`; or `all`, `any`, `not` of
    others.
    """
    inner: Again[Condition] = Again("condition", lambda: shape)
    several = ListOf("a list of conditions", inner, MAX_PARTS)
    deed = Choice("a kind of event", facts.DEEDS, facts.kind_without_source)
    seen = {"gte": Key(SEEN_RATE, required=True)}
    variants: dict[str, Shape[Condition]] = {
        **{name: Comparison(fact, _value(fact, currency)) for name, fact in FACTS.items()},
        "repeats.page": Fields("repeats.page", partial(_repeats, "page"), {**seen, "path": Key(PATH)}),
        "repeats.product": Fields("repeats.product", partial(_repeats, "product"), seen),
        "silence": Fields(
            "silence",
            Silence,
            {
                "of": Key(deed, required=True),
                "since": Key(deed, required=True),
                "for": Key(FOR, required=True, name="for_ms"),
                "clock": Key(Choice("a clock", ("visible", "wall")), required=True),
            },
        ),
        "known": Made(Choice("a fact", tuple(FACTS), facts.without_source), Known),
        "all": Made(several, All),
        "any": Made(several, AnyOf),
        "not": Made(inner, Not),
    }
    shape = OneKey("a fact or condition", variants, facts.without_source)
    return shape


# --- actions, rules, file ----------------------------------------------------------------------------------


def _action_without_source(name: str) -> str | None:
    return "nothing carries out this action yet" if name in ("notice", "tag", "webhook", "also") else None


def _named(what: str, names: Collection[str] | None) -> Shape[str]:
    return KEY if names is None else Choice(what, names)


def _default_message(names: Collection[str] | None) -> Key:
    """`message` may be left out where there is a general text for invites."""
    shape = _named("a text of an invite", names)
    return Key(shape, required=names is not None and "invite" not in names)


def action(names: Names) -> OneKey[Action]:
    """One action of `then`."""
    invite = Fields(
        "invite",
        Invite,
        {
            "queue": Key(_named("a queue of the site", names.queues), required=True),
            "skills": Key(ListOf("a list of skills", SKILL)),
            "message": _default_message(names.messages),
        },
    )
    variants: dict[str, Shape[Action]] = {
        "invite": invite,
        "offer": Made(_named("an offer of the site", names.offers), GiveOffer),
        "article": Made(_named("an article of the site", names.articles), ShowArticle),
    }
    return OneKey("an action", variants, _action_without_source)


_CAPS: Final = {
    "per_session": Key(whole(0, 1000)),
    "per_visitor": Key(CAP_RATE),
    "not_before": Key(NOT_BEFORE, name="not_before_ms"),
}
_DEFAULT_CAPS: Final = {**_CAPS, "rest_after_dismissal": Key(REST, name="rest_after_dismissal_ms")}
_DATES: Final = {"from": Key(MOMENT, name="from_ms"), "until": Key(MOMENT, name="until_ms")}


def _in_order(dates: Dates) -> Dates:
    begin, end = dates.from_ms, dates.until_ms
    if (begin is None and end is None) or (begin is not None and end is not None and begin >= end):
        raise ValueError
    return dates


def rule(names: Names) -> Fields[Entry]:
    """One rule."""
    return Fields(
        "a rule",
        Entry,
        {
            "id": Key(ID, required=True),
            "priority": Key(whole(0, 1000)),
            "when": Key(
                Again("condition", lambda: condition(names.currency if names else None)), required=True
            ),
            "then": Key(ListOf("a list of actions", action(names), 8), required=True),
            "caps": Key(Fields("a rule's caps", Caps, _CAPS)),
            "holdout": Key(SHARE),
            "mode": Key(Choice("a mode", ("live", "shadow", "off"))),
            "rollout": Key(SHARE),
            "valid": Key(VALID, name="valid_ms"),
            "patience": Key(PATIENCE, name="patience_ms"),
            "dates": Key(
                Made(Fields("dates", Dates, _DATES), _in_order, "`from` before `until`, or one of them")
            ),
        },
        _action_without_source,
    )


def _rule_id(entry: Entry) -> str:
    return entry.id


def rules_file(names: Names = ANY) -> Fields[RuleFile]:
    """A whole rules file; without a site's names any name is taken."""
    defaults = {"caps": Key(Fields("default caps", DefaultCaps, _DEFAULT_CAPS)), "holdout": Key(SHARE)}
    site = {"holdout": Key(SHARE, required=True)}
    return Fields(
        "a rules file",
        RuleFile,
        {
            "version": Key(VERSION, required=True),
            "defaults": Key(Fields("defaults", Defaults, defaults)),
            "site": Key(Fields("site", _site_holdout, site), name="site_holdout"),
            "rules": Key(ListOf("a list of rules", rule(names), MAX_RULES, _rule_id), required=True),
        },
    )


def _site_holdout(holdout: float) -> float:
    return holdout


def load(file: str, text: str, names: Names = ANY) -> RuleFile:
    """A rules file's text as data. Raises FileErrors with every fault."""
    return parse(file, text, rules_file(names))


def schema() -> Json:
    """The JSON Schema (draft 2020-12) of rules files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Router rules, version 1",
        **rules_file().schema(),
        "$defs": {"condition": condition(None).schema()},
    }
