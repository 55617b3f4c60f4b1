"""All agents whose sockets are on this node, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from router.core import console, roles
from router.core.chat import checked_mid, checked_text
from router.core.lines import kept_skills, terms
from router.core.queue import Queue
from router.core.redact import redacted
from router.core.routing import PRESENCES, Reply, Talk
from router.errors import Refused
from router.live.abuse import Abuse
from router.live.archivist import Archivist
from router.live.cards import Cards
from router.live.room import Room
from router.live.switchboard import Switchboard
from router.live.worklist import Worklist, leads
from router.live.workplace import Seat, Send, Workplace
from router.store.room import Rooms
from router.store.routing import talk_of

RENEWED: Final = 50  # signs of life a script


class AgentDesk:
    """The agents' side of the desk. Everything raises `Refused`, `unavailable` if the store cannot be
    reached.
    """

    def __init__(self, board: Switchboard, rooms: Rooms, archivist: Archivist, cards: Cards) -> None:
        self.archivist = archivist
        self._cards = cards
        self._abuse = Abuse(board, rooms)
        self._board = board
        self._rooms = {site: Room(rooms, site) for site in board.sites}
        self._worklists = {site: Worklist(board, room) for site, room in self._rooms.items()}
        self._routing = board.routing
        self._workplaces: dict[tuple[str, str], Workplace] = {}
        self._count = 0

    # --- sockets ---

    async def connect(
        self, site: str, agent: dict[str, Any], session: str, send: Send, leave: Callable[[], None]
    ) -> Seat:
        """A socket of an agent: `hello` comes first through `send`. Raises `Refused("unauthorized")` for an
        agent who is not known any more. `leave` is called when the login session ends.
        """
        self._count += 1
        seat = Seat(f"{self._board.node}:{self._count}", site, agent, session, send, leave)
        workplace = self._workplaces.get((site, seat.login))
        if workplace is None:
            workplace = Workplace(self._board, self._rooms[site], site, seat.login)
            self._workplaces[site, seat.login] = workplace
        workplace.seats.append(seat)
        try:
            await self._board.do(site, self._routing.join(site, [(seat.login, seat.id)]))
        except BaseException:
            self._unseat(seat)
            raise
        workplace.wake()
        return seat

    async def disconnect(self, seat: Seat) -> None:
        """The socket is gone. With the agent's last one, here and elsewhere, what rings goes on at once."""
        self._unseat(seat)
        await self._board.do(seat.site, self._routing.leave(seat.site, seat.login, seat.id))

    def _unseat(self, seat: Seat) -> None:
        workplace = self._workplaces[seat.site, seat.login]
        workplace.seats.remove(seat)
        if not workplace.seats:
            del self._workplaces[seat.site, seat.login]

    async def renew(self) -> None:
        """Say of every socket here that it is still there."""
        for site in self._board.sites:
            pairs = [(seat.login, seat.id) for seat in self._seats(site)]
            for first in range(0, len(pairs), RENEWED):
                await self._board.do(site, self._routing.join(site, pairs[first : first + RENEWED]))

    async def logout(self, site: str, session: str) -> None:
        """Close the sockets of a login session, on every node."""
        await self._board.sign(site, ("logout", session, "", False))

    def logged_out(self, site: str, session: str) -> None:
        """A login session ended: close its sockets here."""
        for seat in [seat for seat in self._seats(site) if seat.session == session]:
            seat.leave()

    def _seats(self, site: str) -> Iterator[Seat]:
        for place in self._places(site):
            yield from place.seats

    def _places(self, site: str) -> list[Workplace]:
        return [place for place in self._workplaces.values() if place.site == site]

    # --- being woken ---

    def touched(self, site: str, talks: list[str], agents: list[str]) -> None:
        """These conversations and agents have changed."""
        self._rooms[site].touched(talks, agents)
        for place in self._places(site):
            if place.login in agents or any(map(place.has, talks)):
                place.wake()

    def look_again(self) -> None:
        """Wakes may have been missed."""
        for place in self._workplaces.values():
            place.wake()

    async def swept(self, site: str) -> None:
        """A second has passed: tell the queues, look again where the last look failed, and look around the room."""
        places = self._places(site)
        for place in places:
            place.tell_queues()
            if place.restless:
                place.wake()
        if places:
            await self._rooms[site].look(self._board.clock.now())
        for place in places:
            place.tell_room()

    def typing(self, site: str, cid: str, on: bool) -> None:
        """The shopper types, or ceased to."""
        for place in self._places(site):
            place.typing(cid, on)

    def peek(self, site: str, cid: str, text: str) -> None:
        """What the shopper has typed so far."""
        for place in self._places(site):
            place.peek(cid, text)

    # --- what an agent does ---

    async def handle(self, seat: Seat, frame: console.Frame) -> dict[str, Any]:
        """Do what a console asks, and return the fields of the answer."""
        site, login, do = seat.site, seat.login, self._board.do
        roles.check_frame(str(seat.agent["role"]), frame)
        match frame:
            case console.Presence(state=state, reason=reason):
                await self._set_presence(site, login, state, reason)
            case console.SetPresence(agent=agent, state=state, reason=reason):
                await self._set_presence(site, agent, state, reason)
            case console.Transfer():
                await self._transfer(seat, frame)
            case console.Take(cid=cid):
                script = self._routing.take(site, login, cid, whatever=leads(seat))
                return await self._taken(seat, cid, script)
            case console.Assign(cid=cid, agent=agent):
                await do(site, self._routing.assign(site, login, cid, agent))
            case console.Accept(cid=cid):
                return await self._taken(seat, cid, self._routing.answer(site, login, cid))
            case console.Decline(cid=cid):
                await do(site, self._routing.decline(site, login, cid))
            case console.Say():
                return await self._say(seat, frame)
            case console.SendCard():
                return await self._send_card(seat, frame)
            case console.Typing(cid=cid, on=on):
                if not self._workplaces[site, login].has(cid):
                    raise Refused("not_yours")
                await self._board.sign(site, ("typing", cid, "agent", on))
            case console.History(cid=cid, after=after):
                await self._own(seat, cid)
                lines = (await self._board.chats.history(cid, after)).lines
                return {"messages": [console.message(line) for line in lines]}
            case console.Note(cid=cid, text=text):
                await do(site, self._routing.note(site, login, cid, redacted(text)))
            case console.Look(cid=cid):
                return await self._look(seat, cid)
            case console.Tag(cid=cid, tags=tags):
                await self._tag(seat, cid, tags)
            case console.Before(cid=cid):
                talk = await self._own(seat, cid)
                return {"talks": await self.archivist.before(site, talk.visitor, cid)}
            case console.Close():
                await self._close(seat, frame)
            case console.Warn(cid=cid):
                await self._abuse.warn(seat, cid)
            case console.Block():
                await self._abuse.block(seat, frame)
            case console.Blocks():
                return {"blocks": await self._abuse.lasting(site)}
            case console.Unblock(cid=cid):
                await self._abuse.lift(seat, cid)
            case console.LeftTake():
                await self._worklists[site].take(seat, frame)
            case console.LeftDone():
                await self._worklists[site].finish(seat, frame)
            case console.LeftLines(id=left):
                return {"messages": await self._worklists[site].lines(seat, left)}
        return {}

    async def _set_presence(self, site: str, login: str, state: str, reason: str) -> None:
        if state not in PRESENCES:
            raise Refused("bad_request", f"Presence is one of {', '.join(PRESENCES)}.")
        if reason and (state != "break" or reason not in {one.id for one in self._board.sites[site].breaks}):
            raise Refused("bad_request", "The reason is not one of the site's breaks.")
        await self._board.do(site, self._routing.presence(site, login, state, reason))

    async def _transfer(self, seat: Seat, transfer: console.Transfer) -> None:
        site, login, to = seat.site, seat.login, transfer.to
        if bool(to.agent) == bool(to.queue):
            raise Refused("bad_request", "Expected an agent or a queue - at `$.to`")
        if to.agent:
            script = self._routing.transfer(site, login, transfer.cid, to.agent, redacted(transfer.note))
        else:
            queue = self._board.sites[site].queues.get(to.queue)
            if queue is None:
                raise Refused("bad_request", "The site has no such queue.")
            talk = await self._own(seat, transfer.cid)
            asked = terms(to.queue, queue, kept_skills(talk.sig), self._board.clock.now())
            script = self._routing.requeue(site, login, transfer.cid, asked, redacted(transfer.note))
        await self._board.do(site, script)

    async def _taken(self, seat: Seat, cid: str, script: Awaitable[Reply]) -> dict[str, Any]:
        seat.took.add(cid)
        try:
            record = await self._board.do(seat.site, script)
        except Refused:
            seat.took.discard(cid)
            raise
        history = await self._board.chats.history(cid, 0)
        return {"conversation": console.conversation(talk_of(record), history.newest, history.lines)}

    async def _look(self, seat: Seat, cid: str) -> dict[str, Any]:
        (record,) = await self._board.do(seat.site, self._routing.look(seat.site, [cid]))
        if not record:
            raise Refused("no_conversation")
        history = await self._board.chats.history(cid, 0)
        return {"conversation": console.conversation(talk_of(record), history.newest, history.lines)}

    async def _say(self, seat: Seat, say: console.Say) -> dict[str, Any]:
        text, mid = checked_text(say.text), checked_mid(say.mid)
        await self._active(seat, say.cid)
        return await self._append(seat, say.cid, mid, text)

    async def _send_card(self, seat: Seat, send: console.SendCard) -> dict[str, Any]:
        if bool(send.article) == bool(send.offer):
            raise Refused("bad_request", "Expected an article or an offer.")
        talk, mid = await self._active(seat, send.cid), checked_mid(send.mid)
        site = self._board.sites[seat.site]
        try:
            if send.article:
                text, card = self._cards.article(site, talk, send.article)
            else:
                now = self._board.clock.now()
                text, card = await self._cards.offer(site, talk, send.offer, seat.login, mid, now)
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error
        return await self._append(seat, send.cid, mid, text, card)

    async def _active(self, seat: Seat, cid: str) -> Talk:
        talk = await self._own(seat, cid)
        if talk.state != "active":
            raise Refused("too_late", "The conversation is not active.")
        return talk

    async def _append(
        self, seat: Seat, cid: str, mid: str, text: str, card: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            offset = await self._board.chats.append(cid, "agent", mid, text, str(seat.agent["name"]), card)
            await self._board.touch(seat.site, cid, [seat.login])
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error
        return {"offset": offset}

    async def _close(self, seat: Seat, close: console.Close) -> None:
        queue = self._board.sites[seat.site].queues.get((await self._own(seat, close.cid)).queue)
        if queue is None or queue.disposition(close.disposition) is None:
            raise Refused("bad_request", "The disposition is not one of the queue's.")
        fields = {name: redacted(text.strip()) for name, text in close.fields.items() if text.strip()}
        check_fields(queue, fields)
        script = self._routing.close(
            seat.site, seat.login, close.cid, close.disposition, redacted(close.note), fields
        )
        await self._board.do(seat.site, script)

    async def _tag(self, seat: Seat, cid: str, tags: list[str]) -> None:
        queue = self._board.sites[seat.site].queues.get((await self._own(seat, cid)).queue)
        if queue is None or not {tag.id for tag in queue.tags}.issuperset(tags):
            raise Refused("bad_request", "A tag is not one of the queue's.")
        await self._board.do(seat.site, self._routing.tag(seat.site, seat.login, cid, tags))

    async def _own(self, seat: Seat, cid: str) -> Talk:
        """The conversation, which has to be this agent's."""
        (record,) = await self._board.do(seat.site, self._routing.look(seat.site, [cid]))
        if not record:
            raise Refused("no_conversation")
        talk = talk_of(record)
        if talk.agent != seat.login:
            raise Refused("not_yours")
        return talk


def check_fields(queue: Queue, filled: Mapping[str, str]) -> None:
    """Raise `Refused("bad_request")` for a field that the queue does not have, or that is required and empty."""
    if unknown := set(filled).difference(field.id for field in queue.fields):
        raise Refused("bad_request", f"The queue has no field {min(unknown)}.")
    missing = [field.id for field in queue.fields if field.required and field.id not in filled]
    if missing:
        raise Refused("bad_request", f"Required: {', '.join(missing)}.")
