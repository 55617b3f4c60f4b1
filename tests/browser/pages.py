"""Bare pages with the beacon, and what tests do in them."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from router.core import events as ev
from tests.browser.peer import Peer

# The shop says that it asked: all tabs of a browser are one session.
SCRIPT = '<script async src="/beacon.js?site=demo&consent=granted"></script>'

NOTICE = SCRIPT.replace("&consent=granted", "")
REQUIRED = SCRIPT.replace("granted", "required")


async def welcomed(page: Page) -> None:
    """Wait until the beacon of this page has a session, and follows the data layer."""
    await page.wait_for_function("() => window.router && router.session() && window.dataLayer")


async def visit(peer: Peer, page: Page, path: str = "/bare", head: str = SCRIPT) -> None:
    """Load a bare page with the beacon and wait until it was welcomed."""
    peer.head = head
    await page.goto(peer.url + path)
    await welcomed(page)


async def track(page: Page, *names: str) -> None:
    """Report a list view for each name: a small event that tests can tell apart."""
    for name in names:
        await page.evaluate("(id) => router.track('list', {id, count: 1})", name)


def tracked(peer: Peer) -> list[str]:
    """The names that arrived."""
    return [event.id for event in peer.of(ev.ItemList)]


async def stored(page: Page) -> dict[str, Any]:
    """Everything that the page keeps of ours."""
    kept: dict[str, Any] = await page.evaluate(
        "() => ({cookie: document.cookie, local: {...localStorage}, session: {...sessionStorage}})"
    )
    return kept
