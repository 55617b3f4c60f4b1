"""The left messages of a site, for the agents who answer them."""

from __future__ import annotations

from typing import Any

from router.core import console, roles
from router.core.left import OUTCOMES, Left
from router.core.redact import redacted
from router.errors import Refused
from router.live.room import Room
from router.live.switchboard import Switchboard
from router.live.workplace import Seat


class Worklist:
    """What is open as the site's room has it. Everything raises `Refused`; `not_found` for a message that is done or of
    queues that are not the agent's.
    """

    def __init__(self, board: Switchboard, room: Room) -> None:
        self._board = board
        self._room = room

    async def take(self, seat: Seat, take: console.LeftTake) -> None:
        """The agent answers for it, or gives it back; a supervisor says who does."""
        left, owner = self._find(seat, take.id), seat.login if take.agent is None else take.agent
        if owner not in ("", seat.login) and not leads(seat):
            raise Refused("forbidden")
        if owner and owner not in self._room.team:
            raise Refused("bad_request", "The site has no such agent.")
        script = self._board.routing.take_left(seat.site, seat.login, left.id, owner, whatever=leads(seat))
        await self._board.do(seat.site, script)

    async def finish(self, seat: Seat, done: console.LeftDone) -> None:
        """It was dealt with."""
        if done.outcome not in OUTCOMES:
            raise Refused("bad_request", f"The outcome is one of {', '.join(OUTCOMES)}.")
        left = self._find(seat, done.id)
        script = self._board.routing.finish_left(
            seat.site, seat.login, left.id, done.outcome, redacted(done.note), whatever=leads(seat)
        )
        await self._board.do(seat.site, script)

    async def lines(self, seat: Seat, left: str) -> list[dict[str, Any]]:
        """What was said in the conversation that it ended, as long as that is kept."""
        history = await self._board.chats.history(self._find(seat, left).cid, 0)
        return [console.message(line) for line in history.lines]

    def _find(self, seat: Seat, left: str) -> Left:
        found = next((one for one in self._room.left if one.id == left), None)
        if found is None or not (leads(seat) or found.queue in seat.agent["queues"]):
            raise Refused("not_found", "There is no such message (any more).")
        return found


def leads(seat: Seat) -> bool:
    """Whether it is a supervisor's."""
    return roles.at_least(str(seat.agent["role"]), "supervisor")
