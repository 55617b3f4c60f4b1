"""The five-minute tour at `/demo/tour`: what the demo shows of the visitor's own session while they shop beside it.

Part of the demo and of nothing else: it shows whoever has a session's cookie that session, and lets them kill the
service's process, which comes back (`guardian`).
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from router.core.reasons import Reason
from router.core.rules.explain import Explained
from router.core.rules.sentences import sentence
from router.core.rules.words import LANGUAGES
from router.core.rules.words import sentence as words
from router.core.session import Session, dwell_page
from router.core.signing import open_session
from router.core.site import Site
from router.errors import Refused
from router.live.desk import Desk
from router.store import journal

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
COOKIE: Final = "router_s"
LOOKED_BACK: Final = 400  # records of the journal, among them those of other shoppers
DECISIONS: Final = 6

Look = Callable[[str, str], Awaitable[Session]]
Explain = Callable[[str, str], Awaitable[list[Explained]]]


class Tour:
    """The tour's addresses, its page and scripts from `folder`.

    `look(site, sid)` finds a session or raises Refused("not_found"); `watched(sid)`: has it a page open here?
    """

    def __init__(
        self, folder: Path, site: Callable[[], Site], secret: bytes, redis: Redis, desk: Desk, node: str, *, look: Look,
        explain: Explain, watched: Callable[[str], bool], now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._folder = folder
        self._site = site
        self._secret = secret
        self._redis = redis
        self._desk = desk
        self._node = node
        self._look = look
        self._explain = explain
        self._watched = watched
        self._now = now

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        return [
            Route("/demo/tour", self.page),
            Route("/demo/api/tour", self.state),
            Route("/demo/api/kill", self.kill, methods=["POST"]),
            Mount("/demo/tour", StaticFiles(directory=self._folder)),
        ]

    async def page(self, request: Request) -> Response:
        """The page with the shop, the console, and what happens between them."""
        return FileResponse(
            self._folder / "index.html", headers={"content-security-policy": CSP, "cache-control": "no-cache"}
        )

    async def state(self, request: Request) -> Response:
        """What goes on in the session of the cookie; `session` is null before the first page."""
        site = self._site()
        state: dict[str, Any] = {"node": self._node, "now": self._now(), "free": self._free(site.id)}
        try:
            session = await self._look(
                site.id, open_session(self._secret, site.id, request.cookies.get(COOKIE, ""))
            )
        except Refused:
            return JSONResponse(state | {"session": None, "rules": [], "decisions": []})
        found = {
            "session": _session(session, self._now())
            | {"here": self._watched(session.sid), "talk": await self._talk(site.id, session.talk)},
            "rules": await self._rules(site, session.sid),
            "decisions": await self._decisions(session.sid),
        }
        return JSONResponse(state | msgspec.to_builtins(found))

    async def kill(self, request: Request) -> Response:
        """`kill -9` of this very process. Raises Refused("forbidden") unless the tour's own page asks."""
        if request.headers.get("origin") not in self._site().origins:
            raise Refused("forbidden")
        os.kill(os.getpid(), signal.SIGKILL)
        return Response(status_code=204)

    def _free(self, site: str) -> int:
        """The free slots of the queue that has most."""
        return max(self._desk.free(site).values(), default=0)

    async def _rules(self, site: Site, sid: str) -> list[dict[str, Any]]:
        queues = {name: {"ja": queue.name.ja, "en": queue.name.en} for name, queue in site.queues.items()}
        said = {entry.id: sentence(entry, queues) for entry in site.rules.entries}
        found = await self._explain(site.id, sid)
        return [{"sentence": said[rule.rule], **msgspec.to_builtins(rule)} for rule in found]

    async def _talk(self, site: str, cid: str) -> dict[str, Any] | None:
        if not cid:
            return None
        lines, _ = await self._desk.history(site, cid, 0)
        return {
            "joined": any(line.author == "system" and line.text == "joined" for line in lines),
            "lines": Counter(line.author for line in lines),
            "count": len(lines),
        }

    async def _decisions(self, sid: str) -> list[dict[str, Any]]:
        """The session's latest decisions, newest first, each with what became of it."""
        entries = [
            entry
            for entry in await journal.latest(self._redis, LOOKED_BACK)
            if entry.record.get("sid") == sid
        ]
        later: dict[str, dict[str, Any]] = {}
        decisions = []
        for entry in entries:
            record = entry.record
            match entry.kind:
                case "sent":
                    later.setdefault(record["did"], {})["ms"] = record["ms"]
                case "end":
                    later.setdefault(record["did"], {})["end"] = record["end"]
                case "decision":
                    about = {"outcome": record["outcome"], "rule": record["rule"], "at": record["at"]}
                    more = {"action": record.get("action", ""), "reason": record.get("reason", "")}
                    decisions.append(
                        about | more | {"why": _why(record)} | later.get(record.get("did", ""), {})
                    )
        return decisions[:DECISIONS]


def _why(record: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {language: words(Reason(*reason), language) for language in LANGUAGES}
        for reason in record.get("why", ())
    ]


def _session(session: Session, now: int) -> dict[str, Any]:
    view = session.view
    decision = session.decision
    return {
        "events": session.events,
        "page": None if view is None else {"type": view.type, "path": view.path},
        "dwell_ms": dwell_page(session, now),
        "cart": {"quantity": session.cart.quantity, "value": session.cart.value},
        "open": None
        if decision is None
        else {"kind": decision.kind, "rule": decision.rule, "state": decision.state},
    }
