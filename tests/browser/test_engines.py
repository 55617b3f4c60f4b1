"""Firefox and WebKit: the beacon loads under a strict policy on a shop of another site, and its last batch arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.core import events as ev
from tests.browser import engines
from tests.browser.pages import tracked
from tests.browser.peer import Peer
from tests.browser.test_policy import TYPES, addresses
from tests.waiting import until, until_async

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ENGINES = {
    "firefox": (engines.firefox, engines.FIREFOX),
    "webkit": (engines.webkit, engines.WEBKIT and engines.XVFB and engines.MINI),
}


@pytest.mark.parametrize("name", ENGINES)
async def test_another_engine_loads_it_and_tells_all(peer: Peer, tmp_path: Path, name: str) -> None:
    start, there = ENGINES[name]
    if not there:
        pytest.skip(f"no {name} here; `make browser` installs it where it may")
    shop, service = addresses(peer)
    peer.behaviour = True
    reached = f"script-src http://{service}; connect-src http://{service} ws://{service}"
    peer.policy = f"default-src 'none'; {reached}; {TYPES}"
    peer.head = f'<script async src="http://{service}/beacon.js?site=demo&consent=granted"></script>'
    async with start(tmp_path) as window:
        await window.goto(f"{shop}/bare/a")

        async def welcomed() -> object:
            return await window.evaluate("!!(window.router && router.session())")

        await until_async(welcomed, within_s=20)
        await window.evaluate("router.track('list', {id: 'here', count: 1})")
        await until(lambda: tracked(peer) == ["here"] and bool(peer.of(ev.Page)))
        peer.answering = False
        await window.evaluate("router.track('list', {id: 'last', count: 1})")
        await window.goto(f"http://{service}/bare/elsewhere")
        await until(lambda: bool(peer.farewells))
        assert "last" in tracked(peer) and peer.lines_hold()
