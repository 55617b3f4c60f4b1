"""Chromium for all browser tests, shoppers' windows in it, and a peer that speaks the protocol as told."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.browser.peer import Peer, serving

SYSTEM = Path(os.environ.get("CHROMIUM") or "/usr/bin/chromium")
CHROMIUM = SYSTEM if SYSTEM.exists() else None
SHOTS = Path(__file__).parents[1] / "screenshots"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests of a module: $CHROMIUM, the system's, or Playwright's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        yield browser
        await browser.close()


class Shopper:
    """One visitor's browser: `page` is the first tab. Whatever goes wrong in a tab is noted in `faults`."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.faults: list[str] = []
        self.page: Page

    async def tab(self) -> Page:
        """Another tab of the same visitor."""
        return await self.context.new_page()

    def watch(self, page: Page) -> None:
        """Note what goes wrong in this page."""
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        unreached = "Failed to load resource" in message.text or "WebSocket connection to" in message.text
        if message.type == "error" and not unreached:
            self.faults.append(message.text)

    async def shoot(self, name: str) -> None:
        """Keep a picture for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png")


@contextlib.asynccontextmanager
async def visiting(chromium: Browser, **options: Any) -> AsyncIterator[Shopper]:
    """A new visitor with an empty browser; nothing may have gone wrong in any tab when it ends."""
    context = await chromium.new_context(
        **{"locale": "ja-JP", "viewport": {"width": 1280, "height": 800}, **options}
    )
    context.set_default_timeout(10_000)
    shopper = Shopper(context)
    context.on("page", shopper.watch)
    shopper.page = await shopper.tab()
    yield shopper
    await context.close()
    assert shopper.faults == []


@pytest_asyncio.fixture(loop_scope="module")
async def shopper(chromium: Browser) -> AsyncIterator[Shopper]:
    """A visitor at a desk."""
    async with visiting(chromium) as shopper:
        yield shopper


@pytest_asyncio.fixture(loop_scope="module")
async def peer() -> AsyncIterator[Peer]:
    """The other end of the protocol; it may have met no frame that the core refuses."""
    async with serving() as peer:
        yield peer
    assert peer.refused == []
