"""The shop's edge: what supervisors see and change at `/ops/`. Who may is said by the table of `core.roles`.

Logins are the console's; its cookie is valid below `/agent`, so the calls lie there. Answers are JSON, refusals by the
error table; a rules file with faults is `bad_request` with one line a fault.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from router.core.document import FileErrors
from router.core.rules import edit
from router.core.rules.explain import Explained
from router.core.rules.model import Entry, GiveOffer, Invite, Notice, ShowArticle
from router.core.rules.sentences import sentence
from router.core.site import Site
from router.core.units import DAY
from router.core.written import Written, rewritten
from router.errors import Refused
from router.live.desk import Desk
from router.live.rulebook import Rulebook
from router.reporting import gather
from router.store.agents import Agents
from router.store.logins import Login, Logins
from router.web import auth
from router.web.preview import Previews
from router.web.tryout import Tryout

MAX_BODY_BYTES: Final = 256 * 1024
MAX_DAYS: Final = 90
READ_S: Final = 10.0

Text = Annotated[str, Meta(max_length=200_000)]
Short = Annotated[str, Meta(max_length=200)]
Act = Callable[[Request, Login, Site], Awaitable[dict[str, Any]]]


class Draft(Struct, frozen=True):
    """Rules and texts as they are being written; `texts` "": those in force."""

    text: Text
    texts: Text = ""

    @property
    def written(self) -> Written:
        """As the core has it."""
        return Written(self.text, self.texts)


class Edit(Draft, frozen=True, kw_only=True):
    """One value of a draft: of one rule, without a rule of what holds for all; or one text."""

    part: Annotated[str, Meta(pattern="^(rules|texts)$")] = "rules"
    rule: Short = ""
    path: tuple[str | int, ...]
    value: Annotated[str, Meta(max_length=1000)]


class Publish(Draft, frozen=True, kw_only=True):
    """A draft that is to be in force, and why."""

    note: Short = ""


class Look(Draft, frozen=True, kw_only=True):
    """What a rule of a draft would show on a `page` ("": one of the shop's)."""

    rule: Short
    language: Annotated[str, Meta(pattern="^(ja|en)$")]
    page: Annotated[str, Meta(max_length=500)] = ""


class RollBack(Struct, frozen=True):
    """The revision to go back to."""

    number: int


class Kill(Struct, frozen=True):
    """Whether everything proactive stops."""

    on: bool


class Session(Struct, frozen=True):
    """A session's id."""

    session: Short


class Ops:
    """The addresses, and what they work with."""

    def __init__(
        self,
        redis: Redis,
        sites: Mapping[str, Site],
        desk: Desk,
        rulebook: Rulebook,
        explain: Callable[[str, str], Awaitable[list[Explained]]],
        ready: Callable[[], Awaitable[dict[str, Any]]],
        live: Callable[[str], list[dict[str, Any]]],
        tryout: Tryout,
        previews: Previews,
    ) -> None:
        self._redis = redis
        self._sites = sites
        self._desk = desk
        self._rulebook = rulebook
        self._explain = explain
        self._ready = ready
        self._live = live
        self._tryout = tryout
        self._previews = previews
        self._agents = Agents(redis)
        self._logins = Logins(redis)
        self._reading = asyncio.Lock()
        self._read: dict[tuple[str, int], tuple[float, dict[str, Any]]] = {}

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        reads: dict[str, Act] = {"overview": self.overview, "funnel": self.funnel, "rules": self.rules}
        changes: dict[str, Act] = {
            "check": self.check, "edit": self.edit, "publish": self.publish, "roll-back": self.roll_back,
            "kill": self.kill, "explain": self.explain, "try": self.try_out, "preview": self.preview,
        }  # fmt: skip
        return [
            *(self._route(name, act, "GET") for name, act in reads.items()),
            *(self._route(name, act, "POST") for name, act in changes.items()),
        ]

    def _route(self, name: str, act: Act, method: str) -> Route:
        @auth.refusing
        async def endpoint(request: Request) -> Response:
            try:
                return auth.answer(await act(request, *await self._supervisor(request)))
            except FileErrors as errors:
                raise Refused("bad_request", str(errors)) from None

        return Route(f"/agent/api/ops/{name}", endpoint, methods=[method])

    async def _supervisor(self, request: Request) -> tuple[Login, Site]:
        """Who asks. Raises `Refused`: unauthorized, forbidden (an agent without the role), and those of a change."""
        login, _ = await auth.admit(request, self._logins, self._agents, self._sites)
        return login, self._sites[login.site]

    # --- looking -------------------------------------------------------------------------------------------------

    async def overview(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """What goes on now."""
        free, waiting = self._desk.free(site.id), self._desk.waiting(site.id)
        queues = [
            {
                "id": name, "name": queue.name, "free": free.get(name, 0), "waiting": waiting.get(name, 0),
                "wait_s": self._desk.wait_s(site.id, name),
                "promise": [queue.service_level.share, queue.service_level.within_ms // 1000],
            }
            for name, queue in site.queues.items()
        ]  # fmt: skip
        ready = await self._ready()
        return {
            "site": {"id": site.id, "name": site.name, "currency": site.currency},
            "queues": queues,
            "sessions": ready.get("sessions"),
            "sockets": ready.get("sockets"),
            "store": ready["store"],
            "killed": self._rulebook.killed.get(site.id, ""),
            "refused": self._rulebook.errors.get(site.id) or self._rulebook.errors.get(""),
            "version": site.rules.version,
            "live": self._live(site.id),
        }

    async def funnel(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """The funnel and the service levels of the last `days`."""
        days = request.query_params.get("days", "7")
        if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= MAX_DAYS:
            raise Refused("bad_request", f"Expected a number of days from 1 to {MAX_DAYS} - at `days`")
        async with self._reading:
            return await self._reports(site, int(days))

    async def _reports(self, site: Site, days: int) -> dict[str, Any]:
        """Read at most once in READ_S for all who look: a shop's journal is long."""
        kept_until, kept = self._read.get((site.id, days), (0.0, {}))
        if time.monotonic() < kept_until:
            return kept
        within_ms = {name: queue.service_level.within_ms for name, queue in site.queues.items()}
        begin = time.time_ns() // 1_000_000 - days * DAY
        funnel, levels = await gather.reports(self._redis, site.id, begin, within_ms)
        found = asdict(funnel) | {"levels": [asdict(level) | {"share": level.share} for level in levels]}
        self._read[site.id, days] = time.monotonic() + READ_S, found
        return found

    async def rules(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """The rules in force, as text and as sentences, what can be edited of them, and what was published."""
        written = await self._rulebook.written(site.id)
        history = await self._rulebook.history(site.id)
        return await self._draft(site, written) | {
            "in_force": self._rulebook.in_force(site.id),
            "history": [
                {"number": old.number, "version": old.version, "at": old.at, "who": old.who, "note": old.note}
                for old in history
            ],
        }

    async def explain(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """Why each rule is true or not for a session."""
        asked = await auth.body(request, Session)
        return {"rules": msgspec.to_builtins(await self._explain(site.id, asked.session))}

    # --- changing ------------------------------------------------------------------------------------------------

    async def check(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """A draft as sentences, if it has no fault."""
        return await self._draft(site, (await auth.body(request, Draft, MAX_BODY_BYTES)).written)

    async def edit(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """A draft with one value changed; all else stays as it was written."""
        asked = await auth.body(request, Edit, MAX_BODY_BYTES)
        if asked.part == "rules":
            written = Written(edit.changed(asked.text, asked.rule, asked.path, asked.value), asked.texts)
        else:
            written = Written(asked.text, edit.replaced(asked.texts, asked.path, asked.value))
        return await self._draft(site, written)

    async def try_out(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """What a draft would have done beside what is in force, on what shoppers did lately."""
        draft = (await auth.body(request, Draft, MAX_BODY_BYTES)).written
        await asyncio.to_thread(rewritten, site, draft)
        return await self._tryout.run(site.id, await self._rulebook.written(site.id), draft)

    async def preview(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """A link on which a page of the shop shows what a rule of the draft would, for a quarter of an hour."""
        asked = await auth.body(request, Look, MAX_BODY_BYTES)
        written = asked.written if asked.texts else await self._with_texts(site, asked.text)
        draft = await asyncio.to_thread(rewritten, site, written)
        page = asked.page or self._previews.page(site, request.headers.get("origin", ""))
        return {"link": self._previews.link(draft, asked.rule, asked.language, page)}

    async def publish(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """Put a draft in force."""
        asked = await auth.body(request, Publish, MAX_BODY_BYTES)
        written = asked.written if asked.texts else await self._with_texts(site, asked.text)
        number = await self._rulebook.publish(site.id, written, login.login, asked.note)
        await self._rulebook.look()
        return {"number": number}

    async def _with_texts(self, site: Site, rules: str) -> Written:
        return Written(rules, (await self._rulebook.written(site.id)).texts)

    async def _draft(self, site: Site, written: Written) -> dict[str, Any]:
        """What the page shows of a draft. Raises FileErrors. In a thread: no event waits for it."""
        if not written.texts:
            written = await self._with_texts(site, written.rules)
        return await asyncio.to_thread(_shown, site, written)

    async def roll_back(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """Put an older revision in force again."""
        asked = await auth.body(request, RollBack)
        number = await self._rulebook.roll_back(site.id, asked.number, login.login)
        await self._rulebook.look()
        return {"number": number}

    async def kill(self, request: Request, login: Login, site: Site) -> dict[str, Any]:
        """Stop everything proactive, or let it go on."""
        asked = await auth.body(request, Kill)
        await self._rulebook.kill(site.id, asked.on, login.login)
        await self._rulebook.look()
        return {"killed": self._rulebook.killed.get(site.id, "")}


def _shown(site: Site, written: Written) -> dict[str, Any]:
    draft = rewritten(site, written)
    queues = {name: {"ja": queue.name.ja, "en": queue.name.en} for name, queue in site.queues.items()}
    values = edit.values(written.rules)
    keys = {entry.id: list(dict.fromkeys(_keys(draft, entry))) for entry in draft.rules.entries}
    texts = edit.below(written.texts, (key for found in keys.values() for key in found))
    rules = [
        {
            "id": entry.id, "mode": entry.mode, "priority": entry.priority, "sentence": sentence(entry, queues),
            "values": [{"path": value.path, "text": value.text} for value in values.get(entry.id, ())],
            "texts": [
                {"path": value.path, "text": value.text} for key in keys[entry.id] for value in texts.get(key, ())
            ],
        }
        for entry in draft.rules.entries
    ]  # fmt: skip
    common = [{"path": value.path, "text": value.text} for value in edit.common(written.rules)]
    return {
        "text": written.rules, "texts": written.texts, "version": draft.rules.version, "rules": rules,
        "common": common,
    }  # fmt: skip


def _keys(site: Site, entry: Entry) -> Iterator[edit.Path]:
    """Where the texts stand that a rule shows."""
    for action in entry.then:
        match action:
            case Invite():
                yield from (("invites", key) for key in (action.message, *action.others))
            case GiveOffer():
                yield "offers", site.offers[action.offer].text
            case ShowArticle():
                yield "articles", site.articles[action.article].text
            case Notice():
                yield "notices", action.text
