"""Values of a rules or texts file changed in place: comments, order and layout of all else stay as they were written.

What can be edited is every scalar of a rule but its id (thresholds, texts' keys, dates, caps, holdout, mode), and every
text. A value is named by its path: `("when", "all", 1, "cart.value", "gte")`, `("invites", "cart.wait", "ja", "text")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from router.errors import Refused

Path = tuple[str | int, ...]
PLAIN: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 ._/%:+-]*")
ADDED: Final = ("mode", "priority", "holdout", "rollout")
"""What may be added to a rule that does not say it."""


class Value(Struct, frozen=True):
    """One scalar that can be edited."""

    path: Path
    text: str


def values(text: str) -> dict[str, tuple[Value, ...]]:
    """For each rule by id what can be edited of it, in the file's order. The text has to be a checked rules file."""
    return {name: tuple(_values(node, ())) for name, node in _rules(text).items()}


def changed(text: str, rule: str, path: Path, value: str) -> str:
    """The text with this value in the place of what stands there, or added. Raises Refused("bad_request")."""
    node = _rules(text).get(rule)
    if node is None:
        raise Refused("bad_request", f"There is no rule {rule}.")
    found = _find(node, path)
    if found is not None:
        return _replaced(text, found, value)
    if len(path) == 1 and path[0] in ADDED:
        return _added(text, node, str(path[0]), value)
    raise Refused("bad_request", f"{rule} has no value at {'.'.join(map(str, path))}.")


def below(text: str, paths: Iterable[Path]) -> dict[Path, tuple[Value, ...]]:
    """For each path that the text has, the scalars below it, named by whole paths."""
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    found = ((path, _find(root, path)) for path in paths)
    return {path: tuple(_values(node, path)) for path, node in found if node is not None}


def replaced(text: str, path: Path, value: str) -> str:
    """The text with this value in the place of what stands there. Raises Refused("bad_request")."""
    node = _find(yaml.compose(text, Loader=yaml.BaseLoader), path)
    if node is None:
        raise Refused("bad_request", f"There is no text at {'.'.join(map(str, path))}.")
    return _replaced(text, node, value)


def _rules(text: str) -> dict[str, MappingNode]:
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    rules = _find(root, ("rules",)) if isinstance(root, MappingNode) else None
    items = rules.value if isinstance(rules, SequenceNode) else []
    named = ((_find(item, ("id",)), item) for item in items if isinstance(item, MappingNode))
    return {name.value: item for name, item in named if isinstance(name, ScalarNode)}


def _values(node: Node, path: Path) -> Iterator[Value]:
    if isinstance(node, MappingNode):
        for key, child in node.value:
            if (*path, key.value) != ("id",):
                yield from _values(child, (*path, key.value))
    elif isinstance(node, SequenceNode):
        for place, child in enumerate(node.value):
            yield from _values(child, (*path, place))
    else:
        yield Value(path, node.value)


def _find(node: Node | None, path: Path) -> Node | None:
    for step in path:
        if isinstance(node, MappingNode):
            node = next((child for key, child in node.value if key.value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def _replaced(text: str, node: Node, value: str) -> str:
    if not isinstance(node, ScalarNode):
        raise Refused("bad_request", "Only single values can be edited in the form.")
    assert node.start_mark is not None
    assert node.end_mark is not None
    written = text[node.start_mark.index : node.end_mark.index]
    blank = written[len(written.rstrip()) :]  # a block's mark ends behind its line
    return text[: node.start_mark.index] + _written(value) + blank + text[node.end_mark.index :]


def _added(text: str, rule: MappingNode, key: str, value: str) -> str:
    """Behind the id: on a line of its own in block style, else within the braces."""
    name = _find(rule, ("id",))
    assert name is not None
    assert name.end_mark is not None
    assert rule.value[0][0].start_mark is not None
    at = name.end_mark.index
    if rule.flow_style:
        return f"{text[:at]}, {key}: {_written(value)}{text[at:]}"
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    indent = " " * rule.value[0][0].start_mark.column
    return f"{text[:end]}\n{indent}{key}: {_written(value)}{text[end:]}"


def _written(value: str) -> str:
    """The value as a YAML scalar of one line."""
    if PLAIN.fullmatch(value) and ": " not in value and not value.endswith((" ", ":")):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
