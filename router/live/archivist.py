"""Writes conversations down when they end: into the journal, and with the visitor for those who talk with them next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from router.core.transcript import transcript
from router.live.switchboard import Switchboard
from router.store.archive import Archive
from router.store.routing import talk_of

LATE_MS: Final = 30_000  # after so long another process looks after what the one that ended it did not
AT_ONCE: Final = 10

WriteDown = Callable[[dict[str, Any]], Awaitable[None]]


class Archivist:
    """`write_down` puts a transcript into the journal and returns when it is there, or raises."""

    def __init__(self, board: Switchboard, archive: Archive, write_down: WriteDown) -> None:
        self._board = board
        self._archive = archive
        self._write_down = write_down

    async def keep(self, site: str, cid: str) -> None:
        """Write one down in which something was said, at least once; again when its disposition comes later. What
        fails is tried again by `look`.
        """
        board = self._board
        (record,) = await board.do(site, board.routing.look(site, [cid]))
        if record:
            talk = talk_of(record)
            lines = (await board.chats.history(cid, 0)).lines
            written = transcript(site, talk, lines)
            said = any(line.author != "system" for line in lines)
            if said:
                await self._write_down(written)
            if said and talk.visitor:
                await self._archive.keep(site, talk.visitor, cid, written)
        await self._archive.kept(site, cid)

    async def look(self, site: str) -> None:
        """Write down what nobody has."""
        for cid in await self._archive.unkept(site, self._board.clock.now() - LATE_MS, AT_ONCE):
            self._board.spawn(self.keep, site, cid)

    async def before(self, site: str, vid: str, but: str) -> list[dict[str, Any]]:
        """A visitor's conversations before this one, the latest first."""
        return [one for one in await self._archive.of(site, vid) if one["cid"] != but] if vid else []
