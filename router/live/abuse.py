"""What agents do about abuse: warn, end and block; and supervisors, who see who is blocked and lift it."""

from __future__ import annotations

from typing import Any, Final

from router.core import console, units
from router.core.redact import redacted
from router.live.switchboard import Switchboard
from router.live.workplace import Seat
from router.store.room import Rooms

BLOCKED_MS: Final = units.DAY


class Abuse:
    """Everything raises `Refused`, `unavailable` if the store cannot be reached."""

    def __init__(self, board: Switchboard, rooms: Rooms) -> None:
        self._board = board
        self._rooms = rooms

    async def warn(self, seat: Seat, cid: str) -> None:
        """Ask the shopper of this agent's conversation to stay polite."""
        await self._board.do(seat.site, self._board.routing.warn(seat.site, seat.login, cid))

    async def block(self, seat: Seat, block: console.Block) -> None:
        """End this agent's conversation; its shopper reaches nobody for a day."""
        reason = redacted(block.reason)
        script = self._board.routing.block(seat.site, seat.login, block.cid, reason, BLOCKED_MS)
        await self._board.do(seat.site, script)

    async def lasting(self, site: str) -> list[dict[str, Any]]:
        """Who is blocked now, the latest first."""
        return await self._rooms.blocks(site, self._board.clock.now())

    async def lift(self, seat: Seat, cid: str) -> None:
        """The block that was made in this conversation is over."""
        await self._board.do(seat.site, self._board.routing.unblock(seat.site, seat.login, cid))
