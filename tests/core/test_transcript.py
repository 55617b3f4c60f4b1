"""router.core.transcript: what is written down of a conversation."""

from __future__ import annotations

from router.core.chat import Line
from router.core.routing import Talk
from router.core.transcript import CHARS, transcript


def lines(*texts: str) -> list[Line]:
    return [Line(n, "shopper", f"mid-{n:04}", text, n * 1_000) for n, text in enumerate(texts, 1)]


TALK = Talk(
    cid="talk-0001", state="closed", queue="help", sig="help|", secret="never kept", visitor="vid", agent="ann",
    agent_name="Ann", opened=5, accepted=7, closed=9, end="closed", disposition="sold", note="kind", tags='["gift"]',
    fields='{"order":"A-1"}',
)  # fmt: skip


def test_it_says_what_became_of_it_and_every_line() -> None:
    written = transcript("shop", TALK, lines("hello", "bye"))
    assert written == {
        "site": "shop", "cid": "talk-0001", "visitor": "vid", "queue": "help", "agent": "ann", "name": "Ann",
        "opened": 5, "accepted": 7, "closed": 9, "end": "closed", "disposition": "sold", "note": "kind",
        "tags": ["gift"], "fields": {"order": "A-1"}, "cut": 0,
        "lines": [
            {"offset": n, "author": "shopper", "mid": f"mid-{n:04}", "text": text, "at_ms": n * 1_000, "name": None,
             "card": None}
            for n, text in ((1, "hello"), (2, "bye"))
        ],
    }  # fmt: skip


def test_a_very_long_one_keeps_its_newest_lines_and_says_how_many_are_left_out() -> None:
    written = transcript("shop", TALK, lines(*["x" * (CHARS // 4)] * 6))
    assert ([line["offset"] for line in written["lines"]], written["cut"]) == ([3, 4, 5, 6], 2)
