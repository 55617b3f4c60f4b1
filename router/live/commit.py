"""Group commit: every session touched in a loop tick goes to the store in one write.

One commit a session is in flight at a time; later events mark it dirty and it is encoded when sent. Nothing is
acknowledged or shown before its `OK`. nil means fenced or lost, an exception means nobody knows: both go to
`on_doubt`, which attaches again before anything is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import structlog

from router.core.protocol import Ack, encode
from router.core.session import Session
from router.live.held import Held, Peer
from router.store.sessions import Sessions

log = structlog.get_logger()

REFRESH_MS: Final = 5 * 60_000

encode_session = msgspec.msgpack.Encoder().encode
_decode_session = msgspec.msgpack.Decoder(Session)


def decode_session(blob: bytes) -> Session:
    """A stored session."""
    return _decode_session.decode(blob)


class Committer:
    """Writes sessions and, after the store's `OK`, emits what depended on it."""

    def __init__(self, store: Sessions, now: Callable[[], int], on_doubt: Callable[[Held], None]) -> None:
        self._store = store
        self._now = now
        self._on_doubt = on_doubt
        self._queue: list[Held] = []
        self._planned = False
        self._call_soon = asyncio.get_running_loop().call_soon
        self._idle: asyncio.Future[None] | None = None
        self.in_flight = 0
        self.commits = 0

    @property
    def busy(self) -> bool:
        """Whether any commit waits or is on its way."""
        return bool(self.in_flight or self._queue)

    async def idle(self) -> None:
        """Return when no commit waits or is on its way."""
        while self.busy:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)

    def mark(self, held: Held, after: Callable[[], None] | None = None) -> None:
        """The session changed; `after` runs once that change is stored."""
        if after is not None:
            held.after.append(after)
        if held.dirty:
            return
        held.dirty = True
        if not held.in_flight and not held.lost:
            self._enqueue(held)

    def resume(self, held: Held) -> None:
        """The session is owned for certain again: write what waits."""
        held.lost = False
        if held.dirty and not held.in_flight:
            self._enqueue(held)

    def _enqueue(self, held: Held) -> None:
        self._queue.append(held)
        if not self._planned:
            self._planned = True
            self._call_soon(self._flush)

    def _flush(self) -> None:
        self._planned = False
        queue, self._queue = self._queue, []
        now = self._now()
        for held in queue:
            if held.dirty and not held.in_flight and not held.lost:
                self._send(held, now)
        self._store.link.flush()

    def _send(self, held: Held, now: int) -> None:
        held.dirty, held.in_flight = False, True
        owed, held.owed = held.owed, []
        after, held.after = held.after, []
        self.in_flight += 1
        if now - held.refreshed > REFRESH_MS:
            held.refreshed = now
            self._store.refresh(held.session.sid)
        self._store.commit(held.key, encode_session(held.session), partial(self._done, held, owed, after))

    def _done(
        self, held: Held, owed: list[tuple[Peer, str, int]], after: list[Callable[[], None]], reply: object
    ) -> None:
        held.in_flight = False
        self.in_flight -= 1
        if reply == b"OK":
            self.commits += 1
            if owed:
                _acknowledge(owed)
            if after:
                _follow(after)
            if held.dirty:
                self._enqueue(held)
        else:
            held.owed[:0] = owed
            held.after[:0] = after
            held.dirty = held.lost = True
            self._on_doubt(held)
        if self._idle is not None and not self.busy:
            self._idle.set_result(None)
            self._idle = None


def _follow(effects: list[Callable[[], None]]) -> None:
    """Run what waited for a commit; one that fails hinders no other."""
    for effect in effects:
        try:
            effect()
        except Exception:
            log.exception("what followed from a commit failed")


def _acknowledge(owed: list[tuple[Peer, str, int]]) -> None:
    """One ack a page: the highest number that this commit stored."""
    last = len(owed) - 1
    for index, (peer, page, n) in enumerate(owed):
        if index < last:
            following = owed[index + 1]
            if following[0] is peer and following[1] == page:
                continue
        peer.send(encode(Ack(page, n)))
        peer.acked(page, n)
