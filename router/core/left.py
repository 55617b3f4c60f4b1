"""Left messages: what a shopper writes when nobody can answer now, and what becomes of it.

An item of the worklist has a queue, a moment by which it is to be answered, an owner once somebody took it on, and an
outcome once it is done. What a shopper wrote while waiting and then left is such an item too, without a contact.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import msgspec
from msgspec import Struct

from router.core.chat import checked_text
from router.core.hours import opens
from router.core.queue import Queue
from router.core.redact import redacted
from router.errors import Refused

OUTCOMES: Final = ("answered", "unreachable", "no_answer_needed", "spam")
NAME_CHARS: Final = 80
CONTACT_CHARS: Final = 200
CHARS: Final = 4_000  # of what is made of a conversation; what a shopper writes here has a message's bound

_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE: Final = re.compile(r"[+0][\d\s().\-‐-―ー]{6,22}")
_PHONE_DIGITS: Final = (7, 13)  # longer numbers of ITU-T E.164 are rare, and card numbers begin there


class Left(Struct, frozen=True, kw_only=True):
    """One message. Moments in ms; `cid` is the conversation it ended, "" if there was none; `owner` a login or "".

    `page` is where the shopper was; `visitor` their short id.
    """

    id: str
    queue: str
    at: int
    due: int
    cid: str = ""
    owner: str = ""
    name: str = ""
    contact: str = ""
    text: str = ""
    language: str = ""
    page: str = ""
    visitor: str = ""


def due(queue: Queue, now: int) -> int:
    """By when it is to be answered: the queue's `reply_ms` from now, and while the queue is open."""
    moment = now + queue.reply_ms
    return moment if queue.hours is None else opens(queue.hours, moment)


def checked_name(name: str) -> str:
    """The name on one line, without card numbers. Raises `Refused("bad_request")` if it is too long."""
    clean = " ".join(name.split())
    if len(clean) > NAME_CHARS:
        raise Refused("bad_request", f"A name has at most {NAME_CHARS} characters.")
    return redacted(checked_text(clean)) if clean else ""


def checked_contact(contact: str) -> str:
    """An e-mail address or a telephone number, full-width signs as plain ones. Raises `Refused("bad_request")`."""
    clean = " ".join(unicodedata.normalize("NFKC", contact).split())
    digits = sum(map(str.isdecimal, clean))
    if _PHONE.fullmatch(clean) and _PHONE_DIGITS[0] <= digits <= _PHONE_DIGITS[1]:
        return clean
    if len(clean) <= CONTACT_CHARS and _MAIL.fullmatch(clean):
        return redacted(clean)
    raise Refused(
        "bad_request",
        "The contact has to be an e-mail address or a telephone number that begins with + or 0.",
    )


def checked_words(text: str) -> str:
    """What is to be answered, without card numbers. Raises `Refused("bad_request")`."""
    return redacted(checked_text(text))


def worklist(items: list[Left], queues: tuple[str, ...] | None) -> dict[str, Any]:
    """The frame `left`: the open items of these queues (None: of any), what is due first."""
    shown = [item for item in items if queues is None or item.queue in queues]
    return {"t": "left", "messages": msgspec.to_builtins(shown)}
