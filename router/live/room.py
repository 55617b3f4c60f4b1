"""One site's room as this node knows it: read anew at most once a second, and only what was touched since."""

from __future__ import annotations

from typing import Final

from router.core.left import Left
from router.core.room import Colleague, Waiter
from router.store.room import Rooms

ANEW_MS: Final = 30_000  # a wake may be missed: then all of it is read


class Room:
    """`waiters` by place, `left` messages by due moment, `team` by login; `version` grows whenever something may have
    changed.
    """

    def __init__(self, rooms: Rooms, site: str) -> None:
        self.waiters: list[Waiter] = []
        self.left: list[Left] = []
        self.team: dict[str, Colleague] = {}
        self.version = 0
        self._rooms = rooms
        self._site = site
        self._touched: set[str] = set()
        self._line_touched = False
        self._anew_at = 0

    def touched(self, talks: list[str], agents: list[str]) -> None:
        """These conversations and agents have changed."""
        self._line_touched = self._line_touched or bool(talks)
        self._touched.update(agents)

    async def look(self, now: int) -> None:
        """Read what was touched since the last look, now and then all of it. Errors of the store come through."""
        anew = now >= self._anew_at
        touched, line = self._touched, self._line_touched
        self._touched, self._line_touched = set(), False
        try:
            if anew or touched:
                self._seat(await self._rooms.colleagues(self._site, None if anew else touched), anew, touched)
            if anew or line:
                self.waiters = await self._rooms.waiting(self._site)
                self.left = await self._rooms.left(self._site)
                self.version += 1
        except BaseException:
            self._touched |= touched
            self._line_touched |= line
            raise
        if anew:
            self._anew_at = now + ANEW_MS

    def _seat(self, found: list[Colleague], anew: bool, touched: set[str]) -> None:
        kept = {} if anew else {login: one for login, one in self.team.items() if login not in touched}
        self.team = kept | {one.login: one for one in found}
        self.version += 1
