"""Consent: who may say yes or no, what is kept at each answer, and what the service hears when it is withdrawn."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper, visiting
from tests.browser.pages import NOTICE, REQUIRED, SCRIPT, stored, track, tracked, visit, welcomed
from tests.browser.peer import Peer
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NOTHING: dict[str, Any] = {"cookie": "", "local": {}, "session": {}}
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });"


async def loaded(peer: Peer, page: Page, head: str, path: str = "/bare") -> None:
    """A page with the beacon and all that it fetches by itself; it may have no session."""
    peer.head = head
    await page.goto(peer.url + path, wait_until="networkidle")


# --- what is kept ------------------------------------------------------------------------------------------


async def test_with_a_notice_all_is_kept_for_the_tab_alone(peer: Peer, shopper: Shopper) -> None:
    await visit(peer, shopper.page, head=NOTICE)
    kept = await stored(shopper.page)
    assert (kept["cookie"], kept["local"]) == ("", {}) and "router_s" in kept["session"]
    await visit(peer, shopper.page, "/bare/next", NOTICE)
    other = await shopper.tab()
    await visit(peer, other, "/bare/other", NOTICE)
    assert [hello.visitor for _, hello in peer.hellos] == [None, None, None]
    assert len(peer.sessions) == 2, "the next page goes on, another tab is somebody else"


async def test_a_yes_after_a_notice_is_kept_for_the_browser_and_goes_on(peer: Peer, shopper: Shopper) -> None:
    await visit(peer, shopper.page, head=NOTICE)
    await shopper.page.evaluate("router.consent(true)")
    kept = await stored(shopper.page)
    assert kept["cookie"].startswith("router_s=S.demo.") and kept["local"]["router_v"].startswith("V.demo.")
    await track(shopper.page, "on")
    await until(lambda: tracked(peer) == ["on"])
    assert len(peer.hellos) == 1


async def test_the_cookie_is_the_whole_domains(peer: Peer, shopper: Shopper) -> None:
    """Of all hosts of a shop, and of the widest domain that the browser lets it be."""
    host = peer.url.replace("127.0.0.1", "www.eu.shop.localhost")
    peer.head = SCRIPT
    await shopper.page.goto(f"{host}/bare")
    await welcomed(shopper.page)
    (cookie,) = await shopper.context.cookies()
    assert (cookie["name"], cookie["domain"]) == ("router_s", ".shop.localhost")


async def test_a_withdrawal_erases_and_tells_the_service(peer: Peer, shopper: Shopper) -> None:
    await visit(peer, shopper.page)
    token = await shopper.page.evaluate("router.session()")
    await shopper.page.evaluate("router.consent(false)")
    await until(lambda: peer.withdrawals and not peer.sockets)
    (said,) = peer.withdrawals
    assert (said.site, said.token) == ("demo", token) and said.visitor is not None
    assert await stored(shopper.page) == NOTHING
    await track(shopper.page, "unheard")
    await shopper.page.evaluate("router.consent(true)")
    await until(lambda: len(peer.hellos) == 2)
    assert peer.hellos[1][1].token is None and peer.hellos[1][1].visitor is None
    await until(lambda: len(peer.of(ev.Page)) == 2)
    assert tracked(peer) == [], "what happened without consent is not told later"


# --- who says so -------------------------------------------------------------------------------------------


async def test_the_browsers_signal_is_a_no_that_only_the_shops_own_word_outweighs(
    peer: Peer, chromium: Browser
) -> None:
    async with visiting(chromium) as shopper:
        await shopper.context.add_init_script(GPC)
        await loaded(peer, shopper.page, SCRIPT)
        await shopper.page.evaluate("gtag = (...a) => (window.dataLayer = window.dataLayer || []).push(a)")
        await shopper.page.evaluate("gtag('consent', 'update', { analytics_storage: 'granted' })")
        await track(shopper.page, "unheard")
        assert not peer.hellos and await stored(shopper.page) == NOTHING
        await shopper.page.evaluate("router.consent(true)")
        await until(lambda: peer.of(ev.Page))
        assert tracked(peer) == []


MANAGERS = {
    "google": (
        "window.dataLayer = []; gtag = function () { dataLayer.push(arguments); };"
        "gtag('consent', 'default', { analytics_storage: 'denied' });",
        "gtag('consent', 'update', { analytics_storage: 'granted' })",
        "gtag('consent', 'update', { analytics_storage: 'denied' })",
    ),
    "tcf": (
        "tell = null; window.__tcfapi = (command, version, heard) => { tell = (more) => heard({ gdprApplies: true,"
        " eventStatus: 'useractioncomplete', ...more }, true); heard({ gdprApplies: true,"
        " eventStatus: 'cmpuishown', purpose: {} }, true); };",
        "tell({ purpose: { consents: { 1: true, 8: true } } })",
        "tell({ purpose: { consents: { 1: false, 8: true } } })",
    ),
    "shopify": (
        "window.answer = ''; window.Shopify = { customerPrivacy: { shouldShowBanner: () => !answer,"
        " currentVisitorConsent: () => ({ analytics: answer }),"
        " analyticsProcessingAllowed: () => answer === 'yes' } };",
        "answer = 'yes'; document.dispatchEvent(new Event('visitorConsentCollected'))",
        "answer = 'no'; document.dispatchEvent(new Event('visitorConsentCollected'))",
    ),
    "wordpress": (
        "window.wp_has_consent = () => false;",
        "document.dispatchEvent(new CustomEvent('wp_listen_for_consent_change', { detail: { statistics: 'allow' } }))",
        "document.dispatchEvent(new CustomEvent('wp_listen_for_consent_change', { detail: { statistics: 'deny' } }))",
    ),
}


@pytest.mark.parametrize("name", MANAGERS)
async def test_a_consent_manager_is_heard_without_code(peer: Peer, shopper: Shopper, name: str) -> None:
    """While it is open nothing happens; a yes begins with what waited, a no ends and erases it."""
    before, yes, no = MANAGERS[name]
    await loaded(peer, shopper.page, f"<script>{before}</script>{REQUIRED}")
    await track(shopper.page, "waited")
    assert not peer.hellos and await stored(shopper.page) == NOTHING
    await shopper.page.evaluate(f"() => {{ {yes} }}")
    await until(lambda: tracked(peer) == ["waited"])
    await shopper.page.evaluate(f"() => {{ {no} }}")
    await until(lambda: peer.withdrawals)
    assert await stored(shopper.page) == NOTHING


@pytest.mark.parametrize("name", MANAGERS)
async def test_a_managers_no_ends_what_a_notice_began(peer: Peer, shopper: Shopper, name: str) -> None:
    peer.behaviour = True
    before, yes, no = MANAGERS[name]
    await visit(peer, shopper.page, head=f"<script>{before}</script>{NOTICE}")
    await shopper.page.wait_for_load_state("networkidle")
    await shopper.page.evaluate(f"() => {{ {yes}; {no} }}")
    await until(lambda: peer.withdrawals and not peer.sockets)
    assert await stored(shopper.page) == NOTHING


async def test_the_shops_own_word_outweighs_a_manager(peer: Peer, shopper: Shopper) -> None:
    before, yes, _ = MANAGERS["google"]
    await loaded(peer, shopper.page, f"<script>{before}</script>{REQUIRED}")
    await shopper.page.evaluate("router.consent(false)")
    await shopper.page.evaluate(f"() => {{ {yes} }}")
    await track(shopper.page, "unheard")
    assert not peer.hellos and await stored(shopper.page) == NOTHING


# --- a person without consent ------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", [True, False])
async def test_who_has_not_agreed_still_reaches_a_person_and_nothing_is_kept(
    peer: Peer, shopper: Shopper, denied: bool
) -> None:
    """A chat in memory: no event is sent, no cookie set, and the next page knows nothing of it."""
    peer.body = '<a href="/help" data-router-chat="checkout-help">Chat</a>'
    peer.on_message = lambda message: (
        [wire.Conversation("chat-000001", "opened", secret="secret-of-chat")]
        if isinstance(message, wire.Ask)
        else []
    )
    await loaded(peer, shopper.page, REQUIRED)
    if denied:
        await shopper.page.evaluate("router.consent(false)")
    await track(shopper.page, "waits")
    await shopper.page.locator("a").click()
    await until(lambda: peer.said(wire.Ask))
    await shopper.page.locator("router-ui .panel textarea").wait_for()
    assert not peer.received and await stored(shopper.page) == NOTHING
    assert peer.hellos[0][1].token is None and peer.hellos[0][1].visitor is None
    await shopper.page.evaluate("router.consent(true)")
    await until(lambda: peer.of(ev.Page))
    assert tracked(peer) == ([] if denied else ["waits"])
    assert len(peer.hellos) == 1


# --- what is never told ------------------------------------------------------------------------------------


async def test_addresses_are_told_without_their_query_and_without_what_may_name_a_person(
    peer: Peer, shopper: Shopper
) -> None:
    page = shopper.page
    peer.head = SCRIPT
    await page.goto(f"{peer.url}/bare/u/hana@example.jp/x?mail=hana@example.jp#top")
    long = "a" * 61
    await page.goto(f"{peer.url}/bare/r/{long}/%E5%99%A8{'%E3%81%86' * 30}?token=1")
    await until(lambda: len(peer.of(ev.Page)) == 2)
    first, second = peer.of(ev.Page)
    assert first.path == "/bare/u/*/x"
    assert second.path.startswith("/bare/r/*/%E5%99%A8%E3%81%86")
    await visit(peer, page, "/bare/last")
    await until(lambda: len(peer.of(ev.Page)) == 3)
    for event in peer.of(ev.Page):
        assert "hana" not in str(event) and "token" not in str(event)
