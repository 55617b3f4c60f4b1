"""router.core.topics: the phrases of queues choose among them, and leave it where it is not clear."""

from __future__ import annotations

import pytest

from router.core.topics import by_phrases

TOPICS = {"orders": ("送料", "配送", "Delivery", "return"), "style": ("大きさ", "サイズ", "which", "gift")}


@pytest.mark.parametrize(
    ("text", "queue"),
    [
        ("送料はいくらですか", "orders"),
        ("ｓｈｉｐｐｉｎｇ　and　ＤＥＬＩＶＥＲＹ", "orders"),
        ("このお皿の大きさは？", "style"),
        ("ｻｲｽﾞを教えて", "style"),
        ("Which delivery is fastest, and can I return it?", "orders"),
        ("こんにちは", None),
        ("", None),
        ("送料と大小", "orders"),
        ("送料 gift", "style"),
    ],
)
def test_the_phrases_that_cover_most_choose(text: str, queue: str | None) -> None:
    assert by_phrases(text, TOPICS) == queue


def test_two_that_cover_the_same_leave_it() -> None:
    assert by_phrases("abc xyz", {"one": ("abc",), "two": ("xyz",)}) is None
    assert by_phrases("abc", {}) is None


def test_a_phrase_that_stands_there_twice_counts_once() -> None:
    assert by_phrases("no no no maybe", {"one": ("no", "NO"), "two": ("maybe",)}) == "two"
