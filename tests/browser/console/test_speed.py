"""Eight talks of 500 lines: what an agent types is on the screen at once, and a long shift does not fill the memory."""

from __future__ import annotations

import os

import pytest
from argon2 import PasswordHasher
from playwright.async_api import Browser, Page, expect

from router.store.agents import Agents
from tests.browser.console.seat import PASSWORD, Seat, Shop, window

pytestmark = [pytest.mark.browser, pytest.mark.load, pytest.mark.asyncio(loop_scope="module")]

TALKS = 8
LINES = 495  # of the 500, with room for the service's own
BOUND_MS = 50
SHIFT = int(
    os.environ.get("SHIFT_TALKS", "24")
)  # `make shift`: 200, eight hours of an agent with three at a time
TYPED = "Yes, it may go into the oven. "
WATCH = """
window.slow = [];
new PerformanceObserver((list) => slow.push(...list.getEntries().map(({ name, duration }) => [name, duration])))
  .observe({ type: 'event', durationThreshold: 16 });
"""


async def full_talk(shop: Shop, seat: Seat, n: int) -> None:
    """One more conversation with nearly as many lines as it can hold, accepted."""
    cid = f"chat-{n:04}"
    for k in range(LINES):
        text = f"{k}: 器の大きさと送料について教えてください。"
        await shop.desk._chats.append(cid, "shopper" if k % 2 else "agent", f"mid-{n}-{k:05}", text, "Hana")
    await shop.ring(cid)
    await seat.page.locator(".ring .primary").click()
    await expect(seat.page.locator(".item.own")).to_have_count(n + 1)


async def on_duty_for_many(shop: Shop, seat: Seat) -> None:
    """An agent who takes eight talks at a time, and has them."""
    agents = Agents(shop.redis, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    queues, languages = ["checkout-help"], ["ja", "en"]
    await agents.add("demo", "hana", "Hana", PASSWORD, queues=queues, languages=languages, capacity=TALKS)
    agents.close()
    await seat.go_on_duty(shop.url)
    for n in range(TALKS):
        await full_talk(shop, seat, n)


async def key_to_paint(page: Page, keys: int) -> list[float]:
    """From each key to the next paint (ms, in steps of 8, shortest first), by the browser's own event timing; what took
    less than 16 ms is 0.
    """
    slow: list[tuple[str, float]] = await page.evaluate("slow")
    took = sorted(took for name, took in slow if name == "keydown")
    return [0.0] * (keys - len(took)) + took


async def test_typing_is_painted_at_once_in_eight_talks_of_500_lines(shop: Shop, chromium: Browser) -> None:
    async with window(chromium) as seat:
        await seat.page.add_init_script(WATCH)
        await on_duty_for_many(shop, seat)
        await expect(seat.page.locator(".thread .bubble")).to_have_count(LINES)
        await seat.page.locator("#reply").fill("")
        await seat.page.evaluate("slow.length = 0")
        for n in range(TALKS):
            await shop.says(f"chat-{n:04}", "ありがとうございます")
            await seat.page.keyboard.type(TYPED, delay=20)
        took = await key_to_paint(seat.page, TALKS * len(TYPED))
        assert took[int(len(took) * 0.99)] <= BOUND_MS, f"from a key to the paint: {took[-5:]} ms"


async def shift(shop: Shop, seat: Seat, begin: int, end: int) -> None:
    """Talks that come, are had and end, one after the other."""
    routing = shop.desk._routing
    for n in range(begin, end):
        cid = f"chat-{n:04}"
        await shop.ring(cid)
        await seat.page.locator(".ring .primary").click()
        for k in range(20):
            await shop.says(cid, f"{k}: 器の大きさと送料について教えてください。")
        await expect(seat.page.locator(".thread .bubble")).to_have_count(20)
        await seat.page.locator("#reply").fill("Delivery is free from 8,000 yen.")
        await seat.page.keyboard.press("Enter")
        await expect(seat.page.locator(".thread .own")).to_have_count(1)
        await shop.desk.end("demo", cid)
        await shop.desk._board.do("demo", routing.close("demo", "hana", cid, "answered", ""))
        await expect(seat.page.locator(".ended")).to_contain_text("closed")


async def heap(page: Page) -> float:
    """What the page holds after its garbage is gone, MB."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.enable")
    await session.send("HeapProfiler.collectGarbage")
    used = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return float(used["usedSize"]) / 1e6


async def test_a_shift_of_many_talks_leaves_no_memory_behind(shop: Shop, seat: Seat) -> None:
    await shift(shop, seat, 0, 8)
    before = await heap(seat.page)
    await shift(shop, seat, 8, SHIFT)
    grown = await heap(seat.page) - before
    print(f"{grown:+.2f} MB after {SHIFT - 8} talks")
    kept = await seat.page.evaluate("Object.keys(sessionStorage).length")
    assert grown < 1.0, f"{grown:.2f} MB more after {SHIFT - 8} talks"
    assert kept <= 1, "only the talk that is still shown"
