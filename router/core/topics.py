"""Which queue a first message is for: by the phrases that queues declare. Where it is not clear, none is chosen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

Topics = Mapping[str, tuple[str, ...]]
"""By queue the phrases that speak for it."""

Chooser = Callable[[str, Topics], str | None]
"""Gets a message and the topics; a queue, or None: then the conversation stays where it is."""


def by_phrases(text: str, topics: Topics) -> str | None:
    """The queue whose phrases cover most of the message, longer ones more; None if none stands there, or two cover the
    same. Width, case and accents of Unicode's compatibility forms make no difference.
    """
    message = _plain(text)
    covered = {
        queue: sum(len(phrase) for phrase in set(map(_plain, phrases)) if phrase in message)
        for queue, phrases in topics.items()
    }
    best = max(covered.values(), default=0)
    chosen = [queue for queue, count in covered.items() if count == best]
    return chosen[0] if best and len(chosen) == 1 else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
