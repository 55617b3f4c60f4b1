"""What a shop's backend calls, signed with its site key: orders, codes, and what it knows of a visitor. `docs/api.md`.

Every answer is JSON; every refusal is `{"error": name, "text": sentence, "retry": bool}` by the error table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct
from redis.exceptions import RedisError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from router.core import signing
from router.core.offers import discount, normal_code, rounded
from router.core.redact import redacted
from router.core.rules.explain import Explained
from router.core.session import Profile
from router.errors import Refused
from router.store.journal import Journal
from router.store.offers import Offers
from router.store.orders import Order, Orders, State
from router.store.visitors import Visitors

MAX_BODY_BYTES: Final = 16 * 1024
MAX_MONEY: Final = Decimal(10) ** 12
READ_TIMEOUT_S: Final = 10.0  # a body of 16 KiB over the slowest line; then the sender is not a shop
ANSWER_TIMEOUT_S: Final = 5.0  # several round trips to a store that is busy, not away
HEADERS: Final = ("X-Router-Site", "X-Router-Time", "X-Router-Signature")

OrderId = Annotated[str, Meta(min_length=1, max_length=80)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
AttributeName = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
AttributeText = Annotated[str, Meta(max_length=100)]
Moment = Annotated[int, Meta(ge=0, le=4_000_000_000_000)]


class Clock(Protocol):
    """What this edge knows of time."""

    def now(self) -> int:
        """The moment it is, in milliseconds since the epoch."""


class OrderReport(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of `POST /api/orders`: the order reached `state` at `at` (ms since the epoch; else now).

    `session` and `visitor` are tokens as a page holds them; what was not signed here is ignored. `code` is
    the coupon the order used, ours or another's.
    """

    order: OrderId
    state: State
    value: Decimal
    currency: Currency
    session: str | None = None
    visitor: str | None = None
    code: str | None = None
    at: Moment | None = None


class RedeemRequest(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of `POST /api/offers/redeem`: the order wants to use the code on a total in major units."""

    code: str
    order: OrderId
    total: Decimal
    currency: Currency


class VisitorReport(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of `POST /api/visitors`: what the shop knows of the visitor of this token; what is left out stays as it was,
    an attribute that is an empty text is forgotten. `score` is 0 to 1.
    """

    visitor: str
    orders: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    tier: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    score: Annotated[float, Meta(ge=0, le=1)] | None = None
    attributes: Annotated[dict[AttributeName, AttributeText | float | bool], Meta(max_length=20)] = {}


class ExplainRequest(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of `POST /api/explain`: why each rule is true or not for the session of this token."""

    session: str


OnExplain = Callable[[str, str], Awaitable[list[Explained]]]
"""Called with site and session id. Raises Refused("not_found") for a session that is not there any more."""

OnVisitor = Callable[[str, str], Awaitable[None]]
"""Called with site and visitor id when something new is known of a visitor."""

OnOrder = Callable[[str, str | None, Order], Awaitable[None]]
"""Called with site, session id if it is known, and order: at least once for each state of an order."""


class ShopApi:
    """What the calls do, for the HTTP routes and for callers in this process."""

    def __init__(
        self,
        sites: Container[str],
        secret: bytes,
        *,
        offers: Offers,
        orders: Orders,
        visitors: Visitors,
        journal: Journal,
        clock: Clock,
        on_order: OnOrder,
        on_visitor: OnVisitor,
        on_explain: OnExplain,
    ) -> None:
        self.sites = sites
        self.secret = secret
        self.clock = clock
        self._offers = offers
        self._orders = orders
        self._visitors = visitors
        self._journal = journal
        self._on_order = on_order
        self._on_visitor = on_visitor
        self._on_explain = on_explain

    async def order(self, site: str, report: OrderReport) -> dict[str, Any]:
        """Record a state of an order; the same report again has the same answer.

        Answer `{order, state, at, joined, code_returned}`: is its session known, and the code it gave back.
        Raises Refused: bad_request, conflict, overloaded.
        """
        now = self.clock.now()
        order = Order(
            report.order,
            report.state,
            _money(report.value, report.currency, "value"),
            report.currency,
            now if report.at is None else report.at,
            _opened(signing.open_visitor, self.secret, site, report.visitor),
            _ours(report.code),
        )
        sid = _opened(signing.open_session, self.secret, site, report.session)
        self._journal.check()
        recorded = await self._orders.put(site, order, sid, now)
        if order.visitor is not None and order.state != "returned":
            await self._visitors.order(site, order.visitor, order.order, cancelled=order.state == "cancelled")
            await self._on_visitor(site, order.visitor)
        order = msgspec.structs.replace(order, at=recorded.at)
        entry = {"site": site, "sid": recorded.sid, "again": recorded.again, **msgspec.to_builtins(order)}
        self._journal.add("order", entry)
        await self._on_order(site, recorded.sid, order)
        return {
            "order": order.order,
            "state": order.state,
            "at": recorded.at,
            "joined": recorded.sid is not None,
            "code_returned": recorded.code_returned,
        }

    async def visitor(self, site: str, report: VisitorReport) -> dict[str, Any]:
        """Remember what the shop knows of a visitor; sessions that are open now decide on it at once.

        Answer `{orders, tier, score, attributes}`: all that is known. Raises Refused: bad_request (also for a token
        that was not signed here).
        """
        try:
            vid = signing.open_visitor(self.secret, site, report.visitor)
        except Refused:
            raise Refused("bad_request", "Expected a visitor token of this site - at `$.visitor`") from None
        attributes = {
            name: redacted(value) if isinstance(value, str) else value
            for name, value in report.attributes.items()
        }
        said = Profile(report.orders, report.tier or "", report.score, attributes)
        await self._visitors.tell(site, vid, said)
        await self._on_visitor(site, vid)
        profile = await self._visitors.profile(site, vid)
        return {
            "orders": profile.orders,
            "tier": profile.tier or None,
            "score": profile.score,
            "attributes": profile.attributes,
        }

    async def explain(self, site: str, request: ExplainRequest) -> dict[str, Any]:
        """Why each rule is true or not for a session now, highest priority first: `{rules: [...]}`, each as
        `router.core.rules.explain.Explained`. Raises Refused: bad_request, not_found.
        """
        try:
            sid = signing.open_session(self.secret, site, request.session)
        except Refused:
            raise Refused("bad_request", "Expected a session token of this site - at `$.session`") from None
        return {"rules": msgspec.to_builtins(await self._on_explain(site, sid))}

    async def redeem(self, site: str, request: RedeemRequest) -> dict[str, Any]:
        """Use a code for an order, once; the same order may ask again, also with another total.

        Answer `{offer, percent, amount, total}`: what comes off and what is left to pay, rounded as
        `router.core.offers` says. Raises Refused: bad_request, unknown_code, expired, redeemed, conflict,
        overloaded.
        """
        total = _money(request.total, request.currency, "total")
        code = normal_code(request.code)
        self._journal.check()
        redemption = await self._offers.redeem(site, code, request.order, self.clock.now())
        amount, left = discount(total, redemption.percent, request.currency)
        money = {"amount": str(amount), "total": str(left), "currency": request.currency}
        entry = {"site": site, "order": request.order, **msgspec.to_builtins(redemption), **money}
        self._journal.add("redemption", entry)
        return {"offer": redemption.offer, "percent": redemption.percent, "amount": amount, "total": left}


def _money(value: Decimal, currency: str, field: str) -> Decimal:
    if not value.is_finite() or not 0 <= value <= MAX_MONEY:
        raise Refused("bad_request", f"Expected an amount from 0 to 1e12 - at `$.{field}`")
    return abs(rounded(value, currency))


def _opened(
    opener: Callable[[bytes, str, str], str], secret: bytes, site: str, token: str | None
) -> str | None:
    """The id in a token, or None: it comes from a page, and a spoilt one must not cost the shop its order."""
    try:
        return opener(secret, site, token) if token else None
    except Refused:
        return None


def _ours(code: str | None) -> str | None:
    """The code as we write it, or None: shops have coupons of their own."""
    try:
        return normal_code(code) if code else None
    except Refused:
        return None


# --- HTTP --------------------------------------------------------------------------------------------------

T = TypeVar("T", bound=Struct)


def routes(api: ShopApi) -> list[Route]:
    """The addresses of this module."""
    return [
        Route("/api/orders", Signed(api, OrderReport, api.order)),
        Route("/api/visitors", Signed(api, VisitorReport, api.visitor)),
        Route("/api/explain", Signed(api, ExplainRequest, api.explain)),
        Route("/api/offers/redeem", Signed(api, RedeemRequest, api.redeem)),
    ]


class Signed(Generic[T]):
    """One `POST` address for backends, as an ASGI app: `act` gets what is signed, bounded and typed."""

    def __init__(
        self, api: ShopApi, body: type[T], act: Callable[[str, T], Awaitable[dict[str, Any]]]
    ) -> None:
        self._api = api
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(body)
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            if request.method != "POST":
                raise Refused("bad_method")
            site, body = await self._admitted(request)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return _json(200, await self._act(site, self._decoded(body)))
        except Refused as refused:
            return refusal(refused)
        except (RedisError, OSError, TimeoutError):
            return refusal(Refused("unavailable"))

    async def _admitted(self, request: Request) -> tuple[str, bytes]:
        """The site and the raw body of a request that the site's backend has signed."""
        site, time_s, signature = (request.headers.get(name, "") for name in HEADERS)
        if not (site and time_s and signature):
            raise Refused("bad_signature", f"The headers {', '.join(HEADERS)} are needed.")
        if site not in self._api.sites:
            raise Refused("unknown_site")
        body = await bounded_body(request, MAX_BODY_BYTES)
        key = signing.site_key(self._api.secret, site)
        signing.check_request(key, time_s, signature, body, self._api.clock.now())
        return site, body

    def _decoded(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refused("bad_request", str(error)) from None


async def bounded_body(request: Request, max_bytes: int) -> bytes:
    """The raw body. Raises Refused: too_large, silent (not all within 10 s), bad_request (it broke off)."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise Refused("too_large")
    except TimeoutError:
        raise Refused("silent", f"The body did not come within {READ_TIMEOUT_S:.0f} s.") from None
    except ClientDisconnect:
        raise Refused("bad_request", "The body broke off.") from None
    return bytes(body)


_encode = msgspec.json.Encoder(decimal_format="number").encode


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(_encode(content), status, media_type="application/json")


def refusal(refused: Refused) -> Response:
    """A named error as an HTTP answer: `{"error", "text", "retry"}` with the status of the error table."""
    meaning = refused.meaning
    response = _json(meaning.status, {"error": refused.name, "text": refused.detail, "retry": meaning.retry})
    if refused.name == "bad_method":
        response.headers["Allow"] = "POST"
    return response
