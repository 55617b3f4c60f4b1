"""Agents as this node serves them: a workplace is one agent here, with a seat for each of their sockets.

A workplace looks at the agent's presence and conversations whenever it is woken, and sends each seat what
differs from what it was told. `hello` is the whole truth and stands first on every seat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import replace

from router.core import console, roles
from router.core.chat import Line
from router.core.left import worklist
from router.core.routing import Duty, Talk, seen_by
from router.errors import Refused
from router.live.room import Room
from router.live.switchboard import Switchboard
from router.store.chats import History
from router.store.routing import duty_of

Send = Callable[[dict[str, Any]], None]
MINE: Final = ("ringing", "active", "wrap-up")


@dataclass(eq=False, slots=True)
class Seat:
    """One socket of an agent. `send` gets frames and must not block; `leave` is called when its login has
    ended.
    """

    id: str
    site: str
    agent: dict[str, Any]
    session: str
    send: Send
    leave: Callable[[], None]
    greeted: bool = False
    took: set[str] = field(default_factory=set)

    @property
    def login(self) -> str:
        """Whose socket it is."""
        return str(self.agent["login"])


@dataclass(slots=True)
class _Told:
    """What the seats know of one conversation."""

    talk: Talk
    form: dict[str, Any]
    offset: int


class Workplace:
    """One agent on this node."""

    def __init__(self, board: Switchboard, room: Room, site: str, login: str) -> None:
        self.site = site
        self.login = login
        self.seats: list[Seat] = []
        self._board = board
        self._room = room
        self._room_version = -1
        self._line: dict[str, Any] | None = None
        self._team: dict[str, Any] | None = None
        self._left: dict[str, Any] | None = None
        self._told: dict[str, _Told] = {}
        self._presence: tuple[str, str] | None = None
        self._waiting: dict[str, int] | None = None
        self._dirty = False
        self._looking = False

    @property
    def restless(self) -> bool:
        """Whether the last look failed."""
        return self._dirty

    def has(self, cid: str) -> bool:
        """Whether the conversation is, or just was, with this agent."""
        return cid in self._told

    def wake(self) -> None:
        """Something may have changed: look, or look once more."""
        self._dirty = True
        if not self._looking:
            self._looking = True
            self._board.spawn(self._look)

    async def _look(self) -> None:
        try:
            while self._dirty and self.seats:
                self._dirty = False
                await self._look_once()
        except BaseException:
            self._dirty = True
            raise
        finally:
            self._looking = False

    async def _look_once(self) -> None:
        board = self._board
        try:
            value = await board.do(self.site, board.routing.duty(self.site, self.login, list(self._told)))
        except Refused as refused:
            if refused.name != "unauthorized":
                raise
            for seat in list(self.seats):
                seat.leave()
            return
        duty = duty_of(value)
        duty = replace(duty, talks=[seen_by(talk, self.login) for talk in duty.talks])
        histories = await self._histories(duty)
        if self._presence not in (None, (duty.presence, duty.reason)):
            self._send({"t": "presence", "state": duty.presence, "reason": duty.reason})
        self._presence = duty.presence, duty.reason
        for talk in sorted(duty.talks, key=self._is_mine):  # what is over makes room first
            if self._is_mine(talk):
                self._tell(talk, histories[talk.cid])
            else:
                self._tell_lost(talk, histories.get(talk.cid))
        known = {talk.cid for talk in duty.talks}
        for cid in [cid for cid in self._told if cid not in known]:
            del self._told[cid]
        await self._greet(duty)

    def _is_mine(self, talk: Talk) -> bool:
        return talk.agent == self.login and talk.state in MINE

    async def _histories(self, duty: Duty) -> dict[str, History]:
        """The new lines of what is with this agent, or ended with them."""
        cids = [talk.cid for talk in duty.talks if talk.agent == self.login]
        after = [self._told[cid].offset if cid in self._told else 0 for cid in cids]
        read = await asyncio.gather(*map(self._board.chats.history, cids, after))
        return dict(zip(cids, read, strict=True))

    def _tell(self, talk: Talk, history: History) -> None:
        told = self._told.get(talk.cid)
        form = console.conversation(talk, history.newest)
        self._told[talk.cid] = _Told(talk, form, history.newest)
        if told is None:
            self._announce(talk, console.conversation(talk, history.newest, history.lines))
            return
        if told.talk.state == "ringing" and talk.state != "ringing":
            self._send({"t": "ring_over", "cid": talk.cid, "reason": "accepted"}, but=talk.cid)
        if talk.state == "ringing" and talk.deadline != told.talk.deadline:
            self._announce(talk, console.conversation(talk, history.newest))
        elif {**form, "offset": told.form["offset"]} != told.form:
            self._send({"t": "conversation", "conversation": form})
        self._pass_lines(talk.cid, history.lines)

    def _announce(self, talk: Talk, form: dict[str, Any]) -> None:
        if talk.state == "ringing":
            self._send({"t": "ring", "conversation": form, "deadline_ms": talk.deadline})
        else:
            self._send({"t": "conversation", "conversation": form})

    def _tell_lost(self, talk: Talk, history: History | None) -> None:
        """The conversation is not with this agent any more."""
        told = self._told.pop(talk.cid, None)
        if told is None:
            return
        if told.talk.state == "ringing":
            reason = talk.over if talk.over_of == self.login else "cancelled"
            self._send({"t": "ring_over", "cid": talk.cid, "reason": reason})
            return
        if history is not None:
            self._pass_lines(talk.cid, history.lines)
        offset = history.newest if history is not None else told.offset
        self._send({"t": "conversation", "conversation": console.conversation(talk, offset)})

    def _pass_lines(self, cid: str, lines: list[Line]) -> None:
        for line in lines:
            self._send({"t": "message", "cid": cid, "message": console.message(line)})

    def _send(self, frame: dict[str, Any], *, but: str = "") -> None:
        """To every seat that has its hello, except (`but`) those that accepted this conversation."""
        for seat in self.seats:
            if seat.greeted and but not in seat.took:
                seat.send(frame)

    async def _greet(self, duty: Duty) -> None:
        new = [seat for seat in self.seats if not seat.greeted]
        if not new:
            return
        mine = [talk for talk in duty.talks if self._is_mine(talk)]
        read = await asyncio.gather(*(self._board.chats.history(talk.cid, 0) for talk in mine))
        forms = []
        for talk, history in zip(mine, read, strict=True):
            offset = self._told[talk.cid].offset  # what came later goes to all seats with the next look
            lines = [line for line in history.lines if line.offset <= offset]
            forms.append(console.conversation(talk, offset, lines))
        for seat in new:
            seat.greeted = True
            seat.send({
                "t": "hello", "agent": seat.agent, "presence": duty.presence, "reason": duty.reason,
                "capacity": duty.capacity, "conversations": forms, "now_ms": self._board.clock.now(),
            })  # fmt: skip
        self._waiting = self._line = self._team = self._left = None
        self._room_version = -1
        self.tell_queues()
        self.tell_room()

    def tell_room(self) -> None:
        """Who waits, what was left and who is there, if that has changed and was looked at."""
        room = self._room
        if not self.seats or room.version in (0, self._room_version):
            return
        self._room_version = room.version
        me = room.team.get(self.login)
        everything = roles.at_least(str(self.seats[0].agent["role"]), "supervisor")
        queues = None if everything else me.queues if me else ()
        line, left = console.line(room.waiters, me, queues), worklist(room.left, queues)
        team = console.team(room.team.values(), talks=everything)
        for frame, told in ((line, self._line), (left, self._left), (team, self._team)):
            if frame != told:
                self._send(frame)
        self._line, self._left, self._team = line, left, team

    def tell_queues(self) -> None:
        """How many wait in the agent's queues, if that has changed."""
        if not self.seats:
            return
        waiting = self._board.glances[self.site].waiting
        mine = {queue: waiting.get(queue, 0) for queue in self.seats[0].agent["queues"]}
        if mine != self._waiting:
            self._waiting = mine
            self._send({"t": "queue", "waiting": mine})

    def typing(self, cid: str, on: bool) -> None:
        """The shopper types, or ceased to."""
        told = self._told.get(cid)
        if told is not None and told.talk.state == "active":
            self._send({"t": "typing", "cid": cid, "on": on})

    def peek(self, cid: str, text: str) -> None:
        """What the shopper has typed so far."""
        told = self._told.get(cid)
        if told is not None and told.talk.state == "active":
            self._send({"t": "peek", "cid": cid, "text": text})
