"""Card numbers in what shoppers type: masked each time, whatever was looked at before."""

from __future__ import annotations

from router.core import clean as module
from router.core import events as ev
from router.core.clean import KNOWN, clean

CARD = "4111 1111 1111 1111"


def cleaned(terms: str) -> str | None:
    event = ev.Search(0, terms, 0)
    clean(event)
    return event.terms


def test_a_number_is_masked_every_time_it_comes() -> None:
    assert [cleaned(f"find {CARD}") for _ in range(3)] == ["find •••• 1111"] * 3


def test_a_clean_text_stays_as_it_is_and_only_clean_ones_are_remembered() -> None:
    text = "a blue cup"
    assert cleaned(text) is text and cleaned(f"{text} {CARD}") == f"{text} •••• 1111"
    assert text in module._known and not any("4111" in known for known in module._known)


def test_what_is_remembered_is_bounded() -> None:
    for number in range(KNOWN + 10):
        cleaned(f"cup number {number}")
    assert len(module._known) <= KNOWN
