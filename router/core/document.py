"""YAML text as nodes with places: every scalar stays text until a shape types it, every fault has its place.

All faults of a file are collected; at the edge stands `FileErrors`, one line a fault:
`file:line:column: what was expected, what was found`. Anchors, aliases, tags, duplicate keys and deep nesting
are faults. The shapes themselves are in `core.shapes`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from router.errors import StartError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
Json = dict[str, Any]

MAX_DEPTH: Final = 32
SHOWN_CHARS: Final = 40
LISTED: Final = 10


class Fault(NamedTuple):
    """One thing that is wrong, and where. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class FileErrors(StartError):
    """All faults of one or more files; its text has one line a fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class Faulty(Exception):
    """A value could not be made; what is wrong with it is noted in the document. Never leaves `parse`."""


class Document:
    """One file while it is read: its name, and the faults found so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, node: Node | Event, text: str) -> Faulty:
        """Note what is wrong at the node; raise what this returns, or go on to find more faults."""
        mark = node.start_mark
        assert mark is not None  # only nodes made by hand have none
        self.faults.append(Fault(self.file, mark.line + 1, mark.column + 1, text))
        return Faulty()

    def wrong(self, node: Node, expected: str) -> Faulty:
        """Note that something else was expected at the node."""
        return self.fault(node, f"expected {expected}, found {found(node)}")

    def unknown(self, node: Node, what: str, name: str, known: Collection[str]) -> Faulty:
        """Note a name that is not among the known ones, with the nearest of them."""
        near = difflib.get_close_matches(name, known, 1)
        if near:
            hint = f"did you mean '{near[0]}'?"
        elif known:
            more = ", ..." if len(known) > LISTED else ""
            hint = "known: " + ", ".join(sorted(known)[:LISTED]) + more
        else:
            hint = "there is none"
        return self.fault(node, f"expected {what}, found '{short(name)}'; {hint}")

    def text(self, node: Node, expected: str) -> str:
        """The text of a scalar that is not empty."""
        if not isinstance(node, ScalarNode) or not node.value:
            raise self.wrong(node, expected)
        value: str = node.value
        return value

    def pairs(self, node: Node, expected: str) -> list[tuple[str, Node, Node]]:
        """(key, the key's node, the value's node) of a mapping, in order; a key is a text and stands once."""
        if not isinstance(node, MappingNode):
            raise self.wrong(node, expected)
        seen: dict[str, tuple[str, Node, Node]] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.wrong(key_node, "a name")
            elif key_node.value in seen:
                self.fault(key_node, f"expected each key once, found '{short(key_node.value)}' twice")
            else:
                seen[key_node.value] = (key_node.value, key_node, value_node)
        return list(seen.values())

    def all(self, load: Callable[[U], T], items: Iterable[U]) -> list[T]:
        """What `load` makes of each item; it runs for all of them, so that all faults are noted.

        Raises Faulty if one was faulty.
        """
        values, whole = [], True
        for item in items:
            try:
                values.append(load(item))
            except Faulty:
                whole = False
        if not whole:
            raise Faulty
        return values


class Shape(Protocol[T_co]):
    """The form of a value in a file."""

    def load(self, node: Node, doc: Document) -> T_co:
        """The node's value. Raises Faulty after noting what is wrong."""

    def schema(self) -> Json:
        """The same form as JSON Schema."""


def parse(file: str, text: str, shape: Shape[T]) -> T:
    """The file's text as the shape's value. Raises FileErrors with all faults."""
    doc = Document(file)
    value = attempt(doc, text, shape)
    if doc.faults or value is None:
        raise FileErrors(doc.faults)
    return value


def attempt(doc: Document, text: str, shape: Shape[T]) -> T | None:
    """As `parse`, but the faults stay in the document for later checks to add to; None: there is no value."""
    try:
        _refuse_cleverness(doc, text)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        if root is None:
            doc.faults.append(Fault(doc.file, 1, 1, "expected a mapping, found an empty file"))
            return None
        return shape.load(root, doc)
    except Faulty:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        doc.faults.append(Fault(doc.file, line, column, f"expected YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        doc.faults.append(Fault(doc.file, 1, 1, f"expected YAML: {str(error).splitlines()[0]}"))
    return None


def _refuse_cleverness(doc: Document, text: str) -> None:
    """Anchors, aliases and tags say what is not written where it is read; deep nesting says nothing."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        clever = _clever(event)
        if clever:
            raise doc.fault(event, f"expected a value, found the {clever}: write it out")
        if depth > MAX_DEPTH:
            raise doc.fault(event, f"expected at most {MAX_DEPTH} levels, found more")


def _clever(event: Event) -> str:
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, AliasEvent):
        return f"alias '*{anchor}'"
    if anchor is not None:
        return f"anchor '&{anchor}'"
    return "" if tag is None else f"tag '{tag}'"


def found(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return f"'{short(node.value)}'" if node.value else "nothing"


def short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + "..."
