"""The fold: what each event does to a session, whatever the order in which pages speak."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core import events as ev
from router.core.fold import fold
from router.core.session import (
    CAP_MS,
    CART_LINES,
    PAGES,
    TTL_MS,
    Session,
    admit,
    continues,
    dwell_page,
    dwell_site,
    expired,
    hide,
    is_visible,
    visible_clock,
)
from router.core.trail import JOURNEY, SEEN
from router.errors import Refused

T = 1_700_000_000_000
P1, P2 = "0aaaaaaaa-page1-", "0aaaaaaab-page2-"
CUP = ev.Item("cup", "Cup", price=3200.0)


def session(*pages: str) -> Session:
    new = Session("sid", "demo", "vid", "JPY", T, T)
    for page in pages or (P1,):
        admit(new, page)
    return new


def view(path: str = "/", kind: str = "other", age: int = 0) -> ev.Page:
    return ev.Page(age, kind, path)


class TestTime:
    def test_an_events_time_is_receipt_minus_age(self) -> None:
        s = session()
        fold(s, P1, view(age=400), T)
        assert s.newest == T and s.pages[P1].last == T - 400

    def test_age_is_clamped_to_half_an_hour(self) -> None:
        s = session()
        fold(s, P1, view(age=10**9), T)
        assert s.pages[P1].last == T - 30 * 60_000

    def test_never_before_the_pages_previous_event(self) -> None:
        s = session()
        fold(s, P1, view(), T)
        fold(s, P1, view(age=5000), T + 10)
        assert s.pages[P1].last == T

    def test_a_late_event_of_another_page_does_not_rewind_the_session(self) -> None:
        s = session(P1, P2)
        fold(s, P1, ev.Cart(0, 1, 1, 100.0, "JPY"), T + 1000)
        fold(s, P2, ev.Cart(900, 1, 1, 100.0, "JPY"), T + 1000)
        assert s.newest == T + 1000 and s.last[7][0] == T + 1000

    def test_over_after_thirty_silent_minutes_or_a_day(self) -> None:
        s = session()
        assert not expired(s, T + TTL_MS) and expired(s, T + TTL_MS + 1)
        s.newest = T + CAP_MS
        assert expired(s, T + CAP_MS + 1)


class TestNumberLines:
    @pytest.mark.parametrize(
        ("mark", "first", "count", "expected"),
        [
            (0, 1, 3, (0, False)),
            (3, 1, 3, (3, False)),
            (3, 2, 4, (2, False)),
            (3, 5, 1, (0, True)),
            (9, 1, 2, (2, False)),
        ],
    )
    def test_a_batch_continues_repeats_or_leaves_a_gap(
        self, mark: int, first: int, count: int, expected: tuple[int, bool]
    ) -> None:
        s = session()
        s.pages[P1].mark = mark
        assert continues(s.pages[P1], first, count) == expected

    def test_sixteen_pages_are_remembered_and_older_ones_refused_by_name(self) -> None:
        ids = [f"0{n:08d}-random" for n in range(PAGES + 1)]
        s = session(*ids)
        assert set(s.pages) == set(ids[1:])
        with pytest.raises(Refused, match="page_forgotten"):
            admit(s, ids[0])
        with pytest.raises(Refused, match="page_forgotten"):
            admit(s, "00000000-older")

    def test_a_forgotten_page_that_was_visible_ends_the_visible_clock(self) -> None:
        s = session()
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T)
        for n in range(PAGES):
            admit(s, f"0bbbbbb{n:02d}-random")
        assert not is_visible(s)

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=30))
    def test_whatever_is_resent_each_event_is_folded_once_and_in_order(
        self, sends: list[tuple[int, int]]
    ) -> None:
        s = session()
        for back, count in sends:
            page = s.pages[P1]
            first = max(1, page.mark + 1 - back)
            skip, gap = continues(page, first, count)
            assert not gap
            for n in range(first + skip, first + count):
                assert n == page.mark + 1
                fold(s, P1, ev.Search(0, str(n), 0), T)
        assert s.events == s.pages[P1].mark


class TestAttention:
    def test_dwell_runs_only_while_focused(self) -> None:
        s = session()
        fold(s, P1, view(), T)
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T)
        assert dwell_page(s, T + 500) == 500
        fold(s, P1, ev.Dwell(0, 500, ev.VISIBLE), T + 500)
        assert dwell_page(s, T + 9000) == 500
        assert visible_clock(s, T + 9000) == 9000
        fold(s, P1, ev.Dwell(0, 500, ev.HIDDEN), T + 9000)
        assert visible_clock(s, T + 20_000) == 9000

    def test_what_the_page_measured_wins_but_not_beyond_the_page_view(self) -> None:
        s = session()
        fold(s, P1, view(), T)
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T)
        fold(s, P1, ev.Dwell(0, 10**7, ev.HIDDEN), T + 2000)
        assert dwell_page(s, T + 2000) == 2000

    def test_a_new_page_view_starts_page_dwell_anew_and_site_dwell_goes_on(self) -> None:
        s = session()
        fold(s, P1, view("/a"), T)
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T)
        fold(s, P1, view("/b"), T + 1000)
        assert dwell_page(s, T + 1500) == 500
        assert dwell_site(s, T + 1500) == 1500

    def test_two_visible_tabs_count_once_and_the_last_turned_to_is_current(self) -> None:
        s = session(P1, P2)
        fold(s, P1, view("/a"), T)
        fold(s, P1, ev.Dwell(0, 0, ev.VISIBLE), T)
        fold(s, P2, view("/b"), T)
        fold(s, P2, ev.Dwell(0, 0, ev.FOCUSED), T)
        assert s.current == P2 and visible_clock(s, T + 1000) == 1000
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T + 1000)
        assert s.current == P1

    def test_a_closed_socket_hides_the_page(self) -> None:
        s = session()
        fold(s, P1, view(), T)
        fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T)
        hide(s, P1, T + 700)
        assert dwell_page(s, T + 9000) == 700 and not is_visible(s)


class TestCart:
    def test_adds_and_removes_sum_up(self) -> None:
        s = session()
        fold(s, P1, ev.CartAdd(0, CUP, currency="JPY"), T)
        fold(s, P1, ev.CartAdd(0, ev.Item("bowl", price=1000.0, quantity=2), currency="JPY"), T)
        fold(s, P1, ev.CartRemove(0, ev.Item("bowl", price=1000.0), currency="JPY"), T)
        assert (s.cart.value, s.cart.quantity, s.cart.count) == (4200.0, 2, 2)
        fold(s, P1, ev.CartRemove(0, ev.Item("bowl", price=1000.0), currency="JPY"), T)
        assert (s.cart.value, s.cart.count, list(s.cart.lines)) == (3200.0, 1, ["cup"])

    def test_the_cart_as_a_whole_replaces_the_sum(self) -> None:
        s = session()
        fold(s, P1, ev.CartAdd(0, CUP, currency="JPY"), T)
        fold(s, P1, ev.Cart(0, 1, 5, 900.0, "JPY", [ev.Item("pen", price=180.0, quantity=5)]), T)
        assert (s.cart.value, s.cart.quantity, list(s.cart.lines)) == (900.0, 5, ["pen"])

    @pytest.mark.parametrize("event", [
        ev.CartAdd(0, CUP, currency="USD"), ev.CartAdd(0, CUP), ev.CartAdd(0, ev.Item("x"), currency="JPY"),
        ev.Cart(0, 1, 1, 20.0, "USD"), ev.Cart(0, 1, 1),
    ])  # fmt: skip
    def test_another_currency_or_no_price_makes_the_value_unknown(self, event: ev.Event) -> None:
        s = session()
        fold(s, P1, event, T)
        assert s.cart.value is None

    def test_a_purchase_empties_the_cart_and_ends_payment(self) -> None:
        s = session()
        fold(s, P1, ev.CartAdd(0, CUP, currency="JPY"), T)
        fold(s, P1, view("/pay", "payment"), T + 1)
        assert s.payment_since == T + 1
        fold(s, P1, ev.Purchase(0, "o-1"), T + 2)
        assert (s.cart.value, s.payment_since, s.purchased_at) == (0.0, 0, T + 2)

    def test_a_failed_payment_ends_the_payment(self) -> None:
        s = session()
        fold(s, P1, ev.Payment(0, "card", "started"), T)
        fold(s, P1, ev.Payment(0, "card", "failed"), T + 1)
        assert s.payment_since == 0


class TestBounds:
    def test_everything_a_session_remembers_is_bounded(self) -> None:
        s = session()
        for n in range(300):
            item = ev.Item(f"item-{n}", "n" * 200, price=1.0)
            fold(s, P1, view(f"/page/{n}"), T + n)
            fold(s, P1, ev.Product(0, item, currency="JPY"), T + n)
            fold(s, P1, ev.CartAdd(0, item, currency="JPY"), T + n)
        assert len(s.journey) == JOURNEY and len(s.seen) == SEEN and len(s.cart.lines) == CART_LINES
        assert s.cart.count == 300

    def test_a_usual_session_is_a_kilobyte_at_most(self) -> None:
        """Fifteen events, the 90th percentile of recorded sessions."""
        s = session()
        for n in range(5):
            fold(s, P1, view(f"/products/{n}", "product"), T + n)
            fold(
                s,
                P1,
                ev.Product(0, ev.Item(f"item-{n}", "A hand-made cup", price=3200.0), currency="JPY"),
                T + n,
            )
            fold(s, P1, ev.Dwell(0, 0, ev.FOCUSED), T + n)
        assert len(msgspec.msgpack.encode(s)) <= 1024

    def test_the_blob_is_the_session(self) -> None:
        s = session(P1, P2)
        fold(s, P1, view("/a", "cart"), T)
        fold(s, P1, ev.CartAdd(0, CUP, currency="JPY"), T)
        fold(s, P2, ev.Dwell(0, 0, ev.FOCUSED), T + 5)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(s), type=Session) == s

    def test_repeats_are_counted_by_moment(self) -> None:
        s = session()
        for n in range(3):
            fold(s, P1, view("/shipping"), T + n)
        assert s.seen.times("p:/shipping") == s.seen.times("p:/shipping", 3) == [T, T + 1, T + 2]
        assert not s.seen.times("p:/shipping", 4)


class TestLate:
    """What a page says late, another page's later events behind it, counts and rewinds nothing."""

    def test_a_late_page_view_neither_becomes_the_current_one_nor_ends_the_payment(self) -> None:
        s = session(P1, P2)
        fold(s, P2, view("/pay", "payment"), T)
        fold(s, P2, ev.Dwell(0, 0, ev.FOCUSED), T)
        fold(s, P1, view("/cart", "cart", age=2000), T + 500)
        assert s.view is not None and (s.view.path, s.payment_since) == ("/pay", T)
        assert s.seen.times("p:/cart") == [T - 1500]

    def test_a_late_view_of_the_payment_page_begins_no_payment_that_has_failed_since(self) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.Payment(0, "card", "failed"), T)
        fold(s, P1, view("/pay", "payment", age=5000), T + 500)
        assert s.payment_since == 0

    @pytest.mark.parametrize(("first", "late"), [("started", "failed"), ("failed", "started")])
    def test_an_older_payment_result_does_not_overrule_a_newer_one(self, first: str, late: str) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.Payment(0, "card", first), T)
        before = s.payment_since
        fold(s, P1, ev.Payment(5000, "card", late), T + 500)
        assert s.payment_since == before == (T if first == "started" else 0)

    def test_a_purchase_ends_no_payment_that_began_after_it(self) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.Payment(0, "card", "started"), T)
        fold(s, P1, ev.Purchase(5000, "o-1"), T + 500)
        assert (s.payment_since, s.purchased_at) == (T, T - 4500)

    @pytest.mark.parametrize("late", [
        ev.Cart(2000, 0, 0, 0.0, "JPY", []),
        ev.CartAdd(2000, CUP, currency="JPY"),
        ev.CartRemove(2000, CUP, currency="JPY"),
        ev.Purchase(2000, "o-1"),
    ])  # fmt: skip
    def test_a_late_event_does_not_change_a_cart_that_was_looked_at_since(self, late: ev.Event) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.Cart(0, 1, 2, 6400.0, "JPY", [ev.Item("cup", "Cup", price=3200.0, quantity=2)]), T)
        fold(s, P1, late, T + 500)
        assert (s.cart.value, s.cart.quantity, s.cart.lines["cup"].quantity) == (6400.0, 2, 2)

    def test_a_late_look_at_the_cart_does_not_undo_what_was_added_since(self) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.CartAdd(0, CUP, currency="JPY"), T)
        fold(s, P1, ev.Cart(2000, 0, 0, 0.0, "JPY", []), T + 500)
        assert (s.cart.value, s.cart.quantity) == (3200.0, 1)

    def test_a_late_product_is_seen_but_is_not_the_one_seen_last(self) -> None:
        s = session(P1, P2)
        fold(s, P2, ev.Product(0, CUP, currency="JPY"), T)
        fold(s, P1, ev.Product(2000, ev.Item("bowl", price=1000.0), currency="JPY"), T + 500)
        assert s.product is not None and s.product.id == "cup" and s.seen.times("i:bowl") == [T - 1500]

    def test_a_page_without_a_socket_is_hidden_as_of_its_own_last_word(self) -> None:
        """What it had left unsaid is resent by the next page: it was looked at then, and is not now."""
        s = session(P1, P2)
        fold(s, P1, view("/a", age=3000), T)
        fold(s, P1, ev.Dwell(3000, 0, ev.FOCUSED), T)
        fold(s, P1, ev.Dwell(1000, 2000, ev.VISIBLE), T)
        hide(s, P1, s.pages[P1].last)
        assert not is_visible(s) and (visible_clock(s, T), dwell_site(s, T)) == (2000, 2000)

    def test_hiding_one_page_leaves_another_one_visible(self) -> None:
        s = session(P1, P2)
        fold(s, P2, view("/b"), T)
        fold(s, P2, ev.Dwell(0, 0, ev.FOCUSED), T)
        fold(s, P1, ev.Dwell(1000, 0, ev.VISIBLE), T + 500)
        hide(s, P1, s.pages[P1].last)
        assert is_visible(s) and s.current == P2 and visible_clock(s, T + 2000) == 2000
