"""Where sessions live: who owns one, its blob behind a fencing token, and the inbox of last batches.

A commit is a plain `SET ... XX` on a name that only the owner's token knows, so a process that lost the session
cannot write it. After any doubt a process attaches again, which gives the blob a new name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys, scripts
from router.store.link import Link, LinkLost

OWNER_TTL_S: Final = keys.SESSION_TTL_S + 600
INBOX_BATCHES: Final = 64


@dataclass(frozen=True, slots=True)
class Mine:
    """This process owns the session. `blob` is empty for a new one; `inbox` holds last batches not yet folded."""

    token: str
    blob: bytes
    inbox: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A process has the session and pages of it are open there."""

    node: str
    token: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """The token that was held is not the owner's any more."""


Attached = Mine | Elsewhere | Fenced


class Sessions:
    """The session keys, through the hot path's link."""

    def __init__(self, link: Link, node: str, new_token: Callable[[], str]) -> None:
        self.link = link
        self.node = node
        self._new_token = new_token

    async def attach(self, sid: str, *, page: str = "", previous: str = "", held: str = "") -> Attached:
        """Become the owner. An owner whose beat has stopped is taken over. Raises LinkLost."""
        answer = await self._attach(sid, page, previous, held, "")
        if isinstance(answer, Elsewhere) and not await self._call("EXISTS", keys.beat(answer.node)):
            answer = await self._attach(sid, page, previous, held, answer.token)
        return answer

    async def _attach(self, sid: str, page: str, previous: str, held: str, dead: str) -> Attached:
        token = self._new_token()
        names = (keys.owner(sid), keys.inbox(sid), keys.blob(sid, token))
        lives = (keys.SESSION_TTL_S, OWNER_TTL_S)
        args = (self.node, token, keys.blob(sid, ""), held, dead, page, previous, *lives)
        reply = await self._run("attach", names, args)
        match reply[0]:
            case b"mine":
                return Mine(token, reply[1], tuple(reply[2]))
            case b"elsewhere":
                return Elsewhere(reply[1].decode(), reply[2].decode())
            case _:
                return Fenced()

    async def _run(self, name: str, names: tuple[str, ...], args: tuple[str | bytes | int, ...]) -> Any:
        try:
            return await self._call("EVALSHA", scripts.sha(name), len(names), *names, *args)
        except hiredis.ReplyError:
            return await self._call("EVAL", scripts.source(name), len(names), *names, *args)

    async def _call(self, *args: str | bytes | int) -> Any:
        """The reply. A store that refuses (full, read-only) is as good as away: LinkLost. NOSCRIPT is a ReplyError."""
        try:
            return await self.link.call(*args)
        except hiredis.ReplyError as error:
            if str(error).startswith("NOSCRIPT"):
                raise
            raise LinkLost(str(error)) from error

    def commit(self, key: str, blob: bytes, callback: Callable[[object], None]) -> None:
        """Queue the write of a session. `callback` gets b"OK", None (fenced), or an exception (unknown)."""
        self.link.command(("SET", key, blob, "EX", keys.SESSION_TTL_S, "XX"), callback)

    def refresh(self, sid: str) -> None:
        """Let the owner record live on; commits refresh only the blob."""
        self.link.command(("EXPIRE", keys.owner(sid), OWNER_TTL_S), _ignore)

    def page_opened(self, sid: str, page: str) -> None:
        """Note that a socket of this page is open here."""
        self.link.command(("HSET", keys.owner(sid), keys.open_page(self.node, page), b""), _ignore)

    def page_closed(self, sid: str, page: str) -> None:
        """Note that the page's socket is gone."""
        self.link.command(("HDEL", keys.owner(sid), keys.open_page(self.node, page)), _ignore)

    async def leave_batch(self, sid: str, body: bytes) -> None:
        """Put a last batch into the inbox; returns when it is stored. Raises LinkLost, or Refused("full")."""
        if not await self._run("leave", (keys.inbox(sid),), (body, INBOX_BATCHES, keys.INBOX_TTL_S)):
            raise Refused("full", f"{INBOX_BATCHES} last batches wait for this session already.")

    async def inbox(self, sid: str) -> tuple[bytes, ...]:
        """The last batches that wait, oldest first."""
        return tuple(await self._call("LRANGE", keys.inbox(sid), 0, -1))

    def folded(self, sid: str, entries: tuple[bytes, ...]) -> None:
        """These last batches are part of a committed state now. Others may have come meanwhile; they stay."""
        for entry in entries:
            self.link.command(("LREM", keys.inbox(sid), 1, entry), _ignore)

    def beat(self) -> None:
        """Say that this process lives."""
        self.link.command(("SET", keys.beat(self.node), b"1", "EX", keys.BEAT_TTL_S), _ignore)

    async def end(self) -> None:
        """Say that it lives no more; a store that is away finds out by itself."""
        with contextlib.suppress(LinkLost):
            await self._call("DEL", keys.beat(self.node))


def _ignore(reply: object) -> None:
    """Nothing depends on this reply: what it did is refreshed or repeated."""


__all__ = ["Attached", "Elsewhere", "Fenced", "LinkLost", "Mine", "Sessions"]


async def peek(redis: Redis, sid: str) -> bytes | None:
    """A session's blob as its owner stored it last, for a look from outside; None if there is none."""
    token = cast("bytes | None", await redis.hget(keys.owner(sid), "token"))
    return None if token is None else cast("bytes | None", await redis.get(keys.blob(sid, token.decode())))


async def forget(redis: Redis, sid: str) -> None:
    """Erase a session: with the owner's token gone, a commit under way is fenced."""
    token = cast("bytes | None", await redis.hget(keys.owner(sid), "token"))
    names = [keys.owner(sid), keys.inbox(sid)]
    await redis.delete(*names, *([keys.blob(sid, token.decode())] if token else []))
