"""The agents' console in a real browser, on the real service: what an agent sees, types and may rely on.

The shopper's side is the desk's own interface, so that a card can hold whatever a page may have sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from redis.asyncio import Redis

from router.core.chat import Line
from router.live.clock import WallClock
from router.live.desk import Desk, new_secret
from router.settings import DEMO_SITES, Settings
from router.store.agents import Agents
from router.store.embedded import Embedded
from router.web.app import Service
from router.web.server import bind, make_server
from tests.waiting import until_async

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SHOTS = Path(__file__).parents[1] / "screenshots"
PASSWORD = "a long enough one"
XSS = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"
OPENING = {"ja": "いらっしゃいませ。お手伝いしましょうか。", "en": "Hello! May I help?"}


def card(**more: Any) -> dict[str, Any]:
    """A card as a shopper on the cart page makes it."""
    now = int(time.time() * 1000)
    usual: dict[str, Any] = {
        "who": {"returning": False, "language": "ja", "visitor": "k7f2"},
        "where": {"type": "cart", "path": "/demo/cart", "title": "カート — うつわ", "since_ms": now - 48_000},
        "product": {"id": "cup-01", "name": "粉引の湯呑み", "price": 3200.0},
        "cart": {
            "value": 11200.0, "currency": "JPY", "count": 3, "quantity": 4,
            "lines": [
                {"id": "cup-01", "name": "粉引の湯呑み", "quantity": 2, "price": 3200.0},
                {"id": "plate-02", "name": "藍染付の七寸皿", "quantity": 1, "price": 4800.0},
                {"id": "bowl-03", "name": "飯碗 白", "quantity": 1, "price": None},
            ],
        },
        "journey": [
            {"kind": "page", "at_ms": now - 300_000, "label": "/demo/"},
            {"kind": "product", "at_ms": now - 250_000, "label": "粉引の湯呑み"},
            {"kind": "cart_add", "at_ms": now - 200_000, "label": "粉引の湯呑み"},
            {"kind": "page", "at_ms": now - 48_000, "label": "/demo/cart"},
        ],
        "why": {
            "rule": "cart-wait",
            "ja": ["カートで45秒、購入手続きに進んでいません"],
            "en": ["In the cart for 45 s without starting checkout"],
        },
        "offered": [], "opening": OPENING, "language": "ja", "at_ms": now,
    }  # fmt: skip
    return usual | more


class Shop:
    """The service under test, and what shoppers do there."""

    def __init__(self, url: str, desk: Desk, redis: Redis) -> None:
        self.url = url
        self.desk = desk
        self.redis = redis
        self.secrets: dict[str, str] = {}

    async def fresh(self) -> None:
        """An empty store with one agent."""
        await self.redis.flushall()
        agents = Agents(self.redis, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        queues, languages = ["checkout-help", "style"], ["ja", "en"]
        await agents.add("demo", "hana", "Hana", PASSWORD, queues=queues, languages=languages)
        agents.close()

    async def ring(self, cid: str, **more: Any) -> None:
        """A shopper says yes to an invite."""
        state = await self.desk.accept("demo", cid, new_secret(), "checkout-help", [], "ja", card(**more))
        self.secrets[cid] = state.secret

    async def says(self, cid: str, text: str, mid: str = "") -> None:
        """The shopper writes."""
        await self.desk.say("demo", cid, mid or f"mid-{time.monotonic_ns()}", "shopper", text)

    async def lines(self, cid: str, author: str = "agent") -> list[Line]:
        """What is stored of one author."""
        lines, _ = await self.desk.history("demo", cid, 0)
        return [line for line in lines if line.author == author]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(valkey: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """The whole service on a free port of its own."""
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings(sites=DEMO_SITES, data=tmp_path_factory.mktemp("data"))
    service = Service(settings, valkey.url, b"x" * 32, WallClock(), url)
    server = make_server(service)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        assert not serving.done(), service.failure
        await asyncio.sleep(0.01)
    yield Shop(url, service.desk, service.redis)
    server.stop()
    await serving
    listening.close()


class Seat:
    """One browser window of the agent, and the wire below it."""

    def __init__(self, page: Page, context: BrowserContext) -> None:
        self.page = page
        self.context = context
        self.faults: list[str] = []
        self.sockets: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        self.swallow: Callable[[str], bool] = lambda frame: False

    async def wire(self) -> None:
        """Stand between the console and the service, and note what goes wrong in the page."""
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._noted)
        await self.page.route_web_socket(re.compile(r"/v1/agent\?"), self._between)

    def _noted(self, message: Any) -> None:
        expected = re.search(r"status of 40[14]", message.text)  # nobody is logged in yet; no demo
        if "Content Security Policy" in message.text or (message.type == "error" and not expected):
            self.faults.append(message.text)

    def _between(self, page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        self.sockets.append((page_side, server_side))

        def pass_on(frame: str | bytes) -> None:
            if not self.swallow(str(frame)):
                page_side.send(frame)

        server_side.on_message(pass_on)

    async def cut(self) -> None:
        """Both ends of the newest connection are gone."""
        for side in self.sockets[-1]:
            with contextlib.suppress(Exception):
                await side.close(code=4105)

    async def log_in(self, url: str, password: str = PASSWORD) -> None:
        """Fill in the form and send it."""
        await self.page.goto(f"{url}/agent/")
        await self.page.locator("[name=site]").fill("demo")
        await self.page.locator("[name=login]").fill("hana")
        await self.page.locator("[name=password]").fill(password)
        await self.page.locator("form button").click()

    async def go_on_duty(self, url: str) -> None:
        """Log in and take chats."""
        await self.log_in(url)
        await self.presence("available")

    async def presence(self, state: str) -> None:
        """Choose one and wait until the service has said so."""
        radio = self.page.locator(f".presence input[value={state}]")
        await expect(radio).to_be_enabled()
        if not await radio.is_checked():
            await self.page.locator(f".presence-{state}").click()
        await expect(radio).to_be_checked()

    async def bubbles(self) -> list[str]:
        """The thread's messages, from the top."""
        return await self.page.locator(".thread .bubble").all_text_contents()

    async def shoot(self, name: str) -> None:
        """Keep a picture for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"console-{name}.png")


@contextlib.asynccontextmanager
async def window(chromium: Browser, **options: Any) -> AsyncIterator[Seat]:
    """A new browser window; nothing may have gone wrong in it when it is closed."""
    usual = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    context = await chromium.new_context(**{**usual, **options})
    context.set_default_timeout(10_000)
    seat = Seat(await context.new_page(), context)
    await seat.wire()
    yield seat
    await context.close()
    assert seat.faults == []


@pytest_asyncio.fixture(loop_scope="module")
async def shop(service: Shop) -> Shop:
    """The service with an empty store and one agent."""
    await service.fresh()
    return service


@pytest_asyncio.fixture(loop_scope="module")
async def seat(shop: Shop, chromium: Browser) -> AsyncIterator[Seat]:
    """The agent's window, on duty."""
    async with window(chromium) as seat:
        await seat.go_on_duty(shop.url)
        yield seat


async def talking(shop: Shop, seat: Seat, cid: str = "chat-0001", **more: Any) -> None:
    """An accepted conversation with an empty reply box."""
    await shop.ring(cid, **more)
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await seat.page.locator("#reply").fill("")


# --- logging in -------------------------------------------------------------------------------------------


async def test_a_wrong_password_is_said_in_one_sentence_and_the_right_one_opens_the_console(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium) as seat:
        await seat.log_in(shop.url, "not the password")
        await expect(seat.page.get_by_role("alert")).to_contain_text("Check them and try again")
        await expect(seat.page.locator("[name=password]")).to_be_focused()
        await seat.shoot("login-wrong")
        await seat.page.keyboard.type(PASSWORD)
        await seat.page.keyboard.press("Enter")
        await expect(seat.page.locator(".presence input[value=available]")).to_be_enabled()
        await seat.presence("available")
        await expect(seat.page.locator(".talk .empty")).to_contain_text("it rings here")
        await seat.shoot("empty")


async def test_logging_out_leaves_no_way_back_in(shop: Shop, seat: Seat) -> None:
    await seat.page.get_by_role("button", name="Log out").click()
    await expect(seat.page.locator("[name=password]")).to_be_visible()
    await seat.page.reload()
    await expect(seat.page.locator("[name=password]")).to_have_value("")


# --- a ring -----------------------------------------------------------------------------------------------


async def test_a_ring_shows_who_where_cart_journey_and_why(shop: Shop, seat: Seat) -> None:
    await shop.ring("chat-0001")
    ring = seat.page.locator(".ring")
    for text in (
        "New shopper k7f2", "Checkout help", "Japanese", "/demo/cart", "カート — うつわ", "¥11,200",
        "4 items", "藍染付の七寸皿", "Added to cart", "In the cart for 45 s without starting checkout",
        "nothing yet",
    ):  # fmt: skip
        await expect(ring).to_contain_text(text)
    await expect(ring.locator(".lines li").nth(2)).to_contain_text("unknown")
    await expect(ring.locator(".ring-left")).to_have_text(re.compile(r"^(20|19|18) s left$"))
    await expect(seat.page).to_have_title(re.compile(r"^\(1\) "))
    await seat.shoot("ringing")


async def test_what_is_not_known_is_said_to_be_unknown(shop: Shop, seat: Seat) -> None:
    nothing = dict.fromkeys(card(), None)
    await shop.ring("chat-0001", **nothing)
    ring = seat.page.locator(".ring")
    await expect(ring.locator("h2")).to_have_text("Shopper")
    await expect(ring.locator(".unknown")).to_have_count(7)
    await ring.locator(".primary").click()
    await expect(seat.page.locator("#reply")).to_have_value("")


async def test_a_ring_takes_neither_focus_nor_caret_from_a_reply(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("Half a sen")
    await shop.ring("chat-0002", language="en")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await seat.page.keyboard.type("tence, and a ring")  # holds the accepting key: it is only a letter here
    await expect(seat.page.locator("#reply")).to_have_value("Half a sentence, and a ring")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await seat.shoot("ring-while-talking")
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator("#reply")).to_have_value(OPENING["en"])
    await seat.page.locator(".item.own").first.click()
    await expect(seat.page.locator("#reply")).to_have_value("Half a sentence, and a ring")


async def test_accepting_puts_the_caret_on_the_suggested_line_which_the_first_letter_replaces(
    shop: Shop, seat: Seat
) -> None:
    await shop.ring("chat-0001")
    await expect(seat.page.locator(".ring")).to_be_visible()
    await seat.page.keyboard.press("a")
    await expect(seat.page.locator("#reply")).to_be_focused()
    await expect(seat.page.locator("#reply")).to_have_value(OPENING["ja"])
    await seat.shoot("accepted")
    await seat.page.keyboard.type("Welcome")
    await expect(seat.page.locator("#reply")).to_have_value("Welcome")


async def test_a_declined_ring_is_gone(shop: Shop, seat: Seat) -> None:
    await shop.ring("chat-0001")
    await seat.page.get_by_role("button", name="Decline").click()
    await expect(seat.page.locator(".ring")).to_have_count(0)
    await expect(seat.page.locator(".item")).to_have_count(0)


# --- the thread -------------------------------------------------------------------------------------------


async def test_enter_sends_shift_enter_breaks_the_line_and_an_input_method_keeps_its_enter(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    reply = seat.page.locator("#reply")
    await seat.page.keyboard.type("one")
    await seat.page.keyboard.press("Shift+Enter")
    await seat.page.keyboard.type("two")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        await reply.dispatch_event("keydown", {"key": "Enter", "cancelable": True, **composing})
    await expect(reply).to_have_value("one\ntwo")
    await seat.page.keyboard.press("Enter")
    await expect(reply).to_have_value("")
    await until_async(lambda: shop.lines("chat-0001"))
    assert [line.text for line in await shop.lines("chat-0001")] == ["one\ntwo"]
    await expect(seat.page.locator(".thread .bubble")).to_have_text(["one\ntwo"])


async def test_every_line_stands_once_and_in_order_over_a_lost_answer_and_a_new_connection(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("first")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.own .under")).to_contain_text("Hana")
    seat.swallow = lambda frame: True  # stored, but the console never hears of it
    await seat.page.keyboard.type("second")
    await seat.page.keyboard.press("Enter")

    async def both_stored() -> bool:
        return len(await shop.lines("chat-0001")) == 2

    await until_async(both_stored)
    await expect(seat.page.locator(".line.sending")).to_have_count(1)
    await shop.says("chat-0001", "from the shopper")
    await seat.cut()
    seat.swallow = lambda frame: False
    await expect(seat.page.locator(".presence .offline, .presence input:checked")).to_have_count(1)
    await seat.page.keyboard.type("third")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".thread .bubble")).to_have_count(4)
    await expect(seat.page.locator(".line.sending")).to_have_count(0)
    assert await seat.bubbles() == ["first", "second", "from the shopper", "third"]
    assert [line.text for line in await shop.lines("chat-0001")] == ["first", "second", "third"]


async def test_while_the_connection_is_away_the_console_says_so_and_not_that_the_agent_is_available(
    shop: Shop, seat: Seat
) -> None:
    await talking(shop, seat)
    await seat.context.route("**/agent/api/ticket", lambda route: route.abort())
    await seat.cut()
    banner = seat.page.locator(".banner")
    await expect(banner).to_contain_text("What you write is kept")
    await expect(seat.page.locator(".presence input:checked")).to_have_count(0)
    await expect(seat.page.locator(".presence")).to_contain_text("Not connected")
    await seat.page.locator("#reply").fill("written meanwhile")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.sending")).to_contain_text("written meanwhile")
    await seat.shoot("reconnecting")
    await seat.context.unroute("**/agent/api/ticket")
    seat.faults.clear()  # the browser's own words about the requests that were cut off
    await until_async(lambda: shop.lines("chat-0001"), within_s=15)
    await expect(banner).to_have_count(0)
    await expect(seat.page.locator(".line.sending")).to_have_count(0)
    assert await seat.bubbles() == ["written meanwhile"]


async def test_a_refused_line_is_said_with_its_reason_and_can_be_discarded(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    seat.swallow = lambda frame: '"ok"' not in frame and '"error"' not in frame  # the end is not heard of yet
    await shop.desk.end("demo", "chat-0001")
    await seat.page.keyboard.type("are you still there?")
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".line.refused")).to_contain_text("Not sent.")
    await seat.shoot("refused")
    await seat.page.get_by_role("button", name="Discard").click()
    await expect(seat.page.locator(".thread .bubble")).to_have_count(0)
    assert await shop.lines("chat-0001") == []


async def test_a_reload_keeps_thread_draft_and_presence(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.keyboard.type("sent")
    await seat.page.keyboard.press("Enter")
    await until_async(lambda: shop.lines("chat-0001"))
    await shop.says("chat-0001", "answered")
    await expect(seat.page.locator(".thread .bubble")).to_have_count(2)
    await seat.page.keyboard.type("not yet sent")
    await seat.page.reload()
    await seat.page.locator(".item.own").click()
    await expect(seat.page.locator("#reply")).to_have_value("not yet sent")
    assert await seat.bubbles() == ["sent", "answered"]
    await expect(seat.page.locator(".presence input[value=available]")).to_be_checked()


async def test_unread_lines_are_counted_in_the_list_and_the_title(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat, "chat-0001")
    await talking(shop, seat, "chat-0002")
    await shop.says("chat-0001", "are you")
    await shop.says("chat-0001", "there?")
    await expect(seat.page.locator(".item.own .badge")).to_have_text("2")
    await expect(seat.page).to_have_title(re.compile(r"^\(2\) "))
    await seat.page.locator(".item.own").first.click()
    await expect(seat.page.locator(".item.own .badge")).to_have_count(0)
    await expect(seat.page).to_have_title(re.compile(r"^Router"))


async def test_typing_shows_and_goes_and_the_card_follows_the_shopper(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await shop.desk.typing("demo", "chat-0001", "shopper", True)
    await expect(seat.page.locator(".typing")).to_contain_text("typing")
    await shop.says("chat-0001", "done")
    await expect(seat.page.locator(".typing")).to_have_text("")
    where = {"type": "checkout", "path": "/demo/checkout", "title": None, "since_ms": int(time.time() * 1000)}
    await shop.desk.card("demo", "chat-0001", card(where=where))
    await expect(seat.page.locator(".context")).to_contain_text("/demo/checkout")
    await seat.shoot("talking")


# --- the end ----------------------------------------------------------------------------------------------


async def test_closing_needs_a_disposition_and_keeps_the_note(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await seat.page.locator("#note").fill("asked about shipping")
    await seat.page.get_by_role("button", name="Close…").click()
    dialog = seat.page.get_by_role("dialog")
    await expect(dialog.locator("[name=note]")).to_have_value("asked about shipping")
    await dialog.get_by_role("button", name="Close conversation").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Choose how it ended")
    await seat.shoot("close-dialog")
    await dialog.get_by_label("Question answered").check()
    await dialog.locator("[name=note]").fill("asked about shipping, answered")
    await dialog.get_by_role("button", name="Close conversation").click()
    await expect(dialog).to_have_count(0)
    await expect(seat.page.locator(".ended")).to_contain_text(re.compile(r"Wrap-up: 0:\d\d left"))
    await expect(seat.page.locator("#note")).to_have_value("asked about shipping, answered")
    await expect(seat.page.locator("#reply")).to_have_count(0)
    await seat.shoot("wrap-up")


async def test_the_shopper_may_end_it_and_the_agent_is_told(shop: Shop, seat: Seat) -> None:
    await talking(shop, seat)
    await shop.desk.end("demo", "chat-0001")
    await expect(seat.page.locator(".ended")).to_contain_text("How it ended is still missing")
    await seat.page.get_by_role("button", name="Say how it ended…").click()
    await seat.page.get_by_label("No reply").check()
    await seat.page.get_by_role("button", name="Close conversation").click()
    await expect(seat.page.get_by_role("dialog")).to_have_count(0)
    await expect(seat.page.locator(".ended")).not_to_contain_text("still missing")


# --- safety, languages, sizes, keys ------------------------------------------------------------------------


def hostile() -> dict[str, Any]:
    """A card with markup in every text."""

    def spoil(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inner, f"{name}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, f"{name}.{place}") for place, inner in enumerate(value)]
        return XSS.format(name) if isinstance(value, str) else value

    usual = card(offered=["x", {"kind": "offer", "title": "x"}])
    return {name: spoil(value, name) for name, value in usual.items()}


async def test_markup_in_any_text_stays_text(shop: Shop, seat: Seat) -> None:
    spoilt = hostile()
    await shop.ring("chat-0001", **spoilt)
    ring = seat.page.locator(".ring")
    await expect(ring).to_contain_text(XSS.format("where.title"))
    await seat.shoot("hostile")
    for name in ("cart.lines.0.name", "journey.0.label", "why.en.0", "who.visitor", "product.name"):
        await expect(ring).to_contain_text(XSS.format(name))
    await ring.locator(".primary").click()
    await shop.says("chat-0001", XSS.format("line"))
    await seat.page.locator("#reply").fill(XSS.format("reply"))
    await seat.page.keyboard.press("Enter")
    await expect(seat.page.locator(".thread .bubble")).to_have_text([XSS.format("line"), XSS.format("reply")])
    await expect(seat.page.locator(".context")).to_contain_text(XSS.format("journey.1.label"))
    assert await seat.page.evaluate("window.hacked") is None
    assert await seat.page.locator("#app img, #app script").count() == 0


async def test_the_console_speaks_japanese_to_a_japanese_browser_and_remembers_a_switch(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium, locale="ja-JP", color_scheme="dark") as seat:
        await seat.go_on_duty(shop.url)
        await expect(seat.page.locator("html")).to_have_attribute("lang", "ja")
        long = "とても長い商品名で折り返しの様子を確かめるための文字列です。" * 3
        await shop.ring("chat-0001", product={"id": "x", "name": long, "price": None})
        await expect(seat.page.locator(".ring")).to_contain_text("カートで45秒")
        await seat.shoot("ja-dark-ringing")
        await seat.page.get_by_role("button", name="応答する").first.click()
        await shop.says("chat-0001", "割れ物の包装について教えてください。" * 8)
        await expect(seat.page.locator(".thread .bubble")).to_have_count(1)
        await seat.shoot("ja-dark-talking")
        await seat.page.get_by_role("button", name="English").click()
        await seat.page.reload()
        await expect(seat.page.locator("html")).to_have_attribute("lang", "en")


async def test_at_a_phones_width_the_columns_are_tabs_and_nothing_scrolls_sideways(
    shop: Shop, chromium: Browser
) -> None:
    async with window(chromium, locale="ja-JP", viewport={"width": 375, "height": 740}) as seat:
        await seat.go_on_duty(shop.url)
        await shop.ring("chat-0001")
        await expect(seat.page.locator(".item.ringing")).to_be_visible()
        await seat.shoot("phone-ringing")
        await seat.page.get_by_role("button", name="詳細").click()
        await expect(seat.page.locator(".ring")).to_be_visible()
        await seat.shoot("phone-ring")
        await seat.page.locator(".ring .primary").click()
        await expect(seat.page.locator("#reply")).to_be_focused()
        await shop.says("chat-0001", "long" * 60)
        await expect(seat.page.locator(".thread .bubble")).to_have_count(1)
        await seat.shoot("phone-talk")
        await seat.page.get_by_role("button", name="お客様").click()
        await expect(seat.page.locator(".context .cart")).to_be_visible()
        await expect(seat.page.locator("#reply")).to_be_hidden()
        assert await seat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_everything_can_be_done_with_the_keyboard_alone(shop: Shop, chromium: Browser) -> None:
    async with window(chromium) as seat:
        keys = seat.page.keyboard
        await seat.page.goto(f"{shop.url}/agent/")
        await expect(seat.page.locator("[name=site]")).to_be_focused()
        for text in ("demo", "hana", PASSWORD):
            await keys.type(text)
            await keys.press("Tab")
        await keys.press("Enter")
        radio = seat.page.locator(".presence input[value=available]")
        await expect(radio).to_be_enabled()
        await tab_to(seat, ".presence input")
        await keys.press("Space")
        for _ in range(2):
            if not await radio.is_checked():
                await keys.press("ArrowLeft")
        await expect(radio).to_be_checked()
        await shop.ring("chat-0001")
        await expect(seat.page.locator(".ring")).to_be_visible()
        await keys.press("a")
        await expect(seat.page.locator("#reply")).to_be_focused()
        await keys.type("Hello")
        await keys.press("Enter")
        await expect(seat.page.locator(".thread .bubble")).to_have_text(["Hello"])
        await tab_to(seat, ".talk-head button", "Shift+Tab")
        await keys.press("Enter")
        await expect(seat.page.get_by_role("dialog")).to_be_visible()
        await keys.press("Escape")
        await expect(seat.page.get_by_role("dialog")).to_have_count(0)
        await expect(seat.page.locator(".talk-head button")).to_be_focused()
        await keys.press("Enter")
        await tab_to(seat, "dialog input")
        await keys.press("Space")
        await tab_to(seat, "dialog .primary")
        await keys.press("Enter")
        await expect(seat.page.locator(".ended")).to_be_visible()


async def tab_to(seat: Seat, selector: str, key: str = "Tab") -> None:
    """Press the key until the focus is there; fails after thirty."""
    for _ in range(30):
        if await seat.page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        await seat.page.keyboard.press(key)
    raise AssertionError(f"the focus never came to {selector}")
