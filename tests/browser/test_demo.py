"""The demo shop on the whole service, from the first look to the order."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from router.core.session import Session
from router.live.clock import WallClock
from router.settings import DEMO_SITES, Settings
from router.store.embedded import Embedded
from router.web import demo_seed
from router.web.app import Service
from router.web.server import bind, make_server
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import welcomed
from tests.browser.shopping import order, put_in_cart
from tests.browser.talking import spoken
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

IMPATIENT = {
    "for: 8s": "for: 1s",
    "dwell.page: {gte: 6s}": "dwell.page: {gte: 1s}",
    "not_before: 5s": "not_before: 0s",
}


def impatient_sites(folder: Path) -> Path:
    """The demo's own files, with seconds where it has more of them."""
    for file in DEMO_SITES.parent.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        for patient, impatient in IMPATIENT.items():
            assert file.name != "rules.yaml" or patient in text
            text = text.replace(patient, impatient)
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder / DEMO_SITES.name


class Running:
    """The service at `url`."""

    def __init__(self, url: str, service: Service) -> None:
        self.url = url
        self.service = service

    @property
    def session(self) -> Session:
        """The one session there is."""
        (held,) = self.service.engine.holdings.all()
        return held.session


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(valkey: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The whole service on a free port, as `router demo` runs it, only less patient."""
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    sites = impatient_sites(tmp_path_factory.mktemp("sites"))
    settings = Settings(sites=sites, data=tmp_path_factory.mktemp("data"), demo=True)
    service = Service(settings, valkey.url, b"x" * 32, WallClock(), url)
    server = make_server(service)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started or serving.done())
    assert not serving.done(), service.failure
    yield Running(url, service)
    server.stop()
    await serving
    listening.close()


@pytest_asyncio.fixture(loop_scope="module")
async def demo(running: Running) -> Running:
    """The service with a fresh store."""
    redis: Redis = running.service.redis
    await until(lambda: not running.service.roster.sockets)
    for held in running.service.engine.holdings.all():
        running.service.engine.holdings.give_up(held, "fenced")
    await redis.flushall()
    await demo_seed.seed(redis)
    return running


class Agent:
    """An agent's console, without the looks."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ref = 0

    async def ask(self, message: str, **fields: Any) -> dict[str, Any]:
        """Send, and wait for the answer to it."""
        self.ref += 1
        await self.socket.send(json.dumps({"t": message, "ref": self.ref, **fields}))
        answer = await self.hear("ok", "error")
        assert answer["t"] == "ok", answer
        return answer

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds."""
        async with asyncio.timeout(10):
            while (frame := json.loads(await self.socket.recv()))["t"] not in kinds:
                pass
        assert isinstance(frame, dict)
        return frame


@contextlib.asynccontextmanager
async def on_duty(demo: Running) -> AsyncIterator[Agent]:
    """Log in with the demo's credentials and take chats."""
    async with httpx.AsyncClient(base_url=demo.url) as http:
        credentials = (await http.get("/agent/api/demo")).json()
        csrf = (await http.post("/agent/api/login", json=credentials)).json()["csrf"]
        answer = await http.post("/agent/api/ticket", headers={"X-CSRF-Token": csrf})
    address = f"{demo.url.replace('http', 'ws')}/v1/agent?ticket={answer.json()['ticket']}"
    async with connect(address, origin=demo.url) as socket:  # type: ignore[arg-type]
        agent = Agent(socket)
        await agent.hear("hello")
        await agent.ask("presence", state="available")
        yield agent


async def test_hesitate_accept_talk_reload_and_close(demo: Running, shopper: Shopper) -> None:
    """The main job: a silence in the cart becomes an invite, the invite a ring, the ring a talk."""
    page = shopper.page
    async with on_duty(demo) as agent:
        await put_in_cart(page, demo.url, "pot-kyusu")
        await page.goto(f"{demo.url}/demo/cart")
        await page.locator(".line a.name").focus()
        ui = page.locator("router-ui")
        await expect(ui.get_by_text("チャットで聞く")).to_be_visible()
        assert await page.evaluate("() => document.activeElement.className") == "name"
        await shopper.shoot("demo-invite")
        await ui.get_by_text("チャットで聞く").click()

        ring = (await agent.hear("ring"))["conversation"]
        card, cid = ring["card"], ring["cid"]
        assert (card["where"]["type"], card["where"]["path"]) == ("cart", "/demo/cart")
        (line,) = card["cart"]["lines"]
        assert (line["id"], line["name"], line["quantity"], card["cart"]["value"]) == (
            "pot-kyusu",
            "常滑の急須",
            1,
            9680,
        )
        assert card["why"]["rule"] == "cart-wait" and card["journey"]
        await agent.ask("accept", cid=cid)

        box = ui.get_by_role("textbox")
        await expect(box).to_be_focused()
        await box.fill("包装はできますか")
        await page.keyboard.press("Enter")
        while (await agent.hear("message"))["message"]["text"] != "包装はできますか":
            pass
        await agent.ask("typing", cid=cid, on=True)
        await expect(ui.locator(".typing")).to_be_visible()
        await agent.ask("say", cid=cid, mid="agent-line-1", text="はい、無料です。")
        await expect(ui.get_by_text("はい、無料です。")).to_be_visible()
        said = ["包装はできますか", "はい、無料です。"]
        assert await spoken(page) == said
        await shopper.shoot("demo-talk")

        await page.reload()
        await expect(ui.get_by_text("はい、無料です。")).to_be_visible()
        await page.goto(f"{demo.url}/demo/shipping")
        await expect(ui.get_by_text("はい、無料です。")).to_be_visible()
        assert await spoken(page) == said
        await agent.ask("close", cid=cid, disposition="answered", note="gift wrapping")
        await expect(ui.locator(".panel .status")).to_have_text("このチャットは終了しました")
        await page.goto(f"{demo.url}/demo/")
        await until(lambda: demo.session.current and demo.session.view and demo.session.view.path == "/demo/")
        await expect(ui.locator(".panel")).to_have_count(0)


async def test_whoever_asks_is_asked_what_it_is_about_and_may_leave_a_message(
    demo: Running, shopper: Shopper
) -> None:
    """From the shop's own link to the queue that the words are for, and back to a form where nobody is there."""
    page = shopper.page
    ui = page.locator("router-ui")
    async with on_duty(demo) as agent:
        async with page.expect_response("**/behaviour.js*"):
            await page.goto(f"{demo.url}/demo/p/pot-kyusu")
        await welcomed(page)
        await page.get_by_role("link", name="お問い合わせ").click()
        await expect(ui.locator(".status")).to_have_text("ご質問をお書きください")
        await ui.get_by_role("textbox").fill("この急須の大きさを知りたいです")
        await page.keyboard.press("Enter")
        ring = (await agent.hear("ring"))["conversation"]
        assert (ring["queue"], ring["card"]["product"]["name"]) == ("style", "常滑の急須")
        await agent.ask("accept", cid=ring["cid"])
        await agent.ask("card", cid=ring["cid"], mid="agent-card-1", article="size-guide")
        await expect(ui.locator(".sent").get_by_role("link")).to_have_attribute(
            "href", f"{demo.url}/demo/#sizes"
        )
        await agent.ask("close", cid=ring["cid"], disposition="advised", fields={"wish": "急須"})
        await ui.get_by_role("button", name="閉じる").click()
        await agent.ask("presence", state="away")
        await page.get_by_role("link", name="お問い合わせ").click()
        await ui.get_by_role("textbox").fill("返品できますか")
        await page.keyboard.press("Enter")
        await ui.get_by_role("button", name="メッセージを残す").click()
        form = ui.locator(".contact.form")
        await form.get_by_label("お問い合わせ内容").fill("返品できますか")
        await form.get_by_label("メールアドレス").fill("hana@example.jp")
        await form.get_by_role("button", name="送信する").click()
        await expect(form.get_by_role("heading")).to_have_text("メッセージをお預かりしました")
        while not (left := (await agent.hear("left"))["messages"]):
            pass
        assert [(one["contact"], one["queue"]) for one in left] == [("hana@example.jp", "checkout-help")]
        await shopper.shoot("demo-left")


async def test_a_code_is_offered_taken_off_once_and_refused_the_second_time(
    demo: Running, chromium: Browser
) -> None:
    """From the card into the shop's own field, through the signed API."""
    async with visiting(chromium, permissions=["clipboard-read", "clipboard-write"]) as shopper:
        page = shopper.page
        await put_in_cart(page, demo.url, "donabe")
        await page.goto(f"{demo.url}/demo/checkout")
        card = page.locator("router-ui .card")
        await expect(card).to_be_visible()
        await card.get_by_role("button", name="コードをコピー").click()
        code = await page.evaluate("() => navigator.clipboard.readText()")
        assert code == await card.locator(".code").text_content()
        await shopper.shoot("demo-offer")
        await card.get_by_role("button", name="閉じる").last.click()
        await order(page, code)
        await page.wait_for_url("**/demo/thanks")
        await expect(page.locator(".sums")).to_contain_text("825")
        await expect(page.locator(".sums")).to_contain_text("15,675")
        await until(lambda: demo.session.purchased_at)

        await put_in_cart(page, demo.url, "donabe")
        await page.goto(f"{demo.url}/demo/checkout")
        await order(page, code)
        await expect(page.locator("#code-problem")).to_have_text("この割引コードはすでに使われています。")


async def drained(page: Page) -> None:
    """Nothing of this tab waits for an acknowledgement."""
    await welcomed(page)
    await page.wait_for_function(
        "() => !Object.keys(sessionStorage).some((key) => key.startsWith('router_q.'))"
    )


async def test_quick_navigations_in_two_tabs_and_a_lost_line_lose_and_double_nothing(
    demo: Running, shopper: Shopper
) -> None:
    """Twenty pages, and the session saw each of them once."""
    paths = ["/demo/cart", "/demo/shipping", "/demo/checkout", "/demo/thanks", "/demo/cart"]
    await shopper.page.goto(f"{demo.url}/demo/")
    await welcomed(shopper.page)  # before that, two tabs would be two visits
    other = await shopper.tab()
    for path in paths * 2:
        for page in (shopper.page, other):
            await page.goto(demo.url + path, wait_until="load")
    await shopper.context.set_offline(True)
    for socket in list(demo.service.roster.sockets):
        socket.close("restarting")
    await shopper.page.evaluate("() => router.track('list', {id: 'offline', count: 1})")
    await shopper.context.set_offline(False)
    for page in (shopper.page, other):
        await drained(page)
    seen = {path: len(demo.session.seen.times(f"p:{path}")) for path in paths}
    assert seen == {"/demo/cart": 8, "/demo/shipping": 4, "/demo/checkout": 4, "/demo/thanks": 4}
    assert [step.label for step in demo.session.journey].count("offline") == 1
