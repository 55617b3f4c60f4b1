"""A shopper's side of conversations: from the accepted invite to the last line, over reloads and in every tab.

The conversation's truth is the desk's; the session only remembers its id and secret, so that each page can resume it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import structlog

from router.core import protocol as wire
from router.core import signing
from router.core.card import card
from router.core.decision import varied
from router.core.events import number
from router.core.routing import TalkState
from router.core.rules.model import Invite
from router.core.session import Decision
from router.errors import Refused
from router.live.clock import Clock
from router.live.commit import Committer
from router.live.desk import Changed, Desk, Missing, Said, Typed, Update, Watch, new_secret
from router.live.held import Held, Peer

log = structlog.get_logger()

CARD_EVERY_MS: Final = 1_000
MAX_WAITING: Final = 32
OVER: Final = ("wrap-up", "closed", "form", "parked")
CONTEXT: Final = sum(
    1 << number(kind)
    for kind in ("page", "product", "cart_add", "cart_remove", "cart", "checkout", "purchase")
)


class Talks:
    """Conversations of the sessions that this process owns. `tasks`: what is under way with the desk."""

    def __init__(self, clock: Clock, desk: Desk, secret: bytes) -> None:
        self._key = partial(signing.site_key, secret)
        self.clock = clock
        self.desk = desk
        self._committer: Committer
        self._watches: dict[Peer, Watch] = {}
        self._waiting: dict[Peer, deque[wire.ClientMessage]] = {}
        self._opening: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def bind(self, committer: Committer) -> None:
        """The engine's own part, which exists only after this."""
        self._committer = committer

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Refused as refused:
            log.warning("a conversation's step was refused", error=refused.name)

    # --- the beginning -------------------------------------------------------------------------------------

    def open(self, held: Held, decision: Decision) -> None:
        """The acceptance is stored: make it a conversation. Repeated by the sweep while the store is away, and at the
        next attach if this process dies.
        """
        if decision.id not in self._opening:
            self._opening.add(decision.id)
            self._spawn(self._open(held, decision))

    async def _open(self, held: Held, decision: Decision) -> None:
        session = held.session
        try:
            state = await self.desk.accept(
                held.site.id, decision.id, session.secret, decision.queue, decision.skills,
                session.language or held.site.language, self._card(held, decision), session.visitor, session.sid,
            )  # fmt: skip
        except Refused as refused:
            if refused.name != "unavailable":
                session.decision = None
                self._committer.mark(held)
            for peer in held.peers.values():
                peer.send(wire.encode(wire.Error(refused.name, refused.detail, decision.id)))
            raise
        finally:
            self._opening.discard(decision.id)
        session.decision, session.past = None, decision
        await self._begun(held, state)

    async def _begun(self, held: Held, state: TalkState) -> None:
        """There is a conversation: every page of the session hears of it."""
        held.session.talk, held.session.secret = state.cid, state.secret
        self._committer.mark(held)
        for peer in list(held.peers.values()):
            peer.send(wire.encode(_conversation(state, held.site.sneak_peek, secret=True)))
            self._watch(held, peer, state.cid, 0)
        if not held.peers:
            await self.desk.shopper_gone(held.site.id, state.cid)

    async def _asked(self, held: Held, peer: Peer, queue: str | None) -> None:
        try:
            await self._ask(held, peer, queue)
        except Refused as refused:
            if refused.name != "blocked":
                raise
            peer.send(wire.encode(wire.Conversation(new_secret(), "refused")))

    async def _ask(self, held: Held, peer: Peer, queue: str | None) -> None:
        """The shopper wants a person: a conversation, the one there is, or where nobody comes any more a form."""
        site, session = held.site, held.session
        whichever = queue is None and bool(self.desk.topics(site.id))
        queue = queue or self.desk.first(site.id)
        if session.talk:
            state = await self.desk.resume(site.id, session.talk, session.secret)
        elif queue in site.queues and not self.desk.takes(site.id, queue):
            peer.send(wire.encode(wire.Conversation(new_secret(), "form")))
            return
        else:
            state = await self.desk.accept(
                site.id, new_secret(), new_secret(), queue, (), session.language or site.language,
                self._card(held, None), session.visitor, session.sid, whichever=whichever,
            )  # fmt: skip
        await self._begun(held, state)

    # --- what a page sends ---------------------------------------------------------------------------------

    def message(self, held: Held, peer: Peer, message: wire.ClientMessage) -> None:
        """A chat message of a page: one at a time and in order a socket; refusals go back to it by name."""
        waiting = self._waiting.get(peer)
        if waiting is None:
            waiting = self._waiting[peer] = deque([message])
            self._spawn(self._work_off(held, peer, waiting))
        elif len(waiting) < MAX_WAITING:
            waiting.append(message)
        else:
            refused = Refused("overloaded", "Too many chat messages at once; this one was not taken.")
            peer.send(wire.encode(wire.Error(refused.name, refused.detail, _about(message))))

    async def _work_off(self, held: Held, peer: Peer, waiting: deque[wire.ClientMessage]) -> None:
        try:
            while waiting:
                await self._message(held, peer, waiting.popleft())
        finally:
            self._waiting.pop(peer, None)

    async def _message(self, held: Held, peer: Peer, message: wire.ClientMessage) -> None:
        try:
            match message:
                case wire.Identify(token=token):
                    self._identify(held, token)
                case wire.Ask(queue=queue):
                    await self._asked(held, peer, queue)
                case wire.Resume():
                    await self._resume(held, peer, message)
                case wire.Say():
                    self._mine(held, message.cid)
                    offset = await self.desk.say(
                        held.site.id, message.cid, message.mid, "shopper", message.text
                    )
                    peer.send(wire.encode(wire.Stored(message.cid, message.mid, offset)))
                case wire.Typing():
                    self._mine(held, message.cid)
                    await self.desk.typing(held.site.id, message.cid, "shopper", message.on)
                    if message.text is not None and held.site.sneak_peek:
                        await self.desk.peek(held.site.id, message.cid, message.text)
                case wire.End():
                    self._mine(held, message.cid)
                    await self.desk.end(held.site.id, message.cid)
                    self._over(held, message.cid)  # the page may be gone, and never hear of it
        except Refused as refused:
            peer.send(wire.encode(wire.Error(refused.name, refused.detail, _about(message))))

    def _identify(self, held: Held, token: str) -> None:
        """The shop says who this is; agents see it."""
        said = signing.open_customer(self._key(held.site.id), token, self.clock.now())
        if held.session.customer != (said.id, said.name):
            held.session.customer = said.id, said.name
            self._committer.mark(held)
            self._renew(held)

    def _mine(self, held: Held, cid: str) -> None:
        if cid != held.session.talk and not any(watch.cid == cid for watch in self._of(held)):
            raise Refused("no_conversation")

    def _of(self, held: Held) -> list[Watch]:
        return [self._watches[peer] for peer in held.peers.values() if peer in self._watches]

    async def _resume(self, held: Held, peer: Peer, resume: wire.Resume) -> None:
        state = await self.desk.resume(held.site.id, resume.cid, resume.secret)
        if not held.session.talk and state.state not in OVER:
            held.session.talk, held.session.secret = resume.cid, resume.secret
            self._committer.mark(held)
        if held.peers.get(peer.page) is peer:
            self._watch(held, peer, resume.cid, resume.after)

    # --- what comes back -----------------------------------------------------------------------------------

    def _watch(self, held: Held, peer: Peer, cid: str, after: int) -> None:
        older = self._watches.pop(peer, None)
        if older is not None:
            self.desk.unwatch(older)

        def tell(update: Update) -> None:
            frame = _frame(update, held.site.sneak_peek)
            if frame is not None:
                peer.send(frame)
            if isinstance(update, Changed):
                self._changed(held, update.state)

        self._watches[peer] = self.desk.watch(held.site.id, cid, tell, after)

    def _changed(self, held: Held, state: TalkState) -> None:
        if state.state in OVER:
            self._over(held, state.cid)
        elif not held.session.talk:  # a parked talk goes on
            held.session.talk, held.session.secret = state.cid, state.secret
            self._committer.mark(held)
            self._renew(held)

    def _over(self, held: Held, cid: str) -> None:
        if held.session.talk == cid:
            held.session.talk = held.session.secret = ""
            self._committer.mark(held)

    # --- the page and its context --------------------------------------------------------------------------

    def unwatch(self, peer: Peer) -> None:
        """A page's socket is gone: what it had asked for is dropped, but an end is an end. Lines it says again."""
        watch = self._watches.pop(peer, None)
        if watch is not None:
            self.desk.unwatch(watch)
        if (waiting := self._waiting.get(peer)) is not None:
            ends = [message for message in waiting if isinstance(message, wire.End)]
            waiting.clear()
            waiting.extend(ends)

    def gone(self, held: Held) -> None:
        """The last page is gone: the shopper is away, unless another page comes soon."""
        if held.session.talk:
            self._spawn(self.desk.shopper_gone(held.site.id, held.session.talk))

    def forget(self, held: Held) -> None:
        """The session is another process's: that one says whether the shopper is there."""
        if held.session.talk:
            self.desk.forget(held.session.talk)

    def context_changed(self, held: Held, mask: int, now: int) -> None:
        """The shopper went on browsing: the agent's card follows, at most once a second."""
        if mask & CONTEXT and now >= held.card_due:
            held.card_due = now + CARD_EVERY_MS
            self.clock.call_at(now + CARD_EVERY_MS, lambda: self._renew(held))
            self._renew(held)

    def _renew(self, held: Held) -> None:
        session = held.session
        if session.talk:
            began = session.past if session.past and session.past.id == session.talk else None
            self._spawn(self.desk.card(held.site.id, session.talk, self._card(held, began)))

    def _card(self, held: Held, decision: Decision | None) -> dict[str, Any]:
        rule = held.site.rules.find(decision.rule) if decision is not None else None
        invites = [action for action in rule.then if isinstance(action, Invite)] if rule is not None else []
        invite = varied(invites[0], held.session.visitor, decision.rule) if invites and decision else None
        opening = held.site.opening(invite) if invite is not None else None
        return card(held.session, decision, opening, self.clock.now())


def _about(message: wire.ClientMessage) -> str | None:
    return message.mid if isinstance(message, wire.Say) else getattr(message, "cid", None)


def _conversation(state: TalkState, peek: bool, *, secret: bool = False) -> wire.Conversation:
    return wire.Conversation(
        state.cid,
        state.state,
        state.agent,
        state.position,
        state.wait_s,
        state.offset,
        state.secret if secret else None,
        peek,
    )


def _frame(update: Update, peek: bool) -> bytes | None:
    match update:
        case Changed(state):
            return wire.encode(_conversation(state, peek))
        case Said(cid, line):
            return wire.encode(
                wire.Message(
                    cid, line.offset, line.author, line.mid, line.text, line.at_ms, line.name, line.card
                )
            )
        case Missing(cid, start, end):
            return wire.encode(wire.Missing(cid, start, end))
        case Typed(cid, author, on) if author == "agent":
            return wire.encode(wire.AgentTyping(cid, on))
    return None
