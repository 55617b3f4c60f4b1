"""A shopper's view of one conversation: what changed since it was last told, in order, each line once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from router.core.chat import Line
from router.core.routing import Talk, TalkState, state_of
from router.live.switchboard import Switchboard
from router.store.routing import talk_of


@dataclass(frozen=True, slots=True)
class Changed:
    """The conversation's state, agent, place in line or expected wait is another now."""

    state: TalkState


@dataclass(frozen=True, slots=True)
class Said:
    """The next line."""

    cid: str
    line: Line


@dataclass(frozen=True, slots=True)
class Missing:
    """Lines `start` to `end` are gone: say so where they would stand."""

    cid: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Typed:
    """`author` (agent or shopper) began or ceased to type."""

    cid: str
    author: str
    on: bool


Update = Changed | Said | Missing | Typed
Listener = Callable[[Update], None]


class Watch:
    """One listener of one conversation. Wakes only make it look; it reads on from its own offset, so that it
    needs no wake to be its own and loses nothing when one is lost.
    """

    def __init__(self, board: Switchboard, site: str, cid: str, listener: Listener, after: int) -> None:
        self.site = site
        self.cid = cid
        self.offset = after
        self._waiting = False
        self._board = board
        self._listener: Listener | None = listener
        self._told: TalkState | None = None
        self._dirty = False
        self._looking = False

    @property
    def restless(self) -> bool:
        """Whether the last look failed, so that it should look again."""
        return self._dirty and not self._looking

    @property
    def waits(self) -> bool:
        """Whether the conversation stands in line, where its place moves without an occasion."""
        return self._waiting and not self._dirty

    @property
    def opened(self) -> bool:
        """Whether its first message is still to come."""
        return self._told is not None and self._told.state == "opened"

    def wake(self) -> None:
        """Something may have changed: look, or look once more."""
        self._dirty = True
        if not self._looking:
            self._looking = True
            self._board.spawn(self._look)

    def moved(self, talk: Talk) -> None:
        """The conversation as it stands in line now; one that does not any more is looked at."""
        if talk.state != "waiting":
            self.wake()
        elif self._told is not None and self.waits:
            self._tell_state(state_of(talk, self._told.offset))

    def tell(self, update: Update) -> None:
        """Pass an update on, unless nobody listens any more."""
        if self._listener is not None:
            self._listener(update)

    def close(self) -> None:
        """Nobody listens any more."""
        self._listener = None

    async def _look(self) -> None:
        try:
            while self._dirty and self._listener is not None:
                self._dirty = False
                await self._look_once()
        except BaseException:
            self._dirty = True
            raise
        finally:
            self._looking = False

    async def _look_once(self) -> None:
        (record,) = await self._board.do(self.site, self._board.routing.look(self.site, [self.cid]))
        history = await self._board.chats.history(self.cid, self.offset)
        if record:
            talk = talk_of(record)
            self._waiting = talk.state == "waiting"
            self._tell_state(state_of(talk, history.newest))
        if history.missing is not None:
            self.tell(Missing(self.cid, *history.missing))
            self.offset = history.missing[1]
        for line in history.lines:
            self.offset = line.offset
            self.tell(Said(self.cid, line))

    def _tell_state(self, state: TalkState) -> None:
        if self._told is None or replace(self._told, offset=state.offset) != state:
            self.tell(Changed(state))
        self._told = state
