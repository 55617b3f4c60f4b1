"""The beacon in a real browser: what the other end of the protocol receives, whatever the link does."""

from __future__ import annotations

from typing import Any

import pytest

from router.core import events as ev
from router.core import protocol as wire
from tests.browser.conftest import Shopper
from tests.browser.pages import SCRIPT, stored, track, tracked, visit, welcomed
from tests.browser.peer import Peer, route_of
from tests.waiting import until, until_async

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


# --- identity ----------------------------------------------------------------------------------------------


async def test_the_first_page_begins_a_session_and_the_next_one_goes_on_with_it(
    peer: Peer, shopper: Shopper
) -> None:
    """The address names the hash of the session, hello the token, the visitor and the page before."""
    await visit(peer, shopper.page, "/bare/first")
    await visit(peer, shopper.page, "/bare/second")
    await until(lambda: len(peer.of(ev.Page)) == 2)
    (first_route, first), (second_route, second) = peer.hellos
    assert (first_route, first.token, first.visitor, first.previous) == ("new", None, None, None)
    assert first.language == "ja" and not first.no_ui
    assert second.token is not None and second_route == route_of(second.token)
    assert second.visitor and second.previous == first.page
    assert [event.path for event in peer.of(ev.Page)] == ["/bare/first", "/bare/second"]
    assert len(peer.sessions) == 1


async def test_the_token_is_a_session_cookie_that_all_tabs_share(peer: Peer, shopper: Shopper) -> None:
    """Two tabs are two pages of one session, each with its own numbers."""
    await visit(peer, shopper.page)
    other = await shopper.tab()
    await visit(peer, other)
    await track(shopper.page, "a1", "a2")
    await track(other, "b1", "b2")
    await until(lambda: len(tracked(peer)) == 4)
    assert len(peer.sessions) == 1 and len({hello.page for _, hello in peer.hellos}) == 2
    assert peer.lines_hold()
    (cookie,) = await shopper.context.cookies()
    assert (cookie["name"], cookie["sameSite"], cookie["expires"]) == ("router_s", "Lax", -1)


async def test_a_token_that_was_tampered_with_is_not_even_sent(peer: Peer, shopper: Shopper) -> None:
    """Otherwise the service would refuse this browser for as long as it keeps the cookie."""
    await shopper.context.add_cookies([{"name": "router_s", "value": "S.other.x.y", "url": peer.url}])
    await visit(peer, shopper.page)
    assert peer.hellos[0][1].token is None


# --- every event once --------------------------------------------------------------------------------------


async def test_twenty_quick_navigations_lose_and_double_nothing(peer: Peer, shopper: Shopper) -> None:
    """Each page reports itself and one more thing; the next page sends what the last one could not."""
    peer.head = SCRIPT
    for n in range(20):
        await shopper.page.goto(f"{peer.url}/bare/{n}", wait_until="load")
        await track(shopper.page, f"seen {n}")
    await welcomed(shopper.page)
    await until(lambda: len(tracked(peer)) == 20 and len(peer.of(ev.Page)) == 20)
    assert sorted(tracked(peer)) == sorted(f"seen {n}" for n in range(20))
    assert peer.lines_hold()


async def test_what_happens_offline_arrives_when_the_line_is_back(peer: Peer, shopper: Shopper) -> None:
    """In order, once, with its age."""
    await visit(peer, shopper.page)
    await shopper.context.set_offline(True)
    await peer.close(1012)
    await track(shopper.page, "one", "two", "three")
    await shopper.context.set_offline(False)
    await until(lambda: len(tracked(peer)) == 3)
    assert tracked(peer) == ["one", "two", "three"]
    assert peer.lines_hold()


async def test_a_lost_batch_is_asked_for_and_sent_again(peer: Peer, shopper: Shopper) -> None:
    """The service answers the hole with the number it wants."""
    await visit(peer, shopper.page)
    await until(lambda: peer.of(ev.Page))
    peer.losing = 1
    await track(shopper.page, "lost")
    await until(lambda: not peer.losing)
    await track(shopper.page, "next")
    await until(lambda: len(tracked(peer)) == 2)
    assert tracked(peer) == ["lost", "next"]
    assert peer.lines_hold()


async def test_after_a_reconnect_only_what_is_not_stored_is_sent(peer: Peer, shopper: Shopper) -> None:
    """An ack that was lost with its socket is made good by the marks of welcome."""
    await visit(peer, shopper.page)
    peer.answering = False
    await track(shopper.page, "stored")
    await until(lambda: tracked(peer))
    peer.answering = True
    await peer.close(4105)
    await until(lambda: len(peer.hellos) == 2)
    seen = len(peer.said(wire.Batch))
    await track(shopper.page, "new")
    await until(lambda: len(tracked(peer)) == 2)
    again = [event for batch in peer.said(wire.Batch)[seen:] for event in batch.events]
    assert [event.id for event in again if isinstance(event, ev.ItemList)] == ["new"]


async def test_after_a_reconnect_the_page_says_again_that_it_is_looked_at(
    peer: Peer, shopper: Shopper
) -> None:
    """With the socket the service took the page for hidden; silences would stand still for ever."""
    await visit(peer, shopper.page)
    await until(lambda: peer.said(wire.Batch))
    before = len(peer.said(wire.Batch))
    await peer.close(4105)
    later = await until(lambda: peer.said(wire.Batch)[before:])
    dwell = [event for batch in later for event in batch.events if isinstance(event, ev.Dwell)]
    assert dwell and dwell[-1].state == ev.FOCUSED


async def test_a_duplicated_tab_doubles_nothing(peer: Peer, shopper: Shopper) -> None:
    """It holds a copy of what was not yet acknowledged; both may send it."""
    await visit(peer, shopper.page)
    peer.answering = False
    await track(shopper.page, "once")
    await until(lambda: tracked(peer))
    async with shopper.context.expect_page() as opening:
        await shopper.page.evaluate("() => { window.open('/bare/copy'); }")
    copy = await opening.value
    await copy.wait_for_load_state()
    kept = (await stored(copy))["session"]
    assert any("once" in value for value in kept.values())
    peer.answering = True
    await peer.close(4105)
    await welcomed(copy)
    await until(lambda: len(peer.of(ev.Page)) == 2)
    await until(lambda: len(peer.said(wire.Batch)) >= 3)
    assert tracked(peer) == ["once"] and peer.lines_hold()


async def test_the_last_batch_is_posted_and_folded_once(peer: Peer, shopper: Shopper) -> None:
    """The socket has it too; the numbers tell that it is the same."""
    await visit(peer, shopper.page, "/bare/left")
    await until(lambda: peer.of(ev.Page))
    await visit(peer, shopper.page, "/bare/next")
    await until(lambda: peer.farewells)
    last = peer.farewells[0].batch.events[-1]
    assert isinstance(last, ev.Dwell) and last.state == ev.HIDDEN
    await until(lambda: len(peer.of(ev.Page)) == 2)
    assert len([event for event in peer.of(ev.Dwell) if event.state == ev.HIDDEN]) == 1
    assert peer.lines_hold()


async def test_a_page_that_a_new_session_does_not_know_begins_again(peer: Peer, shopper: Shopper) -> None:
    """The session was over: the page gets a new id, says first where it is, and what waited is not lost."""
    await visit(peer, shopper.page, "/bare/here")
    await track(shopper.page, "before")
    await until(lambda: tracked(peer))
    await until(lambda: peer.sessions)
    peer.sessions.clear()
    peer.answering = False
    await track(shopper.page, "after")
    await until(lambda: len(peer.said(wire.Batch)) >= 2)
    peer.answering = True
    peer.sessions.clear()
    peer.received.clear()
    await peer.close(1012)
    await until(lambda: "after" in tracked(peer))
    assert peer.kinds() == ["Page", "ItemList"] and peer.of(ev.Page)[0].path == "/bare/here"
    assert peer.hellos[-1][1].page != peer.hellos[0][1].page
    assert peer.lines_hold()


async def test_a_long_line_goes_out_in_frames_that_the_service_takes(peer: Peer, shopper: Shopper) -> None:
    """At most 64 events and 32 KiB a frame, at most 256 on their way."""
    await visit(peer, shopper.page)
    peer.answering = False
    await shopper.page.evaluate(
        "() => { for (let n = 0; n < 400; n++) router.track('search', {terms: '\u8336'.repeat(200) + n}); }"
    )
    await until(lambda: len(peer.of(ev.Search)) >= 200)
    assert len(peer.of(ev.Search)) <= 256
    peer.answering = True
    await peer.close(4105)
    await until(lambda: len(peer.of(ev.Search)) == 400)
    assert max(len(batch.events) for batch in peer.said(wire.Batch)) <= wire.MAX_EVENTS
    assert peer.lines_hold()


async def test_a_page_that_comes_back_from_the_cache_is_a_new_page(peer: Peer, shopper: Shopper) -> None:
    """It left with a farewell; now it is looked at once more, under an id of its own."""
    await visit(peer, shopper.page, "/bare/again")
    await until(lambda: peer.of(ev.Page))
    turn = "(name) => window.dispatchEvent(new PageTransitionEvent(name, {persisted: true}))"
    await shopper.page.evaluate(turn, "pagehide")
    await until(lambda: not peer.sockets and peer.farewells)
    await shopper.page.evaluate(turn, "pageshow")
    await until(lambda: len(peer.of(ev.Page)) == 2)
    first, second = (hello for _, hello in peer.hellos)
    assert second.page > first.page and second.previous == first.page
    assert peer.lines_hold()


# --- what a close code asks for ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [4000, 4005, 1003, 1009])
async def test_a_refused_page_stays_away(peer: Peer, shopper: Shopper, code: int) -> None:
    """Coming back as it is would not help; even a new line does not tempt it."""
    await visit(peer, shopper.page)
    await peer.close(code)
    await until(lambda: not peer.sockets)
    await shopper.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    await track(shopper.page, "waits")
    await visit(peer, shopper.page, "/bare/next")
    await until(lambda: len(peer.hellos) == 2)
    assert peer.hellos[1][1].page != peer.hellos[0][1].page


async def test_a_session_that_is_elsewhere_is_taken_again_by_the_tab_that_is_used(
    peer: Peer, shopper: Shopper
) -> None:
    """A tab that nobody touches leaves it where it is."""
    await visit(peer, shopper.page)
    other = await shopper.tab()
    await visit(peer, other, "/bare/other")
    for socket in list(peer.sockets):
        await socket.close(4100)
    await until(lambda: not peer.sockets)

    async def used() -> bool:  # the page may not have heard of the end yet
        await other.keyboard.press("Shift")
        return len(peer.hellos) == 3

    await until_async(used)
    await track(other, "here")
    await until(lambda: tracked(peer) == ["here"])
    assert peer.hellos[2][1].page == peer.hellos[1][1].page and len(peer.hellos) == 3


@pytest.mark.parametrize("code", [4101, 4105, 1006, 1012])
async def test_it_comes_back_as_the_same_session(peer: Peer, shopper: Shopper, code: int) -> None:
    """Fenced, restarting, or no reason at all."""
    await visit(peer, shopper.page)
    if code == 1006:
        peer.sockets[-1].scope["extensions"] = {}
        await peer.close(1000)
    else:
        await peer.close(code)
    await until(lambda: len(peer.hellos) == 2)
    first, second = (hello for _, hello in peer.hellos)
    assert second.page == first.page and second.token is not None


async def test_a_token_that_is_refused_is_dropped(peer: Peer, shopper: Shopper) -> None:
    """It comes back as somebody new, the visitor stays."""
    await visit(peer, shopper.page)
    await peer.close(4200)
    await until(lambda: len(peer.hellos) == 2)
    route, hello = peer.hellos[1]
    assert (route, hello.token) == ("new", None) and hello.visitor


# --- never in the page's way -------------------------------------------------------------------------------


async def test_no_frame_of_the_service_can_throw_into_the_page(peer: Peer, shopper: Shopper) -> None:
    """Rubbish, cut frames, unknown messages: the page hears nothing of it."""
    await visit(peer, shopper.page)
    await peer.send(b"\xc1", b"\x92\x02", b"\x91\xcc\xfa", b"\x01", b"")
    await peer.send(wire.encode([4, "decision-1", "unheard-of", {}, 1000]))
    await shopper.page.evaluate("() => fetch('/bare')")
    assert await shopper.page.evaluate("() => document.body.textContent") == "bare"


async def test_no_call_of_the_page_can_make_a_bad_frame(peer: Peer, shopper: Shopper) -> None:
    """Whatever a shop pushes is bounded, made to fit, or left out."""
    await visit(peer, shopper.page)
    odd: list[Any] = [
        None,
        7,
        "text",
        [],
        {},
        {"item": {}},
        {"id": "x" * 999, "count": -1},
        {"value": "1e99"},
        {"ms": 1e300},
    ]
    kinds = [
        "page",
        "list",
        "cart",
        "cart_add",
        "purchase",
        "payment",
        "dwell",
        "constructor",
        "toString",
        "",
    ]
    await shopper.page.evaluate(
        "([kinds, odd]) => kinds.forEach((kind) => odd.forEach((fields) => router.track(kind, fields)))",
        [kinds, odd],
    )
    entries: list[Any] = [
        None,
        1,
        {"event": "add_to_cart"},
        {"event": "view_cart", "ecommerce": {"items": [None, {}, 3]}},
        {"event": "purchase", "ecommerce": {"transaction_id": {}, "value": "x"}},
        {"event": "constructor"},
    ]
    await shopper.page.evaluate("(entries) => entries.forEach((entry) => dataLayer.push(entry))", entries)
    item = {"id": "\ud800" * 300, "name": "n" * 999, "price": "12.5", "quantity": "3"}
    cart = {"lines": 50, "quantity": 50, "currency": "jpy", "items": [item] * 50}
    await shopper.page.evaluate("(cart) => router.track('cart', cart)", cart)
    await track(shopper.page, "end")
    await until(lambda: "end" in tracked(peer))
    (told,) = [event for event in peer.of(ev.Cart) if event.lines == 50]
    assert told.currency == "JPY" and len(told.items) == 20 and told.items[0].price == 12.5
    assert peer.lines_hold()


async def test_a_fault_of_the_shops_own_listener_is_nobodys_trouble(peer: Peer, shopper: Shopper) -> None:
    """Three of them silence it; the events go on."""
    await visit(peer, shopper.page)
    await shopper.page.evaluate(
        "() => { window.calls = 0; router.on('list', () => { calls++; throw new Error('mine'); }); }"
    )
    await track(shopper.page, *"abcde")
    await until(lambda: len(tracked(peer)) == 5)
    assert await shopper.page.evaluate("() => window.calls") == 3


async def test_a_name_that_is_somebody_elses_stays_theirs(peer: Peer, shopper: Shopper) -> None:
    """The shop may have a `router` of its own."""
    peer.head = "<script>window.router = {mine: true}</script>" + SCRIPT
    await shopper.page.goto(peer.url + "/bare")
    await until(lambda: peer.of(ev.Page))
    assert await shopper.page.evaluate("() => router") == {"mine": True}


async def test_calls_made_before_the_script_came_are_made_good(peer: Peer, shopper: Shopper) -> None:
    """`window.router = [[...]]` in the page is a list of calls."""
    early = "<script>window.router = [['track', 'list', {id: 'early', count: 1}]]</script>"
    await visit(peer, shopper.page, head=early + SCRIPT + SCRIPT)
    await until(lambda: tracked(peer) == ["early"])
    assert len(peer.hellos) == 1
