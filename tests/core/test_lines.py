"""router.core.lines: what is asked for while a conversation waits, step by step."""

from __future__ import annotations

import pytest

from router.core.lines import is_language, kept_skills, terms
from router.core.queue import Name, Overflow, Queue, Relaxation

NAME = Name(ja="係", en="Help")


def test_a_queue_that_relaxes_nothing_asks_the_same_all_the_time() -> None:
    asked = terms("help", Queue(NAME, (), ring_ms=5, wrap_up_ms=7), ["style", "ja"], 0)
    assert (asked.steps, asked.ring_ms, asked.wrap_ms) == (((0, "help|ja,style"),), 5, 7)


def test_steps_ask_for_less_and_less_and_of_more_queues() -> None:
    queue = Queue(
        NAME, (), level=3, relax=(Relaxation(60_000, level=1), Relaxation(30_000, drop="style")),
        overflow=Overflow(45_000, ("other",)),
    )  # fmt: skip
    assert terms("help", queue, ["style", "gold", "ja"], 0).steps == (
        (0, "help|gold:3,ja,style:3"),
        (30_000, "help|gold:3,ja"),
        (45_000, "help+other|gold:3,ja"),
        (60_000, "help+other|gold,ja"),
    )


def test_a_language_is_neither_dropped_nor_levelled() -> None:
    queue = Queue(NAME, (), level=4, relax=(Relaxation(30_000, level=1),))
    assert terms("help", queue, ["ja", "zh-tw"], 0).steps == ((0, "help|ja,zh-tw"),), (
        "no step that changes nothing"
    )


@pytest.mark.parametrize(
    ("skill", "language"), [("ja", True), ("zh-tw", True), ("gold", False), ("vip", False), ("x", False)]
)
def test_languages_are_known_by_their_names(skill: str, language: bool) -> None:
    assert is_language(skill) is language


def test_another_queue_is_asked_for_the_languages_only() -> None:
    assert kept_skills("help+other|gold:3,ja") == ["ja"]
    assert kept_skills("help|") == []
