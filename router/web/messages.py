"""What a shop's page posts when a shopper leaves a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.core.left import Left, checked_contact, checked_name, checked_words
from router.core.protocol import Body, ConversationId, MessageId, Token
from router.core.session import Session
from router.core.signing import open_session
from router.core.site import Site
from router.errors import Refused
from router.live.desk import Desk
from router.web.api import bounded_body, refusal

MAX_BODY_BYTES: Final = 16 * 1024
HEADERS: Final = {"access-control-allow-origin": "*", "cache-control": "no-store"}

Look = Callable[[str, str], Awaitable[Session]]


class Conversation(Struct, forbid_unknown_fields=True, frozen=True):
    """The conversation that the message takes the place of, with its secret."""

    cid: ConversationId
    secret: Annotated[str, Meta(min_length=8, max_length=64)]


class LeaveRequest(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of `POST /v1/messages`, JSON. `id` is the page's own: the same one is stored once. `session` is the token
    that a welcome gave.
    """

    site: Annotated[str, Meta(min_length=1, max_length=40)]
    session: Token
    id: MessageId
    contact: Annotated[str, Meta(max_length=400)]
    text: Body
    name: Annotated[str, Meta(max_length=400)] = ""
    queue: Annotated[str, Meta(max_length=40)] = ""
    talk: Conversation | None = None


_decoder: Final = msgspec.json.Decoder(LeaveRequest)


class Messages:
    """`look(site, sid)` finds a session or raises Refused("not_found")."""

    def __init__(self, sites: Mapping[str, Site], secret: bytes, desk: Desk, look: Look) -> None:
        self._sites = sites
        self._secret = secret
        self._desk = desk
        self._look = look

    def routes(self) -> list[BaseRoute]:
        """`/v1/messages`. CORS: any page may post, the token says whose it is; a body without a type needs no
        preflight.
        """
        return [Route("/v1/messages", self.post, methods=["POST"])]

    async def post(self, request: Request) -> Response:
        """Store it, and answer `{due_ms}`: by when somebody is to answer."""
        try:
            asked = _decoder.decode(await bounded_body(request, MAX_BODY_BYTES))
            answer: Response = JSONResponse({"due_ms": await self._leave(asked)})
        except Refused as refused:
            answer = refusal(refused)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            answer = refusal(Refused("bad_request", str(error)))
        answer.headers.update(HEADERS)
        return answer

    async def _leave(self, asked: LeaveRequest) -> int:
        site = self._sites.get(asked.site)
        if site is None:
            raise Refused("unknown_site")
        sid = open_session(self._secret, site.id, asked.session)
        queue = asked.queue if asked.queue in site.queues else next(iter(site.queues))
        if asked.talk is not None:
            talk = await self._desk.own(site.id, asked.talk.cid, asked.talk.secret)
            queue = talk.queue if talk.queue in site.queues else queue
        left = Left(
            id=asked.id, queue=queue, at=0, due=0, cid=asked.talk.cid if asked.talk else "",
            name=checked_name(asked.name), contact=checked_contact(asked.contact), text=checked_words(asked.text),
            **await self._context(site.id, sid),
        )  # fmt: skip
        return await self._desk.leaving.leave(site.id, left, sid)

    async def _context(self, site: str, sid: str) -> dict[str, Any]:
        """Where the shopper was, as far as the session is still known."""
        try:
            session = await self._look(site, sid)
        except Refused:
            return {}
        page = session.view.path if session.view else ""
        return {"language": session.language or "", "page": page, "visitor": session.visitor[:6]}
