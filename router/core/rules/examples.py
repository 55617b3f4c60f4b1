"""Examples kept beside rules: what a shopper does, and which rules should act on it.

    version: 1
    cases:
      - name: hesitates in the cart
        steps:
          - page: {type: cart, path: /cart}
          - cart: {lines: 1, quantity: 2, value: 9000}
          - wait: 45s
        expect: [cart-wait]

A step is `wait`, or an event by its name and fields in `docs/protocol.md`; money is in the site's currency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode

from router.core import events as ev
from router.core.document import Document, Json, Shape, parse
from router.core.scalars import ID, VERSION, text
from router.core.session import CAP_MS
from router.core.shapes import Choice, Fields, Key, ListOf, Made, OneKey, Scalar
from router.core.units import duration

MAX_CASES: Final = 500
MAX_STEPS: Final = 200


class Wait(Struct, frozen=True):
    """Nothing happens for so long."""

    ms: int


Step = Wait | ev.AnyEvent


class Case(Struct, frozen=True):
    """One example. `expect`: the rules that act, in order; empty: none does."""

    name: str
    steps: tuple[Step, ...]
    expect: tuple[str, ...]
    visitor: str = ""


class Examples(Struct, frozen=True):
    """A whole file."""

    version: int
    cases: tuple[Case, ...]


def load(file: str, content: str, rules: tuple[str, ...], currency: str) -> Examples:
    """An examples file as data; it may expect these rules. Raises FileErrors with every fault."""
    return parse(file, content, _file(rules, currency))


def _file(rules: tuple[str, ...], currency: str) -> Fields[Examples]:
    steps = ListOf("a list of steps", _step(currency), MAX_STEPS)
    case = Fields(
        "a case",
        Case,
        {
            "name": Key(text("a name of at most 100 characters", 100), required=True),
            "visitor": Key(ID),
            "steps": Key(steps, required=True),
            "expect": Key(
                _Expected(ListOf("a list of rules", Choice("a rule of the file", rules))), required=True
            ),
        },
    )
    cases = ListOf("a list of cases", case, MAX_CASES, _name)
    keys = {"version": Key(VERSION, required=True), "cases": Key(cases, required=True)}
    return Fields("an examples file", Examples, keys)


def _name(case: Case) -> str:
    return case.name


@dataclass(frozen=True, slots=True)
class _Expected:
    """A list of rules, or `nothing`."""

    rules: Shape[tuple[str, ...]]

    def load(self, node: Node, doc: Document) -> tuple[str, ...]:
        if isinstance(node, ScalarNode) and node.value == "nothing":
            return ()
        return self.rules.load(node, doc)

    def schema(self) -> Json:
        return {"anyOf": [{"const": "nothing"}, self.rules.schema()]}


def _step(currency: str) -> OneKey[Step]:
    wait: Scalar[int] = Scalar("a duration of at most 24h such as `45s`", _wait)
    variants: dict[str, Shape[Step]] = {"wait": Made(wait, Wait)}
    for kind, form in ev.KINDS.items():
        if ev.number(kind) < ev.number("shown"):
            variants[kind] = _Event(kind, form, currency)
    return OneKey("a step", variants)


def _wait(written: str) -> int:
    ms = duration(written)
    if ms > CAP_MS:
        raise ValueError(written)
    return ms


@dataclass(frozen=True, slots=True)
class _Event:
    """An event as a mapping of its fields; what is left out is what the event itself has by default."""

    kind: str
    form: type[ev.Event]
    currency: str

    def load(self, node: Node, doc: Document) -> Step:
        given = _plain(node, doc) if isinstance(node, MappingNode) else {}
        if not isinstance(node, MappingNode) and node.value:
            raise doc.wrong(node, f"the fields of {self.kind}: {', '.join(self._names())}")
        if unknown := next((name for name in given if name not in self._names()), None):
            raise doc.unknown(node, f"a field of {self.kind}", unknown, self._names())
        if "currency" in self._names() and ("value" in given or "item" in given):
            given.setdefault("currency", self.currency)
        try:
            event: ev.AnyEvent = msgspec.convert(
                _positional(self.form, {"age_ms": 0, **given}), ev.AnyEvent, strict=False
            )
        except KeyError as missing:
            raise doc.fault(node, f"expected the field {missing} of {self.kind}, found none") from None
        except msgspec.ValidationError as error:
            raise doc.fault(node, f"expected an event {self.kind}: {self._by_name(str(error))}") from None
        return event

    def _by_name(self, fault: str) -> str:
        """The fault with the field's name for its place in the array."""
        names = self.form.__struct_fields__
        return re.sub(r"\$\[(\d+)\]", lambda place: names[int(place[1]) - 1], fault)

    def _names(self) -> tuple[str, ...]:
        return self.form.__struct_fields__[1:]

    def schema(self) -> Json:
        return {
            "type": "object",
            "properties": {name: {} for name in self._names()},
            "additionalProperties": False,
        }


def _plain(node: Node, doc: Document) -> Any:
    """A node as mappings, lists and texts; numbers are still texts."""
    if isinstance(node, MappingNode):
        return {name: _plain(value, doc) for name, _, value in doc.pairs(node, "fields")}
    if isinstance(node, ScalarNode):
        return node.value
    return [_plain(child, doc) for child in node.value]


def _positional(form: type[Struct], given: Mapping[str, Any]) -> list[Any]:
    """Fields by name as the array that the wire has."""
    config = form.__struct_config__
    values = [config.tag] if config.tag is not None else []
    return values + [_value(field, given) for field in msgspec.structs.fields(form)]


def _value(field: msgspec.structs.FieldInfo, given: Mapping[str, Any]) -> Any:
    if field.name not in given:
        if field.required and type(None) not in get_args(field.type):
            raise KeyError(field.name)
        return None if field.required else field.default
    value = given[field.name]
    if field.name == "item" and isinstance(value, dict):
        return _positional(ev.Item, value)
    if field.name == "items" and isinstance(value, list):
        return list(map(partial(_positional, ev.Item), value))
    return value
