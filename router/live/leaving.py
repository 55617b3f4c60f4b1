"""What shoppers leave behind to be answered later: messages, and words that nobody answered."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from router.core.chat import Line
from router.core.left import CHARS, Left, due
from router.live.switchboard import Switchboard

PER_HOUR: Final = 5  # messages that one session may leave


class Leaving:
    """Raises `Refused("unavailable")` if the store cannot be reached."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    async def leave(self, site: str, left: Left, session: str) -> int:
        """Store a message, once an id, and end the conversation that waited for it; answers when it is due (ms).

        Raises `Refused("too_many")` for one who leaves more than a few.
        """
        left = replace(left, due=due(self._board.sites[site].queues[left.queue], self._board.clock.now()))
        return int(
            await self._board.do(site, self._board.routing.leave_message(site, left, session, PER_HOUR))
        )

    async def keep_words(self, site: str, cid: str, queue: str) -> None:
        """A conversation ended unanswered: its item gets what the shopper wrote, and a moment in open hours. Repeating
        it is harmless; without it the item is there all the same.
        """
        board = self._board
        lines = (await board.chats.history(cid, 0)).lines
        moment = (
            due(board.sites[site].queues[queue], board.clock.now())
            if queue in board.sites[site].queues
            else 0
        )
        await board.do(site, board.routing.left_words(site, cid, _words(lines), moment))


def _words(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines if line.author == "shopper")[:CHARS]
