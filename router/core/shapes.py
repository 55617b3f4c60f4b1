"""Shapes: the forms of values in files. One description both loads a node and tells its JSON Schema.

A shape's `load` raises Faulty after noting in the document what is wrong; containers go on to the next item,
so that one run finds all faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from yaml.nodes import Node, ScalarNode, SequenceNode

from router.core.document import Document, Faulty, Json, Shape

T = TypeVar("T")
U = TypeVar("U")
Pending = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T]):
    """A text that `make` turns into the value; `make` raises ValueError if it is not what was `expected`."""

    expected: str
    make: Callable[[str], T]
    form: Json = field(default_factory=lambda: {"type": "string"})

    def load(self, node: Node, doc: Document) -> T:
        try:
            return self.make(doc.text(node, self.expected))
        except ValueError:
            raise doc.wrong(node, self.expected) from None

    def schema(self) -> Json:
        return {**self.form, "description": self.expected}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names. `pending` tells of another name why it cannot be used yet, or None."""

    what: str
    names: Collection[str]
    pending: Pending = lambda name: None

    def load(self, node: Node, doc: Document) -> str:
        name = doc.text(node, self.what)
        if name not in self.names:
            raise _not_known(doc, node, self.what, name, self.names, self.pending)
        return name

    def schema(self) -> Json:
        return {"enum": sorted(self.names), "description": self.what}


def _not_known(
    doc: Document, node: Node, what: str, name: str, names: Collection[str], pending: Pending
) -> Faulty:
    reason = pending(name)
    return doc.fault(node, f"'{name}': {reason}") if reason else doc.unknown(node, what, name, names)


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of at least `least` items and at most `most`; what `key` gives of each item stands once."""

    what: str
    item: Shape[T]
    most: int = 64
    key: Callable[[T], object] | None = None
    least: int = 1

    def load(self, node: Node, doc: Document) -> tuple[T, ...]:
        if not isinstance(node, SequenceNode) or len(node.value) < self.least:
            raise doc.wrong(node, self.what)
        if len(node.value) > self.most:
            raise doc.fault(node, f"expected at most {self.most} items, found {len(node.value)}")
        items = doc.all(lambda child: (child, self.item.load(child, doc)), node.value)
        if self.key is not None:
            self._refuse_twice(items, self.key, doc)
        return tuple(item for _, item in items)

    def _refuse_twice(self, items: list[tuple[Node, T]], key: Callable[[T], object], doc: Document) -> None:
        seen = set()
        for node, item in items:
            if key(item) in seen:
                doc.fault(node, f"expected each id once, found '{key(item)}' twice")
            seen.add(key(item))

    def schema(self) -> Json:
        return {
            "type": "array",
            "items": self.item.schema(),
            "minItems": self.least,
            "maxItems": self.most,
            "description": self.what,
        }


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """A mapping from ids of the writer's own choice to items."""

    what: str
    key: Scalar[str]
    item: Shape[T]

    def load(self, node: Node, doc: Document) -> dict[str, T]:
        pairs = doc.pairs(node, self.what)
        return dict(doc.all(lambda pair: self._entry(*pair, doc), pairs))

    def _entry(self, name: str, key_node: Node, node: Node, doc: Document) -> tuple[str, T]:
        try:
            self.key.load(key_node, doc)
        finally:  # also after a faulty key, so that the item's faults are found
            item = self.item.load(node, doc)
        return name, item

    def schema(self) -> Json:
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.item.schema(),
            "description": self.what,
        }


class Key(NamedTuple):
    """A key of `Fields`: its value's shape, is it required, and the argument's name if not the key."""

    shape: Shape[Any]
    required: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fields(Generic[T]):
    """A mapping with known keys, given to `make` as named arguments; absent keys are left to its defaults."""

    what: str
    make: Callable[..., T]
    keys: Mapping[str, Key]
    pending: Pending = lambda name: None

    def load(self, node: Node, doc: Document) -> T:
        pairs = doc.pairs(node, self.what)
        present = {name for name, _, _ in pairs}
        for name in sorted(self._required() - present):
            doc.fault(node, f"expected the key '{name}' in {self.what}, found none")
        arguments = doc.all(lambda pair: self._argument(*pair, doc), pairs)
        if self._required() - present:
            raise Faulty
        return self.make(**dict(arguments))

    def _required(self) -> set[str]:
        return {name for name, key in self.keys.items() if key.required}

    def _argument(self, name: str, key_node: Node, node: Node, doc: Document) -> tuple[str, Any]:
        key = self.keys.get(name)
        if key is None:
            raise _not_known(doc, key_node, f"a key of {self.what}", name, self.keys, self.pending)
        return key.name or name, key.shape.load(node, doc)

    def schema(self) -> Json:
        return {
            "type": "object",
            "properties": {name: key.shape.schema() for name, key in self.keys.items()},
            "required": sorted(self._required()),
            "additionalProperties": False,
            "description": self.what,
        }


@dataclass(frozen=True, slots=True)
class OneKey(Generic[T]):
    """A mapping with exactly one key, which says what it is. `patterns`: keys that are made up, by their form."""

    what: str
    variants: Mapping[str, Shape[T]]
    pending: Pending = lambda name: None
    patterns: Mapping[str, Callable[[str], Shape[T]]] = field(default_factory=dict)

    def load(self, node: Node, doc: Document) -> T:
        pairs = doc.pairs(node, self.what)
        if len(pairs) != 1:
            raise doc.fault(node, f"expected one key in {self.what}, found {len(pairs)}")
        name, key_node, value = pairs[0]
        if name in self.variants:
            return self.variants[name].load(value, doc)
        for pattern, make in self.patterns.items():
            if re.fullmatch(pattern, name):
                return make(name).load(value, doc)
        raise _not_known(doc, key_node, self.what, name, self.variants, self.pending)

    def schema(self) -> Json:
        return {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self.variants.items()},
            "patternProperties": {
                f"^{pattern}$": make("").schema() for pattern, make in self.patterns.items()
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "description": self.what,
        }


@dataclass(frozen=True, slots=True)
class Made(Generic[T, U]):
    """A shape whose value is made into another; `make` raises ValueError if it is not what was `expected`."""

    shape: Shape[T]
    make: Callable[[T], U]
    expected: str = ""

    def load(self, node: Node, doc: Document) -> U:
        try:
            return self.make(self.shape.load(node, doc))
        except ValueError:
            raise doc.wrong(node, self.expected) from None

    def schema(self) -> Json:
        return self.shape.schema()


@dataclass(frozen=True, slots=True)
class Either(Generic[T]):
    """A scalar of one shape, or anything else of another."""

    scalar: Shape[T]
    other: Shape[T]

    def load(self, node: Node, doc: Document) -> T:
        return (self.scalar if isinstance(node, ScalarNode) else self.other).load(node, doc)

    def schema(self) -> Json:
        return {"anyOf": [self.scalar.schema(), self.other.schema()]}


@dataclass(frozen=True, slots=True)
class Again(Generic[T]):
    """A shape that contains itself; the schema refers to it by name."""

    name: str
    shape: Callable[[], Shape[T]]

    def load(self, node: Node, doc: Document) -> T:
        return self.shape().load(node, doc)

    def schema(self) -> Json:
        return {"$ref": f"#/$defs/{self.name}"}


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A value that remembers where it stands, for checks against other files."""

    value: T
    node: Node


@dataclass(frozen=True, slots=True)
class Placing(Generic[T]):
    """The shape of a value that remembers where it stands."""

    shape: Shape[T]

    def load(self, node: Node, doc: Document) -> Placed[T]:
        return Placed(self.shape.load(node, doc), node)

    def schema(self) -> Json:
        return self.shape.schema()
