"""Decisions and conversations as a peer sends them, and what the shopper does with them."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper
from tests.browser.pages import SCRIPT
from tests.browser.peer import Peer, now
from tests.waiting import until

INVITE = {
    "title": "お手伝いしましょうか",
    "text": "何でもどうぞ。",
    "accept": "チャットで聞く",
    "dismiss": "今は大丈夫",
}
XSS = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"
DID = "decision-1"
SECRET = "s" * 22


def ui(page: Page) -> Locator:
    """Our element."""
    return page.locator("router-ui")


async def arrive(peer: Peer, page: Page, path: str = "/bare/a", body: str = "") -> None:
    """A bare page that was welcomed."""
    seen = len(peer.hellos)
    peer.head = SCRIPT + body
    await page.goto(peer.url + path)
    await until(lambda: len(peer.hellos) > seen and peer.sockets)


async def show(peer: Peer, kind: str = "invite", did: str = DID, again: bool = False, **more: Any) -> None:
    """Send a decision."""
    await peer.send(wire.Show(did, kind, INVITE | more, 20_000, again))


def line(
    offset: int, text: str, author: str = "agent", mid: str = "", name: str | None = "花"
) -> wire.Message:
    """A line of the conversation."""
    return wire.Message(DID, offset, author, mid or f"mid-{offset:04}", text, now(), name)


def talkative(peer: Peer) -> list[wire.Message]:
    """Let the peer keep a conversation as the service does: it begins at the accept, stores what is said
    once, and sends what a resume asks for. Answers the list of its lines.
    """
    lines: list[wire.Message] = []

    def state(secret: str | None = None) -> wire.Conversation:
        return wire.Conversation(DID, "active", "花", None, None, len(lines), secret)

    def answer(message: wire.ClientMessage) -> list[Any]:
        match message:
            case wire.Batch(events=events) if any(isinstance(event, ev.Accepted) for event in events):
                peer.talk = (DID, SECRET)
                return [state(SECRET)]
            case wire.Say(cid, mid, text):
                old = [each for each in lines if each.mid == mid]
                if not old:
                    lines.append(line(len(lines) + 1, text, "shopper", mid))
                echo = [] if old else [lines[-1]]
                return [*echo, wire.Stored(cid, mid, (old or lines[-1:])[0].offset)]
            case wire.Resume(_, secret, after):
                assert secret == SECRET
                return [state(), *lines[after:]]
        return []

    peer.on_message = answer
    return lines


async def accept(peer: Peer, shopper: Shopper) -> list[wire.Message]:
    """From the invite into an open chat."""
    lines = talkative(peer)
    await arrive(peer, shopper.page)
    await show(peer)
    await ui(shopper.page).get_by_text(INVITE["accept"]).click()
    await expect(ui(shopper.page).get_by_role("heading", name="花")).to_be_visible()
    return lines


async def say(shopper: Shopper, text: str) -> None:
    """Type and press Enter."""
    await ui(shopper.page).get_by_role("textbox").fill(text)
    await shopper.page.keyboard.press("Enter")


async def bubbles(page: Page) -> list[str]:
    """What stands in the chat, from the top."""
    return await ui(page).locator(".bubble-text, .system").all_text_contents()


async def spoken(page: Page) -> list[str]:
    """What people said in the chat, from the top."""
    return await ui(page).locator(".bubble-text").all_text_contents()
