"""A shopper's session: what is remembered, and how each event changes it. Pure: time is an argument.

A session is one msgpack blob of positional arrays (target 1 KB or less), so everything in it is bounded. All
moments are milliseconds since the epoch, all durations milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from router.core import events as ev
from router.core.reasons import Reason
from router.core.trail import LABEL_CHARS, Journey, Sightings
from router.errors import Refused

PAGES: Final = 16
CART_LINES: Final = 12
OFFERED: Final = 5
MAX_AGE_MS: Final = 30 * 60_000
TTL_MS: Final = 30 * 60_000
CAP_MS: Final = 24 * 3_600_000
PAYMENT_MS: Final = 15 * 60_000

PAGE, PRODUCT, CART_ADD, CART_REMOVE, CART, PAYMENT, PURCHASE, DWELL = (
    ev.number(kind)
    for kind in ("page", "product", "cart_add", "cart_remove", "cart", "payment", "purchase", "dwell")
)


class Page(Struct, array_like=True, gc=False):
    """One document load: `mark` is the number of its last stored event, `last` that event's time. While it is open:
    what it shows (`type`, `path`, `title`, since `viewed`), its visibility `state` since `since`, and the
    visible-and-focused time of this page view until `since`.
    """

    mark: int = 0
    last: int = 0
    state: int = ev.HIDDEN
    since: int = 0
    focused_ms: int = 0
    viewed: int = 0
    type: str = ""
    path: str = ""
    title: str = ""


class Line(Struct, array_like=True, gc=False):
    """A cart line as the agent sees it; `price` of one unit, None if unknown."""

    quantity: int
    price: float | None
    name: str


class Cart(Struct, array_like=True):
    """What is known of the cart. `value` is None while unknown; `version` counts changes."""

    lines: dict[str, Line] = {}
    count: int = 0
    quantity: int = 0
    value: float | None = 0.0
    version: int = 0


class Offered(Struct, array_like=True, gc=False):
    """Something this session was shown: the decision's kind, its title as the shopper read it, and when."""

    kind: str
    title: str
    at: int


class Decision(Struct, array_like=True):
    """The decision this session currently has. `state`: claimed (reserved, not yet sent), shown, accepted.

    `page` is the page it was made on, `cart` the cart version; with `valid_until` they are its scope.
    `why` holds the reasons and `content` the texts as resolved when it was made; `exposures` counts the pages that
    drew it.
    """

    id: str
    rule: str
    version: str
    kind: str
    queue: str
    skills: tuple[str, ...]
    made_at: int
    valid_until: int
    page: str
    cart: int
    content: dict[str, Any]
    why: tuple[Reason, ...] = ()
    state: str = "claimed"
    shown_at: int = 0
    exposures: int = 0


class Session(Struct, array_like=True):
    """Everything the service remembers of one visit. `last` is the (moment, visible clock) of the last event of
    each kind; `seen` when pages ("p:/path") and products ("i:id") were seen; `truth` the bit
    set of the rules (of file version `ruleset`) that are true now; `shown` counts by rule what was shown.
    """

    sid: str
    site: str
    visitor: str
    currency: str
    started: int
    newest: int
    language: str = ""
    visits: int = 1
    events: int = 0
    pages: dict[str, Page] = {}
    horizon: str = ""
    current: str = ""
    focused_ms: int = 0
    visible_ms: int = 0
    visible_since: int = 0
    last: dict[int, tuple[int, int]] = {}
    seen: Sightings = msgspec.field(default_factory=Sightings)
    journey: Journey = msgspec.field(default_factory=Journey)
    cart: Cart = msgspec.field(default_factory=Cart)
    product: ev.Item | None = None
    payment_since: int = 0
    purchased_at: int = 0
    truth: int = 0
    ruleset: str = ""
    shown: dict[str, int] = {}
    dismissed: int = 0
    quiet_until: int = 0
    decision: Decision | None = None
    past: Decision | None = None
    offered: list[Offered] = []
    talk: str = ""
    secret: str = ""

    @property
    def view(self) -> Page | None:
        """The page view the shopper looked at last."""
        return self.pages.get(self.current)


# --- clocks of attention -----------------------------------------------------------------------------------


def visible_clock(session: Session, now: int) -> int:
    """Milliseconds during which at least one of the session's pages was visible, until `now`."""
    since = session.visible_since
    return session.visible_ms + now - since if since and now > since else session.visible_ms


def dwell_page(session: Session, now: int) -> int:
    """Visible-and-focused milliseconds on the current page view, until `now`."""
    page = session.view
    return 0 if page is None else page.focused_ms + _running(page, now)


def dwell_site(session: Session, now: int) -> int:
    """Visible-and-focused milliseconds on the whole site in this session, until `now`."""
    page = session.view
    return session.focused_ms + (0 if page is None else _running(page, now))


def _running(page: Page, now: int) -> int:
    return now - page.since if page.state == ev.FOCUSED and now > page.since else 0


def is_visible(session: Session) -> bool:
    """Whether any page of the session is visible."""
    return session.visible_since != 0


def expired(session: Session, now: int, *, open_now: bool = False) -> bool:
    """Whether the session ended by age (24 h) or by silence (30 min, unless a page or a conversation is open)."""
    if now - session.started > CAP_MS:
        return True
    return now - session.newest > TTL_MS and not (open_now or session.talk)


# --- pages and their number lines --------------------------------------------------------------------------


def admit(session: Session, page_id: str) -> Page:
    """The page of this id, remembered from now on. Raises `Refused("page_forgotten")` for one that was dropped."""
    page = session.pages.get(page_id)
    if page is None:
        if page_id <= session.horizon:
            raise Refused("page_forgotten")
        page = session.pages[page_id] = Page()
        if len(session.pages) > PAGES:
            _forget_oldest(session)
            if page_id not in session.pages:
                raise Refused("page_forgotten")
    return page


def _forget_oldest(session: Session) -> None:
    oldest = min(session.pages)
    hide(session, oldest, session.newest)
    del session.pages[oldest]
    session.horizon = oldest


def continues(page: Page, first: int, count: int) -> tuple[int, bool]:
    """How a batch of `count` events from number `first` meets the page's mark: (events to skip, is there a gap)."""
    known = page.mark + 1 - first
    if known < 0:
        return 0, True
    return (known if known < count else count), False


def hide(session: Session, page_id: str, at: int) -> None:
    """The page's socket is gone: it is not looked at any more. Its number line stays."""
    page = session.pages.get(page_id)
    if page is not None:
        _turn(session, page_id, page, max(at, page.since), ev.HIDDEN)


# --- the fold ----------------------------------------------------------------------------------------------


def fold(session: Session, page_id: str, event: ev.Event, now: int) -> int:
    """Put the page's next event into the session; returns the event's kind number.

    The event's time is `now - age_ms`, clamped to 30 min and never before that page's previous event. A late event
    counts in windows and never rewinds the session.
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
    cls = type(event)
    kind = ev.NUMBERS[cls]
    FOLDS[cls](session, page_id, page, event, at)
    before = session.last.get(kind)
    if before is None or before[0] <= at:
        session.last[kind] = (at, visible_clock(session, at))
    return kind


def _page(session: Session, page_id: str, page: Page, event: ev.Page, at: int) -> None:
    if page.state == ev.FOCUSED:
        session.focused_ms += max(0, at - page.since)
    page.since, page.focused_ms, page.viewed = at, 0, at
    page.type, page.path, page.title = event.type, event.path, (event.title or "")[:LABEL_CHARS]
    if _newest(session, at, PAGE):
        session.current = page_id
        session.language = event.language or session.language
        if event.type == "payment" and _newest(session, at, PAYMENT):
            session.payment_since = at
    session.seen.add("p:" + event.path, at)
    session.journey.add(PAGE, at, event.path)


def _product(session: Session, page_id: str, page: Page, event: ev.Product, at: int) -> None:
    price = event.item.price if event.item.price is not None else event.value
    known = price if event.currency == session.currency else None
    if _newest(session, at, PRODUCT):
        session.product = ev.Item(event.item.id, event.item.name, event.item.category, price=known)
    session.seen.add("i:" + event.item.id, at)
    session.journey.add(PRODUCT, at, event.item.name or event.item.id)


def _cart_add(session: Session, page_id: str, page: Page, event: ev.CartAdd, at: int) -> None:
    session.journey.add(CART_ADD, at, event.item.name or event.item.id)
    if not _newest(session, at, CART):
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


def _cart_remove(session: Session, page_id: str, page: Page, event: ev.CartRemove, at: int) -> None:
    session.journey.add(CART_REMOVE, at, event.item.name or event.item.id)
    if not _newest(session, at, CART):
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


def _amount(session: Session, value: float | None, currency: str | None, item: ev.Item) -> float | None:
    """The money an add or remove stands for; None (unknown) without a price or in another currency."""
    if currency != session.currency:
        return None
    if value is not None:
        return value
    return None if item.price is None else item.price * item.quantity


def _cart(session: Session, page_id: str, page: Page, event: ev.Cart, at: int) -> None:
    if not _newest(session, at, CART, CART_ADD, CART_REMOVE):
        return
    cart = session.cart
    value = event.value if event.currency == session.currency else None
    if (event.lines, event.quantity, value) != (cart.count, cart.quantity, cart.value):
        cart.version += 1
    cart.count, cart.quantity, cart.value = event.lines, event.quantity, value
    if event.items is not None:
        same = event.currency == session.currency
        cart.lines = {
            item.id: Line(item.quantity, item.price if same else None, (item.name or item.id)[:LABEL_CHARS])
            for item in event.items[:CART_LINES]
        }
    elif not event.lines:
        cart.lines = {}


def _payment(session: Session, page_id: str, page: Page, event: ev.Payment, at: int) -> None:
    if _newest(session, at, PAYMENT):
        session.payment_since = at if event.result == "started" else 0
    session.journey.add(PAYMENT, at, event.result)


def _purchase(session: Session, page_id: str, page: Page, event: ev.Purchase, at: int) -> None:
    if at >= session.payment_since:
        session.payment_since = 0
    session.purchased_at = max(session.purchased_at, at)
    if _newest(session, at, CART, CART_ADD):
        session.cart = Cart(version=session.cart.version + 1)
    session.journey.add(PURCHASE, at, event.order)


def _dwell(session: Session, page_id: str, page: Page, event: ev.Dwell, at: int) -> None:
    _turn(session, page_id, page, at, event.state, event.ms)


def _turn(
    session: Session, page_id: str, page: Page, at: int, state: int, measured_ms: int | None = None
) -> None:
    """The page's visibility turns to `state`. What the page measured itself wins over what the clock here says,
    but it cannot have been looked at for longer than the page view has lasted.
    """
    was = page.focused_ms
    if measured_ms is None:
        page.focused_ms += _running(page, at)
    else:
        page.focused_ms = max(was, min(measured_ms, at - page.viewed))
    session.focused_ms += page.focused_ms - was
    page.state, page.since = state, at
    if state != ev.HIDDEN and _newest(session, at, PAGE, DWELL):
        session.current = page_id
    if state != ev.HIDDEN or any(other.state for other in session.pages.values()):
        if not session.visible_since:
            session.visible_since = at
    elif session.visible_since:
        session.visible_ms += max(0, at - session.visible_since)
        session.visible_since = 0


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


def _step(label: Callable[[Any], str]) -> Callable[[Session, str, Page, Any, int], None]:
    def walk(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
        session.journey.add(ev.NUMBERS[type(event)], at, label(event))

    return walk


def _nothing(session: Session, page_id: str, page: Page, event: Any, at: int) -> None:
    """Feedback on a decision changes the session where the decision is kept, in `core.decision`."""


def _newest(session: Session, at: int, *kinds: int) -> bool:
    """Whether no event of these kinds happened after `at`: a late event never rewinds the session."""
    if at >= session.newest:
        return True  # nearly always: nothing at all happened later
    last = session.last
    return not any(kind in last and last[kind][0] > at for kind in kinds)


FOLDS: Final[dict[type[ev.Event], Callable[[Session, str, Page, Any, int], None]]] = {
    ev.Page: _page,
    ev.ItemList: _step(lambda event: event.id),
    ev.Search: _step(lambda event: event.terms or ""),
    ev.Product: _product,
    ev.CartAdd: _cart_add,
    ev.CartRemove: _cart_remove,
    ev.Cart: _cart,
    ev.Wishlist: _step(lambda event: event.item.name or event.item.id),
    ev.Checkout: _step(lambda event: ""),
    ev.CheckoutStep: _step(lambda event: event.name or str(event.number)),
    ev.Payment: _payment,
    ev.Purchase: _purchase,
    ev.Coupon: _step(lambda event: "accepted" if event.accepted else "refused"),
    ev.Dwell: _dwell,
    ev.Shown: _shown,
    ev.Accepted: _nothing,
    ev.Dismissed: _nothing,
    ev.Copied: _nothing,
    ev.Deferred: _nothing,
}
