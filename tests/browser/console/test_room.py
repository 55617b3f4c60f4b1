"""What an agent sees and does beside their own talks: who waits, who is there, and passing talks on."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console.seat import Seat, Shop, talking, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_talk_is_passed_to_a_colleague_with_a_note(shop: Shop, seat: Seat, chromium: Browser) -> None:
    async with window(chromium) as other:
        await other.go_on_duty(shop.url, "ren")
        await talking(shop, seat)
        await seat.page.locator("#reply").fill("One moment please.")
        await seat.page.locator("#reply").press("Enter")
        await seat.page.get_by_role("button", name="Transfer…").click()
        dialog = seat.page.locator("dialog")
        await expect(dialog.get_by_text("Ren")).to_be_visible()
        await dialog.locator(".primary").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Choose to whom it goes.")
        await dialog.get_by_text("Ren").click()
        await dialog.locator("textarea").fill("Asks about the blue plates. ギフト包装をご希望です。")
        await seat.shoot("transfer")
        await dialog.locator(".primary").click()
        await expect(seat.page.locator(".passing")).to_contain_text("Rings for Ren")
        ring = other.page.locator(".ring")
        await expect(ring).to_contain_text("Passed on by Hana")
        await expect(ring).to_contain_text("ギフト包装をご希望です。")
        await other.shoot("passed-on")
        await ring.locator(".primary").click()
        await expect(other.page.locator(".thread")).to_contain_text("One moment please.")
        await expect(other.page.locator(".context")).to_contain_text("A colleague passed it on to you.")
        await expect(seat.page.locator(".item.own")).to_have_count(0)
        await expect(seat.page.locator(".banner")).to_contain_text("no longer yours")


async def test_who_waits_is_taken_with_one_click(shop: Shop, seat: Seat) -> None:
    await seat.presence("away")
    await shop.ring("chat-0001")
    waiter = seat.page.locator(".waiter")
    await expect(waiter).to_contain_text("New shopper k7f2")
    await expect(waiter).to_contain_text("In the cart for 45 s without starting checkout")
    await expect(waiter.locator(".wait")).to_have_class("wait fine")
    await seat.shoot("waiting")
    await waiter.get_by_role("button", name="Take").click()
    await expect(seat.page.locator("#reply")).to_be_focused()
    await expect(waiter).to_have_count(0)
    await expect(seat.page.locator(".context")).to_contain_text("You took it.")


async def test_what_asks_for_another_language_cannot_be_taken(shop: Shop, chromium: Browser) -> None:
    async with window(chromium) as other:
        await other.log_in(shop.url, login="ren")
        await shop.ring("chat-0001", skills=["ja"])
        waiter = other.page.locator(".waiter")
        await expect(waiter).to_contain_text("asks for another language or skill")
        await expect(waiter.get_by_role("button")).to_have_count(0)


async def test_a_break_has_a_reason_that_colleagues_see(shop: Shop, seat: Seat, chromium: Browser) -> None:
    async with window(chromium) as other:
        await other.log_in(shop.url, login="ren")
        await seat.presence("break")
        await seat.page.get_by_label("What kind of break").select_option("lunch")
        await other.page.locator(".team summary").click()
        hana = other.page.locator(".colleague", has_text="Hana")
        await expect(hana).to_contain_text("Lunch")
        await seat.presence("available")
        await talking(shop, seat)
        await seat.presence("last_chat")
        await expect(hana).to_contain_text("Last chat")
        await expect(hana).to_contain_text("1 / 3")


async def test_a_supervisor_assigns_and_sets_presence(shop: Shop, seat: Seat, chromium: Browser) -> None:
    async with window(chromium) as other:
        await other.log_in(shop.url, login="mana")
        await other.page.locator(".team summary").click()
        hana = other.page.locator(".colleague", has_text="Hana")
        await hana.get_by_role("button", name="Set to away").click()
        await expect(seat.page.locator(".presence input[value=away]")).to_be_checked()
        await hana.get_by_role("button", name="Set to available").click()
        await expect(seat.page.locator(".presence input[value=available]")).to_be_checked()
        await shop.ring("chat-0001", skills=["fr"])  # nobody's: it waits
        await other.page.locator(".waiter").get_by_role("button", name="Assign…").click()
        await other.page.locator("dialog").get_by_text("Hana").click()
        await other.shoot("assign")
        await other.page.locator("dialog .primary").click()
        await expect(seat.page.locator(".ring")).to_be_visible()
        await seat.page.locator(".ring .primary").click()
        await expect(seat.page.locator(".context")).to_contain_text("A supervisor assigned it.")


async def test_an_agent_has_no_supervisors_buttons(shop: Shop, seat: Seat) -> None:
    await seat.presence("away")
    await shop.ring("chat-0001")
    await expect(seat.page.locator(".waiter")).to_be_visible()
    await expect(seat.page.get_by_role("button", name="Assign…")).to_have_count(0)
    await seat.page.locator(".team summary").click()
    await expect(seat.page.locator(".colleague")).to_have_count(3)
    await expect(seat.page.locator(".colleague button")).to_have_count(0)


async def test_a_supervisor_looks_into_a_talk_and_takes_it_over(
    shop: Shop, seat: Seat, chromium: Browser
) -> None:
    await talking(shop, seat)
    await seat.page.locator("#reply").fill("One moment please.")
    await seat.page.locator("#reply").press("Enter")
    await shop.says("chat-0001", "早くお願いします")
    async with window(chromium) as boss:
        await boss.log_in(shop.url, login="mana")
        await boss.page.locator(".team summary").click()
        await boss.page.get_by_role("button", name="1 open…").click()
        dialog = boss.page.locator("dialog")
        await expect(dialog.locator(".overlooked")).to_contain_text("早くお願いします")
        await expect(dialog).to_contain_text("Conversations of Hana")
        await boss.shoot("overlook")
        await dialog.get_by_role("button", name="Take over").click()
        await expect(boss.page.locator("#reply")).to_be_focused()
        await expect(boss.page.locator(".thread")).to_contain_text("One moment please.")
        await expect(boss.page.locator(".context")).to_contain_text("You took it.")
        await expect(seat.page.locator(".item.own")).to_have_count(0)
        await expect(seat.page.locator(".banner")).to_contain_text("no longer yours")


async def test_nobody_else_looks_into_a_colleagues_talks(shop: Shop, seat: Seat, chromium: Browser) -> None:
    await talking(shop, seat)
    async with window(chromium) as other:
        await other.log_in(shop.url, login="ren")
        await other.page.locator(".team summary").click()
        await expect(other.page.locator(".colleague", has_text="Hana")).to_contain_text("1 / 3")
        await expect(other.page.get_by_role("button", name="1 open…")).to_have_count(0)


async def test_abuse_is_warned_of_then_blocked_and_a_supervisor_lifts_it(
    shop: Shop, seat: Seat, chromium: Browser
) -> None:
    await talking(shop, seat)
    dialog = seat.page.locator("dialog")
    await seat.page.get_by_role("button", name="Abuse…").click()
    await dialog.get_by_role("button", name="Warn").click()
    await expect(dialog).to_have_count(0)
    await expect(seat.page.locator(".thread")).to_contain_text("The shopper was asked to stay polite")
    await seat.page.get_by_role("button", name="Abuse…").click()
    await dialog.get_by_role("button", name="End and block").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Say in a few words what happened.")
    await dialog.locator("textarea").fill("Insults, after a warning. 暴言が続いたため。")
    await seat.shoot("abuse")
    await dialog.get_by_role("button", name="End and block").click()
    await expect(seat.page.locator(".banner")).to_contain_text("blocked for 24 hours")
    await expect(seat.page.locator(".ended")).to_be_visible()
    async with window(chromium) as supervisor:
        await supervisor.log_in(shop.url, login="mana")
        await supervisor.page.locator(".team summary").click()
        await supervisor.page.get_by_role("button", name="Blocked shoppers…").click()
        listed = supervisor.page.locator("dialog .blocks li")
        await expect(listed).to_contain_text("暴言が続いたため。")
        await expect(listed).to_contain_text("by Hana")
        await supervisor.shoot("blocks")
        await listed.get_by_role("button", name="Lift").click()
        await expect(supervisor.page.locator("dialog")).to_contain_text("Nobody is blocked.")
