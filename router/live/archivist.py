"""Writes conversations down when they have ended: into the journal, and with the visitor for those who talk with them
next. A rush ends a hundred a second: they are written a sweep's worth at a time, so that nobody's ring waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from router.core.routing import Talk
from router.core.transcript import transcript
from router.live.switchboard import Switchboard
from router.store.archive import Archive
from router.store.routing import talk_of

LATE_MS: Final = 30_000  # after so long another process looks after what the one that ended it did not
AT_ONCE: Final = 16

WriteDown = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]


class Archivist:
    """`write_down` puts transcripts into the journal and returns when they are there, or raises."""

    def __init__(self, board: Switchboard, archive: Archive, write_down: WriteDown) -> None:
        self._board = board
        self._archive = archive
        self._write_down = write_down
        self._ended: dict[str, dict[str, None]] = {site: {} for site in board.sites}

    def ended(self, site: str, cid: str) -> None:
        """It is over, or was given its disposition: the next look writes it down."""
        self._ended[site][cid] = None

    async def look(self, site: str) -> None:
        """Write down what has ended since the last look here, and what nobody wrote down anywhere."""
        ended, self._ended[site] = self._ended[site], {}
        late = await self._archive.unkept(site, self._board.clock.now() - LATE_MS, AT_ONCE)
        cids = list(ended | dict.fromkeys(late))
        for first in range(0, len(cids), AT_ONCE):
            self._board.spawn(self._keep, site, cids[first : first + AT_ONCE])

    async def _keep(self, site: str, cids: list[str]) -> None:
        """Write these down in which something was said, at least once. Where that fails each is tried alone, so that
        none keeps others waiting; what fails alone is late for the next look.
        """
        try:
            await self._write(site, cids)
        except Exception:
            if len(cids) == 1:
                raise
            for cid in cids:
                self._board.spawn(self._keep, site, [cid])

    async def _write(self, site: str, cids: list[str]) -> None:
        records = await self._board.do(site, self._board.routing.look(site, cids))
        talks = [talk_of(record) for record in records if record]
        written = await asyncio.gather(*(self._transcript(site, talk) for talk in talks))
        said = [one for one in written if any(line["author"] != "system" for line in one["lines"])]
        if said:
            await self._write_down(said)
        await self._archive.keep(site, said)
        await self._archive.kept(site, cids)

    async def _transcript(self, site: str, talk: Talk) -> dict[str, Any]:
        return transcript(site, talk, (await self._board.chats.history(talk.cid, 0)).lines)

    async def before(self, site: str, vid: str, but: str) -> list[dict[str, Any]]:
        """A visitor's conversations before this one, the latest first."""
        return [one for one in await self._archive.of(site, vid) if one["cid"] != but] if vid else []
