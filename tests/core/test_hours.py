"""Opening hours: a week, holidays and closures, in a zone of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.document import FileErrors, parse
from router.core.hours import Closure, Hours, is_open, turns
from router.core.hours_form import HOURS

TOKYO = ZoneInfo("Asia/Tokyo")
WEEKDAYS = (((600, 1080),),) * 5 + ((), ())
OFFICE = Hours("Asia/Tokyo", WEEKDAYS, "JP", (Closure("stocktaking", "2026-12-08", "2026-12-09"),))
MINUTE = 60_000


def at(text: str, zone: ZoneInfo = TOKYO) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "is_it", "until"),
    [
        ("2026-12-01T09:59:59", False, "2026-12-01T10:00"),
        ("2026-12-01T10:00", True, "2026-12-01T18:00"),
        ("2026-12-01T17:59:59", True, "2026-12-01T18:00"),
        ("2026-12-01T18:00", False, "2026-12-02T10:00"),
        ("2026-12-04T18:00", False, "2026-12-07T10:00"),  # over a weekend
        ("2026-12-07T18:00", False, "2026-12-10T10:00"),  # over a closure
        ("2026-11-23T12:00", False, "2026-11-24T10:00"),  # Labour Thanksgiving Day, a Monday
    ],
)
def test_a_week_with_its_holidays_and_closures(moment: str, is_it: bool, until: str) -> None:
    now = at(moment)
    assert is_open(OFFICE, now) is is_it
    assert turns(OFFICE, now) == at(until)


def test_a_substitute_holiday_is_closed_too() -> None:
    """2027-03-21, the equinox, is a Sunday, so Monday the 22nd is free."""
    assert not is_open(OFFICE, at("2027-03-22T12:00"))
    assert is_open(OFFICE, at("2027-03-23T12:00"))


def test_hours_follow_the_clocks_of_their_zone() -> None:
    """In Berlin the clocks went forward on 2026-03-29 and went back on 2026-10-25, both Sundays."""
    berlin = ZoneInfo("Europe/Berlin")
    week = Hours("Europe/Berlin", (((540, 1020),),) * 7)
    for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"):
        opening = at(f"{day}T09:00", berlin)
        assert not is_open(week, opening - 1)
        assert is_open(week, opening)
        assert turns(week, opening - 1) == opening
        assert turns(week, opening) == at(f"{day}T17:00", berlin)


def test_hours_that_touch_at_midnight_are_one_stretch() -> None:
    night = Hours("UTC", (((0, 360), (1320, 1440)),) * 7)
    begin = int(datetime(2026, 12, 1, 22, tzinfo=UTC).timestamp() * 1000)
    assert turns(night, begin) == begin + 8 * 60 * MINUTE


def test_what_never_closes_is_looked_at_again_after_days_and_what_never_opens_is_not() -> None:
    always = Hours("UTC", (((0, 1440),),) * 7)
    now = at("2026-12-01T00:00")
    assert is_open(always, now)
    after = turns(always, now)
    assert after is not None and after > now + 24 * 60 * MINUTE
    assert turns(Hours("UTC", ((),) * 7), now) is None


half_hours = st.tuples(st.integers(0, 47), st.integers(1, 48)).filter(lambda span: span[0] < span[1])
spans = half_hours.map(lambda span: (span[0] * 30, span[1] * 30))
weeks = st.lists(st.lists(spans, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple)


@given(weeks, st.sampled_from(("Asia/Tokyo", "Europe/Berlin", "America/St_Johns")), st.integers(0, 7 * 48))
def test_a_turn_is_the_first_moment_with_another_answer(
    week: tuple[tuple[tuple[int, int], ...], ...], zone: str, half_hour: int
) -> None:
    hours = Hours(zone, week)
    step = 30 * MINUTE
    now = at("2026-10-20T00:00", ZoneInfo(zone)) + half_hour * step
    state, turn = is_open(hours, now), turns(hours, now)
    later = next((n * step + now for n in range(1, 48) if is_open(hours, n * step + now) is not state), None)
    assert later is None or turn == later
    if turn is not None and turn < now + 48 * step:
        assert turn == later


# --- the form ----------------------------------------------------------------------------------------------


def test_hours_are_written_by_day() -> None:
    text = (
        "{zone: Asia/Tokyo, days: {mon: [13:00-18:00, 10:00-12:00]}, holidays: JP, "
        "closures: [{name: x, from: 2026-12-29, until: 2027-01-03}]}"
    )
    assert parse("site.yaml", text, HOURS) == Hours(
        "Asia/Tokyo",
        (((600, 720), (780, 1080)), *((),) * 6),
        "JP",
        (Closure("x", "2026-12-29", "2027-01-03"),),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{zone: Mars, days: {}}", "expected a time zone such as Asia/Tokyo, found 'Mars'"),
        ("{zone: UTC, days: {mon: [18:00-10:00]}}", "over midnight are two days' hours, found '18:00-10:00'"),
        ("{zone: UTC, days: {mon: [10:00-24:30]}}", "found '10:00-24:30'"),
        ("{zone: UTC, days: {monday: [10:00-12:00]}}", "found 'monday'; did you mean 'mon'?"),
        ("{zone: UTC, days: {}, holidays: Japan}", "whose holidays are known, such as JP, found 'Japan'"),
        (
            "{zone: UTC, days: {}, closures: [{name: x, from: 2027-01-03, until: 2026-12-29}]}",
            "expected `from` not after `until`",
        ),
        (
            "{zone: UTC, days: {}, closures: [{name: x, from: 3.1., until: 2026-12-29}]}",
            "expected a day such as `2026-12-31`, found '3.1.'",
        ),
    ],
)
def test_faulty_hours_are_told(text: str, fault: str) -> None:
    with pytest.raises(FileErrors) as caught:
        parse("site.yaml", text, HOURS)
    assert fault in str(caught.value)
