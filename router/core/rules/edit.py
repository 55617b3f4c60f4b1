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
CAPS: Final = ("per_session", "per_visitor", "not_before")
OWN: Final[tuple[Path, ...]] = (
    ("mode",), ("priority",), ("holdout",), ("rollout",), *(("caps", cap) for cap in CAPS),
    ("dates", "from"), ("dates", "until"), ("valid",), ("patience",),
)  # fmt: skip
"""What a rule may say of itself, and be given where it does not."""
COMMON: Final[tuple[Path, ...]] = (
    ("defaults", "holdout"), *(("defaults", "caps", cap) for cap in (*CAPS, "rest_after_dismissal")),
    ("site", "holdout"),
)  # fmt: skip
"""What the file says of all rules."""


class Value(Struct, frozen=True):
    """One scalar that can be edited."""

    path: Path
    text: str


def values(text: str) -> dict[str, tuple[Value, ...]]:
    """For each rule by id what can be edited of it, in the file's order, then what can be added, with an empty text.

    The text has to be a checked rules file.
    """
    return {name: tuple(_with(node, _values(node, ()), OWN)) for name, node in _rules(text).items()}


def common(text: str) -> tuple[Value, ...]:
    """What the file says of all rules, and what could be added."""
    return tuple(_with(_root(text), (), COMMON))


def _with(node: Node, there: Iterable[Value], optional: tuple[Path, ...]) -> Iterator[Value]:
    known = set()
    for value in there:
        known.add(value.path)
        yield value
    for path in optional:
        if path not in known:
            found = _find(node, path)
            yield Value(path, found.value if isinstance(found, ScalarNode) else "")


def changed(text: str, rule: str, path: Path, value: str) -> str:
    """The text with this value in the place of what stands there, or added. Without a rule it is one of all rules'.

    Raises Refused("bad_request").
    """
    node = _rules(text).get(rule) if rule else _root(text)
    if node is None:
        raise Refused("bad_request", f"There is no rule {rule}.")
    found = _find(node, path)
    if found is not None:
        return _replaced(text, found, value)
    if path in (OWN if rule else COMMON):
        return _put(text, node, path, _written(value), "id" if rule else "version")
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


def _root(text: str) -> MappingNode:
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    if not isinstance(root, MappingNode):
        raise Refused("bad_request", "This is no rules file.")
    return root


def _rules(text: str) -> dict[str, MappingNode]:
    rules = _find(_root(text), ("rules",))
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


def _put(text: str, node: MappingNode, path: Path, raw: str, behind: str = "") -> str:
    """Add a value below a mapping, with the mappings that are missing on the way."""
    key, *rest = path
    child = _find(node, (key,))
    if isinstance(child, MappingNode) and child.value:
        return _put(text, child, tuple(rest), raw)
    for step in reversed(rest):
        raw = f"{{{step}: {raw}}}"
    if child is not None:  # an empty mapping
        assert child.start_mark is not None and child.end_mark is not None
        return text[: child.start_mark.index] + raw + text[child.end_mark.index :]
    return _added(text, node, f"{key}: {raw}", behind)


def _added(text: str, node: MappingNode, pair: str, behind: str) -> str:
    """Behind the line of the key `behind`, or else before the first key."""
    mark = node.value[0][0].start_mark
    assert mark is not None
    anchor = _find(node, (behind,)) if behind else None
    if anchor is None:
        between = ", " if node.flow_style else "\n" + " " * mark.column
        return text[: mark.index] + pair + between + text[mark.index :]
    assert anchor.end_mark is not None
    at = anchor.end_mark.index
    if node.flow_style:
        return f"{text[:at]}, {pair}{text[at:]}"
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return f"{text[:end]}\n{' ' * mark.column}{pair}{text[end:]}"


def _written(value: str) -> str:
    """The value as a YAML scalar of one line."""
    if PLAIN.fullmatch(value) and ": " not in value and not value.endswith((" ", ":")):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
