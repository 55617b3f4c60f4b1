"""A conversation's lines: a stream in its own slot, appended once a message id, read from any offset on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec
from redis.asyncio import Redis

from router.core.chat import MAX_LINES, SYSTEM_LINES, Line, line_of, missing
from router.core.redact import redacted, tail
from router.errors import Refused
from router.store import keys
from router.store.link import Link
from router.store.quick import Quick, pairs

LOOKED_BACK: Final = 24  # lines in which the author's latest ones are looked for
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class History:
    """Lines after some offset, in order; `missing`: those (first, last) that should be there and are gone."""

    lines: list[Line]
    missing: tuple[int, int] | None
    newest: int


class Chats:
    """The streams of all conversations. `now_ms()` is what scripts get: 0 lets them use the server's own
    time.
    """

    def __init__(self, redis: Redis, now_ms: Callable[[], int], link: Link | None = None) -> None:
        self._redis = redis
        self._quick = Quick(redis, link)
        self._now_ms = now_ms
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def append(
        self, cid: str, author: str, mid: str, text: str, name: str = "", card: dict[str, Any] | None = None
    ) -> int:
        """Store a line and return its offset; the same author and mid again returns the first one's. A `card` is the
        service's own and stored as it is.

        What people write is stored without card numbers, also without the rest of one that began in the author's
        lines before. Raises `Refused`: `full` at 500 lines (system lines may stand on 20 more), `overloaded` where
        the same author's other lines come in between again and again.
        """
        if author == "system" or card is not None or not any(map(str.isdecimal, text)):
            return await self._store(cid, author, mid, text, name, card=card)
        lock = self._locks.setdefault(cid, asyncio.Lock())
        async with lock:  # this process's lines one by one; others' are met by the script
            return await self._store_clean(cid, author, mid, text, name)

    async def _store_clean(self, cid: str, author: str, mid: str, text: str, name: str) -> int:
        for _ in range(TRIES):
            after, clean = await self._clean(cid, author, text)
            offset = await self._store(cid, author, mid, clean, name, after)
            if offset > 0:
                return offset
        raise Refused("overloaded")

    async def _store(
        self,
        cid: str,
        author: str,
        mid: str,
        text: str,
        name: str,
        after: str = "",
        card: dict[str, Any] | None = None,
    ) -> int:
        """-1 if the author has a line later than `after`."""
        most = MAX_LINES + SYSTEM_LINES if author == "system" else MAX_LINES
        args = (
            self._now_ms(),
            author,
            mid,
            text,
            name,
            most,
            keys.CHAT_TTL_S,
            after,
            msgspec.json.encode(card) if card else "",
        )
        offset, _new = await self._quick.run("append", (keys.chat(cid), keys.chat_ids(cid)), args)
        if not offset:
            raise Refused("full", f"A conversation holds {MAX_LINES} lines.")
        return int(offset)

    async def _clean(self, cid: str, author: str, text: str) -> tuple[str, str]:
        """The author's latest offset, and the text without card numbers as long as that is so."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hget(keys.chat_ids(cid), f"of:{author}")
            pipeline.xrevrange(keys.chat(cid), count=LOOKED_BACK)
            latest, entries = await pipeline.execute()
        lines = [line_of(entry.decode(), _text(fields)) for entry, fields in reversed(entries)]
        before = tail([line.text for line in lines if line.author == author])
        return (latest or b"0").decode(), redacted(text, before)

    async def history(self, cid: str, after: int) -> History:
        """All lines after offset `after`. A stream whose 24 h are over is empty and says nothing of what it
        held.
        """
        newest, entries = await self._quick.ask(  # in this order: a line may come in between
            ("HGET", keys.chat_ids(cid), "newest"), ("XRANGE", keys.chat(cid), f"({after}-0", "+")
        )
        lines = [line_of(entry.decode(), _text(dict(pairs(fields)))) for entry, fields in entries]
        last = max(int(newest or 0), lines[-1].offset if lines else 0)
        return History(lines, missing(lines, after, last), last)

    async def newest(self, cid: str) -> int:
        """The offset of the last line; 0 if there is none."""
        (newest,) = await self._quick.ask(("HGET", keys.chat_ids(cid), "newest"))
        return int(newest or 0)


def _text(fields: dict[Any, Any]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}
