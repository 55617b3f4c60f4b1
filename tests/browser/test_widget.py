"""The widget in a real browser: cards, and how all of it looks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper, visiting
from tests.browser.peer import Peer, now
from tests.browser.talking import (
    DID,
    INVITE,
    XSS,
    arrive,
    line,
    say,
    show,
    talkative,
    ui,
)  # fmt: skip
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

# The contrast of each text in the widget with what is painted behind it, the least first (WCAG 2, 1.4.3).
CONTRAST = """() => {
  const root = document.querySelector('router-ui').shadowRoot;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of root.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.disabled || element.closest('.quiet')) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.className || element.tagName]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""


# --- cards -------------------------------------------------------------------------------------------------


async def test_an_invite_is_drawn_said_politely_and_reported(peer: Peer, shopper: Shopper) -> None:
    """A named region; the live region was there before, empty; `shown` only when it stands."""
    await arrive(peer, shopper.page)
    await show(peer)
    card = ui(shopper.page).get_by_role("region", name=INVITE["title"])
    await expect(card.get_by_role("button", name=INVITE["accept"])).to_be_visible()
    await expect(ui(shopper.page).locator("[role=status].quiet")).to_have_text(
        f"{INVITE['title']} {INVITE['text']}"
    )
    await until(lambda: peer.of(ev.Shown))
    assert peer.of(ev.Shown)[0].decision == DID
    await shopper.shoot("widget-invite")


async def test_an_invite_takes_no_focus(peer: Peer, shopper: Shopper) -> None:
    """The field, its text and its caret stay the shopper's."""
    await arrive(peer, shopper.page)
    await shopper.page.evaluate("() => { document.body.innerHTML = '<input id=field value=abcdef>'; }")
    await shopper.page.evaluate("() => { field.focus(); field.setSelectionRange(2, 3); }")
    await show(peer)
    await until(lambda: peer.of(ev.Shown))
    focus = "() => [document.activeElement.id, field.selectionStart, field.selectionEnd]"
    assert await shopper.page.evaluate(focus) == ["field", 2, 3]
    await shopper.page.keyboard.press("Escape")
    await expect(ui(shopper.page).locator(".card")).to_be_visible()


async def test_escape_dismisses_only_from_within(peer: Peer, shopper: Shopper) -> None:
    """And it is no key of the shop's there."""
    await arrive(peer, shopper.page)
    await shopper.page.evaluate(
        "() => { window.keys = 0; document.addEventListener('keydown', () => keys++); }"
    )
    await show(peer)
    await ui(shopper.page).get_by_role("button", name=INVITE["dismiss"]).focus()
    await shopper.page.keyboard.press("Escape")
    await until(lambda: peer.of(ev.Dismissed))
    assert not peer.of(ev.Dismissed)[0].never
    await expect(ui(shopper.page).locator(".card")).to_have_count(0)
    assert await shopper.page.evaluate("() => keys") == 0


async def test_never_again_is_told(peer: Peer, shopper: Shopper) -> None:
    """The quiet third answer."""
    await arrive(peer, shopper.page)
    await show(peer)
    await ui(shopper.page).get_by_text("今後は表示しない").click()
    await until(lambda: peer.of(ev.Dismissed))
    assert peer.of(ev.Dismissed)[0].never


async def test_nothing_appears_while_the_shopper_types(peer: Peer, shopper: Shopper) -> None:
    """Nor for three seconds afterwards."""
    await shopper.page.clock.install()
    await arrive(peer, shopper.page)
    await show(peer, did="decision-0")
    await ui(shopper.page).get_by_text(INVITE["dismiss"]).click()
    await shopper.page.evaluate("() => { document.body.innerHTML = '<input id=field>'; field.focus(); }")
    await shopper.page.keyboard.type("12")
    await show(peer)
    await shopper.page.clock.run_for(2000)
    await shopper.page.keyboard.type("34")
    await shopper.page.clock.run_for(2000)
    assert await ui(shopper.page).locator(".card").count() == 0
    await shopper.page.clock.run_for(1500)
    await expect(ui(shopper.page).locator(".card")).to_be_visible()
    await until(lambda: len(peer.of(ev.Shown)) == 2)


async def test_drawn_again_it_makes_no_fuss(peer: Peer, shopper: Shopper) -> None:
    """No animation, no announcement."""
    await arrive(peer, shopper.page)
    await show(peer, again=True)
    await until(lambda: peer.of(ev.Shown))
    card = ui(shopper.page).locator(".card")
    assert await card.evaluate("(element) => getComputedStyle(element).animationName") == "none"
    await expect(ui(shopper.page).locator("[role=status].quiet")).to_be_empty()


async def test_a_retracted_card_is_gone_without_a_word(peer: Peer, shopper: Shopper) -> None:
    """Nobody dismissed it."""
    await arrive(peer, shopper.page)
    await show(peer)
    await until(lambda: peer.of(ev.Shown))
    await peer.send(wire.Retract(DID, "lapsed"))
    await expect(ui(shopper.page).locator(".card")).to_have_count(0)
    assert not peer.of(ev.Dismissed)


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("expired", ""),
        ("no_ui", ""),
    ],
)
async def test_what_cannot_be_drawn_is_deferred_with_a_reason(
    peer: Peer, shopper: Shopper, reason: str, body: str
) -> None:
    """Its time was over; the chunk does not load."""
    if reason == "no_ui":
        await shopper.page.route("**/widget.js*", lambda route: route.abort())
    await arrive(peer, shopper.page, body=body)
    await peer.send(wire.Show(DID, "invite", INVITE, 20_000 if reason != "expired" else 0))
    await until(lambda: peer.of(ev.Deferred))
    assert (peer.of(ev.Deferred)[0].decision, peer.of(ev.Deferred)[0].reason) == (DID, reason)
    assert not peer.of(ev.Shown)


async def test_it_waits_while_a_dialog_of_the_shop_is_open(peer: Peer, shopper: Shopper) -> None:
    """And says why, where that lasts too long."""
    await arrive(peer, shopper.page, body="<div aria-modal=true>pay</div>")
    await show(peer)
    await until(lambda: peer.hellos)
    await expect(shopper.page.locator("router-ui")).to_be_attached()
    await expect(ui(shopper.page).locator(".card")).to_have_count(0)
    await shopper.page.evaluate("document.querySelector('[aria-modal]').remove()")
    await expect(ui(shopper.page).locator(".card")).to_be_visible()
    await arrive(peer, shopper.page, "/bare/b", body="<div aria-modal=true>pay</div>")
    await peer.send(wire.Show("decision-2", "invite", INVITE, 700))
    await until(lambda: peer.of(ev.Deferred))
    assert (peer.of(ev.Deferred)[0].decision, peer.of(ev.Deferred)[0].reason) == ("decision-2", "modal")


async def test_there_is_no_room_on_a_tiny_screen(peer: Peer, chromium: Browser) -> None:
    """Better nothing than a card that covers everything."""
    async with visiting(chromium, viewport={"width": 240, "height": 240}) as shopper:
        await arrive(peer, shopper.page)
        await show(peer)
        await until(lambda: peer.of(ev.Deferred))
        assert peer.of(ev.Deferred)[0].reason == "no_room"


async def test_an_offer_shows_its_true_end_and_its_code_can_be_copied(peer: Peer, chromium: Browser) -> None:
    """By the service's clock; afterwards it says that it is over."""
    async with visiting(chromium, permissions=["clipboard-read", "clipboard-write"]) as shopper:
        await shopper.page.clock.install()
        await arrive(peer, shopper.page)
        await show(
            peer,
            "offer",
            code="UTSUWA-7KMQ",
            expires_at_ms=now() + 90_000,
            terms="一回限り",
            dismiss="閉じる",
        )
        card = ui(shopper.page).locator(".card")
        await expect(card.locator(".left")).to_have_text(re.compile(r"残り 1:[0-3]\d"))
        await card.get_by_role("button", name="コードをコピー").click()
        await expect(card.get_by_role("button", name="コピーしました")).to_be_visible()
        assert await shopper.page.evaluate("() => navigator.clipboard.readText()") == "UTSUWA-7KMQ"
        await until(lambda: peer.of(ev.Copied))
        await shopper.page.clock.run_for(95_000)
        await expect(card).to_contain_text("有効期限が切れました")
        await expect(card.get_by_role("button", name="コピーしました")).to_be_disabled()


async def test_an_article_is_a_link_to_the_web_and_to_nothing_else(peer: Peer, shopper: Shopper) -> None:
    """An address that would run something is not drawn."""
    await arrive(peer, shopper.page)
    await show(peer, "article", url="/demo/#sizes")
    link = ui(shopper.page).get_by_role("link")
    await expect(link).to_have_attribute("href", peer.url + "/demo/#sizes")
    await until(lambda: peer.of(ev.Shown))
    await show(peer, "article", did="decision-2", url="javascript:window.hacked='url'")
    await until(lambda: len(peer.of(ev.Shown)) == 2)
    await expect(ui(shopper.page).get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("kind", ["invite", "offer", "article"])
async def test_markup_in_a_decision_stays_text(peer: Peer, shopper: Shopper, kind: str) -> None:
    """Every field of every kind."""
    await arrive(peer, shopper.page)
    fields = ["title", "text", "accept", "dismiss", "agent", "code", "terms"]
    content: dict[str, Any] = {name: XSS.format(name) for name in fields} | {
        "url": "https://example.com/" + XSS.format("url")
    }
    await show(peer, kind, **content, expires_at_ms=now() + 60_000)
    await until(lambda: peer.of(ev.Shown))
    await expect(ui(shopper.page).locator(".card")).to_contain_text(XSS.format("title"))
    assert await ui(shopper.page).locator("img, script").count() == 0
    assert await shopper.page.evaluate("() => window.hacked") is None


# --- how it looks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
@pytest.mark.parametrize("width", [320, 375, 1280])
async def test_it_fits_is_readable_and_can_be_touched(
    peer: Peer, chromium: Browser, width: int, locale: str
) -> None:
    """Nothing scrolls sideways, targets are 44 px, contrast is 4.5, nothing moves where none is wanted."""
    async with visiting(
        chromium, viewport={"width": width, "height": 640}, locale=locale, reduced_motion="reduce"
    ) as shopper:
        lines = talkative(peer)
        await arrive(peer, shopper.page)
        await shopper.page.evaluate("(lang) => { document.documentElement.lang = lang; }", locale)
        await show(
            peer, "offer", did="decision-0", code="UTSUWA-7KMQ-X4TN", expires_at_ms=now() + 60_000, terms="…"
        )
        await until(lambda: peer.of(ev.Shown))
        await looks_right(shopper)
        await show(peer)
        await expect(ui(shopper.page).get_by_text(INVITE["accept"])).to_be_visible()
        animated = "(card) => getComputedStyle(card).animationName"
        assert await ui(shopper.page).locator(".card").evaluate(animated) == "none"
        await looks_right(shopper)
        await ui(shopper.page).get_by_text(INVITE["accept"]).click()
        await say(shopper, "long " * 60 + "x" * 120)
        await until(lambda: lines)
        await peer.send(line(2, "はい " * 40), wire.AgentTyping(DID, True))
        await looks_right(shopper)
        await shopper.shoot(f"widget-talk-{locale[:2]}-{width}")
        panel = await ui(shopper.page).locator(".panel").bounding_box()
        assert panel is not None and (panel["width"] == width if width <= 480 else panel["width"] < 420)
        size = "(box) => getComputedStyle(box).fontSize"
        assert await ui(shopper.page).get_by_role("textbox").evaluate(size) == "16px"


async def looks_right(shopper: Shopper) -> None:
    """What holds of everything that the widget draws."""
    await until_drawn(shopper.page)
    contrast = await shopper.page.evaluate(CONTRAST)
    assert contrast and contrast[0][0] >= 4.5, contrast[:3]
    for target in await ui(shopper.page).locator("button:visible, textarea:visible, a:visible").all():
        box = await target.bounding_box()
        assert box is not None and box["height"] >= 44 and box["width"] >= 44, await target.text_content()
    wide = "() => document.documentElement.scrollWidth <= innerWidth"
    assert await shopper.page.evaluate(wide)


async def until_drawn(page: Page) -> None:
    """Two frames on."""
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


async def test_the_shops_styles_do_not_reach_in(peer: Peer, shopper: Shopper) -> None:
    """Whatever a page does to every element."""
    hostile = """<style>
      * { display: block !important; font-size: 40px !important; color: red !important }
      router-ui { opacity: 0; display: none !important }
    </style>"""
    await arrive(peer, shopper.page, body=hostile)
    await show(peer)
    await until(lambda: peer.of(ev.Shown))
    card = ui(shopper.page).locator(".card")
    await expect(card).to_be_visible()
    assert await card.locator("p").first.evaluate("(text) => getComputedStyle(text).fontSize") == "15px"
