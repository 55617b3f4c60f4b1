"""How opening hours are written in files: a time zone, spans of each day, holidays, named closures."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final
from zoneinfo import available_timezones

import holidays

from router.core.document import Shape
from router.core.hours import DAY_MINUTES, DAYS, Closure, Hours, Span
from router.core.scalars import text, written
from router.core.shapes import Choice, Fields, Key, ListOf, Made, Scalar

SPAN_FORM: Final = r"([01][0-9]|2[0-4]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]"
CLOCK_FORM: Final = r"([01][0-9]|2[0-4]):[0-5][0-9]"


def _minute(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    if hours * 60 + minutes > DAY_MINUTES:
        raise ValueError(clock)
    return hours * 60 + minutes


def _clock(written: str) -> int:
    if re.fullmatch(CLOCK_FORM, written) is None:
        raise ValueError(written)
    return _minute(written)


def _span(written: str) -> Span:
    if re.fullmatch(SPAN_FORM, written) is None:
        raise ValueError(written)
    begin, end = map(_minute, written.split("-"))
    if begin >= end:
        raise ValueError(written)
    return begin, end


def _day(written: str) -> str:
    return date.fromisoformat(written).isoformat()


ZONE: Final = Choice("a time zone such as Asia/Tokyo", available_timezones())
SPAN: Final = written(
    "hours of one day such as `10:00-18:00`; over midnight are two days' hours", SPAN_FORM, _span
)
CLOCK: Final = written("a time of day such as `18:00`", CLOCK_FORM, _clock)
DATE: Final = Scalar("a day such as `2026-12-31`", _day, {"type": "string", "format": "date"})
COUNTRY: Final = Choice("a country whose holidays are known, such as JP", holidays.list_supported_countries())
WEEKDAYS: Final = ListOf("a list of days: mon, tue, wed, thu, fri, sat, sun", Choice("a day", DAYS), 7, str)
ALWAYS_OPEN: Final = Hours("UTC", (((0, DAY_MINUTES),),) * 7)


def _closure(name: str, first: str, last: str) -> Closure:
    if first > last:
        raise ValueError
    return Closure(name, first, last)


_CLOSURE: Final[Shape[Closure]] = Made(
    Fields(
        "a closure",
        dict,
        {
            "name": Key(text("a name of at most 60 characters", 60), required=True),
            "from": Key(DATE, required=True, name="first"),
            "until": Key(DATE, required=True, name="last"),
        },
    ),
    lambda given: _closure(**given),
    "`from` not after `until`",
)


def _hours(zone: str, days: dict[str, tuple[Span, ...]], **more: Any) -> Hours:
    return Hours(zone, tuple(tuple(sorted(days.get(day, ()))) for day in DAYS), **more)


HOURS: Final = Fields(
    "hours",
    _hours,
    {
        "zone": Key(ZONE, required=True),
        "days": Key(
            Fields(
                "the hours of each day", dict, {day: Key(ListOf("a list of hours", SPAN, 8)) for day in DAYS}
            ),
            required=True,
        ),
        "holidays": Key(COUNTRY),
        "closures": Key(ListOf("a list of closures", _CLOSURE)),
    },
)


def _window(
    zone: str, begin: int = 0, end: int = DAY_MINUTES, days: tuple[str, ...] = DAYS, **more: Any
) -> Hours:
    if begin >= end:
        raise ValueError
    return Hours(zone, tuple(((begin, end),) if day in days else () for day in DAYS), **more)


WINDOW: Final[Shape[Hours]] = Made(
    Fields(
        "time.window",
        dict,
        {
            "zone": Key(ZONE, required=True),
            "days": Key(WEEKDAYS),
            "from": Key(CLOCK, name="begin"),
            "until": Key(CLOCK, name="end"),
            "holidays": Key(COUNTRY),
        },
    ),
    lambda given: _window(**given),
    "`from` before `until`",
)
"""Days and hours that a rule names itself."""
