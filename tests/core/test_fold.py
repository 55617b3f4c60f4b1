"""What behaviour leaves in a session: signs of leaving, struggle, friction, where the visit came from."""

from __future__ import annotations

import msgspec

from router.core import events as ev
from router.core.fold import FOLDS, fold
from router.core.session import Session, admit

T = 1_700_000_000_000
P1, P2 = "0aaaaaaaa-page1-", "0aaaaaaab-page2-"
CUP = ev.Item("cup", "Cup", "tableware", price=3200.0)


def visit(*happened: ev.Event) -> Session:
    """A session on one page, after these events, a second apart."""
    session = Session("sid", "demo", "vid", "JPY", T, T)
    admit(session, P1)
    for second, event in enumerate(happened):
        fold(session, P1, event, T + second * 1000)
    return session


def test_every_event_has_a_fold() -> None:
    assert FOLDS.keys() == ev.NUMBERS.keys()


def test_scroll_keeps_the_deepest_point_of_this_page_view() -> None:
    session = visit(ev.Page(0, "home", "/"), ev.Scroll(0, 0.5), ev.Scroll(0, 0.25))
    assert session.pages[P1].scroll == 50
    fold(session, P1, ev.Page(0, "list", "/all"), T + 9000)
    assert session.pages[P1].scroll == 0


def test_a_struggle_is_that_of_the_field_that_took_longest() -> None:
    session = visit(ev.Struggle(0, "email", 9_000, 3), ev.Struggle(0, "tel", 4_000, 9))
    assert (session.pages[P1].struggle_ms, session.pages[P1].edits) == (9_000, 3)


def test_a_late_sign_of_leaving_does_not_hide_a_newer_one() -> None:
    session = visit(ev.Exit(0, "pointer"))
    admit(session, P2)
    fold(session, P2, ev.Exit(500, "tab"), T)
    assert (session.exit, session.exit_at) == ("pointer", T)


def test_idleness_counts_from_the_last_input_and_ends_with_the_next() -> None:
    session = visit(ev.Idle(0, 30_000))
    assert session.idle_since == T - 30_000
    fold(session, P1, ev.Idle(0, 0), T + 1000)
    assert session.idle_since == 0


def test_what_rules_count_is_noted_with_its_moment() -> None:
    session = visit(
        ev.Search(0, None, 3), ev.Search(0, None, 0), ev.Coupon(0, "h", False), ev.Coupon(0, "h", True),
        ev.Rage(0, 4), ev.Dead(0), ev.Trouble(0, "script"), ev.Trouble(0, "request"), ev.Product(0, CUP),
    )  # fmt: skip
    times = {name: [(at - T) // 1000 for at in session.signs.times(name)] for name in (
        "search", "search.empty", "coupon", "coupon.refused", "rage", "dead", "error.script", "error.request",
        "c:tableware",
    )}  # fmt: skip
    assert times == {
        "search": [0, 1], "search.empty": [1], "coupon": [2, 3], "coupon.refused": [2], "rage": [4], "dead": [5],
        "error.script": [6], "error.request": [7], "c:tableware": [8],
    }  # fmt: skip


def test_the_cart_knows_its_age_its_edits_and_what_was_taken_out() -> None:
    add, remove = ev.CartAdd(0, CUP, 3200.0, "JPY"), ev.CartRemove(0, CUP, 3200.0, "JPY")
    cart = visit(add, add, remove).cart
    assert (cart.since, cart.added, cart.edits, cart.removed) == (T, T + 1000, 3, 1)
    assert visit(add, remove).cart.since == 0
    assert visit(ev.Cart(0, 2, 2, 50.0, "JPY"), ev.Cart(0, 3, 3, 60.0, "JPY")).cart.since == T
    assert visit(ev.Cart(0, 2, 2, 50.0, "JPY"), ev.Cart(0, 0, 0, 0.0, "JPY")).cart.since == 0


def test_a_visit_knows_where_it_came_from() -> None:
    origin = visit(
        ev.Page(0, "list", "/sale", "https://search.example/q?x=1"),
        ev.Visit(0, "phone", "mail", None, "spring", "JP", 540),
        ev.Page(0, "home", "/", "/sale"),
    ).origin
    assert (origin.landing, origin.referrer, origin.zone) == ("/sale", "search.example", 540)
    assert (origin.device, origin.source, origin.medium, origin.campaign, origin.country) == (
        "phone", "mail", "", "spring", "JP",
    )  # fmt: skip


def test_the_checkout_knows_its_step_and_whether_payment_failed() -> None:
    session = visit(ev.CheckoutStep(0, 2), ev.CheckoutStep(0, 1), ev.Payment(0, None, "failed"))
    assert (session.step, session.payment) == (2, "failed")
    fold(session, P1, ev.Purchase(0, "o1"), T + 9000)
    assert (session.step, session.payment) == (0, "")


def test_a_session_of_an_older_form_is_still_read() -> None:
    """New fields are appended, so that a blob that was stored before an update goes on."""
    newer = msgspec.msgpack.decode(msgspec.msgpack.encode(visit(ev.Page(0, "home", "/"))))
    older = msgspec.msgpack.encode(newer[: Session.__struct_fields__.index("signs")])
    assert msgspec.msgpack.decode(older, type=Session).pages[P1].path == "/"
