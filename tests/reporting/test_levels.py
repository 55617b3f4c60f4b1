"""Service levels count each conversation once, by its first answer."""

from __future__ import annotations

from typing import Any

from router.reporting.levels import Level, Reading


def told(kind: str, cid: str, waited_ms: int = 0, **more: Any) -> dict[str, Any]:
    opened = {"opened_ms": 1_000, "at_ms": 1_000 + waited_ms, "queue": "help", "site": "shop"}
    return {"kind": kind, "cid": cid, **opened, **more}


def read(*records: dict[str, Any], kind: str = "routing") -> list[Level]:
    reading = Reading("shop", {"help": 20_000})
    for record in records:
        reading.add(kind, record)
    return reading.levels()


def test_who_is_answered_within_the_promise_is_prompt_and_who_gives_up_is_not() -> None:
    (level,) = read(
        told("accepted", "a", 20_000), told("accepted", "b", 20_001), told("closed", "c", 60_000, end="abandoned"),
        told("accepted", "d", 5_000),
    )  # fmt: skip
    assert level == Level("help", answered=3, prompt=2, abandoned=1)
    assert level.share == 0.5


def test_transfers_ends_and_others_do_not_count_again() -> None:
    (level,) = read(
        told("accepted", "a", 1_000), told("accepted", "a", 90_000), told("closed", "a", 95_000, end="abandoned"),
        told("closed", "b", 95_000, end="ended"), told("accepted", "c", 1_000, site="other"),
        {"kind": "presence", "agent": "ann", "site": "shop", "at_ms": 1},
    )  # fmt: skip
    assert level == Level("help", answered=1, prompt=1, abandoned=1), (
        "whoever ends it before the answer gave up"
    )
    assert read(told("accepted", "a"), kind="decision") == []


def test_a_queue_of_which_nothing_is_promised_is_never_prompt() -> None:
    (level,) = read(told("accepted", "a", 5_000, queue="other"))
    assert (level.queue, level.prompt, level.share) == ("other", 0, 0.0)
    assert Level("x").share is None
