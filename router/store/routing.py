"""Agents, waiting lines, rings and holds of a site: each method is one atomic script, and most are
idempotent.

Every script first settles up to 4 due deadlines, so every answer may carry transitions of other
conversations; the caller passes them all on, also when its own request was refused (`Reply.checked`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from router.core.left import Left
from router.core.lines import Terms
from router.core.routing import Duty, Later, Reply, Talk, invite_limits, signature
from router.store import keys, scripts
from router.store.link import Link
from router.store.quick import Quick

_reply: Final = msgspec.msgpack.Decoder(Reply)


class Routing:
    """The routing slot of every site. `now_ms()` is what scripts get: 0 lets them use the server's own time.

    `node`: who asks; "" is for one who cannot pass transitions on, and brings none about. `lease_ms`: how
    long sockets and shoppers count as there without a sign of life; 0: until they leave.
    """

    def __init__(
        self, redis: Redis, node: str, now_ms: Callable[[], int], lease_ms: int, link: Link | None = None
    ) -> None:
        self._quick = Quick(redis, link)
        self._node = node
        self._now_ms = now_ms
        self._lease_ms = lease_ms

    async def _run(self, script: str, site: str, *args: scripts.Arg) -> Reply:
        names = (keys.routing(site, ""), keys.wake_site(site))
        raw = await self._quick.run(f"routing/{script}", names, (self._now_ms(), self._node, *args))
        return _reply.decode(raw)

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
    ) -> Reply:
        """Admit an invite: `value` is whether it may be shown. Bad names raise `Refused("bad_request")`."""
        sig = signature(queue, skills)
        return await self._run("hold", site, did, sig, expires_at, _limits, session, visitor)

    async def release(self, site: str, did: str) -> Reply:
        """Give a hold back."""
        return await self._run("release", site, did)

    # --- shoppers ---

    async def open(
        self,
        site: str,
        cid: str,
        *,
        terms: Terms,
        secret: str,
        language: str,
        card: bytes | str,
        visitor: str = "",
        session: str = "",
        later: Later = "",
    ) -> Reply:
        """Begin a conversation; `value` is its record, the first call's if there were several, or blocked. `later`: it
        is put in a line by `route`.
        """
        details = (
            secret,
            language,
            card,
            msgspec.json.encode(terms),
            self._lease_ms,
            visitor,
            later,
            session,
        )
        return await self._run("open", site, cid, *details)

    async def route(self, site: str, cid: str, terms: Terms | None = None) -> Reply:
        """A conversation that is only opened goes into a line, that of the terms it was opened with if there are none
        here; `value` is the record.
        """
        return await self._run("route", site, cid, msgspec.json.encode(terms) if terms else "")

    async def typed(self, site: str, cid: str) -> Reply:
        """The shopper types; `value`: whether a slot is still held for their first message."""
        return await self._run("typed", site, cid)

    async def reopen(self, site: str, cid: str, closes: int) -> Reply:
        """The shopper writes again; a parked talk goes on. `value` is the record. `closes`: when its queue closes, ms;
        0: it does not, -1: it is closed.
        """
        return await self._run("reopen", site, cid, self._lease_ms, closes)

    async def end(self, site: str, cid: str) -> Reply:
        """The shopper ends it; `value` is the record."""
        return await self._run("end", site, cid)

    async def gone(self, site: str, cid: str, grace_ms: int = 0) -> Reply:
        """No page of the shopper is left, and none comes within the grace."""
        return await self._run("gone", site, cid, grace_ms)

    async def seen(self, site: str, cids: Sequence[str]) -> Reply:
        """The shoppers of these conversations are there, or back."""
        return await self._run("seen", site, self._lease_ms, *cids)

    async def said(self, site: str, cid: str) -> Reply:
        """The shopper has written something: it is left to be answered if they go before anybody does."""
        return await self._run("amend", site, cid, "", "said", "1")

    async def card(self, site: str, cid: str, card: bytes | str) -> Reply:
        """What the agent sees of the shopper is now this JSON object."""
        return await self._run("amend", site, cid, "", "card", card)

    # --- agents ---

    async def enroll(self, site: str, login: str, fields: Mapping[str, scripts.Arg]) -> Reply:
        """Add an agent or change their fields: at least `queues` and `skills` as ",a,b,", `capacity` and
        `name`.
        """
        return await self._run("enroll", site, login, *(word for pair in fields.items() for word in pair))

    async def disable(self, site: str, login: str, disabled: bool) -> Reply:
        """Let an agent in no more, whose talks go to the front of their lines, or again; or not_found."""
        return await self._run("disable", site, login, "1" if disabled else "")

    async def join(self, site: str, sockets: Iterable[tuple[str, str]]) -> Reply:
        """These (login, socket) are there; call again before the lease is over."""
        return await self._run("join", site, self._lease_ms, *(word for pair in sockets for word in pair))

    async def leave(self, site: str, login: str, socket: str) -> Reply:
        """The socket is gone."""
        return await self._run("leave", site, login, socket)

    async def presence(self, site: str, login: str, presence: str, reason: str = "") -> Reply:
        """The agent is available, away, on a break (for a reason), or takes nothing new after the last talk."""
        return await self._run("presence", site, login, presence, reason)

    async def answer(self, site: str, login: str, cid: str) -> Reply:
        """The agent takes what rings; `value` is the record, or too_late."""
        return await self._run("answer", site, login, cid)

    async def decline(self, site: str, login: str, cid: str) -> Reply:
        """The agent lets it go on to the next."""
        return await self._run("decline", site, login, cid)

    async def transfer(self, site: str, login: str, cid: str, to: str, note: str) -> Reply:
        """A talk of this agent's rings for another, and stays theirs until it is answered."""
        return await self._run("transfer", site, login, cid, to, note)

    async def requeue(self, site: str, login: str, cid: str, terms: Terms, note: str) -> Reply:
        """A talk of this agent's goes to a queue, with its age."""
        return await self._run("requeue", site, login, cid, note, msgspec.json.encode(terms))

    async def take(self, site: str, login: str, cid: str, *, whatever: bool) -> Reply:
        """The agent pulls a conversation; `value` is the record. `whatever`: also one that does not fit or is with
        somebody.
        """
        return await self._run("take", site, login, cid, "1" if whatever else "")

    async def assign(self, site: str, login: str, cid: str, to: str) -> Reply:
        """A supervisor lets it ring for one agent."""
        return await self._run("assign", site, login, cid, to)

    async def note(self, site: str, login: str, cid: str, text: str) -> Reply:
        """Keep a note with a conversation of this agent's."""
        return await self._run("amend", site, cid, login, "note", text)

    async def tag(self, site: str, login: str, cid: str, tags: Sequence[str]) -> Reply:
        """Give a conversation of this agent's these tags and no others."""
        return await self._run("amend", site, cid, login, "tags", msgspec.json.encode(tags))

    async def close(
        self, site: str, login: str, cid: str, disposition: str, note: str, fields: Mapping[str, str] = {}
    ) -> Reply:
        """The agent ends it; `value` is the record. `fields`: what was filled in, by id."""
        filled = msgspec.json.encode(fields)
        return await self._run("close", site, login, cid, disposition, note, filled)

    # --- abuse ---

    async def warn(self, site: str, login: str, cid: str) -> Reply:
        """The shopper of this agent's conversation is asked to stay polite."""
        return await self._run("warn", site, login, cid)

    async def block(self, site: str, login: str, cid: str, reason: str, for_ms: int) -> Reply:
        """This agent's conversation ends, and its shopper reaches nobody for a while."""
        return await self._run("block", site, login, cid, reason, for_ms)

    async def unblock(self, site: str, login: str, cid: str) -> Reply:
        """The block that was made in a conversation is lifted."""
        return await self._run("unblock", site, login, cid)

    # --- left messages ---

    async def leave_message(self, site: str, left: Left, session: str, most: int) -> Reply:
        """A shopper leaves a message, at most so many an hour and session; `value`: when it is due, or too_many."""
        fields = [
            word for name in ("name", "contact", "text", "language", "page", "visitor")
            for word in (name, str(getattr(left, name)))
        ]  # fmt: skip
        about = (left.id, left.queue, left.cid, left.due, session, most)
        return await self._run("left", site, *about, *fields)

    async def left_words(self, site: str, left: str, words: str, due: int) -> Reply:
        """What the shopper wrote in the unanswered conversation that a message was made of."""
        return await self._run("left_words", site, left, words, due)

    async def take_left(self, site: str, login: str, left: str, owner: str, *, whatever: bool) -> Reply:
        """`owner` ("": nobody) answers for a left message. `whatever`: also for one of a colleague's."""
        return await self._run("left_take", site, left, login, owner, "1" if whatever else "")

    async def finish_left(
        self, site: str, login: str, left: str, outcome: str, note: str, *, whatever: bool
    ) -> Reply:
        """A left message was dealt with."""
        return await self._run("left_done", site, left, login, outcome, note, "1" if whatever else "")

    # --- looking ---

    async def sweep(self, site: str, queues: Iterable[str] = ()) -> Reply:
        """Settle what is due; `value` is a list of [signature, free slots, waiting, pace in ms, slots on duty],
        at least of these queues.
        """
        return await self._run("sweep", site, *queues)

    async def look(self, site: str, cids: Sequence[str]) -> Reply:
        """`value`: for each conversation its record, or False."""
        return await self._run("look", site, *cids)

    async def duty(self, site: str, login: str, cids: Sequence[str] = ()) -> Reply:
        """`value`: an agent's presence and conversations, and those of `cids` that exist (see `duty_of`)."""
        return await self._run("duty", site, login, *cids)

    async def stored(self, site: str, line: str) -> None:
        """A system line of a reply is in its conversation: forget it here."""
        await self._quick.ask(("ZREM", keys.routing(site, "outbox"), line))


def talk_of(record: Any) -> Talk:
    """A record of a reply's value."""
    return msgspec.convert(record, Talk, strict=False)


def duty_of(value: Any) -> Duty:
    """The value of a `duty` reply."""
    return msgspec.convert(value, Duty, strict=False)


_limits: Final = msgspec.msgpack.encode(invite_limits())
