"""The agents' protocol: what a console may send, as types, and the form of a conversation. `docs/agents.md`
tells its story. JSON, one object a frame; `t` names it, `ref` is the console's own number. Unknown fields are
ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from router.core.chat import Line
from router.core.protocol import Body, ConversationId, MessageId, Offset
from router.core.room import Colleague, Waiter, level
from router.core.routing import Talk, why_agent
from router.core.transcript import fields_of, tags_of
from router.errors import Refused

MAX_FRAME_BYTES: Final = 16 * 1024
NoteText = Annotated[str, Meta(max_length=4000)]
Name = Annotated[str, Meta(max_length=60)]
Ref = Annotated[int, Meta(ge=0, le=2**53)]


class _Frame(Struct, tag_field="t", frozen=True):
    ref: Ref


class _Ref(Struct):
    ref: Ref


class Presence(_Frame, frozen=True, tag="presence"):
    """The agent says whether they take conversations: available, away, break (for a reason) or last_chat."""

    state: str
    reason: Name = ""


class Accept(_Frame, frozen=True, tag="accept"):
    """The agent takes the ringing conversation."""

    cid: ConversationId


class Decline(_Frame, frozen=True, tag="decline"):
    """The agent lets the ringing conversation go on to the next."""

    cid: ConversationId


class Say(_Frame, frozen=True, tag="say"):
    """A message; the same `mid` is stored once."""

    cid: ConversationId
    mid: MessageId
    text: Body


class SendCard(_Frame, frozen=True, tag="card"):
    """The agent sends an article or a code of an offer, one of both by its id; the same `mid` is stored once."""

    cid: ConversationId
    mid: MessageId
    article: Name = ""
    offer: Name = ""


class Typing(_Frame, frozen=True, tag="typing"):
    """The agent began or ceased to type."""

    cid: ConversationId
    on: bool


class History(_Frame, frozen=True, tag="history"):
    """Every line after an offset."""

    cid: ConversationId
    after: Offset = 0


class Note(_Frame, frozen=True, tag="note"):
    """What colleagues should know; never sent to the shopper."""

    cid: ConversationId
    text: NoteText


class Warn(_Frame, frozen=True, tag="warn"):
    """The shopper is asked to stay polite, in a line of the conversation."""

    cid: ConversationId


class Block(_Frame, frozen=True, tag="block"):
    """The conversation ends, and its shopper reaches nobody for a day; `reason` is for supervisors."""

    cid: ConversationId
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class Blocks(_Frame, frozen=True, tag="blocks"):
    """A supervisor looks at who is blocked."""


class Unblock(_Frame, frozen=True, tag="unblock"):
    """A supervisor lifts the block that was made in this conversation."""

    cid: ConversationId


class Ping(_Frame, frozen=True, tag="ping"):
    """The console asks whether the link lives; the answer is all."""


class Target(Struct, frozen=True):
    """To whom a talk is passed: an agent or a queue, one of both."""

    agent: Name = ""
    queue: Name = ""


class Transfer(_Frame, frozen=True, tag="transfer"):
    """The agent passes a talk on, with a note for whoever has it next."""

    cid: ConversationId
    to: Target
    note: NoteText = ""


class Take(_Frame, frozen=True, tag="take"):
    """The agent pulls a waiting conversation that fits; a supervisor any."""

    cid: ConversationId


class Assign(_Frame, frozen=True, tag="assign"):
    """A supervisor lets a conversation ring for an agent."""

    cid: ConversationId
    agent: Name


class SetPresence(_Frame, frozen=True, tag="set_presence"):
    """A supervisor says for an agent whether they take conversations."""

    agent: Name
    state: str
    reason: Name = ""


class Close(_Frame, frozen=True, tag="close"):
    """The talk is over; `disposition` is one of the queue's, `fields` what its form asks for, by id."""

    cid: ConversationId
    disposition: str
    note: NoteText = ""
    fields: Annotated[dict[Name, Annotated[str, Meta(max_length=500)]], Meta(max_length=16)] = {}


class Look(_Frame, frozen=True, tag="look"):
    """A supervisor looks into a colleague's conversation."""

    cid: ConversationId


class Tag(_Frame, frozen=True, tag="tag"):
    """The tags of a conversation, each one of the queue's."""

    cid: ConversationId
    tags: Annotated[list[Name], Meta(max_length=32)]


class Before(_Frame, frozen=True, tag="before"):
    """What was said with this shopper in earlier conversations."""

    cid: ConversationId


class LeftTake(_Frame, frozen=True, tag="left_take"):
    """The agent answers for a left message, or (`agent` "") no longer; a supervisor may name anybody."""

    id: ConversationId
    agent: Name | None = None


class LeftDone(_Frame, frozen=True, tag="left_done"):
    """What became of a left message; `outcome` is one of `left.OUTCOMES`."""

    id: ConversationId
    outcome: Name
    note: NoteText = ""


class LeftLines(_Frame, frozen=True, tag="left_lines"):
    """What was written in the conversation that a left message ended."""

    id: ConversationId


Frame = (
    Presence | Accept | Decline | Say | SendCard | Typing | History | Note | Close | Ping
    | Transfer | Take | Assign | SetPresence | Look | Tag | Before | LeftTake | LeftDone | LeftLines
    | Warn | Block | Blocks | Unblock
)  # fmt: skip

_decoder: Final[msgspec.json.Decoder[Frame]] = msgspec.json.Decoder(Frame)


def decode(frame: str | bytes) -> Frame:
    """A console's frame. Raises `Refused`: `frame_too_big`, or `bad_request` with what was expected."""
    if len(frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise Refused("frame_too_big")
    try:
        return _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refused("bad_request", str(error)) from None


def ref_of(frame: str | bytes) -> int | None:
    """The `ref` of a frame that did not decode, so that its refusal can name it; None if there is none."""
    try:
        return msgspec.json.decode(frame, type=_Ref).ref
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def message(line: Line) -> dict[str, Any]:
    """A line as the console gets it."""
    return asdict(line)


def _transfer(talk: Talk) -> dict[str, Any] | None:
    """Who passed it on and what they noted; `to`: for whom the transfer rings just now."""
    if not talk.handed_by:
        return None
    return {"from": talk.handed_by, "note": talk.handed_note, "to": talk.to or None}


def line(waiters: Iterable[Waiter], me: Colleague | None, queues: Collection[str] | None) -> dict[str, Any]:
    """The frame `line`: who waits in these queues (None: in any), and whether each fits the agent."""
    found = []
    for waiter in waiters:
        if queues is not None and not set(waiter.sig.partition("|")[0].split("+")) & set(queues):
            continue
        card = msgspec.json.decode(waiter.card) if waiter.card else {}
        who, why = card.get("who") or {}, card.get("why")
        found.append({
            "cid": waiter.cid, "queue": waiter.queue, "since_ms": waiter.opened, "language": waiter.language,
            "who": who.get("visitor"), "returning": bool(who.get("returning")),
            "why": {name: " / ".join(why[name]) for name in ("ja", "en")} if why else None,
            "step": waiter.step, "fits": me is not None and level(me.queues, me.skills, waiter.sig) > 0,
        })  # fmt: skip
    return {"t": "line", "waiting": found}


def team(colleagues: Iterable[Colleague], *, talks: bool = False) -> dict[str, Any]:
    """The frame `team`: all agents of the site, by name; with their conversations for those who may look into them."""
    return {
        "t": "team",
        "agents": [
            {
                "login": one.login, "name": one.name, "presence": one.presence, "reason": one.reason,
                "load": one.load, "capacity": one.capacity, "here": one.there,
                **({"talks": one.talks} if talks else {}),
            }
            for one in sorted(colleagues, key=lambda one: (one.name, one.login))
        ],
    }  # fmt: skip


def conversation(talk: Talk, offset: int, lines: list[Line] | None = None) -> dict[str, Any]:
    """A conversation as the console gets it. `deadline_ms`: when the ring or the wrap-up ends, else null."""
    form: dict[str, Any] = {
        "cid": talk.cid,
        "queue": talk.queue,
        "state": talk.state,
        "agent": talk.agent or None,
        "opened_ms": talk.opened,
        "offset": offset,
        "card": msgspec.json.decode(talk.card),
        "shopper_present": talk.present,
        "note": talk.note,
        "disposition": talk.disposition or None,
        "deadline_ms": talk.deadline or None,
        "accepted_ms": talk.accepted or None,
        "transfer": _transfer(talk),
        "why_agent": why_agent(talk.why),
        "tags": tags_of(talk),
        "fields": fields_of(talk),
    }
    if lines is not None:
        form["messages"] = [message(line) for line in lines]
    return form
