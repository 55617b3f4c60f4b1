"""router.web.api: what a shop's backend may do, once, and what it is told when it may not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.applications import Starlette
from starlette.requests import Request

from router.core import signing
from router.core.offers import Code
from router.core.rules.compile import RuleSet
from router.core.rules.explain import Explained, explain
from router.core.rules.model import Compare, Entry, RuleFile, ShowArticle
from router.core.session import Session
from router.errors import ERRORS, Refused
from router.store import keys
from router.store.embedded import Embedded, free_port
from router.store.journal import Journal, read
from router.store.offers import Offers
from router.store.orders import Order, Orders
from router.store.visitors import Visitors
from router.web import api as module
from router.web.api import (
    MAX_BODY_BYTES,
    ExplainRequest,
    OrderReport,
    RedeemRequest,
    ShopApi,
    VisitorReport,
    bounded_body,
    routes,
)

SECRET = b"a secret of this test"
NOW = 1_700_000_000_000
KEY = signing.site_key(SECRET, "shop")
DOCS = Path(__file__).parents[2] / "docs"
ORDER = {"order": "A-1", "state": "placed", "value": 9600, "currency": "JPY"}
REDEEM = {"code": "k7qxm 4htpw", "order": "A-1", "total": 12350, "currency": "JPY"}


class Clock:
    """Time that stands still."""

    def now(self) -> int:
        return NOW


class Shop:
    """The service with its clients, and a backend that signs."""

    def __init__(self, redis: Redis) -> None:
        self.visitors_told: list[tuple[str, str]] = []
        self.told: list[tuple[str, str | None, Order]] = []
        self.redis = redis
        self.offers = Offers(redis)
        self.journal = Journal(redis, "node-1", Clock())
        self.api = ShopApi(
            {"shop", "other"}, SECRET, offers=self.offers, orders=Orders(redis), visitors=Visitors(redis),
            journal=self.journal, clock=Clock(), on_order=self.on_order, on_visitor=self.on_visitor,
            on_explain=self.on_explain,
        )  # fmt: skip
        transport = httpx.ASGITransport(Starlette(routes=list(routes(self.api))))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://shop.test")

    async def on_order(self, site: str, sid: str | None, order: Order) -> None:
        self.told.append((site, sid, order))

    async def on_explain(self, site: str, sid: str) -> list[Explained]:
        if sid != "s1":
            raise Refused("not_found")
        session = Session(sid, site, "v1", "JPY", NOW, NOW)
        entry = Entry("a", Compare("cart.lines", "gte", 1), (ShowArticle("x"),))
        return explain(RuleSet(RuleFile(1, (entry,))), session, NOW)

    async def on_visitor(self, site: str, vid: str) -> None:
        self.visitors_told.append((site, vid))

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        time_s = str(NOW // 1000)
        signed = {
            "X-Router-Site": "shop",
            "X-Router-Time": time_s,
            "X-Router-Signature": signing.sign_request(KEY, time_s, raw),
        }
        return await self.client.post(path, content=raw, headers=signed | headers)

    async def order(self, **fields: Any) -> httpx.Response:
        return await self.post("/api/orders", ORDER | fields)

    async def redeem(self, **fields: Any) -> httpx.Response:
        return await self.post("/api/offers/redeem", REDEEM | fields)

    async def visitor(self, **fields: Any) -> httpx.Response:
        return await self.post(
            "/api/visitors", {"visitor": signing.sign_visitor(SECRET, "shop", "v1")} | fields
        )

    async def code(self, text: str = "K7QXM-4HTPW", *, now: int = NOW, percent: float = 5) -> Code:
        code = await self.offers.reserve(
            "shop", f"did-{text}", "welcome-5", code=text, budget=10, percent=percent, expires_in_ms=60_000,
            visitor="", now=now,
        )  # fmt: skip
        assert code is not None
        return code

    async def journalled(self, kind: str) -> list[dict[str, Any]]:
        await self.journal.flush()
        return [entry.record async for entry in read(self.redis) if entry.kind == kind]


@pytest.fixture
async def shop(redis: Redis, valkey: Embedded) -> AsyncIterator[Shop]:
    pool = BlockingConnectionPool.from_url(valkey.url, max_connections=32)
    client: Redis = Redis(connection_pool=pool)
    shop = Shop(client)
    yield shop
    await shop.client.aclose()
    await client.aclose()
    await pool.aclose()


def refused(answer: httpx.Response, name: str) -> str:
    """The text of an answer that has to be this refusal, in the documented form."""
    body = answer.json()
    assert body["error"] == name, body
    assert set(body) == {"error", "text", "retry"}
    assert answer.status_code == ERRORS[name].status
    assert body["retry"] is ERRORS[name].retry
    assert "Traceback" not in body["text"]
    text: str = body["text"]
    return text


# --- orders ------------------------------------------------------------------------------------------------


async def test_an_order_is_recorded_journalled_and_told(shop: Shop) -> None:
    session, visitor = signing.sign_session(SECRET, "shop", "s1"), signing.sign_visitor(SECRET, "shop", "v1")
    answer = await shop.order(session=session, visitor=visitor, code="k7qxm-4htpw", at=NOW - 5)
    expected = {"order": "A-1", "state": "placed", "at": NOW - 5, "joined": True, "code_returned": None}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert answer.headers["content-type"] == "application/json"
    [(site, sid, order)] = shop.told
    assert (site, sid, order.visitor, order.code, str(order.value)) == (
        "shop",
        "s1",
        "v1",
        "K7QXM-4HTPW",
        "9600",
    )
    [entry] = await shop.journalled("order")
    assert (entry["sid"], entry["visitor"], entry["value"], entry["again"]) == ("s1", "v1", "9600", False)
    assert await shop.redis.smembers(keys.visitor_orders("shop", "v1")) == {b"A-1"}


async def test_the_same_order_and_state_answers_the_same(shop: Shop) -> None:
    first = await shop.order()
    for _ in range(3):
        assert (await shop.order()).content == first.content
    assert [entry["again"] for entry in await shop.journalled("order")] == [False, True, True, True]


async def test_a_hundred_reports_at_once_are_one(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.order(at=NOW - n) for n in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert [entry["again"] for entry in await shop.journalled("order")].count(False) == 1


async def test_a_contradiction_is_a_conflict_in_one_sentence(shop: Shop) -> None:
    await shop.order(state="returned")
    assert (
        refused(await shop.order(state="paid"), "conflict")
        == "The order is returned; it can not become paid."
    )
    assert "9600 JPY" in refused(await shop.order(state="returned", value=1), "conflict")


@pytest.mark.parametrize(
    "token",
    ["s1", "S.shop.s1.AAAAAAAAAAAAAAAAAAAAAA", signing.sign_session(SECRET, "other", "s1"), "x" * 5000, ""],
)
async def test_a_spoilt_token_joins_nothing_and_costs_nothing(shop: Shop, token: str) -> None:
    answer = await shop.order(session=token, visitor=token)
    assert (answer.status_code, answer.json()["joined"]) == (200, False)
    assert shop.told[0][1] is None
    assert shop.told[0][2].visitor is None


async def test_a_cancelled_order_does_not_count_for_the_visitor(shop: Shop) -> None:
    visitor = signing.sign_visitor(SECRET, "shop", "v1")
    await shop.order(visitor=visitor)
    await shop.order(visitor=visitor, state="cancelled")
    assert await shop.redis.scard(keys.visitor_orders("shop", "v1")) == 0


async def test_a_shops_own_coupon_is_no_fault(shop: Shop) -> None:
    assert (await shop.order(code="SUMMER10")).status_code == 200
    assert shop.told[0][2].code is None


async def test_money_is_rounded_to_the_currencys_smallest_unit(shop: Shop) -> None:
    await shop.order(value=29.989999999999998, currency="USD")
    assert str(shop.told[0][2].value) == "29.99"
    assert (await shop.order(value="29.99", currency="USD")).status_code == 200


# --- codes -------------------------------------------------------------------------------------------------


async def test_a_code_takes_its_percent_off_and_is_journalled(shop: Shop) -> None:
    await shop.code()
    answer = await shop.redeem()
    assert answer.status_code == 200
    assert answer.json() == {"offer": "welcome-5", "percent": 5.0, "amount": 618, "total": 11732}
    assert b'"amount":618,' in answer.content
    [entry] = await shop.journalled("redemption")
    assert (entry["did"], entry["order"], entry["amount"]) == ("did-K7QXM-4HTPW", "A-1", "618")


async def test_cents_stay_cents(shop: Shop) -> None:
    await shop.code(percent=10)
    answer = await shop.redeem(total=19.99, currency="USD")
    assert b'"amount":2.00,"total":17.99' in answer.content


async def test_the_second_order_is_refused_and_the_first_may_repeat(shop: Shop) -> None:
    await shop.code()
    first = await shop.redeem()
    refused(await shop.redeem(order="A-2"), "redeemed")
    assert (await shop.redeem()).content == first.content
    assert (await shop.redeem(total=1000)).json()["amount"] == 50


async def test_a_hundred_redemptions_at_once_and_exactly_one_wins(shop: Shop) -> None:
    await shop.code()
    answers = await asyncio.gather(*(shop.redeem(order=f"A-{n}") for n in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 99


async def test_what_cannot_be_redeemed_says_why(shop: Shop) -> None:
    refused(await shop.redeem(), "unknown_code")
    refused(await shop.redeem(code="SUMMER10"), "unknown_code")
    refused(await shop.redeem(code=""), "unknown_code")
    await shop.code(now=NOW - 60_000)
    refused(await shop.redeem(), "expired")


async def test_a_cancelled_order_gives_its_code_to_the_next(shop: Shop) -> None:
    await shop.code()
    await shop.redeem()
    assert (await shop.order(state="cancelled")).json()["code_returned"] == "K7QXM-4HTPW"
    assert (await shop.redeem(order="A-2")).status_code == 200
    refused(await shop.redeem(), "conflict")


# --- signatures --------------------------------------------------------------------------------------------

PATHS = ["/api/orders", "/api/offers/redeem"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Router-Signature": "0" * 64},
        {"X-Router-Signature": ""},
        {"X-Router-Signature": "\x7f"},
        {"X-Router-Time": ""},
        {"X-Router-Time": "soon"},
        {"X-Router-Time": str(NOW // 1000 - 301)},
        {"X-Router-Site": ""},
        {"X-Router-Site": "other"},
    ],
)
async def test_a_wrong_or_missing_signature_does_nothing(
    shop: Shop, path: str, headers: dict[str, str]
) -> None:
    refused(await shop.post(path, ORDER, **headers), "bad_signature")
    assert await shop.redis.dbsize() == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("off_s", [-301, 301])
async def test_an_old_request_is_refused_though_rightly_signed(shop: Shop, path: str, off_s: int) -> None:
    time_s = str(NOW // 1000 + off_s)
    signature = signing.sign_request(KEY, time_s, b"{}")
    headers = {"X-Router-Time": time_s, "X-Router-Signature": signature}
    assert "300 s" in refused(await shop.post(path, b"{}", **headers), "bad_signature")


async def test_the_signature_is_checked_before_the_body_is_read_as_json(shop: Shop) -> None:
    refused(await shop.post("/api/orders", b"\xff", **{"X-Router-Signature": "0" * 64}), "bad_signature")


async def test_an_unknown_site_is_unknown(shop: Shop) -> None:
    refused(await shop.post("/api/orders", ORDER, **{"X-Router-Site": "nobody"}), "unknown_site")


# --- bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"order": ""}, "$.order"),
        ({"order": "x" * 81}, "$.order"),
        ({"order": 7}, "$.order"),
        ({"state": "lost"}, "$.state"),
        ({"value": None}, "$.value"),
        ({"value": -1}, "$.value"),
        ({"value": "NaN"}, "$.value"),
        ({"value": "sNaN"}, "$.value"),
        ({"value": "Infinity"}, "$.value"),
        ({"value": "1e999999"}, "$.value"),
        ({"value": "1" * 5000}, "$.value"),
        ({"value": "ten"}, "$.value"),
        ({"value": []}, "$.value"),
        ({"currency": "yen"}, "$.currency"),
        ({"currency": "JPYX"}, "$.currency"),
        ({"at": -1}, "$.at"),
        ({"at": 10**19}, "$.at"),
        ({"at": "now"}, "$.at"),
        ({"session": 1}, "$.session"),
        ({"sesion": "S"}, "sesion"),
    ],
)
async def test_a_malformed_order_names_the_field(shop: Shop, fields: dict[str, Any], field: str) -> None:
    assert field in refused(await shop.order(**fields), "bad_request")
    assert await shop.redis.dbsize() == 0


@pytest.mark.parametrize("missing", ["order", "state", "value", "currency"])
async def test_a_missing_field_is_named(shop: Shop, missing: str) -> None:
    body = {name: value for name, value in ORDER.items() if name != missing}
    assert missing in refused(await shop.post("/api/orders", body), "bad_request")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"order": "\xc3\x28"}',
        b'{"order": "\\ud800", "state": "paid"}',
        b'{"at": ' + b"9" * 10_000 + b"}",
        b'{"value": ' + b"9" * 10_000 + b"}",
        b'{"value": 1e99999999999}',
        b"[" * 16_000,
        b'{"order":' * 1_700,
        b'{"x": ' + b"[" * 15_000,
        b'{"order": "a", "order": {"order": []}}',
        b"\x00" * 100,
        b"{}garbage",
    ],
)
async def test_no_body_whatever_ends_in_anything_but_a_named_error(
    shop: Shop, path: str, body: bytes
) -> None:
    assert len(body) <= MAX_BODY_BYTES
    refused(await shop.post(path, body), "bad_request")


async def test_tiny_and_negative_zero_amounts_are_zero(shop: Shop) -> None:
    for order, value in [("A-1", "1e-999999"), ("A-2", "-0"), ("A-3", "0e999999")]:
        assert (await shop.order(order=order, value=value)).status_code == 200
    assert {str(order.value) for _, _, order in shop.told} == {"0"}


@pytest.mark.parametrize("total", [-1, "NaN", "1e13"])
async def test_a_malformed_total_names_the_field(shop: Shop, total: Any) -> None:
    assert "$.total" in refused(await shop.redeem(total=total), "bad_request")


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_of_more_than_16_kib_is_too_large(shop: Shop, path: str) -> None:
    refused(await shop.post(path, b" " * (MAX_BODY_BYTES + 1)), "too_large")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_by_name(shop: Shop, path: str, method: str) -> None:
    answer = await shop.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        refused(answer, "bad_method")


async def test_a_body_that_never_ends_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.01)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    names = {"x-router-site": "shop", "x-router-time": "1", "x-router-signature": "1"}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "method": "POST", "path": "/api/orders", "headers": headers, "query_string": b""}
    await routes(shop.api)[0].app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"] == "silent"


async def test_a_body_that_breaks_off_is_refused(shop: Shop) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
    with pytest.raises(Refused, match="bad_request"):
        await bounded_body(request, 10)


# --- what is behind it is away -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
async def test_a_store_that_is_away_is_unavailable(path: str) -> None:
    shop = Shop(Redis.from_url(f"redis://127.0.0.1:{free_port()}/0", retry=None))
    refused(await shop.post(path, ORDER if path == "/api/orders" else REDEEM), "unavailable")
    await shop.client.aclose()


async def test_with_a_full_journal_nothing_is_redeemed(shop: Shop) -> None:
    """Refused before anything happened, so a retry finds everything as it was."""
    await shop.code()
    shop.journal._max_bytes = 100
    refused(await shop.redeem(), "overloaded")
    refused(await shop.order(), "overloaded")
    assert await shop.redis.exists(keys.order("shop", "A-1")) == 0


async def test_an_order_that_could_not_be_told_is_told_at_the_retry(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Refused("unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(shop.api, "_on_order", away)
        refused(await shop.order(), "unavailable")
    assert (await shop.order()).status_code == 200
    assert len(shop.told) == 1


# --- visitors ----------------------------------------------------------------------------------------------


async def test_what_a_shop_knows_of_a_visitor_is_kept_and_told(shop: Shop) -> None:
    answer = await shop.visitor(tier="gold", score=0.8, attributes={"plan": "pro", "points": 7, "beta": True})
    known = {
        "orders": 0,
        "tier": "gold",
        "score": 0.8,
        "attributes": {"beta": True, "plan": "pro", "points": 7.0},
    }
    assert (answer.status_code, answer.json()) == (200, known)
    assert shop.visitors_told == [("shop", "v1")]
    assert (await shop.visitor(orders=3, attributes={"plan": ""})).json() == known | {
        "orders": 3, "attributes": {"beta": True, "points": 7.0},
    }  # fmt: skip


async def test_an_order_counts_for_its_visitor_and_is_told(shop: Shop) -> None:
    await shop.order(visitor=signing.sign_visitor(SECRET, "shop", "v1"))
    assert shop.visitors_told == [("shop", "v1")]
    assert (await shop.visitor()).json()["orders"] == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"visitor": "V.shop.forged.AAAAAAAAAAAAAAAAAAAAAA"}, "$.visitor"),
        ({"score": 1.5}, "$.score"),
        ({"orders": -1}, "$.orders"),
        ({"tier": ""}, "$.tier"),
        ({"attributes": {"a b": 1}}, "$.attributes"),
        ({"attributes": {"a": [1]}}, "$.attributes"),
        ({"attributes": {f"a{n}": 1 for n in range(21)}}, "$.attributes"),
        ({"tiers": "gold"}, "tiers"),
    ],
)
async def test_what_no_visitor_can_be_is_refused_by_name(
    shop: Shop, fields: dict[str, Any], named: str
) -> None:
    assert named in refused(await shop.visitor(**fields), "bad_request")
    assert not shop.visitors_told


# --- explain -----------------------------------------------------------------------------------------------


async def test_a_shop_can_ask_why_a_rule_is_not_true(shop: Shop) -> None:
    token = signing.sign_session(SECRET, "shop", "s1")
    answer = (await shop.post("/api/explain", {"session": token})).json()
    (rule,) = answer["rules"]
    condition = rule["condition"]
    assert (rule["rule"], rule["holds"], condition["value"], condition["threshold"]) == ("a", False, 0, 1)
    assert condition["words"]["en"] == "Cart lines: 0 (less than 1)"
    described = schema("ExplainAnswer")["properties"]["rules"]["items"]["properties"]
    assert set(rule) == set(described)


async def test_a_session_that_is_over_or_not_ours_is_told(shop: Shop) -> None:
    gone = signing.sign_session(SECRET, "shop", "s2")
    refused(await shop.post("/api/explain", {"session": gone}), "not_found")
    refused(await shop.post("/api/explain", {"session": "S.shop.x.y"}), "bad_request")


# --- the description ---------------------------------------------------------------------------------------


def openapi() -> dict[str, Any]:
    text = (DOCS / "openapi.yaml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = openapi()["components"]["schemas"][name]
    return found


async def test_every_route_is_documented_and_every_documented_route_exists(shop: Shop) -> None:
    documented = {(path, method) for path, item in openapi()["paths"].items() for method in item}
    assert documented == {(route.path, "post") for route in routes(shop.api)}
    for path, _ in documented:
        refused(await shop.post(path, b"{}"), "bad_request")


@pytest.mark.parametrize("struct", [OrderReport, RedeemRequest, VisitorReport, ExplainRequest])
def test_the_documented_bodies_are_those_that_are_read(struct: type[msgspec.Struct]) -> None:
    described = schema(struct.__name__)
    fields = msgspec.structs.fields(struct)
    assert set(described["properties"]) == {field.name for field in fields}
    assert set(described["required"]) == {field.name for field in fields if field.required}
    actual = msgspec.json.schema(struct)["$defs"][struct.__name__]["properties"]
    for name in {"order", "currency", "orders", "tier", "score"} & actual.keys():
        assert described["properties"][name].items() >= actual[name].items()


async def test_the_documented_answers_are_those_that_are_given(shop: Shop) -> None:
    await shop.code()
    assert set((await shop.order()).json()) == set(schema("OrderAnswer")["properties"])
    assert set((await shop.redeem()).json()) == set(schema("RedeemAnswer")["properties"])
    assert set((await shop.visitor()).json()) == set(schema("VisitorAnswer")["properties"])


def test_the_documented_errors_are_in_the_table_with_their_status() -> None:
    names = set(schema("Error")["properties"]["error"]["enum"])
    assert names <= set(ERRORS)
    rows = [
        line for line in (DOCS / "api.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    told: dict[str, int] = {}
    for row in rows:
        cells = [cell.strip() for cell in row.split("|")]
        if cells[2].isdigit():
            told |= {name.strip("` "): int(cells[2]) for name in cells[1].split(",")}
    assert told == {name: ERRORS[name].status for name in names}
    for item in openapi()["paths"].values():
        statuses = {int(status) for status in item["post"]["responses"]} - {200}
        assert statuses <= {ERRORS[name].status for name in names}


def test_the_signing_example_of_the_description_is_right() -> None:
    """The lines of Python in docs/api.md, run as they stand."""
    import hashlib  # noqa: PLC0415  (names that the example uses)
    import hmac  # noqa: PLC0415
    import time  # noqa: PLC0415

    example = (DOCS / "api.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names = {"json": json, "time": time, "hmac": hmac, "hashlib": hashlib, "site_key": KEY}
    exec(example, names)  # noqa: S102  (our own text)
    signing.check_request(KEY, names["time_s"], names["signature"], names["body"], int(time.time() * 1000))  # type: ignore[arg-type]
