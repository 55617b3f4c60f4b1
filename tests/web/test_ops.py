"""The supervisors' edge: who may, what is shown, and what is refused."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core.session import Session
from router.live.clock import WallClock
from router.settings import DEMO_SITES
from router.store.embedded import Embedded
from router.web.demo_seed import LOGIN, PASSWORD, SUPERVISOR
from tests.service import InLoop, in_loop
from tests.shopper import Shopper

READS = ("overview", "funnel", "rules")
CHANGES: dict[str, dict[str, Any]] = {
    "check": {"text": "x"},
    "edit": {"text": "x", "rule": "a", "path": ["mode"], "value": "off"},
    "publish": {"text": "x"},
    "roll-back": {"number": 1},
    "kill": {"on": True},
    "explain": {"session": "x"},
    "try": {"text": "x"},
    "preview": {"text": "x", "rule": "a", "language": "ja"},
}


class Desk:
    """A browser that is logged in as somebody, or as nobody."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.csrf = ""

    async def log_in(self, login: str) -> None:
        credentials = {"site": "demo", "login": login, "password": PASSWORD}
        self.csrf = (await self.http.post("/agent/api/login", json=credentials)).json()["csrf"]

    async def get(self, name: str) -> httpx.Response:
        return await self.http.get(f"/agent/api/ops/{name}")

    async def post(self, name: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/agent/api/ops/{name}", json=body, headers={"X-CSRF-Token": self.csrf})


@pytest.fixture
async def at(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    folder = tmp_path / "site"
    shutil.copytree(DEMO_SITES.parent, folder)
    async with in_loop(valkey.url, WallClock(), tmp_path, sites=folder / "site.yaml") as running:
        yield running


@pytest.fixture
async def desk(at: InLoop) -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(base_url=at.url) as http:
        yield Desk(http)


@pytest.mark.parametrize(("login", "status"), [("", 401), (LOGIN, 403)])
async def test_only_supervisors_are_let_in(desk: Desk, login: str, status: int) -> None:
    """Every address, for nobody and for an agent."""
    if login:
        await desk.log_in(login)
    for name in READS:
        assert (await desk.get(name)).status_code == status, name
    for name, body in CHANGES.items():
        assert (await desk.post(name, **body)).status_code == status, name


async def test_a_change_needs_the_token_and_the_own_origin(desk: Desk) -> None:
    await desk.log_in(SUPERVISOR)
    for name, body in CHANGES.items():
        path = f"/agent/api/ops/{name}"
        assert (await desk.http.post(path, json=body)).json()["error"] == "csrf", name
        foreign = {"X-CSRF-Token": desk.csrf, "Origin": "https://elsewhere.example"}
        assert (await desk.http.post(path, json=body, headers=foreign)).json()["error"] == "bad_origin", name


async def test_the_overview_shows_queues_shoppers_and_rules(desk: Desk, at: InLoop) -> None:
    await desk.log_in(SUPERVISOR)
    shopper = Shopper(at)
    page = await shopper.open()
    page.send(ev.Page(0, "cart", "/demo/cart"), ev.Dwell(0, 0, ev.FOCUSED))
    await page.stored()
    seen = (await desk.get("overview")).json()
    assert [queue["id"] for queue in seen["queues"]] == ["checkout-help", "style"]
    assert (seen["sockets"], seen["killed"], seen["refused"]) == (1, "", None)
    (live,) = seen["live"]
    assert (live["session"], live["page"], live["events"]) == (shopper.sid, "/demo/cart", 2)
    explained = (await desk.post("explain", session=shopper.sid)).json()["rules"]
    assert [rule["rule"] for rule in explained] == ["cart-wait", "shipping-loop", "size-doubt", "first-order"]
    assert explained[0]["obstacle"] == "not_before"
    assert (await desk.post("explain", session="nobody")).json()["error"] == "not_found"


async def test_a_draft_is_edited_checked_published_and_taken_back(desk: Desk, at: InLoop) -> None:
    await desk.log_in(SUPERVISOR)
    before = (await desk.get("rules")).json()
    assert before["text"].startswith("# The demo shop's rules.") and before["history"] == []
    assert before["rules"][0]["sentence"]["en"].startswith("When page type is the cart and ")
    path = ["when", "all", 1, "cart.value", "gte"]
    assert {"path": path, "text": "3000 JPY"} in before["rules"][0]["values"]
    draft = (
        await desk.post("edit", text=before["text"], rule="cart-wait", path=path, value="9000 JPY")
    ).json()
    assert "9,000 JPY" in draft["rules"][0]["sentence"]["en"]
    assert (await desk.post("publish", text=draft["text"], note="dearer")).json() == {"number": 1}
    assert at.service.sites["demo"].rules.version == draft["version"] != before["version"]
    now = (await desk.get("rules")).json()
    assert now["text"] == draft["text"]
    (revision,) = now["history"]
    assert (revision["number"], revision["who"], revision["note"]) == (1, SUPERVISOR, "dearer")
    await desk.post("publish", text=before["text"], note="")
    assert (await desk.post("roll-back", number=1)).json() == {"number": 3}
    assert (await desk.get("rules")).json()["text"] == draft["text"]


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("check", {"text": "version: 1\nrules: []"}, "rules.yaml:2:8: expected a list of rules"),
        ("publish", {"text": "rules: ["}, "rules.yaml:1:"),
        ("edit", {"text": "{}", "rule": "a", "path": ["mode"], "value": "off"}, "There is no rule a."),
        ("roll-back", {"number": 7}, "There is no revision 7."),
        ("kill", {"on": "maybe"}, "$.on"),
        ("check", {}, "text"),
    ],
)
async def test_what_cannot_be_done_is_said(
    desk: Desk, name: str, body: dict[str, Any], sentence: str
) -> None:
    await desk.log_in(SUPERVISOR)
    answer = await desk.post(name, **body)
    assert answer.status_code in (400, 404)
    assert sentence in answer.json()["text"]


async def test_a_text_is_edited_previewed_and_published(desk: Desk, at: InLoop) -> None:
    await desk.log_in(SUPERVISOR)
    rules = (await desk.get("rules")).json()
    path = ["invites", "cart.wait", "ja", "title"]
    assert path in [value["path"] for value in rules["rules"][0]["texts"]]
    both = {"text": rules["text"], "texts": rules["texts"]}
    draft = (await desk.post("edit", **both, part="texts", path=path, value="何か: お困りですか")).json()
    assert draft["text"] == rules["text"] and draft["texts"] != rules["texts"]
    both["texts"] = draft["texts"]
    journal = at.service.journal.added
    link = (
        await desk.post("preview", **both, rule="cart-wait", language="ja", page=f"{at.url}/demo/cart?a=1")
    ).json()["link"]
    page, _, token = link.partition("#router=")
    assert page == f"{at.url}/demo/cart?a=1"
    shown = await desk.http.get("/v1/preview", params={"token": token})
    assert shown.headers["access-control-allow-origin"] == "*"
    assert (shown.json()["kind"], shown.json()["content"]["title"]) == ("invite", "何か: お困りですか")
    offer = (await desk.post("preview", **both, rule="first-order", language="en")).json()["link"]
    code = await desk.http.get("/v1/preview", params={"token": offer.partition("#router=")[2]})
    assert code.json()["content"]["code"] == "PREVIEW"
    assert at.service.journal.added == journal and not at.service.engine.holdings.all()
    await desk.post("publish", **both, note="kinder")
    site = at.service.sites["demo"]
    assert site.content(site.rules.rules[0].then[0], "ja")["title"] == "何か: お困りですか"
    await desk.post("publish", text=rules["text"], note="rules alone: the texts stay")
    assert "何か" in (await desk.get("rules")).json()["texts"]


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({"page": "https://elsewhere.example/"}, "bad_request", "The page has to be one of"),
        ({"rule": "nonsense"}, "not_found", "There is no rule nonsense."),
        ({"language": "fr"}, "bad_request", "$.language"),
        ({"texts": "invites: ["}, "bad_request", "texts.yaml:1:"),
    ],
)
async def test_what_cannot_be_previewed_is_said(
    desk: Desk, changed: dict[str, str], name: str, sentence: str
) -> None:
    await desk.log_in(SUPERVISOR)
    text = (await desk.get("rules")).json()["text"]
    refused = await desk.post("preview", **({"text": text, "rule": "cart-wait", "language": "ja"} | changed))
    assert refused.json()["error"] == name and sentence in refused.json()["text"]
    nothing = await desk.http.get("/v1/preview", params={"token": "P.e30.x"})
    assert nothing.status_code == 401 and nothing.headers["access-control-allow-origin"] == "*"


async def test_a_draft_is_tried_on_what_shoppers_did(desk: Desk, at: InLoop) -> None:
    """In a process of its own: events are answered meanwhile."""
    await desk.log_in(SUPERVISOR)
    text = (await desk.get("rules")).json()["text"]
    dearer = text.replace("cart.value: {gte: 3000 JPY}", "cart.value: {gte: 90000 JPY}")
    assert "Nothing that shoppers of demo did is kept" in (await desk.post("try", text=text)).json()["text"]
    assert "rules.yaml:1" in (await desk.post("try", text="rules: [")).json()["text"]
    service = at.service
    session = Session("sid-1", "demo", "visitor-1", "JPY", 0, 0)
    for at_ms, event in ((1_000, ev.Page(0, "cart", "/demo/cart")), (2_000, ev.Cart(0, 1, 1, 9000, "JPY"))):
        service.behaviour.add(session, "page-0001", at_ms // 1000, at_ms + 10_000, True, [event])
    service.behaviour.add(session, "page-0001", 3, 60_000, True, [ev.Dwell(0, 40_000, ev.FOCUSED)])
    await service.behaviour.flush()
    trying = asyncio.create_task(desk.post("try", text=dearer))
    assert (await desk.http.get("/healthz")).status_code == 200
    assert not trying.done()
    tried = (await trying).json()
    made = [
        {rule["rule"]: rule["outcomes"].get("made", 0) for rule in tried[which]["rules"]}
        for which in ("before", "after")
    ]
    assert (made[0]["cart-wait"], made[1]["cart-wait"]) == (1, 0)
    assert tried["before"]["events"] == 3
    both = await asyncio.gather(desk.post("try", text=text), desk.post("try", text=text))
    assert {answer.json().get("error") for answer in both} == {None, "overloaded"}


async def test_days_of_a_funnel_are_bounded(desk: Desk) -> None:
    await desk.log_in(SUPERVISOR)
    assert (await desk.get("funnel?days=30")).json()["rules"] == []
    for days in ("0", "91", "x", ""):
        assert (await desk.get(f"funnel?days={days}")).json()["error"] == "bad_request"


async def test_everything_is_stopped_and_goes_on(desk: Desk, at: InLoop) -> None:
    await desk.log_in(SUPERVISOR)
    assert (await desk.post("kill", on=True)).json() == {"killed": SUPERVISOR}
    assert at.service.engine.decider.killed == {"demo"}
    assert (await desk.post("kill", on=False)).json() == {"killed": ""}
    assert at.service.engine.decider.killed == set()
