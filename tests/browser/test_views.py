"""Pages that live and die in other ways than tabs do: prerendered, and in the browsers of LINE and Instagram."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser

from router.core import events as ev
from tests.browser.conftest import CHROMIUM, visiting
from tests.browser.engines import START_S, unwatched
from tests.browser.pages import SCRIPT, track, tracked, visit
from tests.browser.peer import Peer, now
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AHEAD = """
<script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/bare/next"]}]}</script>
<script>
async function follow() {
  const gate = await (await fetch('/bare/gate')).text();
  if (gate.includes('the gate ' + 'is open')) location.href = '/bare/next';
  else setTimeout(follow, 50);
}
if (document.prerendering) {
  fetch('/bare/prerendered');
  document.addEventListener('prerenderingchange', () => fetch('/bare/shown'));
} else if (location.pathname === '/bare/first') follow();
</script>
"""
UNSEEN_POLLS = 20  # a second or more in which the page ahead is not looked at
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}
VIEWS = {
    "line": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Safari Line/14.19.0",
    "instagram": "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/131.0.0.0 Mobile Safari/537.36 Instagram 360.0.0.0 Android",
}


async def test_a_prerendered_page_says_nothing_until_somebody_looks_at_it(
    peer: Peer, chromium: Browser, tmp_path: Path
) -> None:
    """What a browser fetches ahead is no page view; once it is shown, it is one like any other."""
    peer.head = SCRIPT + AHEAD
    program = CHROMIUM or Path(chromium.browser_type.executable_path)
    with unwatched(program, tmp_path, f"{peer.url}/bare/first"):
        await until(lambda: "/bare/prerendered" in peer.asked and peer.of(ev.Page), within_s=START_S)
        polled = peer.asked.count("/bare/gate")
        await until(lambda: peer.asked.count("/bare/gate") > polled + UNSEEN_POLLS, within_s=START_S)
        assert len(peer.hellos) == 1 and [event.path for event in peer.of(ev.Page)] == ["/bare/first"]
        opened = now()
        peer.body = "the gate is open"
        await until(lambda: "/bare/shown" in peer.asked and len(peer.of(ev.Page)) == 2)
    assert [event.path for event in peer.of(ev.Page)] == ["/bare/first", "/bare/next"]
    (session,) = peer.sessions.values()
    ahead = next(page for page in session.pages.values() if page.path == "/bare/next")
    assert ahead.viewed >= opened, "the view begins when somebody sees it"
    assert len(peer.hellos) == 2 and peer.lines_hold()


@pytest.mark.parametrize("view", VIEWS)
async def test_an_app_that_ends_its_browser_without_a_word_loses_nothing(
    peer: Peer, chromium: Browser, view: str
) -> None:
    """No event tells of the page's end; what was done was sent before, and the next page goes on with the session."""
    async with visiting(chromium, user_agent=VIEWS[view], **PHONE) as shopper:
        await visit(peer, shopper.page, "/bare/first")
        await track(shopper.page, "a", "b")
        await until(lambda: tracked(peer) == ["a", "b"])
        devtools = await shopper.context.new_cdp_session(shopper.page)
        ending = asyncio.create_task(devtools.send("Page.crash"))  # a page that is gone answers nothing
        await until(lambda: not peer.sockets)
        ending.cancel()
        assert not peer.farewells
        again = await shopper.tab()
        await visit(peer, again, "/bare/again")
        await track(again, "c")
        await until(lambda: tracked(peer) == ["a", "b", "c"])
        assert len(peer.sessions) == 1 and peer.lines_hold()
