"""The form of comparisons: a fact and what it is compared with, by the fact's kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from yaml.nodes import MappingNode, Node

from router.core import facts, units
from router.core.document import Document, Json, Shape
from router.core.facts import Fact
from router.core.rules.model import All, Compare, Condition
from router.core.scalars import FLAG, LANGUAGE, PATH, SHARE, WORD, length, whole, written
from router.core.session import CAP_MS
from router.core.shapes import Choice, ListOf, Scalar

MAX_MS: Final = CAP_MS  # a session lives 24 h, so nothing in it lasts longer
DWELL: Final = length("a duration of at most 24h such as `3m`", 0, MAX_MS)


def money(currency: str | None) -> Scalar[tuple[float, str]]:
    """Money in the site's currency, or in any where that is not known."""

    def make(text: str) -> tuple[float, str]:
        value, unit = units.money(text)
        if currency is not None and unit != currency:
            raise ValueError(text)
        return value, unit

    if currency is None:
        return written("money such as `8000 JPY`", units.MONEY, make)
    return written(f"money in the site's currency, such as `8000 {currency}`", units.MONEY, make)


ORDER: Final = ("gte", "gt", "lte", "lt")
_OPS: Final[dict[str, tuple[str, ...]]] = {
    "page type": ("eq", "in"),
    "path": ("eq", "in"),
    "language": ("eq", "in"),
    "word": ("eq", "in"),
    "device": ("eq", "in"),
    "flag": ("eq",),
    "count": ("eq", *ORDER),
    "money": ("eq", *ORDER),
    "ratio": ORDER,
    "duration": ORDER,
}


def value_of(fact: Fact, currency: str | None) -> Shape[Any]:
    """What a fact of this kind is compared with."""
    shapes: dict[str, Shape[Any]] = {
        "page type": Choice("a page type", facts.PAGE_TYPES),
        "path": PATH,
        "language": LANGUAGE,
        "word": WORD,
        "device": Choice("a device", facts.DEVICES),
        "flag": FLAG,
        "count": whole(0, 1_000_000),
        "money": money(currency),
        "ratio": SHARE,
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
