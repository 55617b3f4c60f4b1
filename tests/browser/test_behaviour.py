"""From a gesture in a real browser to the fact that a rule reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from router.core import events as ev
from router.core.facts import FACTS, sign_times
from router.core.rules.model import Leaving
from router.core.rules.predicates import build
from router.core.session import Session
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import SCRIPT, welcomed
from tests.browser.peer import Peer, now
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = """
  <button id="works" onclick="this.textContent += '!'">works</button>
  <button id="dead">dead</button>
  <p id="text">text</p>
  <form onsubmit="return false">
    <input id="mail" type="email"><input id="card" autocomplete="cc-number"><input id="pass" type="password">
  </form>
  <div style="height: 4000px">tall</div>
"""


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def behaviour(peer: Peer) -> AsyncIterator[None]:
    peer.behaviour = True
    yield
    peer.behaviour = False


async def open_page(peer: Peer, page: Page, path: str = "/bare", head: str = SCRIPT) -> None:
    """A page with things to do on it, watched."""
    peer.head, peer.body = head, BODY
    await page.goto(peer.url + path)
    await welcomed(page)
    await until(lambda: peer.of(ev.Visit))


async def after(peer: Peer, page: Page) -> None:
    """Wait until all that the page had to say before this has come."""
    await page.evaluate("router.track('list', {id: 'after', count: 1})")
    await until(lambda: peer.of(ev.ItemList))


def session(peer: Peer) -> Session:
    return next(reversed(peer.sessions.values()))


def fact(peer: Peer, name: str) -> Any:
    """What a rule would read now."""
    return FACTS[name].read(session(peer), now())


def count(peer: Peer, name: str) -> int:
    times, _ = sign_times(name)
    return len(times(session(peer), 1) or ())


def leaving(peer: Peer, kind: str) -> bool:
    return build(Leaving(kind)).test(session(peer), session(peer).exit_at)


async def test_scrolling_shows_how_much_of_the_page_was_seen(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    await until(lambda: (fact(peer, "scroll") or 0) > 0)
    first = fact(peer, "scroll")
    assert 0.1 < first < 0.4
    await shopper.page.mouse.wheel(0, 10_000)
    await until(lambda: fact(peer, "scroll") == 1)


async def test_the_pointer_that_leaves_at_the_top_is_a_sign(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    await shopper.page.mouse.move(300, 200)
    await shopper.page.evaluate(
        "document.documentElement.dispatchEvent(new MouseEvent('mouseleave', {clientX: 300, clientY: 700}))"
    )
    assert not peer.of(ev.Exit)
    await shopper.page.evaluate(
        "document.documentElement.dispatchEvent(new MouseEvent('mouseleave', {clientX: 300, clientY: -1}))"
    )
    await until(lambda: leaving(peer, "pointer"))


async def test_another_tab_is_a_sign_and_the_next_page_is_none(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    await shopper.page.goto(peer.url + "/bare/next")
    await welcomed(shopper.page)
    await after(peer, shopper.page)
    assert not peer.of(ev.Exit)
    await hide(shopper.page)
    await until(lambda: leaving(peer, "tab"))


async def hide(page: Page, state: str = "hidden") -> None:
    """As if another tab came to the front: headless Chromium keeps every tab visible."""
    await page.evaluate(
        """(state) => {
          Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        state,
    )


SCROLLED = "(y) => new Promise((seen) => { addEventListener('scroll', seen, {once: true}); scrollTo(0, y); })"


async def test_on_touch_a_fast_way_up_and_a_return_are_signs(peer: Peer, chromium: Browser) -> None:
    phone = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}
    async with visiting(chromium, **phone) as shopper:
        page = shopper.page
        await page.clock.install()
        await open_page(peer, page)
        assert fact(peer, "visit.device") == "phone"
        await page.evaluate(SCROLLED, 2000)
        await page.evaluate(SCROLLED, 0)
        await until(lambda: leaving(peer, "scroll"))
        await hide(page)
        await page.clock.run_for(1100)
        await hide(page, "visible")
        await until(lambda: leaving(peer, "return"))


async def test_angry_clicks_are_told_once_and_quiet_ones_not_at_all(peer: Peer, shopper: Shopper) -> None:
    await shopper.page.clock.install()
    await open_page(peer, shopper.page)
    for _ in range(5):
        await shopper.page.click("#text")
    await shopper.page.clock.run_for(1200)
    await until(lambda: count(peer, "friction.rage") == 1)
    assert [event.count for event in peer.of(ev.Rage)] == [5]
    await shopper.page.click("#text")
    await shopper.page.click("#works")
    await shopper.page.clock.run_for(1200)
    await after(peer, shopper.page)
    assert len(peer.of(ev.Rage)) == 1


async def test_a_click_after_which_nothing_happens_is_dead(peer: Peer, shopper: Shopper) -> None:
    await shopper.page.clock.install()
    await open_page(peer, shopper.page)
    await shopper.page.click("#works")
    await shopper.page.clock.run_for(1200)
    await shopper.page.click("#dead")
    await shopper.page.clock.run_for(1200)
    await until(lambda: count(peer, "friction.dead"))
    assert len(peer.of(ev.Dead)) == 1


async def test_a_struggle_with_a_field_is_told_without_what_was_written(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    page = shopper.page
    for field in ("#card", "#pass", "#mail"):
        await page.focus(field)
        await page.keyboard.type("secret", delay=20)
        await page.keyboard.press("Backspace")
        await page.keyboard.press("Backspace")
        await page.keyboard.type("x")
        await page.keyboard.press("Backspace")
    await page.locator("#mail").blur()
    await until(lambda: peer.of(ev.Struggle))
    (struggle,) = peer.of(ev.Struggle)
    assert (struggle.field, struggle.edits) == ("email", 2)
    assert fact(peer, "struggle.edits") == 2 and fact(peer, "struggle.time") > 0
    assert b"secre" not in b"".join(str(frame).encode() for frame in peer.frames)


async def pass_time(page: Page, seconds: int) -> None:
    """Second by second, so that acks come between: all at once the page would take its socket for dead."""
    for _ in range(seconds):
        await page.clock.run_for(1000)


async def test_half_a_minute_without_input_is_idleness_until_the_next(peer: Peer, shopper: Shopper) -> None:
    await shopper.page.clock.install()
    await open_page(peer, shopper.page)
    await pass_time(shopper.page, 29)
    assert not peer.of(ev.Idle)
    await pass_time(shopper.page, 33)  # a resting mouse may still send a move of its own
    await until(lambda: (fact(peer, "idle") or 0) >= 30_000)
    await shopper.page.mouse.move(100, 100)
    await until(lambda: fact(peer, "idle") is None)


async def test_errors_and_failed_requests_are_counted(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    await shopper.page.evaluate("() => { setTimeout(() => { throw new Error('secret') }) }")
    await shopper.page.evaluate("() => { Promise.reject(new Error('secret')) }")
    await shopper.page.evaluate("() => fetch('/nowhere').then(() => 0)")
    await until(lambda: count(peer, "friction.errors") == 2 and count(peer, "friction.requests") == 1)
    for _ in range(9):
        await shopper.page.evaluate("() => { setTimeout(() => { throw new Error('again') }) }")
    await after(peer, shopper.page)
    assert len(peer.of(ev.Trouble)) == 5  # a page view
    shopper.faults.clear()


async def test_a_visit_tells_where_it_came_from_once(peer: Peer, shopper: Shopper) -> None:
    path = "/bare?utm_source=mail&utm_medium=newsletter&utm_campaign=spring&secret=1"
    head = f'<meta name="router:country" content="JP">{SCRIPT}'
    await open_page(peer, shopper.page, path, head)
    told = [fact(peer, f"visit.{name}") for name in ("source", "medium", "campaign", "country", "device")]
    assert told == ["mail", "newsletter", "spring", "JP", "desktop"]
    assert fact(peer, "visit.landing") == "/bare"
    await shopper.page.goto(peer.url + "/bare/next")
    await welcomed(shopper.page)
    await after(peer, shopper.page)
    assert len(peer.of(ev.Visit)) == 1
    await shopper.page.goto(peer.url + "/bare?utm_campaign=summer")
    await until(lambda: fact(peer, "visit.campaign") == "summer")


async def test_what_a_shop_tracks_of_coupons_and_searches_is_counted(peer: Peer, shopper: Shopper) -> None:
    await open_page(peer, shopper.page)
    await shopper.page.evaluate(
        """() => {
          router.track('coupon', {code_hash: 'h', accepted: false});
          router.track('search', {results: 0});
        }"""
    )
    await until(lambda: count(peer, "search.empty") == 1)
    assert (count(peer, "coupon.refused"), count(peer, "coupon.tried"), count(peer, "search.count")) == (
        1,
        1,
        1,
    )


async def test_nothing_is_watched_before_consent_and_nothing_told_after_it_is_withdrawn(
    peer: Peer, shopper: Shopper
) -> None:
    asked: list[str] = []
    shopper.page.on("request", lambda request: asked.append(request.url))
    await shopper.page.clock.install()
    peer.head, peer.body = SCRIPT.replace("consent=granted", "consent=required"), BODY
    await shopper.page.goto(peer.url + "/bare")
    await shopper.page.click("#dead")
    await shopper.page.wait_for_function("() => window.router")
    assert not [url for url in asked if "behaviour" in url]
    await shopper.page.evaluate("router.consent(true)")
    await until(lambda: peer.of(ev.Visit))
    await shopper.page.evaluate("router.consent(false)")
    await until(lambda: not peer.sockets)
    before = len(peer.received)
    for _ in range(4):
        await shopper.page.click("#text")
    await shopper.page.clock.run_for(1200)
    await shopper.page.evaluate("router.consent(true)")
    await after(peer, shopper.page)
    assert not peer.of(ev.Rage), peer.received[before:]
