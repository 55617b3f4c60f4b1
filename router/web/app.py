"""Everything wired together: one `Service` is one process of Router on one store."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from router.core.document import FileErrors
from router.core.rules.explain import Explained, explain
from router.core.session import Session
from router.core.site import Site, load_sites
from router.errors import Refused, StartError
from router.live import collector
from router.live.claims import Claims
from router.live.clock import Clock
from router.live.commit import decode_session
from router.live.decider import Decider
from router.live.delivery import Delivery
from router.live.desk import Desk
from router.live.engine import Engine
from router.live.forgetting import Forgetting
from router.live.rulebook import Rulebook, SiteFiles
from router.live.talks import Talks
from router.live.webhooks import Webhooks
from router.settings import Settings
from router.store.behaviour import Behaviour
from router.store.journal import Journal
from router.store.link import Link
from router.store.offers import Offers
from router.store.orders import Order, Orders
from router.store.rulebooks import Rulebooks
from router.store.sessions import Sessions, peek
from router.store.visitors import Visitors
from router.web import agents, api, demo, demo_seed, messages, ops, pages, tour
from router.web.preview import Previews
from router.web.shopper import Roster
from router.web.tryout import Tryout

log = structlog.get_logger()

STORE_TIMEOUT_S = 3.0
STORE_CONNECTIONS = 32
START_S = 10.0
READY_S = 1.0
LIVE_SHOWN = 50
NAMES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "bad_method", 413: "too_large"}


def new_id() -> str:
    """An id nobody guesses: 128 random bits as 22 characters."""
    return urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def read_sites(file: Path) -> dict[str, Site]:
    """The sites of a site file. Raises StartError with every fault: file, line, column and what was expected."""
    try:
        return load_sites(str(file), lambda name: Path(name).read_text(encoding="utf-8"))
    except FileErrors as errors:
        raise StartError(f"the site file has faults:\n{errors}") from None


def _started(rulebook: Rulebook) -> dict[str, Site]:
    try:
        return rulebook.read()
    except FileErrors as errors:
        raise StartError(f"the site file has faults:\n{errors}") from None


def connect(url: str) -> Redis:
    """The client of everything off the hot path: bounded in connections and in time, waiting for a free one."""
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        max_connections=STORE_CONNECTIONS,
        timeout=STORE_TIMEOUT_S,
        socket_timeout=STORE_TIMEOUT_S,
        socket_connect_timeout=STORE_TIMEOUT_S,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=2),
    )
    return Redis.from_pool(pool)


def _posted(work: Callable[[bytes], Awaitable[None]]) -> Callable[[Request], Awaitable[Response]]:
    """The address of what a leaving page says last. CORS: any origin may send it, the token says whose it is."""
    headers = {"access-control-allow-origin": "*"}

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers | {"access-control-allow-methods": "POST"})
        try:
            await work(await api.bounded_body(request, 32 * 1024))
        except Refused as refused:
            response = api.refusal(refused)
            response.headers.update(headers)
            return response
        return Response(status_code=204, headers=headers)

    return answer


class Service:
    """One process: built outside the loop's start, started and stopped by the app's lifespan."""

    def __init__(self, settings: Settings, redis_url: str, secret: bytes, clock: Clock, address: str) -> None:
        self.settings = settings
        self.clock = clock
        self.address = address
        self.secret = secret
        self.node = secrets.token_hex(4)
        self.failure: BaseException | None = None
        self.redis_url = redis_url
        self.redis = connect(redis_url)
        self.link = Link(redis_url)
        self.journal = Journal(self.redis, f"{self.node}.{clock.now()}", clock, link=self.link)
        self.behaviour = Behaviour(self.redis, settings.behaviour_bytes, link=self.link)
        self.rulebook = self._rulebook()
        self.sites = _started(self.rulebook)
        self.visitors = Visitors(self.redis, self.link)
        self.offers = Offers(self.redis, self.link)
        self.desk = Desk(
            self.redis, self.sites, clock, self.node, lambda record: self.journal.add("routing", record),
            sweep_ms=settings.sweep_ms, lease_ms=settings.lease_ms, write_down=self._write_down, link=self.link,
        )  # fmt: skip
        talks = Talks(clock, self.desk, secret)
        self.webhooks = Webhooks(secret, clock, self.journal)
        claims = Claims(clock, self.visitors, self.offers, self.desk, secrets.token_bytes)
        delivery = Delivery(clock, claims, talks, self.journal, new_id)
        store = Sessions(self.link, self.node, lambda: secrets.token_hex(8))
        self.engine = Engine(
            self.sites, store, self.visitors, clock, secret, new_id,
            Decider(clock, claims, delivery, self.journal, self.webhooks, new_id), talks, self.behaviour,
        )  # fmt: skip
        self.desk.on_farewell = self.engine.farewell_elsewhere
        self.desk.on_visitor = self.engine.visitor_told
        self.forgetting = Forgetting(self.redis, self.engine, self.desk, secret)
        self.desk.on_forget = self.forgetting.here
        self.rulebook.bind(self.engine.changeover.take, self.engine.changeover.stop)
        self.roster = Roster(self.engine)
        self._beside: list[asyncio.Task[None]] = []
        app = Starlette(
            routes=self._routes(),
            lifespan=self._lifespan,
            exception_handlers={
                Refused: _refused, HTTPException: _http_error, RedisError: _store_away, Exception: _failed
            },
        )  # fmt: skip
        self.app: ASGIApp = pages.SafeHeaders(app)

    def _rulebook(self) -> Rulebook:
        def adapt(sites: dict[str, Site]) -> dict[str, Site]:
            return demo_seed.with_origin(sites, self.address) if self.settings.demo else sites

        return Rulebook(
            SiteFiles(self.settings.sites), Rulebooks(self.redis), self.clock, self.journal, adapt
        )

    def shopper_protocol(self) -> asyncio.BufferedProtocol:
        """The protocol of one shopper's socket."""
        return self.roster.protocol()

    # --- life ----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        try:
            await self.start()
        except BaseException as error:
            self.failure = error
            raise
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Connect, seed the demo, begin to serve. Raises StartError if the store does not let us."""
        try:
            async with asyncio.timeout(START_S):
                await self._start()
        except TimeoutError:
            raise StartError(
                f"The store answers, but not as it should within {START_S:.0f} s; check REDIS_URL "
                "(user, password, database, TLS; nothing behind a '?')."
            ) from None
        except (RedisError, Refused) as error:
            raise StartError(f"The store does not do what the service needs: {error}.") from None

    async def _start(self) -> None:
        await self.link.start()
        if self.settings.demo:
            await demo_seed.seed(self.redis)
        await self.desk.start()
        await self.engine.start()
        self.webhooks.start()
        await self.rulebook.look()
        beside = (
            self.rulebook.run(),
            self.journal.run(),
            self.behaviour.run(),
            collector.tidy(lambda: not self.engine.holdings),
        )
        self._beside += [asyncio.create_task(work) for work in beside]

    async def stop(self) -> None:
        """Close sockets, store what was folded, write the journal."""
        self.roster.stop()
        await self.engine.stop()
        await self.webhooks.stop()
        await self.desk.stop()
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self.link.close()
        await self.redis.aclose()

    async def settled(self) -> None:
        """Return when nothing is under way: for a driven clock."""
        await self.engine.settled()
        await self.desk.settled()
        await self.engine.settled()

    # --- addresses -----------------------------------------------------------------------------------------

    def _routes(self) -> list[BaseRoute]:
        static = self.settings.static_folder
        shop = api.ShopApi(
            self.sites, self.secret, offers=self.offers, orders=Orders(self.redis), visitors=self.visitors,
            journal=self.journal, clock=self.clock, on_order=self._on_order, on_visitor=self.desk.visitor_told,
            on_explain=self.explain,
        )  # fmt: skip
        home = demo.HOME if self.settings.demo else "/"
        previews = Previews(self.secret, self.clock.now, home)
        return [
            *previews.routes(),
            *messages.Messages(self.sites, self.secret, self.desk, self.session).routes(),
            Route("/v1/last", _posted(self.engine.farewell), methods=["POST", "OPTIONS"]),
            Route("/v1/forget", _posted(self.forgetting.withdraw), methods=["POST", "OPTIONS"]),
            *api.routes(shop),
            *agents.routes(self.redis, self.sites, self.desk, self.clock),
            *ops.Ops(
                self.redis,
                self.sites,
                self.desk,
                self.rulebook,
                self.explain,
                self.ready,
                self.live,
                Tryout(self.settings.sites, self.redis_url),
                previews,
            ).routes(),
            *(self._demo_routes(static) if self.settings.demo else ()),
            *pages.routes(
                static,
                self.ready,
                framed=self.settings.demo,
                pictures=[site.picture for site in self.sites.values()],
            ),
        ]

    def _demo_routes(self, static: Path) -> list[BaseRoute]:
        guide = tour.Tour(
            static / "tour", lambda: self.sites[demo.SITE], self.secret, self.redis, self.desk, self.node,
            look=self.session, explain=self.explain, watched=self.watched, now=self.clock.now,
        )  # fmt: skip
        return [
            *demo_seed.routes(),
            *guide.routes(),
            *demo.routes(static / "demo", self.address, self.secret),
        ]

    async def _write_down(self, transcripts: Sequence[dict[str, Any]]) -> None:
        for transcript in transcripts:
            self.journal.add("transcript", transcript)
        await self.journal.flush()

    async def _on_order(self, site: str, sid: str | None, order: Order) -> None:
        if sid is not None:
            self.engine.ordered(sid, order.state)

    async def session(self, site: str, sid: str) -> Session:
        """A session as it is, held here or by another process. Raises Refused("not_found")."""
        held = self.engine.holdings.get(sid)
        blob = await peek(self.redis, sid) if held is None else None
        session = held.session if held is not None else decode_session(blob) if blob is not None else None
        if session is None or session.site != site:
            raise Refused("not_found", "There is no such session (any more).")
        return session

    def watched(self, sid: str) -> bool:
        """Whether a page of the session is open at this process."""
        held = self.engine.holdings.get(sid)
        return held is not None and bool(held.peers)

    async def explain(self, site: str, sid: str) -> list[Explained]:
        """Why each rule is true or not for a session, held here or by another process. Raises Refused("not_found")."""
        session = await self.session(site, sid)
        killed, claims = site in self.engine.decider.killed, self.engine.decider.claims
        chosen = self.sites[site]
        return explain(
            chosen.rules, session, self.clock.now(), killed=killed,
            blocked=lambda rule: not claims.may_act(site, rule),
            standing=await self.visitors.standing(site, session.visitor, self.clock.now()),
        )  # fmt: skip

    def live(self, site: str) -> list[dict[str, Any]]:
        """The sessions of a site with an open page at this process that did something last, newest first."""
        held = [one for one in self.engine.holdings.all() if one.site.id == site and one.peers]
        held.sort(key=lambda one: -one.session.newest)
        return [
            {
                "session": one.session.sid,
                "visitor": one.session.visitor[:6],
                "page": one.session.view.path if one.session.view else None,
                "cart": one.session.cart.value,
                "events": one.session.events,
                "at": one.session.newest,
                "talking": bool(one.session.talk),
            }
            for one in held[:LIVE_SHOWN]
        ]

    async def ready(self) -> dict[str, Any]:
        """What `/readyz` shows: may traffic come here, and what of the store an operator has to know."""
        try:
            async with asyncio.timeout(READY_S):
                info = await self.redis.info("persistence")
        except (RedisError, OSError, TimeoutError) as error:
            return {"ready": False, "store": f"away: {type(error).__name__}"}
        return {
            "ready": self.link.up,
            "store": "here" if self.link.up else "away",
            "aof_delayed_fsync": info.get("aof_delayed_fsync", 0),
            "sessions": len(self.engine.holdings),
            "sockets": len(self.roster.sockets),
            "journal": {"waiting": self.journal.waiting, "dropped": dict(self.journal.dropped)},
            "behaviour": {"written": self.behaviour.written, "dropped": self.behaviour.dropped},
            "rules": {site.id: site.rules.version for site in self.sites.values()},
            "killed": {site: who for site, who in self.rulebook.killed.items() if who},
            "refused": self.rulebook.errors,
        }


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return api.refusal(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """What the router and the static files refuse gets its name from the table."""
    assert isinstance(error, HTTPException)
    response = api.refusal(Refused(NAMES.get(error.status_code, "bad_request")))
    response.headers.update(error.headers or {})
    return response


async def _store_away(request: Request, error: Exception) -> Response:
    log.warning("a request found no store", path=request.url.path, error=str(error))
    return api.refusal(Refused("unavailable"))


async def _failed(request: Request, error: Exception) -> Response:
    """A defect of ours; the traceback is in the log."""
    return api.refusal(Refused("failed"))
