"""A shopper's session: what is remembered of one visit. How events change it stands in `core.fold`.

A session is one msgpack blob of positional arrays (target 1 KB or less), so everything in it is bounded. All
moments are milliseconds since the epoch, all durations milliseconds.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from router.core import events as ev
from router.core.reasons import Reason
from router.core.trail import Journey, Sightings
from router.errors import Refused

PAGES: Final = 16
CART_LINES: Final = 12
OFFERED: Final = 5
TAGS: Final = 10
MAX_AGE_MS: Final = 30 * 60_000
TTL_MS: Final = 30 * 60_000
CAP_MS: Final = 24 * 3_600_000
PAYMENT_MS: Final = 15 * 60_000

PAGE, DWELL = ev.number("page"), ev.number("dwell")


class Page(Struct, array_like=True, gc=False):
    """One document load: `mark` is the number of its last stored event, `last` that event's time. While it is open:
    what it shows (`type`, `path`, `title`, since `viewed`), its visibility `state` since `since`, and the
    visible-and-focused time of this page view until `since`. Of this page view: `scroll` is the deepest point in
    percent, `struggle_ms` and `edits` are those of the form field that took longest.
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
    scroll: int = 0
    struggle_ms: int = 0
    edits: int = 0


class Line(Struct, array_like=True, gc=False):
    """A cart line as the agent sees it; `price` of one unit, None if unknown."""

    quantity: int
    price: float | None
    name: str


class Cart(Struct, array_like=True):
    """What is known of the cart. `value` is None while unknown; `version` counts changes, `edits` those the shopper
    made, `removed` the items taken out; it has not been empty since `since`, and got its latest item at `added` (0:
    never).
    """

    lines: dict[str, Line] = {}
    count: int = 0
    quantity: int = 0
    value: float | None = 0.0
    version: int = 0
    edits: int = 0
    removed: int = 0
    since: int = 0
    added: int = 0


class Origin(Struct, array_like=True, gc=False):
    """Where the visit came from: the other site's host, the first path here, the campaign, device and country; "" is
    unknown.
    """

    referrer: str = ""
    landing: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    device: str = ""
    country: str = ""
    zone: int | None = None


class Profile(Struct, array_like=True):
    """What the shop's backend says of the visitor; `orders` None and `tier` "" are unknown. `score` is 0 to 1."""

    orders: int | None = None
    tier: str = ""
    score: float | None = None
    attributes: dict[str, str | float | bool] = {}


class Offered(Struct, array_like=True, gc=False):
    """Something this session was shown: the decision's kind, its title as the shopper read it, and when."""

    kind: str
    title: str
    at: int


class Decision(Struct, array_like=True):
    """The decision this session currently has. `state`: claimed (reserved, not yet sent), shown, accepted.

    `page` is the page it was made on, `cart` the cart version; with `valid_until` they are its scope.
    `why` holds the reasons and `content` the texts as resolved when it was made; `exposures` counts the pages that
    drew it; `variant` is the text of several that this visitor reads.
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
    variant: str = ""


class Session(Struct, array_like=True):
    """Everything the service remembers of one visit. `last` is the (moment, visible clock) of the last event of
    each kind; `seen` when pages ("p:/path") and products ("i:id") were seen, `signs` when other things happened that
    rules count ("search", "search.empty", "coupon", "coupon.refused", "rage", "dead", "error.script", "error.request",
    "c:category"); `truth` the bit set of the rules (of file version `ruleset`) that are true now; `shown` counts by
    rule what was shown. `exit` is the latest sign of leaving, at `exit_at`; `idle_since` is 0 while there is input.
    `customer` is (id, name) as the shop's backend signed them.
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
    truth: bytes = b""
    ruleset: str = ""
    shown: dict[str, int] = {}
    dismissed: int = 0
    quiet_until: int = 0
    decision: Decision | None = None
    past: Decision | None = None
    offered: list[Offered] = []
    talk: str = ""
    secret: str = ""
    signs: Sightings = msgspec.field(default_factory=Sightings)
    origin: Origin = msgspec.field(default_factory=Origin)
    profile: Profile = msgspec.field(default_factory=Profile)
    exit: str = ""
    exit_at: int = 0
    idle_since: int = 0
    step: int = 0
    payment: str = ""
    tags: list[str] = []
    customer: tuple[str, str] = ("", "")

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
        turn(session, page_id, page, max(at, page.since), ev.HIDDEN)


def turn(
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
    if state != ev.HIDDEN and is_newest(session, at, PAGE, DWELL):
        session.current = page_id
    if state != ev.HIDDEN or any(other.state for other in session.pages.values()):
        if not session.visible_since:
            session.visible_since = at
    elif session.visible_since:
        session.visible_ms += max(0, at - session.visible_since)
        session.visible_since = 0


def is_newest(session: Session, at: int, *kinds: int) -> bool:
    """Whether no event of these kinds happened after `at`: a late event never rewinds the session."""
    if at >= session.newest:
        return True  # nearly always: nothing at all happened later
    last = session.last
    return not any(kind in last and last[kind][0] > at for kind in kinds)
