"""An agent's window in a real browser, and the shoppers at the other end.

The shopper's side is the desk's own interface, so that a card can hold whatever a page may have sent.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from redis.asyncio import Redis

from router.core.chat import Line
from router.live.desk import Desk, new_secret
from router.store.agents import Agents

SHOTS = Path(__file__).parents[2] / "screenshots"
PASSWORD = "a long enough one"
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
        await agents.add("demo", "ren", "Ren", PASSWORD, queues=queues, languages=["en"], capacity=1)
        await agents.add("demo", "mana", "Mana", PASSWORD, queues=["style"], role="supervisor")
        agents.close()

    async def ring(self, cid: str, *, skills: Sequence[str] = (), **more: Any) -> None:
        """A shopper says yes to an invite."""
        state = await self.desk.accept(
            "demo", cid, new_secret(), "checkout-help", list(skills), "ja", card(**more)
        )
        self.secrets[cid] = state.secret

    async def says(self, cid: str, text: str, mid: str = "") -> None:
        """The shopper writes."""
        await self.desk.say("demo", cid, mid or f"mid-{time.monotonic_ns()}", "shopper", text)

    async def lines(self, cid: str, author: str = "agent") -> list[Line]:
        """What is stored of one author."""
        lines, _ = await self.desk.history("demo", cid, 0)
        return [line for line in lines if line.author == author]


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

    async def log_in(self, url: str, password: str = PASSWORD, login: str = "hana") -> None:
        """Fill in the form and send it."""
        await self.page.goto(f"{url}/agent/")
        await self.page.locator("[name=site]").fill("demo")
        await self.page.locator("[name=login]").fill(login)
        await self.page.locator("[name=password]").fill(password)
        await self.page.locator("form button").click()

    async def go_on_duty(self, url: str, login: str = "hana") -> None:
        """Log in and take chats."""
        await self.log_in(url, login=login)
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


async def talking(shop: Shop, seat: Seat, cid: str = "chat-0001", **more: Any) -> None:
    """An accepted conversation with an empty reply box."""
    await shop.ring(cid, **more)
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await seat.page.locator("#reply").fill("")


async def tab_to(seat: Seat, selector: str, key: str = "Tab") -> None:
    """Press the key until the focus is there; fails after thirty."""
    for _ in range(30):
        if await seat.page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        await seat.page.keyboard.press(key)
    raise AssertionError(f"the focus never came to {selector}")
