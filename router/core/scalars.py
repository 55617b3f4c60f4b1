"""Scalars of our files: texts with a form, numbers and durations within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from router.core import units
from router.core.document import Json
from router.core.shapes import Scalar

T = TypeVar("T")


def pattern(expected: str, regex: str, most: int = 80) -> Scalar[str]:
    """A text that fits the regex from end to end."""

    def make(text: str) -> str:
        if len(text) > most or re.fullmatch(regex, text) is None:
            raise ValueError(text)
        return text

    return Scalar(expected, make, {"type": "string", "pattern": f"^(?:{regex})$", "maxLength": most})


def text(expected: str, most: int) -> Scalar[str]:
    """A text of at most so many characters."""

    def make(value: str) -> str:
        if len(value) > most or not value.strip():
            raise ValueError(value)
        return value

    return Scalar(expected, make, {"type": "string", "minLength": 1, "maxLength": most})


def within(least: int, most: int, make: Callable[[str], int]) -> Callable[[str], int]:
    """`make`, refusing numbers outside of least to most."""

    def bounded(text: str) -> int:
        value = make(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return bounded


def written(expected: str, regex: str, make: Callable[[str], T]) -> Scalar[T]:
    """A value written in one of the units, which is a string in JSON too."""
    return Scalar(expected, make, {"type": "string", "pattern": f"^(?:{regex})$"})


def whole(least: int, most: int) -> Scalar[int]:
    """A whole number."""
    form: Json = {"type": "integer", "minimum": least, "maximum": most}
    return Scalar(f"a whole number from {least} to {most}", within(least, most, units.count), form)


def length(expected: str, least_ms: int, most_ms: int) -> Scalar[int]:
    """A duration within bounds."""
    return written(expected, units.DURATION, within(least_ms, most_ms, units.duration))


def _language(text: str) -> str:
    if re.fullmatch("[a-z]{2,3}", text) is None:
        raise ValueError(text)
    return text


ID: Final = pattern("an id of small letters, digits and dashes such as `cart-wait`", "[a-z0-9][a-z0-9-]*", 40)
NAME: Final = pattern("a name such as `plan`", "[A-Za-z0-9][A-Za-z0-9_.-]*", 40)
WORD: Final = text("a text of at most 100 characters", 100)
KEY: Final = pattern("a text's key such as `cart.wait`", r"[a-z0-9][a-z0-9._-]*")
SKILL: Final = pattern("a skill such as `ja`", "[a-z0-9][a-z0-9-]*", 40)
PATH: Final = pattern("a path that begins with a slash, such as `/shipping`", "/[^ ]*", 300)
VERSION: Final = Scalar("version 1", within(1, 1, units.count), {"const": 1})
SHARE: Final = written("a share such as `10%`", units.PERCENT, units.share)
NUMBER: Final = Scalar("a number", units.number, {"type": "number"})
FLAG: Final = Scalar("true or false", units.flag, {"type": "boolean"})
LANGUAGE: Final = Scalar("a language such as `ja`", _language, {"type": "string", "pattern": "^[a-z]{2,3}$"})
