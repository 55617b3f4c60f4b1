"""Opening hours: a week in a time zone of its own, with a country's holidays and named closures. Pure: time is an
argument; which days are holidays is known from the package `holidays`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays
from msgspec import Struct

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 24 * 60
AHEAD_DAYS: Final = 3  # a session lives a day
SEARCHED_DAYS: Final = 60

Span = tuple[int, int]
"""From one minute of a day (inclusive) until another (exclusive, at most 1440)."""


class Closure(Struct, frozen=True):
    """Closed from one day until another, both included, as ISO 8601 dates."""

    name: str
    first: str
    last: str


class Hours(Struct, frozen=True):
    """`days`: the open spans of each weekday, Monday first. `holidays`: a country (ISO 3166) whose public holidays are
    closed, or "".
    """

    zone: str
    days: tuple[tuple[Span, ...], ...]
    holidays: str = ""
    closures: tuple[Closure, ...] = ()


def is_open(hours: Hours, now: int) -> bool:
    """Whether it is open at this moment (ms since the epoch)."""
    return _state(hours, now // MINUTE_MS)[0]


def turns(hours: Hours, now: int) -> int | None:
    """The next moment after now at which it opens or closes; None if it does not within the next days."""
    return _state(hours, now // MINUTE_MS)[1]


def opens(hours: Hours, moment: int) -> int:
    """The first moment from this one on (ms) at which it is open; the same one if it is not for two months."""
    for ahead in range(0, SEARCHED_DAYS, AHEAD_DAYS):
        at = moment + ahead * DAY_MINUTES * MINUTE_MS
        is_now, turn = _state(hours, at // MINUTE_MS)
        if is_now or turn is not None:
            return at if is_now else turn or at
    return moment


def is_closed_day(hours: Hours, day: date) -> bool:
    """Whether it is a holiday or within a closure."""
    if hours.holidays and day in _calendar(hours.holidays):
        return True
    return any(closure.first <= day.isoformat() <= closure.last for closure in hours.closures)


@lru_cache(maxsize=1024)
def _state(hours: Hours, minute: int) -> tuple[bool, int | None]:
    """(is it open, when does that end); nothing turns within a minute."""
    now = minute * MINUTE_MS
    for begin, end in _merged(hours, now):
        if now < begin:
            return False, begin
        if now < end:
            return True, end
    return False, None


def _merged(hours: Hours, now: int) -> Iterator[tuple[int, int]]:
    """The open stretches from yesterday on, as moments; what touches is one."""
    stretches = sorted(_stretches(hours, now))
    while stretches:
        begin, end = stretches.pop(0)
        while stretches and stretches[0][0] <= end:
            end = max(end, stretches.pop(0)[1])
        if end > now:
            yield begin, end


def _stretches(hours: Hours, now: int) -> Iterator[tuple[int, int]]:
    zone = ZoneInfo(hours.zone)
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()
    for ahead in range(-1, AHEAD_DAYS + 1):
        day = today + timedelta(days=ahead)
        if not is_closed_day(hours, day):
            for begin, end in hours.days[day.weekday()]:
                yield _moment(day, begin, zone), _moment(day, end, zone)


def _moment(day: date, minute: int, zone: ZoneInfo) -> int:
    days, rest = divmod(minute, DAY_MINUTES)
    day += timedelta(days=days)
    local = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone)
    return int(local.timestamp()) * 1000


@lru_cache(maxsize=64)
def _calendar(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)
