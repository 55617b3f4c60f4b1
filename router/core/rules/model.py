"""A rules file as data: typed, plain and comparable. Durations are milliseconds, shares 0 to 1."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Literal

import msgspec
from msgspec import Struct

from router.core.facts import Value
from router.core.hours import Hours
from router.core.units import DAY, SECOND

Mode = Literal["live", "shadow", "off"]
Clock = Literal["visible", "wall"]


# --- conditions --------------------------------------------------------------------------------------------


class Compare(Struct, frozen=True, tag="compare"):
    """A fact against a value; `op` is eq, gte, gt, lte, lt or in (then `value` is a tuple). `unit`: a
    currency.
    """

    fact: str
    op: str
    value: Value | tuple[Value, ...]
    unit: str = ""


class Repeats(Struct, frozen=True, tag="repeats"):
    """A page (of this path, or the current one), the current product, or one of its category was seen that often in the
    window.
    """

    of: Literal["page", "product", "category"]
    count: int
    window_ms: int
    path: str | None = None


class Signs(Struct, frozen=True, tag="signs"):
    """Something that can be counted (a key of `facts.SIGNS`) happened at least that often in the window."""

    of: str
    count: int
    window_ms: int


class Leaving(Struct, frozen=True, tag="leaving"):
    """A sign of leaving of this kind was seen within the last 5 s."""

    kind: str


class Shortfall(Struct, frozen=True, tag="shortfall"):
    """The cart lacks something to the value `to`, and at most `most` of it; both in the currency `unit`."""

    to: float
    most: float
    unit: str


class Attribute(Struct, frozen=True, tag="attribute"):
    """What the shop's backend says of the visitor under `name`, against a value; `op` is eq, gte, gt, lte or lt."""

    name: str
    op: str
    value: str | float


class Step(Struct, frozen=True):
    """One step of a sequence: an event of this kind; of a page with this path, where one is given."""

    kind: str
    path: str = ""


class Sequence(Struct, frozen=True, tag="sequence"):
    """The steps in this order, gaps allowed, `within_ms` from the first to the last, and since the first one no event
    of the kinds `without`.
    """

    steps: tuple[Step, ...]
    within_ms: int
    without: tuple[str, ...] = ()


class Silence(Struct, frozen=True, tag="silence"):
    """Nothing of kind `of` for `for_ms` since the later of the last `of` and the last `since`."""

    of: str
    since: str
    for_ms: int
    clock: Clock


class Known(Struct, frozen=True, tag="known"):
    """The fact is known."""

    fact: str


class Dates(Struct, frozen=True, tag="dates"):
    """From one moment (inclusive) until another (exclusive); None is open."""

    from_ms: int | None = None
    until_ms: int | None = None


class Open(Struct, frozen=True, tag="open"):
    """These hours are open now; `queue` is whose they are, "" for hours that the rule names itself."""

    hours: Hours
    queue: str = ""


class All(Struct, frozen=True, tag="all"):
    """Every part holds."""

    parts: tuple[Condition, ...]


class AnyOf(Struct, frozen=True, tag="any"):
    """At least one part holds."""

    parts: tuple[Condition, ...]


class Not(Struct, frozen=True, tag="not"):
    """The part is false: not merely unknown."""

    part: Condition


class Available(Struct, frozen=True, tag="available"):
    """A queue's free slots (`of` free, a count) or expected wait (`of` wait, milliseconds), `op` as in `Compare`.

    A gate, never a trigger: it is no part of a rule's truth, and is asked when the rule wants to act.
    """

    queue: str
    of: Literal["free", "wait"]
    op: str
    value: int


Condition = (
    Compare | Repeats | Signs | Leaving | Shortfall | Attribute | Sequence | Silence | Known | Dates | Open | Available
    | All | AnyOf | Not
)  # fmt: skip


# --- actions -----------------------------------------------------------------------------------------------


class Invite(Struct, frozen=True, tag="invite"):
    """Invite to a talk with an agent of the queue who has all the skills; `message` names the text, `others` those that
    other visitors read instead, in equal shares.
    """

    kind: ClassVar[str] = "invite"
    queue: str
    skills: tuple[str, ...] = ()
    message: str = "invite"
    others: tuple[str, ...] = ()


class GiveOffer(Struct, frozen=True, tag="offer"):
    """Show a discount code of this offer."""

    kind: ClassVar[str] = "offer"
    offer: str


class ShowArticle(Struct, frozen=True, tag="article"):
    """Show a link to this article."""

    kind: ClassVar[str] = "article"
    article: str


class Notice(Struct, frozen=True, tag="notice"):
    """Show this short text."""

    kind: ClassVar[str] = "notice"
    text: str


Action = Invite | GiveOffer | ShowArticle | Notice


class Tag(Struct, frozen=True, tag="tag"):
    """Mark the session: agents see it, and the journal has it."""

    name: str


class Webhook(Struct, frozen=True, tag="webhook"):
    """Tell another service of the shop, by the name that the site file gives it."""

    name: str


Also = Tag | Webhook


# --- the file ----------------------------------------------------------------------------------------------


class Caps(Struct, frozen=True):
    """How often at most. A rule's own caps count that rule alone and None means: no own cap.

    `per_visitor` is (count, window); `not_before_ms` is on the session's visible clock.
    """

    per_session: int | None = None
    per_visitor: tuple[int, int] | None = None
    not_before_ms: int = 0


class DefaultCaps(Caps, frozen=True):
    """Caps that hold for all rules together, and the rest after a shopper said no."""

    per_session: int | None = 1
    per_visitor: tuple[int, int] | None = (3, 7 * DAY)
    not_before_ms: int = 30 * SECOND
    rest_after_dismissal_ms: int = DAY


class Defaults(Struct, frozen=True):
    """What holds where a rule says nothing else."""

    caps: DefaultCaps = DefaultCaps()
    holdout: float = 0.0


class Entry(Struct, frozen=True):
    """One rule as written. `holdout` None: the default."""

    id: str
    when: Condition
    then: tuple[Action, ...]
    priority: int = 50
    caps: Caps = Caps()
    holdout: float | None = None
    mode: Mode = "live"
    rollout: float = 1.0
    valid_ms: int = 20 * SECOND
    patience_ms: int = 20 * SECOND
    dates: Dates | None = None
    also: tuple[Also, ...] = ()


class RuleFile(Struct, frozen=True):
    """A whole rules file. `site_holdout`: the share of visitors who get nothing proactive at all."""

    version: int
    rules: tuple[Entry, ...]
    defaults: Defaults = Defaults()
    site_holdout: float = 0.0

    def digest(self) -> str:
        """8 hex digits that change when anything that matters changes; comments and layout do not."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:8]
