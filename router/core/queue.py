"""Queues: what conversations wait in, and the part of the site file that describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeVar

from msgspec import Struct

from router.core import units
from router.core.hours import Hours
from router.core.hours_form import HOURS
from router.core.scalars import FLAG, ID, SHARE, length, pattern, text, whole
from router.core.shapes import Choice, Fields, Key, ListOf
from router.core.texts import LANGUAGES

T = TypeVar("T")
Rings = Literal["first_message", "at_once"]


class Name(Struct, frozen=True):
    """A name for people."""

    ja: str
    en: str


class Disposition(Struct, frozen=True):
    """How a conversation can end."""

    id: str
    name: Name


class Break(Struct, frozen=True):
    """Why an agent is on a break."""

    id: str
    name: Name


class Relaxation(Struct, frozen=True):
    """After a wait a skill is not asked for any more, or skills are asked for at a lower level."""

    after_ms: int
    drop: str | None = None
    level: int | None = None


class Tag(Struct, frozen=True):
    """What a conversation can be marked with."""

    id: str
    name: Name


class Field(Struct, frozen=True):
    """What is filled in when a conversation is closed; `required`: it has to be."""

    id: str
    name: Name
    required: bool = False


class Overflow(Struct, frozen=True):
    """After a wait agents of these queues are asked too."""

    after_ms: int
    to: tuple[str, ...]


class ServiceLevel(Struct, frozen=True):
    """The promise of a queue: a `share` (0.8 is 80 %) is answered within `within_ms`."""

    share: float = 0.8
    within_ms: int = 20 * units.SECOND


class Queue(Struct, frozen=True):
    """A line that conversations wait in: an agent has `ring_ms` to answer, and `wrap_up_ms` after closing. Without
    `hours` it is always open. `level`: the least skill level at first, languages apart; `priority_ms`: how much older
    than they are its conversations count; `reply_ms`: within which a left message is to be answered; `tags` and
    `fields` are what its conversations are marked with, and what is filled in at their end. `phrases` in a first
    message say that it is for this queue; `rings`: when a conversation begins to ring.
    """

    name: Name
    dispositions: tuple[Disposition, ...]
    ring_ms: int = 20 * units.SECOND
    wrap_up_ms: int = 30 * units.SECOND
    hours: Hours | None = None
    level: int = 1
    relax: tuple[Relaxation, ...] = ()
    overflow: Overflow | None = None
    priority_ms: int = 0
    service_level: ServiceLevel = ServiceLevel()
    reply_ms: int = units.DAY
    phrases: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    fields: tuple[Field, ...] = ()
    rings: Rings = "first_message"

    def disposition(self, wanted: str) -> Disposition | None:
        """The disposition of this id."""
        return next((found for found in self.dispositions if found.id == wanted), None)


# --- the form ----------------------------------------------------------------------------------------------

PHRASE: Final = text("a phrase of at most 40 characters", 40)
NAME: Final = text("a name of at most 60 characters", 60)
RING: Final = length("a duration from 5s to 2m such as `20s`", 5 * units.SECOND, 2 * units.MINUTE)
WRAP_UP: Final = length("a duration of at most 10m such as `30s`", 0, 10 * units.MINUTE)
AFTER: Final = length("a duration from 1s to 1h such as `30s`", units.SECOND, units.HOUR)
REPLY: Final = length("a duration from 15m to 14d such as `24h`", 15 * units.MINUTE, 14 * units.DAY)
PRIORITY: Final = length("a duration of at most 1h such as `60s`", 0, units.HOUR)
LEVEL: Final = whole(1, 5)
DROPPED: Final = pattern(
    "a skill such as `style`; a language is never dropped",
    r"(?![a-z]{2}(-[a-z0-9]+)*$)[a-z0-9][a-z0-9-]*",
    40,
)


def id_of(one: Disposition | Break | Tag | Field) -> str:
    """By what they are told apart."""
    return one.id


def _name() -> Fields[Name]:
    return Fields("a name", Name, {language: Key(NAME, required=True) for language in LANGUAGES})


def named(what: str, make: Callable[..., T], more: Mapping[str, Key] = {}) -> Fields[T]:
    return Fields(what, make, {"id": Key(ID, required=True), "name": Key(_name(), required=True), **more})


def queue_form() -> Fields[Queue]:
    """A queue as a site file has it."""
    relax = {
        "after": Key(AFTER, required=True, name="after_ms"), "drop": Key(DROPPED), "level": Key(LEVEL)
    }  # fmt: skip
    overflow = {
        "after": Key(AFTER, required=True, name="after_ms"),
        "to": Key(ListOf("a list of queues", ID, 7, str), required=True),
    }
    service_level = {"share": Key(SHARE), "within": Key(AFTER, name="within_ms")}
    return Fields(
        "a queue",
        Queue,
        {
            "name": Key(_name(), required=True),
            "ring": Key(RING, name="ring_ms"),
            "rings": Key(Choice("when it rings", ("first_message", "at_once"))),
            "wrap_up": Key(WRAP_UP, name="wrap_up_ms"),
            "hours": Key(HOURS),
            "level": Key(LEVEL),
            "relax": Key(ListOf("a list of steps", Fields("a step", Relaxation, relax), 8)),
            "overflow": Key(Fields("an overflow", Overflow, overflow)),
            "priority": Key(PRIORITY, name="priority_ms"),
            "tags": Key(ListOf("a list of tags", named("a tag", Tag), 32, id_of)),
            "fields": Key(
                ListOf("a list of fields", named("a field", Field, {"required": Key(FLAG)}), 16, id_of)
            ),
            "phrases": Key(ListOf("a list of phrases", PHRASE, 200, str)),
            "reply_within": Key(REPLY, name="reply_ms"),
            "service_level": Key(Fields("a service level", ServiceLevel, service_level)),
            "dispositions": Key(
                ListOf("a list of dispositions", named("a disposition", Disposition), 32, id_of),
                required=True,
            ),
        },
    )
