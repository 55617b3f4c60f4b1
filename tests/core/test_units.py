"""Units mean what people write, and nothing else passes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from router.core import units


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.duration, "45s", 45_000),
        (units.duration, "3m", 180_000),
        (units.duration, "24h", 86_400_000),
        (units.duration, "7d", 604_800_000),
        (units.duration, "0s", 0),
        (units.visible, "45s visible", 45_000),
        (units.money, "8000 JPY", (8000.0, "JPY")),
        (units.money, "79.50 EUR", (79.5, "EUR")),
        (units.percent, "5%", 5.0),
        (units.percent, "2.5%", 2.5),
        (units.percent, "100%", 100.0),
        (units.share, "10%", 0.1),
        (units.rate, "3 in 10m", (3, 600_000)),
        (units.count, "12", 12),
        (units.flag, "true", True),
        (units.flag, "false", False),
    ],
)
def test_reads(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (units.duration, "45"),
        (units.duration, "45 s"),
        (units.duration, "-1s"),
        (units.duration, "1.5h"),
        (units.duration, "45s\n"),
        (units.duration, "４５s"),
        (units.duration, "99999999s"),
        (units.visible, "45s"),
        (units.visible, "45s wall"),
        (units.money, "8000"),
        (units.money, "8,000 JPY"),
        (units.money, "8000 yen"),
        (units.money, "8000JPY"),
        (units.percent, "101%"),
        (units.percent, "100.1%"),
        (units.percent, "10"),
        (units.percent, "-1%"),
        (units.rate, "3 in"),
        (units.rate, "3 per 10m"),
        (units.count, "1.0"),
        (units.count, "-1"),
        (units.flag, "yes"),
        (units.flag, "True"),
    ],
)
def test_refuses(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        parse(text)
