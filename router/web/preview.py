"""Previews: links to the shop's own pages on which a draft is shown, and what such a page asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.core.preview import VALID_MS, Preview, open_preview, sign_preview
from router.core.rules.model import Action, GiveOffer
from router.core.site import Site
from router.errors import Refused
from router.web.api import refusal

FRAGMENT: Final = "router"
CODE: Final = "PREVIEW"
HEADERS: Final = {"access-control-allow-origin": "*", "cache-control": "no-store"}


class Previews:
    """Makes links and answers them. `home`: the path of a page to preview on if none is named."""

    def __init__(self, secret: bytes, now: Callable[[], int], home: str) -> None:
        self._secret = secret
        self._now = now
        self._home = home

    def page(self, site: Site, here: str) -> str:
        """A page of the shop to preview on: at `here` (an origin) if that is one of its own, else its first."""
        return (here if here in site.origins else site.origins[0]) + self._home

    def link(self, draft: Site, rule: str, language: str, page: str) -> str:
        """The address of `page` with what the rule shows first. Raises `Refused`: not_found, bad_request."""
        parts = urlsplit(page)
        if f"{parts.scheme}://{parts.netloc}" not in draft.origins:
            raise Refused("bad_request", f"The page has to be one of {', '.join(draft.origins)}.")
        action = next((entry.then[0] for entry in draft.rules.entries if entry.id == rule), None)
        if action is None:
            raise Refused("not_found", f"There is no rule {rule}.")
        until = self._now() + VALID_MS
        preview = Preview(draft.id, action.kind, self._content(draft, action, language), language, until)
        token = sign_preview(self._secret, preview)
        return parts._replace(fragment=f"{FRAGMENT}={token}").geturl()

    def _content(self, draft: Site, action: Action, language: str) -> dict[str, Any]:
        content = draft.content(action, language)
        if isinstance(action, GiveOffer):
            ends = self._now() + draft.offers[action.offer].expires_ms
            return content | {"code": CODE, "expires_at_ms": ends}
        return content

    def routes(self) -> list[BaseRoute]:
        """`/v1/preview?token=`, asked for by the shop's page."""
        return [Route("/v1/preview", self.show)]

    async def show(self, request: Request) -> Response:
        """What a link shows: `{kind, content, language}`. CORS: any page may ask, the token says what it may see."""
        try:
            found = open_preview(self._secret, request.query_params.get("token", ""), self._now())
        except Refused as refused:
            response = refusal(refused)
            response.headers.update(HEADERS)
            return response
        body = {
            "kind": found.kind, "content": found.content, "language": found.language, "now_ms": self._now()
        }  # fmt: skip
        return JSONResponse(body, headers=HEADERS)
