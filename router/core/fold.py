"""How each event changes a session. Pure: time is an argument, and nothing here fails on a valid event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from router.core import events as ev
from router.core.clean import TYPED, clean
from router.core.session import (
    CART_LINES,
    MAX_AGE_MS,
    OFFERED,
    Cart,
    Line,
    Offered,
    Page,
    Session,
    is_newest,
    turn,
    visible_clock,
)  # fmt: skip
from router.core.trail import LABEL_CHARS

ORIGIN_CHARS: Final = 100  # as long as a rule may name it
Fold = Callable[[Session, str, Page, Any, int], None]

PAGE, PRODUCT, CART_ADD, CART_REMOVE, CART, PAYMENT, PURCHASE, EXIT, IDLE = (
    ev.number(kind)
    for kind in (
        "page", "product", "cart_add", "cart_remove", "cart", "payment", "purchase", "exit", "idle",
    )
)  # fmt: skip


def fold(session: Session, page_id: str, event: ev.Event, now: int) -> int:
    """Put the page's next event into the session; returns the event's kind number.

    The event's time is `now - age_ms`, clamped to 30 min and never before that page's previous event. A late event
    counts in windows and never rewinds the session. Card numbers in the event are masked, in the event itself.
    """
    page = session.pages[page_id]
    age = event.age_ms
    at = now - (age if age < MAX_AGE_MS else MAX_AGE_MS)
    if at < page.last:
        at = page.last
    page.last = at
    page.mark += 1
    session.events += 1
    if at > session.newest:
        session.newest = at
    kind, typed, change = _WAYS[type(event)]
    if typed:
        clean(event)
    change(session, page_id, page, event, at)
    last = session.last
    if kind not in last or last[kind][0] <= at:
        last[kind] = (at, visible_clock(session, at))
    return kind


def _page(session: Session, page_id: str, page: Page, event: ev.Page, at: int) -> None:
    if page.state == ev.FOCUSED:
        session.focused_ms += max(0, at - page.since)
    page.since, page.focused_ms, page.viewed = at, 0, at
    page.type, page.path, page.title = event.type, event.path, (event.title or "")[:LABEL_CHARS]
    page.scroll = page.struggle_ms = page.edits = 0
    origin = session.origin
    if not origin.landing:
        origin.landing, origin.referrer = event.path, _host(event.referrer or "")
    if is_newest(session, at, PAGE):
        session.current = page_id
        session.language = event.language or session.language
        if event.type == "payment" and is_newest(session, at, PAYMENT):
            session.payment_since = at
    session.seen.add("p:" + event.path, at)
    session.journey.add(PAGE, at, event.path)


def _product(session: Session, page_id: str, page: Page, event: ev.Product, at: int) -> None:
    price = event.item.price if event.item.price is not None else event.value
    known = price if event.currency == session.currency else None
    if is_newest(session, at, PRODUCT):
        session.product = ev.Item(event.item.id, event.item.name, event.item.category, price=known)
    session.seen.add("i:" + event.item.id, at)
    if event.item.category:
        session.signs.add("c:" + event.item.category, at)
    session.journey.add(PRODUCT, at, event.item.name or event.item.id)


def _cart_add(session: Session, page_id: str, page: Page, event: ev.CartAdd, at: int) -> None:
    session.journey.add(CART_ADD, at, event.item.name or event.item.id)
    if not is_newest(session, at, CART):
        return  # a later look at the whole cart has it already
    cart, item = session.cart, event.item
    amount = _amount(session, event.value, event.currency, item)
    line = cart.lines.get(item.id)
    if line is not None:
        line.quantity += item.quantity
    else:
        cart.count += 1
        if len(cart.lines) < CART_LINES:
            price = item.price if event.currency == session.currency else None
            cart.lines[item.id] = Line(item.quantity, price, (item.name or item.id)[:LABEL_CHARS])
    cart.quantity += item.quantity
    cart.value = None if cart.value is None or amount is None else round(cart.value + amount, 4)
    cart.version += 1
    cart.edits += 1
    cart.since, cart.added = cart.since or at, at


def _cart_remove(session: Session, page_id: str, page: Page, event: ev.CartRemove, at: int) -> None:
    session.journey.add(CART_REMOVE, at, event.item.name or event.item.id)
    if not is_newest(session, at, CART):
        return
    cart, item = session.cart, event.item
    amount = _amount(session, event.value, event.currency, item)
    line = cart.lines.get(item.id)
    if line is not None:
        line.quantity -= item.quantity
        if line.quantity <= 0:
            del cart.lines[item.id]
            cart.count = max(0, cart.count - 1)
    cart.quantity = max(0, cart.quantity - item.quantity)
    cart.value = None if cart.value is None or amount is None else max(0.0, round(cart.value - amount, 4))
    cart.version += 1
    cart.edits += 1
    cart.removed += item.quantity
    if not cart.quantity:
        cart.since = 0


def _amount(session: Session, value: float | None, currency: str | None, item: ev.Item) -> float | None:
    """The money an add or remove stands for; None (unknown) without a price or in another currency."""
    if currency != session.currency:
        return None
    if value is not None:
        return value
    return None if item.price is None else item.price * item.quantity


def _cart(session: Session, page_id: str, page: Page, event: ev.Cart, at: int) -> None:
    if not is_newest(session, at, CART, CART_ADD, CART_REMOVE):
        return
    cart = session.cart
    value = event.value if event.currency == session.currency else None
    if (event.lines, event.quantity, value) != (cart.count, cart.quantity, cart.value):
        cart.version += 1
    cart.count, cart.quantity, cart.value = event.lines, event.quantity, value
    cart.since = (cart.since or at) if event.quantity else 0
    if event.items is not None:
        same = event.currency == session.currency
        cart.lines = {
            item.id: Line(item.quantity, item.price if same else None, (item.name or item.id)[:LABEL_CHARS])
            for item in event.items[:CART_LINES]
        }
    elif not event.lines:
        cart.lines = {}


def _payment(session: Session, page_id: str, page: Page, event: ev.Payment, at: int) -> None:
    if is_newest(session, at, PAYMENT):
        session.payment_since = at if event.result == "started" else 0
        session.payment = event.result
    session.journey.add(PAYMENT, at, event.result)


def _purchase(session: Session, page_id: str, page: Page, event: ev.Purchase, at: int) -> None:
    if at >= session.payment_since:
        session.payment_since = 0
    session.purchased_at = max(session.purchased_at, at)
    session.step, session.payment = 0, ""
    if is_newest(session, at, CART, CART_ADD):
        session.cart = Cart(version=session.cart.version + 1)
    session.journey.add(PURCHASE, at, event.order)


def _dwell(session: Session, page_id: str, page: Page, event: ev.Dwell, at: int) -> None:
    turn(session, page_id, page, at, event.state, event.ms)


# --- behaviour ---------------------------------------------------------------------------------------------


def _scroll(session: Session, page_id: str, page: Page, event: ev.Scroll, at: int) -> None:
    page.scroll = max(page.scroll, round(event.depth * 100))


def _struggle(session: Session, page_id: str, page: Page, event: ev.Struggle, at: int) -> None:
    page.struggle_ms, page.edits = max((page.struggle_ms, page.edits), (event.ms, event.edits))


def _exit(session: Session, page_id: str, page: Page, event: ev.Exit, at: int) -> None:
    if is_newest(session, at, EXIT):
        session.exit, session.exit_at = event.kind, at


def _idle(session: Session, page_id: str, page: Page, event: ev.Idle, at: int) -> None:
    if is_newest(session, at, IDLE):
        session.idle_since = at - event.ms if event.ms else 0


def _sign(*names: Callable[[Any], str]) -> Fold:
    """A fold that notes that something countable happened, under each name that is not empty."""

    def note(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
        for name in names:
            if what := name(event):
                session.signs.add(what, at)

    return note


def _both(*folds: Fold) -> Fold:
    def fold_all(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
        for one in folds:
            one(session, page_id, page, event, at)

    return fold_all


def _checkout_step(session: Session, page_id: str, page: Page, event: ev.CheckoutStep, at: int) -> None:
    session.step = max(session.step, event.number)


def _visit(session: Session, page_id: str, page: Page, event: ev.Visit, at: int) -> None:
    """Told once a visit; a campaign that brings the shopper back within it replaces the older one."""
    origin = session.origin
    for name in ("device", "source", "medium", "campaign", "country"):
        if value := getattr(event, name):
            setattr(origin, name, value[:ORIGIN_CHARS])
    if event.zone is not None:
        origin.zone = event.zone


def _host(referrer: str) -> str:
    """The host of an address; "" for a path, which is a page of the shop itself."""
    return referrer.partition("://")[2].partition("/")[0].lower()[:LABEL_CHARS]


# --- feedback ----------------------------------------------------------------------------------------------


def _shown(session: Session, page_id: str, page: Page, event: ev.Shown, at: int) -> None:
    decision = session.decision
    if decision is None or decision.id != event.decision:
        return
    decision.exposures += 1
    if decision.state == "claimed":
        decision.state, decision.shown_at = "shown", at
        session.shown[decision.rule] = session.shown.get(decision.rule, 0) + 1
        session.offered.append(Offered(decision.kind, decision.content.get("title", "")[:LABEL_CHARS], at))
        del session.offered[:-OFFERED]


def _step(label: Callable[[Any], str]) -> Fold:
    def walk(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
        session.journey.add(ev.NUMBERS[type(event)], at, label(event))

    return walk


def _nothing(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
    """Feedback on a decision changes the session where the decision is kept, in `core.decision`."""


FOLDS: Final[dict[type[ev.Event], Fold]] = {
    ev.Page: _page,
    ev.ItemList: _step(lambda event: event.id),
    ev.Search: _both(
        _step(lambda event: event.terms or ""),
        _sign(lambda event: "search", lambda event: "search.empty" if event.results == 0 else ""),
    ),
    ev.Product: _product,
    ev.CartAdd: _cart_add,
    ev.CartRemove: _cart_remove,
    ev.Cart: _cart,
    ev.Wishlist: _step(lambda event: event.item.name or event.item.id),
    ev.Checkout: _step(lambda event: ""),
    ev.CheckoutStep: _both(_step(lambda event: event.name or str(event.number)), _checkout_step),
    ev.Payment: _payment,
    ev.Purchase: _purchase,
    ev.Coupon: _both(
        _step(lambda event: "accepted" if event.accepted else "refused"),
        _sign(lambda event: "coupon", lambda event: "" if event.accepted else "coupon.refused"),
    ),
    ev.Dwell: _dwell,
    ev.Scroll: _scroll,
    ev.Exit: _exit,
    ev.Rage: _sign(lambda event: "rage"),
    ev.Dead: _sign(lambda event: "dead"),
    ev.Struggle: _struggle,
    ev.Idle: _idle,
    ev.Trouble: _sign(lambda event: "error.script" if event.kind == "script" else "error.request"),
    ev.Visit: _visit,
    ev.Shown: _shown,
    ev.Accepted: _nothing,
    ev.Dismissed: _nothing,
    ev.Copied: _nothing,
    ev.Deferred: _nothing,
}
_WAYS: Final = {cls: (ev.NUMBERS[cls], cls in TYPED, change) for cls, change in FOLDS.items()}
