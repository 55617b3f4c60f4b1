"""The shopper's wire protocol, version 1: every message as a type; `docs/protocol.md` tells its story.

Frames are binary, one message a frame, msgpack, a positional array whose first element is the message's
number. Bounds stand in the types, so whatever decodes is valid. No I/O and no state here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from router.core.events import AnyEvent, DecisionId, Word
from router.errors import Refused

VERSION: Final = 1
MAX_FRAME_BYTES: Final = 32 * 1024
MAX_EVENTS: Final = 64
MAX_MESSAGE_CHARS: Final = 2000

PageId = Annotated[str, Meta(min_length=8, max_length=24)]
Token = Annotated[str, Meta(min_length=20, max_length=200)]
ConversationId = DecisionId
MessageId = Annotated[str, Meta(min_length=8, max_length=40)]
Body = Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_CHARS)]
Number = Annotated[int, Meta(ge=1, le=2**31)]
Offset = Annotated[int, Meta(ge=0, le=2**31)]


class _Message(Struct, array_like=True, tag_field="message", gc=False):
    pass


# --- what a page sends -------------------------------------------------------------------------------------


class Hello(_Message, tag=1):
    """First message of a socket. `token` and `visitor` are what an earlier welcome gave; `previous` is the page
    this one was navigated from, so that its owner may be taken over. `no_ui`: this browser cannot draw.
    """

    version: int
    site: Annotated[str, Meta(min_length=1, max_length=40)]
    token: Token | None
    visitor: Token | None
    page: PageId
    previous: PageId | None = None
    language: Word | None = None
    no_ui: bool = False


class Batch(_Message, tag=2, gc=True):
    """Events `first`, `first + 1`, ... of one page: everything of it that is not yet acknowledged."""

    page: PageId
    first: Number
    events: Annotated[list[AnyEvent], Meta(min_length=1, max_length=MAX_EVENTS)]


class Say(_Message, tag=3):
    """A chat message; `mid` is the client's own id of it: the same id is stored once."""

    cid: ConversationId
    mid: MessageId
    text: Body


class Typing(_Message, tag=4):
    """The shopper began or ceased to type. `text`: what stands there so far, where the site has it shown (`peek`)."""

    cid: ConversationId
    on: bool
    text: Annotated[str, Meta(max_length=MAX_MESSAGE_CHARS)] | None = None


class Resume(_Message, tag=5):
    """Go on with a conversation: everything after offset `after` comes again. Needs the conversation's secret."""

    cid: ConversationId
    secret: Annotated[str, Meta(min_length=8, max_length=64)]
    after: Offset


class End(_Message, tag=6):
    """The shopper ends the conversation."""

    cid: ConversationId


class Ask(_Message, tag=7):
    """The shopper asks for a person, of this queue or of the site's first."""

    queue: Word | None = None


class Identify(_Message, tag=8):
    """Who the shopper is to the shop, as its backend signed it (`signing.sign_customer`)."""

    token: Annotated[str, Meta(max_length=1000)]


ClientMessage = Hello | Batch | Say | Typing | Resume | End | Ask | Identify


class Farewell(Struct, array_like=True, frozen=True):
    """Body of `POST /v1/last`: the last batch of a page, with the token that a hello would have carried."""

    site: Annotated[str, Meta(min_length=1, max_length=40)]
    token: Token
    batch: Batch


class Withdrawal(Struct, array_like=True, frozen=True):
    """Body of `POST /v1/forget`: the shopper does not want to be known any more."""

    site: Annotated[str, Meta(min_length=1, max_length=40)]
    token: Token
    visitor: Token | None = None


# --- what the server sends ---------------------------------------------------------------------------------


class Welcome(_Message, tag=1, gc=True):
    """Answer to hello. `marks`: for each remembered page the number of its last stored event."""

    token: str
    visitor: str | None
    marks: dict[str, int]
    now_ms: int
    config: dict[str, Any]


class Ack(_Message, tag=2):
    """All events of `page` up to `n` are stored."""

    page: str
    n: int


class Gap(_Message, tag=3):
    """The batch did not continue what is stored: send again from `want`."""

    page: str
    want: int


class Show(_Message, tag=4, gc=True):
    """Show this decision within `valid_ms`; `kind` is invite, offer or article; `again`: it was drawn before on an
    earlier page: draw it without animation or announcement. `content` is listed in docs/protocol.md.
    """

    decision: str
    kind: str
    content: dict[str, Any]
    valid_ms: int
    again: bool = False


class Retract(_Message, tag=5):
    """Take this decision away, if it is still there."""

    decision: str
    reason: str


class Conversation(_Message, tag=6, gc=True):
    """State of a conversation: invited ... closed (CONVERSATIONS), the agent's public name once there is one, the
    place in line (1 is next) and the expected wait in seconds while it waits, newest offset, the secret once; `peek`:
    agents see what is typed before it is sent, and the shopper is told so.
    """

    cid: str
    state: str
    agent: str | None = None
    position: int | None = None
    wait_s: int | None = None
    offset: int = 0
    secret: str | None = None
    peek: bool = False


class Message(_Message, tag=7, gc=True):
    """A line of a conversation. `author` is shopper, agent or system; a system text is a key of the texts. `card`:
    what an agent sent, to be drawn over the text.
    """

    cid: str
    offset: int
    author: str
    mid: str
    text: str
    at_ms: int
    name: str | None = None
    card: dict[str, Any] | None = None


class AgentTyping(_Message, tag=8):
    """The agent began or ceased to type."""

    cid: str
    on: bool


class Stored(_Message, tag=9):
    """A `Say` was stored at `offset`."""

    cid: str
    mid: str
    offset: int


class Error(_Message, tag=10):
    """A named refusal; a close frame follows if the error table gives a close code."""

    name: str
    detail: str
    about: str | None = None


class Missing(_Message, tag=11):
    """Lines `start` to `end` of a conversation are gone: say so where they would stand."""

    cid: str
    start: int
    end: int


ServerMessage = (
    Welcome | Ack | Gap | Show | Retract | Conversation | Message | AgentTyping | Stored | Error | Missing
)

_client: msgspec.msgpack.Decoder[ClientMessage] = msgspec.msgpack.Decoder(ClientMessage)
_server: msgspec.msgpack.Decoder[ServerMessage] = msgspec.msgpack.Decoder(ServerMessage)
_farewell = msgspec.msgpack.Decoder(Farewell)
_withdrawal = msgspec.msgpack.Decoder(Withdrawal)
encode = msgspec.msgpack.Encoder().encode


def decode(frame: bytes | memoryview) -> ClientMessage:
    """A client's frame as a message. Raises `Refused("bad_frame")` with what was expected."""
    try:
        return _client.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad_frame", str(error)) from None


def decode_server(frame: bytes | memoryview) -> ServerMessage:
    """A server's frame as a message: for clients of ours (replay, load, tests)."""
    return _server.decode(frame)


def decode_farewell(body: bytes) -> Farewell:
    """The body of `POST /v1/last`. Raises `Refused("bad_request")`."""
    try:
        return _farewell.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad_request", str(error)) from None


def decode_withdrawal(body: bytes) -> Withdrawal:
    """The body of `POST /v1/forget`. Raises `Refused("bad_request")`."""
    try:
        return _withdrawal.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad_request", str(error)) from None
