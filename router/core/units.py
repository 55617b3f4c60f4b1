"""The units people write in files: durations, money, shares, rates. Anything else raises ValueError.

Durations become milliseconds, money (value in major units, ISO 4217 code), shares numbers from 0 to 1, rates
(count, window in milliseconds).
"""

from __future__ import annotations

import re
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}

DURATION: Final = r"[0-9]{1,7}[smhd]"
MONEY: Final = r"[0-9]{1,12}(\.[0-9]{1,4})? [A-Z]{3}"
PERCENT: Final = r"([0-9]|[1-9][0-9]|100)(\.[0-9]{1,3})?%"
RATE: Final = rf"[0-9]{{1,6}} in {DURATION}"
VISIBLE: Final = rf"{DURATION} visible"
NUMBER: Final = r"-?[0-9]{1,12}(\.[0-9]{1,6})?"
COUNT: Final = r"[0-9]{1,9}"


def _fits(pattern: str, text: str) -> None:
    if re.fullmatch(pattern, text) is None:
        raise ValueError(text)


def duration(text: str) -> int:
    """`45s`, `3m`, `24h` or `7d` in milliseconds."""
    _fits(DURATION, text)
    return int(text[:-1]) * UNITS[text[-1]]


def visible(text: str) -> int:
    """`45s visible`: a duration on the visible clock, in milliseconds."""
    _fits(VISIBLE, text)
    return duration(text.removesuffix(" visible"))


def money(text: str) -> tuple[float, str]:
    """`8000 JPY` or `79.50 EUR` as (8000.0, "JPY")."""
    _fits(MONEY, text)
    value, currency = text.split(" ")
    return float(value), currency


def percent(text: str) -> float:
    """`5%` as 5.0; from 0 to 100."""
    _fits(PERCENT, text)
    value = float(text[:-1])
    if value > 100:
        raise ValueError(text)
    return value


def share(text: str) -> float:
    """`10%` as 0.1."""
    return percent(text) / 100


def rate(text: str) -> tuple[int, int]:
    """`3 in 10m` as (3, 600_000): a count in a window that slides."""
    _fits(RATE, text)
    count, window = text.split(" in ")
    return int(count), duration(window)


def count(text: str) -> int:
    """A whole number from 0."""
    _fits(COUNT, text)
    return int(text)


def number(text: str) -> float:
    """A number such as `3`, `-2` or `0.5`."""
    _fits(NUMBER, text)
    return float(text)


def flag(text: str) -> bool:
    """`true` or `false`."""
    _fits("true|false", text)
    return text == "true"
