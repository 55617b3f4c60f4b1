"""The form of conditions: what stands after a fact, and which conditions there are.

The same shapes load a file and give its JSON Schema, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from yaml.nodes import Node

from router.core import facts, units
from router.core.document import Document, Json, Shape
from router.core.facts import FACTS
from router.core.hours import Hours
from router.core.hours_form import ALWAYS_OPEN, WINDOW
from router.core.rules.comparisons import DWELL, MAX_MS, ORDER, Comparison, money, value_of
from router.core.rules.model import (
    All,
    AnyOf,
    Attribute,
    Available,
    Condition,
    Known,
    Leaving,
    Not,
    Open,
    Repeats,
    Sequence,
    Shortfall,
    Signs,
    Silence,
    Step,
)  # fmt: skip
from router.core.scalars import KEY, NAME, NUMBER, PATH, WORD, length, whole, written
from router.core.shapes import Again, Choice, Either, Fields, Key, ListOf, Made, OneKey
from router.core.trail import SEEN_TIMES

MAX_PARTS: Final = 32


@dataclass(frozen=True, slots=True)
class Names:
    """The currency of a site and the names that its rules may use, the queues with their hours; None: any."""

    currency: str | None = None
    queues: Mapping[str, Hours | None] | None = None
    offers: Collection[str] | None = None
    articles: Collection[str] | None = None
    messages: Collection[str] | None = None
    notices: Collection[str] | None = None
    webhooks: Collection[str] | None = None


ANY: Final = Names()


def named(what: str, names: Collection[str] | None) -> Shape[str]:
    """One of the names; any key where they are not known."""
    return KEY if names is None else Choice(what, names)


def rate(most: int, most_ms: int) -> Callable[[str], tuple[int, int]]:
    """Reads a count in a window, both within bounds."""

    def make(text: str) -> tuple[int, int]:
        count, window = units.rate(text)
        if not (1 <= count <= most and 0 < window <= most_ms):
            raise ValueError(text)
        return count, window

    return make


SEEN_RATE: Final = written(
    f"a count of at most {SEEN_TIMES} in a window of at most 24h, such as `3 in 10m`",
    units.RATE,
    rate(SEEN_TIMES, MAX_MS),
)
FOR: Final = length("a duration from 1s to 24h such as `45s`", units.SECOND, MAX_MS)


# --- conditions --------------------------------------------------------------------------------------------

LEAVING: Final = ("pointer", "tab", "scroll", "return", "idle")
_SEEN: Final = {"gte": Key(SEEN_RATE, required=True)}


def condition(names: Names) -> OneKey[Condition]:
    """One condition: a fact with its comparison, something counted or waited for, the time, what is available; or
    `all`, `any`, `not` of others.
    """
    inner: Again[Condition] = Again("condition", lambda: shape)
    several = ListOf("a list of conditions", inner, MAX_PARTS)
    variants: dict[str, Shape[Condition]] = {
        **{name: Comparison(fact, value_of(fact, names.currency)) for name, fact in FACTS.items()},
        **_counts(),
        "exit": Made(Choice("a sign of leaving", LEAVING), Leaving),
        "cart.shortfall": _shortfall(names.currency),
        "visitor.attribute": Made(_ATTRIBUTE, _attribute, "a word, or a number for an order"),
        "silence": _silence(),
        "sequence": _sequence(),
        "known": Made(Choice("a fact", tuple(FACTS)), Known),
        **times(names),
        "all": Made(several, All),
        "any": Made(several, AnyOf),
        "not": Made(inner, Not),
    }
    patterns = _availability() if names.queues is None else {}
    shape = OneKey("a fact or condition", variants, patterns=patterns)
    return shape


def _counts() -> dict[str, Shape[Condition]]:
    found: dict[str, Shape[Condition]] = {
        name: Fields(name, partial(_signs, name), _SEEN) for name in facts.SIGNS
    }
    for of in ("page", "product", "category"):
        path = {"path": Key(PATH)} if of == "page" else {}
        found[f"repeats.{of}"] = Fields(f"repeats.{of}", partial(_repeats, of), {**_SEEN, **path})
    return found


def _repeats(
    of: Literal["page", "product", "category"], gte: tuple[int, int], path: str | None = None
) -> Repeats:
    return Repeats(of, *gte, path)


def _signs(of: str, gte: tuple[int, int]) -> Signs:
    return Signs(of, *gte)


def _shortfall(currency: str | None) -> Shape[Condition]:
    amount = money(currency)

    def make(to: tuple[float, str], lte: tuple[float, str]) -> Shortfall:
        if to[1] != lte[1]:
            raise ValueError
        return Shortfall(to[0], lte[0], to[1])

    keys = {"to": Key(amount, required=True), "lte": Key(amount, required=True)}
    return Made(Fields("cart.shortfall", dict, keys), lambda given: make(**given), "both in one currency")


_ATTRIBUTE: Final[Fields[dict[str, Any]]] = Fields(
    "visitor.attribute",
    dict,
    {"name": Key(NAME, required=True), "eq": Key(WORD), **{op: Key(NUMBER) for op in ORDER}},
)


def _attribute(given: dict[str, Any]) -> Condition:
    name = given.pop("name")
    parts = tuple(Attribute(name, op, value) for op, value in given.items())
    if not parts:
        raise ValueError
    return parts[0] if len(parts) == 1 else All(parts)


def _silence() -> Shape[Condition]:
    deed = Choice("a kind of event", facts.DEEDS)
    return Fields(
        "silence",
        Silence,
        {
            "of": Key(deed, required=True),
            "since": Key(deed, required=True),
            "for": Key(FOR, required=True, name="for_ms"),
            "clock": Key(Choice("a clock", ("visible", "wall")), required=True),
        },
    )


def _sequence() -> Shape[Condition]:
    deed = Choice("a kind of event", facts.DEEDS)
    page = Fields("a page", partial(Step, "page"), {"page": Key(PATH, required=True, name="path")})
    return Fields(
        "sequence",
        Sequence,
        {
            "steps": Key(
                ListOf("a list of 2 to 8 steps", Either(Made(deed, Step), page), 8, least=2), required=True
            ),
            "within": Key(FOR, required=True, name="within_ms"),
            "without": Key(ListOf("a list of kinds of events", deed, 8)),
        },
    )


def times(names: Names) -> dict[str, Shape[Condition]]:
    """Opening hours, a window of the rule's own, and what of a queue has to be available."""
    hours = {} if names.queues is None else names.queues
    found: dict[str, Shape[Condition]] = {
        "time.open": Made(named("a queue of the site", names.queues), partial(_open, hours)),
        "time.window": Made(WINDOW, Open),
    }
    for queue in hours:
        found[f"availability.{queue}.free"] = _available(queue, "free", whole(1, 1000), "gte")
        found[f"availability.{queue}.wait"] = _available(queue, "wait", DWELL, "lte")
    return found


def _availability() -> dict[str, Callable[[str], Shape[Condition]]]:
    """Of any queue, where a site's are not known."""
    return {
        r"availability\.[a-z0-9][a-z0-9-]*\.free": lambda name: _available(
            _queue(name), "free", whole(1, 1000), "gte"
        ),
        r"availability\.[a-z0-9][a-z0-9-]*\.wait": lambda name: _available(
            _queue(name), "wait", DWELL, "lte"
        ),
    }


def _queue(name: str) -> str:
    """The queue in `availability.<queue>.free`."""
    return name.partition(".")[2].rpartition(".")[0]


def _open(hours: Mapping[str, Hours | None], queue: str) -> Condition:
    return Open(hours.get(queue) or ALWAYS_OPEN, queue)


def _available(queue: str, of: Literal["free", "wait"], shape: Shape[int], op: str) -> Shape[Condition]:
    fields: Fields[dict[str, int]] = Fields(
        f"availability.{queue}.{of}", dict, {op: Key(shape, required=True)}
    )
    return Made(fields, lambda given: Available(queue, of, op, given[op]))


@dataclass(frozen=True, slots=True)
class Whole:
    """The condition of a rule. What is available is a gate: it stands beside conditions in the outermost `all`."""

    shape: Shape[Condition]

    def load(self, node: Node, doc: Document) -> Condition:
        whole = self.shape.load(node, doc)
        parts = whole.parts if isinstance(whole, All) else (whole,)
        if all(isinstance(part, Available) for part in parts):
            raise doc.fault(
                node, "expected a condition besides what is available: that alone is no moment to act"
            )
        if any(_mentions_available(part) for part in parts if not isinstance(part, Available)):
            raise doc.fault(
                node, "expected `availability` only in the outermost `all`: it is a gate, not a condition"
            )
        return whole

    def schema(self) -> Json:
        return self.shape.schema()


def _mentions_available(condition: Condition) -> bool:
    match condition:
        case Available():
            return True
        case Not():
            return _mentions_available(condition.part)
        case All() | AnyOf():
            return any(map(_mentions_available, condition.parts))
    return False
