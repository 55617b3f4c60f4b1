"""What we cost a page and the people on it: no long task, no shift of its layout, and nothing that axe finds."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from router.core import events as ev
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import SCRIPT
from tests.browser.peer import STATIC, Peer, now
from tests.browser.talking import INVITE, arrive, line, say, show, talkative, ui
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE = STATIC / "node_modules" / "axe-core" / "axe.min.js"
SLOWER = 4
LONG_MS = 50
RUN = """async () => {
  const { violations } = await axe.run({ include: [['router-ui']] });
  return violations.map(({ id, nodes }) => [id, nodes[0].html]);
}"""
SETTLED = "(card) => Promise.all(card.getAnimations().map((animation) => animation.finished))"
WATCH = """
window.seen = { tasks: [], shift: 0 };
new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask', buffered: true });
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { seen.shift += entry.value; }))
  .observe({ type: 'layout-shift', buffered: true });
"""


async def findings(page: Page) -> list[Any]:
    """What axe finds wrong in our elements."""
    if not AXE.exists():
        pytest.skip("npm --prefix static ci brings axe")
    await page.add_script_tag(path=AXE)
    found: list[Any] = await page.evaluate(RUN)
    return found


async def test_axe_finds_nothing(peer: Peer, shopper: Shopper) -> None:
    lines = talkative(peer)
    await arrive(peer, shopper.page)
    await show(peer, "offer", did="decision-0", code="UTSUWA-7KMQ", expires_at_ms=now() + 60_000, terms="…")
    await until(lambda: peer.of(ev.Shown))
    await (
        ui(shopper.page)
        .locator(".card")
        .evaluate("(card) => Promise.all(card.getAnimations().map((a) => a.finished))")
    )
    assert await findings(shopper.page) == []
    await show(peer)
    await ui(shopper.page).get_by_text(INVITE["accept"]).click()
    await say(shopper, "こんにちは")
    await until(lambda: lines)
    await peer.send(line(2, "https://shop.example/a をどうぞ"))
    await expect(ui(shopper.page).locator(".lines a")).to_be_visible()
    assert await findings(shopper.page) == []


async def slow_visit(peer: Peer, chromium: Browser) -> tuple[list[float], float]:
    """A visit on a machine four times slower: the script, its connection, clicks, events, an invite. Returns the long
    tasks (ms) and how much the layout shifted.
    """
    async with visiting(chromium) as shopper:
        page = shopper.page
        await page.add_init_script(WATCH)
        session = await shopper.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        peer.received.clear()
        await page.goto(peer.url + "/bare/a")
        await until(lambda: peer.of(ev.Visit), within_s=20)
        for _ in range(20):
            await page.locator("button").click()
            await page.mouse.wheel(0, 300)
        await page.evaluate("for (let n = 0; n < 40; n++) router.track('list', { id: `l${n}`, count: n })")
        await until(lambda: len(peer.of(ev.ItemList)) == 40, within_s=20)
        await page.evaluate("scrollTo(0, 0)")
        await show(peer)
        await until(lambda: peer.of(ev.Shown), within_s=20)
        seen = await page.evaluate("seen")
        return [took for took in seen["tasks"] if took > LONG_MS], seen["shift"]


@pytest.mark.load
async def test_on_a_slow_machine_no_task_is_long_and_nothing_moves(peer: Peer, chromium: Browser) -> None:
    """Whatever else runs on this machine only adds: one visit of three has to show it."""
    peer.behaviour = True
    peer.head = SCRIPT
    peer.body = "<p>shop</p>" * 200 + "<button>buy</button>"
    visits = [await slow_visit(peer, chromium) for _ in range(3)]
    assert [shift for _, shift in visits] == [0, 0, 0]
    assert min(len(tasks) for tasks, _ in visits) == 0, visits
