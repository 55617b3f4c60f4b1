"""Conversations as this node serves them: the shopper's side here, the agents' in `agents`.

The truth is in the store; every method may be repeated, by any node. All of them raise
`Refused("unavailable")` if the store cannot be reached.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.core.chat import Line, checked_mid, checked_text
from router.core.lines import closes, terms
from router.core.queue import Queue
from router.core.redact import veiled
from router.core.routing import Later, Talk, TalkState, state_of
from router.core.topics import Chooser, Topics, by_phrases
from router.errors import Refused
from router.live.agents import AgentDesk
from router.live.archivist import Archivist, WriteDown
from router.live.cards import Cards
from router.live.clock import Clock, Handle
from router.live.leaving import Leaving
from router.live.switchboard import Journal, Shop, Switchboard
from router.live.watch import Changed, Listener, Missing, Said, Typed, Update, Watch
from router.store.archive import Archive
from router.store.link import Link
from router.store.offers import Offers
from router.store.room import Rooms
from router.store.routing import talk_of

SWEEP_MS: Final = 1_000
LEASE_MS: Final = 15_000
GRACE_MS: Final = 3_000


ASKED: Final = 32  # places in line a script
RENEWED: Final = 50  # signs of life a script, so that it takes no long time


def new_secret() -> str:
    """A conversation's secret: 128 random bits."""
    return secrets.token_urlsafe(16)


def _later(queue: Queue, whichever: bool) -> Later:
    if whichever:
        return "any"
    return "" if queue.rings == "at_once" else "named"


async def _nowhere(transcripts: Sequence[dict[str, Any]]) -> None:
    pass


class Desk:
    """`node` names this process. `journal` gets each transition as {site, kind, at_ms, cid?, queue?, agent?,
    ...}, `write_down` ended conversations (`core.transcript`), a few at a time, until it returns. `choose` says which
    queue a first message is for.

    `sweep_ms`: how often deadlines, places in line and the glance are looked at without an occasion;
    `lease_ms`: how long shoppers and agents of a process that died count as there (0: for ever); `grace_ms`:
    how long a shopper without a page still counts as there, since every navigation is such a moment. All on
    `clock`.
    """

    def __init__(
        self,
        redis: Redis,
        sites: Mapping[str, Shop],
        clock: Clock,
        node: str,
        journal: Journal = lambda record: None,
        *,
        sweep_ms: int = SWEEP_MS,
        lease_ms: int = LEASE_MS,
        grace_ms: int = GRACE_MS,
        write_down: WriteDown = _nowhere,
        choose: Chooser = by_phrases,
        link: Link | None = None,
    ) -> None:
        self._choose = choose
        self._board = Switchboard(redis, sites, clock, node, journal, lease_ms, link)
        self._routing = self._board.routing
        self._chats = self._board.chats
        self._sweep_ms = sweep_ms
        self._grace_ms = grace_ms
        self._watches: dict[str, list[Watch]] = {}
        self._present: dict[str, str] = {}
        self._renew_at = 0
        self._next_tick: Handle | None = None
        self.on_farewell: Callable[[str], None] = lambda sid: None
        self.on_forget: Callable[[str], None] = lambda sid: None
        self.on_visitor: Callable[[str, str], None] = lambda site, vid: None
        self.archivist = Archivist(self._board, Archive(redis), write_down)
        self.agents = AgentDesk(self._board, Rooms(redis), self.archivist, Cards(Offers(redis)))
        self.leaving = Leaving(self._board)
        self._board.on_unanswered = self.leaving.keep_words
        self._board.on_ended = self.archivist.ended
        self._board.on_touch = self._touched
        self._board.on_sign = self._signed
        self._board.on_gap = self._look_again

    # --- life ---

    async def start(self) -> None:
        """Listen to the other nodes, settle what came due meanwhile, and sweep from now on."""
        self._board.fanout.start()
        self._tick()
        await self._board.settled()

    async def stop(self) -> None:
        """Cease. Conversations go on without this node; agents and shoppers come back elsewhere."""
        if self._next_tick is not None:
            self._next_tick.cancel()
        await self._board.stop()

    async def settled(self) -> None:
        """Wait until what was set off so far is passed on: for a driven clock, and for tests."""
        await self._board.settled()

    def _tick(self) -> None:
        clock = self._board.clock
        self._next_tick = clock.call_at(clock.now() + self._sweep_ms, self._tick)
        for site in self._board.sites:
            self._board.spawn(self._sweep, site)
        if self._board.lease_ms and clock.now() >= self._renew_at:
            self._renew_at = clock.now() + self._board.lease_ms // 3
            self._board.spawn(self._renew)

    async def _sweep(self, site: str) -> None:
        await self._board.sweep(site)
        watches = [watch for some in self._watches.values() for watch in some if watch.site == site]
        for watch in watches:
            if watch.restless:
                watch.wake()
        await self._tell_places(site, [watch for watch in watches if watch.waits])
        await self.agents.swept(site)
        await self.archivist.look(site)

    async def _tell_places(self, site: str, watches: list[Watch]) -> None:
        """Tell those who wait where they stand, many in one question."""
        for first in range(0, len(watches), ASKED):
            some = watches[first : first + ASKED]
            records = await self._board.do(site, self._routing.look(site, [watch.cid for watch in some]))
            for watch, record in zip(some, records, strict=True):
                if record:
                    watch.moved(talk_of(record))

    async def _renew(self) -> None:
        await self.agents.renew()
        for site in self._board.sites:
            cids = [cid for cid, there in self._present.items() if there == site]
            for first in range(0, len(cids), RENEWED):
                some = cids[first : first + RENEWED]
                open_ones = await self._board.do(site, self._routing.seen(site, some))
                for cid in set(some).difference(open_ones):
                    self._present.pop(cid, None)

    def _look_again(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()
        self.agents.look_again()

    def _touched(self, site: str, talks: list[str], agents: list[str]) -> None:
        for cid in talks:
            for watch in self._watches.get(cid, ()):
                watch.wake()
        self.agents.touched(site, talks, agents)

    def _signed(self, site: str, sign: tuple[str, str, str, bool]) -> None:
        kind, about, author, on = sign
        if kind == "typing":
            for watch in self._watches.get(about, ()):
                watch.tell(Typed(about, author, on))
            if author == "shopper":
                self.agents.typing(site, about, on)
        elif kind == "peek":
            self.agents.peek(site, about, author)
        elif kind == "farewell":
            self.on_farewell(about)
        elif kind == "forget":
            self.on_forget(about)
        elif kind == "visitor":
            self.on_visitor(site, about)
        elif kind == "logout":
            self.agents.logged_out(site, about)

    # --- invites ---

    async def hold(
        self,
        site: str,
        did: str,
        queue: str,
        skills: Iterable[str],
        expires_at: int,
        session: str = "",
        visitor: str = "",
    ) -> bool:
        """Whether invite `did` may be shown until `expires_at` (ms): the queue `takes` it, a slot is expected, and its
        shopper is not blocked.
        """
        if not self.takes(site, queue):
            return False
        script = self._routing.hold(site, did, queue, skills, expires_at, session, visitor)
        return bool(await self._board.do(site, script))

    def takes(self, site: str, queue: str) -> bool:
        """Whether the queue is open, and still will be when the next conversation may expect an agent."""
        wait_ms = (self.wait_s(site, queue) or 0) * 1000
        return self._board.is_open(site, queue) and self._board.is_open(site, queue, wait_ms)

    async def release(self, site: str, did: str) -> None:
        """The invite ended without a conversation."""
        await self._board.do(site, self._routing.release(site, did))

    def free(self, site: str) -> Mapping[str, int]:
        """Free slots of each queue of the site, as the last sweep saw them."""
        return self._board.glances[site].free

    def waiting(self, site: str) -> Mapping[str, int]:
        """Conversations that wait in each queue of the site, as the last sweep saw them."""
        return self._board.glances[site].waiting

    def wait_s(self, site: str, queue: str) -> int | None:
        """How long the next conversation of the queue would wait (s), as the last sweep saw it; None: unknown."""
        return self._board.glances[site].wait_s.get(queue)

    # --- a conversation, for the shopper ---

    async def accept(
        self,
        site: str,
        cid: str,
        secret: str,
        queue: str,
        skills: Iterable[str],
        language: str,
        card: Mapping[str, Any],
        visitor: str = "",
        session: str = "",
        *,
        whichever: bool = False,
    ) -> TalkState:
        """The shopper said yes to invite `cid`, or asked: the conversation begins. It rings if somebody is free, at
        once or with its first message, as the queue says; `whichever`: for the queue that its first message is for.

        A second call changes nothing and answers the first one's secret. Raises `Refused`: bad_request for an unknown
        queue, blocked.
        """
        rules = self._board.sites[site].queues.get(queue)
        if rules is None:
            raise Refused("bad_request", "The site has no such queue.")
        record = await self._board.do(
            site,
            self._routing.open(
                site, cid, terms=terms(queue, rules, skills, self._board.clock.now()), secret=secret, language=language,
                card=msgspec.json.encode(card), visitor=visitor, session=session, later=_later(rules, whichever),
            ),
        )  # fmt: skip
        self._present[cid] = site
        return await self._state(talk_of(record))

    async def own(self, site: str, cid: str, secret: str) -> Talk:
        """The shopper's conversation. Raises `Refused("no_conversation")`: there is none, or another secret."""
        talk = await self._talk(site, cid)
        if not secrets.compare_digest(talk.secret.encode(), secret.encode("utf-8", "surrogatepass")):
            raise Refused("no_conversation")
        return talk

    async def resume(self, site: str, cid: str, secret: str) -> TalkState:
        """The shopper is back, on this node. Raises as `own`."""
        await self.own(site, cid, secret)
        await self.shopper_back(site, cid)
        return await self._state(await self._talk(site, cid))

    async def history(self, site: str, cid: str, after: int) -> tuple[list[Line], tuple[int, int] | None]:
        """All lines after an offset, and the (first, last) that should be among them and are gone."""
        try:
            history = await self._chats.history(cid, after)
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error
        return history.lines, history.missing

    async def say(self, site: str, cid: str, mid: str, author: str, text: str) -> int:
        """Store the shopper's message, once a `mid`, and return its offset.

        A parked talk goes on with it. Raises `Refused`: no_conversation, too_late (it is over), full, bad_request.
        Whether it is over is looked at just before: a line that crosses the end may still be stored.
        """
        text, mid = checked_text(text), checked_mid(mid)
        talk = await self._talk(site, cid)
        if talk.end == "parked":
            talk = await self._reopen(site, talk)
        if talk.state == "opened":
            talk = await self._route(site, talk, text)
        if talk.state in ("wrap-up", "closed"):
            raise Refused("too_late", "The conversation is over.")
        try:
            offset = await self._chats.append(cid, author, mid, text)
            if not talk.said:
                await self._board.do(site, self._routing.said(site, cid))
            await self._board.touch(site, cid, [talk.agent] if talk.agent else [])
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error
        return offset

    def first(self, site: str) -> str:
        """The first queue that takes somebody now; the site's first where none does."""
        queues = self._board.sites[site].queues
        return next((name for name in queues if self.takes(site, name)), next(iter(queues)))

    def topics(self, site: str) -> Topics:
        """The queues that a first message may choose, with their phrases: those that take somebody now."""
        queues = self._board.sites[site].queues
        return {
            name: queue.phrases for name, queue in queues.items() if queue.phrases and self.takes(site, name)
        }

    async def _route(self, site: str, talk: Talk, text: str) -> Talk:
        if talk.named:
            return talk_of(await self._board.do(site, self._routing.route(site, talk.cid)))
        queues = self._board.sites[site].queues
        stays = talk.queue if talk.queue in queues else self.first(site)
        name = self._choose(text, self.topics(site)) or stays
        asked = terms(name, queues[name], (), self._board.clock.now())
        return talk_of(await self._board.do(site, self._routing.route(site, talk.cid, asked)))

    async def _reopen(self, site: str, talk: Talk) -> Talk:
        queue = self._board.sites[site].queues.get(talk.queue)
        closing = closes(queue, self._board.clock.now()) if queue else 0
        until = closing if self.takes(site, talk.queue) else -1
        self._present[talk.cid] = site
        return talk_of(await self._board.do(site, self._routing.reopen(site, talk.cid, until)))

    async def typing(self, site: str, cid: str, author: str, on: bool) -> None:
        """Pass on that `author` types, or ceased to; it may be lost. A slot stays held for who is about to write."""
        if author == "shopper" and any(watch.opened for watch in self._watches.get(cid, ())):
            await self._board.do(site, self._routing.typed(site, cid))
        await self._board.sign(site, ("typing", cid, author, on))

    async def peek(self, site: str, cid: str, text: str) -> None:
        """Let the agent see what the shopper has typed so far, without long numbers. It may be lost."""
        await self._board.sign(site, ("peek", cid, veiled(text), True))

    async def end(self, site: str, cid: str) -> None:
        """The shopper ends it."""
        await self._board.do(site, self._routing.end(site, cid))

    async def shopper_gone(self, site: str, cid: str) -> None:
        """No page of the shopper is left: after the grace, the place in line is kept for 3 min, a talk for
        10.
        """
        self._present.pop(cid, None)
        await self._board.do(site, self._routing.gone(site, cid, self._grace_ms))

    async def shopper_back(self, site: str, cid: str) -> None:
        """A page of the shopper is there again."""
        self._present[cid] = site
        await self._board.do(site, self._routing.seen(site, [cid]))

    def forget(self, cid: str) -> None:
        """The shopper's session is another process's now: this one no longer says that they are there."""
        self._present.pop(cid, None)

    async def farewell(self, site: str, sid: str) -> None:
        """Tell the other processes that a last batch waits in this session's inbox. It may be lost: the batch waits."""
        try:
            await self._board.sign(site, ("farewell", sid, "", True))
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error

    async def withdrawn(self, site: str, sid: str) -> None:
        """Tell all processes, this one too, that a session is to be forgotten."""
        await self._board.sign(site, ("forget", sid, "", True))

    async def visitor_told(self, site: str, vid: str) -> None:
        """Tell all processes, this one too, that something new is known of a visitor. It may be lost: the next attach
        finds it.
        """
        await self._board.sign(site, ("visitor", vid, "", True))

    async def card(self, site: str, cid: str, card: Mapping[str, Any]) -> None:
        """What the agent sees of the shopper is now this."""
        await self._board.do(site, self._routing.card(site, cid, msgspec.json.encode(card)))

    # --- watching ---

    def watch(self, site: str, cid: str, listener: Listener, after: int = 0) -> Watch:
        """Tell `listener` the state now and at each change, every line after offset `after` in order and
        once, and typing. It is called in the loop and must not block.
        """
        watch = Watch(self._board, site, cid, listener, after)
        self._watches.setdefault(cid, []).append(watch)
        watch.wake()
        return watch

    def unwatch(self, watch: Watch) -> None:
        """Tell it nothing more. Whether the shopper is still there is said by `shopper_gone`."""
        watch.close()
        watches = self._watches.get(watch.cid, [])
        if watch in watches:
            watches.remove(watch)
        if not watches:
            self._watches.pop(watch.cid, None)

    # --- reading ---

    async def _talk(self, site: str, cid: str) -> Talk:
        (record,) = await self._board.do(site, self._routing.look(site, [cid]))
        if not record:
            raise Refused("no_conversation")
        return talk_of(record)

    async def _state(self, talk: Talk) -> TalkState:
        try:
            return state_of(talk, await self._chats.newest(talk.cid))
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error


__all__ = ["Changed", "Desk", "Missing", "Said", "Typed", "Update", "Watch", "new_secret"]
