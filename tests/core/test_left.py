"""router.core.left: what may be left, how it is kept clean, and when it is due."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from router.core import left
from router.core.hours import Hours, opens
from router.core.left import Left
from router.core.queue import Name, Queue
from router.core.units import DAY, HOUR
from router.errors import Refused

TOKYO = ZoneInfo("Asia/Tokyo")
WEEKDAYS = Hours("Asia/Tokyo", (((600, 1080),),) * 5 + ((), ()), "JP")  # 10:00 to 18:00


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=TOKYO).timestamp()) * 1000


@pytest.mark.parametrize(
    "contact",
    [
        "a@example.jp",
        "+81 90-1234-5678",
        "090-1234-5678",
        "0312345678",
        "+49 1512 3456789",
    ],
)
def test_mail_and_telephone_are_kept_as_written(contact: str) -> None:
    assert left.checked_contact(f" {contact}  ") == contact


def test_full_width_signs_are_made_plain() -> None:
    assert left.checked_contact("０９０－１２３４－５６７８") == "090-1234-5678"
    assert left.checked_contact("ｈａｎａ＠example.jp") == "hana@example.jp"


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "me",
        "a@b",
        "a b@example.jp",
        "12345",
        "4111 1111 1111 1111",
        "+4111 1111 1111 1111",
        f"{'a' * 200}@example.jp",
    ],
)
def test_what_is_neither_is_refused(contact: str) -> None:
    with pytest.raises(Refused, match="e-mail address or a telephone number"):
        left.checked_contact(contact)


def test_card_numbers_are_kept_nowhere() -> None:
    assert left.checked_words("My card: 4111 1111 1111 1111") == "My card: •••• 1111"
    assert "4111" not in left.checked_name("4111111111111111")
    assert "411111111111" not in left.checked_contact("4111111111111111@example.jp")


def test_names_are_one_short_line_or_nothing() -> None:
    assert left.checked_name(" Hana\n  Sato ") == "Hana Sato"
    assert left.checked_name("  ") == ""
    with pytest.raises(Refused, match="at most 80"):
        left.checked_name("x" * 81)


def test_it_is_due_within_the_queues_time_and_while_it_is_open() -> None:
    name = Name(ja="ご案内", en="Help")
    assert left.due(Queue(name, (), reply_ms=HOUR), 5) == 5 + HOUR
    queue = Queue(name, (), hours=WEEKDAYS, reply_ms=4 * HOUR)
    assert left.due(queue, at("2026-11-26T11:00")) == at("2026-11-26T15:00")
    assert left.due(queue, at("2026-11-26T17:00")) == at("2026-11-27T10:00"), "the next morning"
    assert left.due(queue, at("2026-11-27T17:00")) == at("2026-11-30T10:00"), "after the weekend"


def test_a_long_holiday_is_looked_past_and_a_queue_that_never_opens_is_not_waited_for() -> None:
    assert opens(WEEKDAYS, at("2026-05-02T12:00")) == at("2026-05-07T10:00"), "Golden Week"
    closed = Hours("UTC", ((),) * 7)
    assert opens(closed, 7 * DAY) == 7 * DAY


def test_the_worklist_has_the_agents_queues_and_a_supervisors_all() -> None:
    items = [Left(id="m-1", queue="help", at=1, due=2), Left(id="m-2", queue="style", at=1, due=3)]
    assert [one["id"] for one in left.worklist(items, ("style",))["messages"]] == ["m-2"]
    assert [one["id"] for one in left.worklist(items, None)["messages"]] == ["m-1", "m-2"]
