"""The event vocabulary as types: one struct an event kind, a positional array on the wire.

The first element is the kind's number, the second `age_ms`: how long ago it happened on the page's monotonic
clock when the frame was sent (0 to 30 min, clamped later). Money is in major units with an ISO 4217 code,
durations are milliseconds, ratios 0 to 1. Strings and lists are bounded here, so that a decoded event is a
valid one. New fields are only ever appended; a receiver ignores what it does not know.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

Word = Annotated[str, Meta(max_length=40)]
Id = Annotated[str, Meta(min_length=1, max_length=80)]
Text = Annotated[str, Meta(max_length=200)]
Path = Annotated[str, Meta(max_length=300)]
Currency = Annotated[str, Meta(min_length=3, max_length=3)]
Money = Annotated[float, Meta(ge=0, le=1e12)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Quantity = Annotated[int, Meta(ge=0, le=100_000)]
Millis = Annotated[int, Meta(ge=0, le=86_400_000)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Age = Annotated[int, Meta(ge=0, le=4_000_000_000)]
DecisionId = Annotated[str, Meta(min_length=8, max_length=40)]

HIDDEN, VISIBLE, FOCUSED = 0, 1, 2


class Item(Struct, array_like=True, frozen=True, gc=False):
    """A product: `price` is a single unit's, in the currency of the event that carries it."""

    id: Id
    name: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    variant: Text | None = None
    price: Money | None = None
    quantity: Quantity = 1


class Event(Struct, array_like=True, tag_field="event", gc=False):
    """What every event has."""

    age_ms: Age


class Page(Event, tag=1):
    """A page view. `type` is one of home, list, product, cart, shipping, checkout, payment, thanks, other."""

    type: Word
    path: Path
    referrer: Path | None = None
    title: Text | None = None
    language: Word | None = None


class ItemList(Event, tag=2):
    """A list of products was seen."""

    id: Id
    count: Count


class Search(Event, tag=3):
    """A search; `terms` only if the site allows it."""

    terms: Text | None
    results: Count | None


class Product(Event, tag=4):
    """A product page was seen."""

    item: Item
    value: Money | None = None
    currency: Currency | None = None


class CartAdd(Event, tag=5):
    """Items went into the cart: only what was added."""

    item: Item
    value: Money | None = None
    currency: Currency | None = None


class CartRemove(Event, tag=6):
    """Items left the cart: only what was removed."""

    item: Item
    value: Money | None = None
    currency: Currency | None = None


class Cart(Event, tag=7):
    """The cart as a whole was seen: this replaces what adds and removes had summed up."""

    lines: Count
    quantity: Quantity
    value: Money | None = None
    currency: Currency | None = None
    items: Annotated[list[Item], Meta(max_length=20)] | None = None


class Wishlist(Event, tag=8):
    """An item was put on the wish list."""

    item: Item


class Checkout(Event, tag=9):
    """The checkout began."""

    value: Money | None = None
    currency: Currency | None = None
    coupon: Text | None = None


class CheckoutStep(Event, tag=10):
    """A step of the checkout was completed."""

    number: Count
    name: Text | None = None


class Payment(Event, tag=11):
    """Payment: `result` is started, succeeded or failed."""

    method: Word | None
    result: Word


class Purchase(Event, tag=12):
    """The page says that an order was placed. Provisional: the shop's signed order API is the truth."""

    order: Id
    value: Money | None = None
    currency: Currency | None = None
    tax: Money | None = None
    shipping: Money | None = None
    coupon: Text | None = None


class Coupon(Event, tag=13):
    """A coupon was tried; only a hash of the code travels."""

    code_hash: Word
    accepted: bool


class Dwell(Event, tag=14):
    """Visible-and-focused time on this page view so far, and what the page is from now on (HIDDEN, VISIBLE, FOCUSED).

    Sent when the state changes, so the server can tell how long a page has been looked at without polling.
    """

    ms: Millis
    state: Annotated[int, Meta(ge=HIDDEN, le=FOCUSED)]


class Scroll(Event, tag=15):
    """How far down this page view was seen, at most: 0 (nothing below the fold) to 1 (its end)."""

    depth: Ratio


class Exit(Event, tag=16):
    """A sign of leaving. `kind`: pointer (it left the page at the top), tab (another tab), scroll (fast and up, on
    touch), return (back from another tab, on touch) or idle.
    """

    kind: Word


class Rage(Event, tag=17):
    """`count` clicks (3 or more) within 1 s and 30 px of each other."""

    count: Count


class Dead(Event, tag=18):
    """A click on something that looks as if it did something, and nothing followed."""


class Struggle(Event, tag=19):
    """A form field was left: the time in it and how often its value was cut back; never the value. `field` is its kind
    (email, tel, postal-code, ...), not what the shop calls it.
    """

    field: Word
    ms: Millis
    edits: Count


class Idle(Event, tag=20):
    """No input on a page that is looked at, for `ms` so far; 0: the shopper is back."""

    ms: Millis


class Trouble(Event, tag=21):
    """Something failed on the page. `kind`: script or request; nothing of the message travels."""

    kind: Word


class Visit(Event, tag=22):
    """Where a visit came from, told once. `device`: phone, tablet or desktop; `country`: as the shop says;
    `zone`: minutes that the shopper's clock is ahead of UTC.
    """

    device: Word | None = None
    source: Word | None = None
    medium: Word | None = None
    campaign: Text | None = None
    country: Word | None = None
    zone: Annotated[int, Meta(ge=-840, le=840)] | None = None


class Shown(Event, tag=30):
    """The page drew this decision."""

    decision: DecisionId


class Accepted(Event, tag=31):
    """The shopper said yes to this invite."""

    decision: DecisionId


class Dismissed(Event, tag=32):
    """The shopper said no; `never` means: do not show such things again."""

    decision: DecisionId
    never: bool = False


class Copied(Event, tag=33):
    """The shopper copied the offer's code."""

    decision: DecisionId


class Deferred(Event, tag=34):
    """The page could not draw this decision, and why (no_ui, no_room, modal, hidden, expired)."""

    decision: DecisionId
    reason: Word


AnyEvent = (
    Page | ItemList | Search | Product | CartAdd | CartRemove | Cart | Wishlist | Checkout | CheckoutStep
    | Payment | Purchase | Coupon | Dwell | Scroll | Exit | Rage | Dead | Struggle | Idle
    | Trouble | Visit | Shown | Accepted | Dismissed | Copied | Deferred
)  # fmt: skip

KINDS: Final[dict[str, type[Event]]] = {
    "page": Page, "list": ItemList, "search": Search, "product": Product, "cart_add": CartAdd,
    "cart_remove": CartRemove, "cart": Cart, "wishlist": Wishlist, "checkout": Checkout,
    "checkout_step": CheckoutStep, "payment": Payment, "purchase": Purchase, "coupon": Coupon, "dwell": Dwell,
    "scroll": Scroll, "exit": Exit, "rage": Rage, "dead": Dead, "struggle": Struggle, "idle": Idle, "error": Trouble,
    "visit": Visit,
    "shown": Shown, "accepted": Accepted, "dismissed": Dismissed, "copied": Copied, "deferred": Deferred,
}  # fmt: skip


def number(kind: str) -> int:
    """The number of an event kind on the wire; the bit of that number in a mask says "a rule reads this"."""
    tag = KINDS[kind].__struct_config__.tag
    assert isinstance(tag, int)
    return tag


NUMBERS: Final[dict[type[Event], int]] = {cls: number(kind) for kind, cls in KINDS.items()}
NAMES: Final[dict[int, str]] = {number(kind): kind for kind in KINDS}
