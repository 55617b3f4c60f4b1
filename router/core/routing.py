"""The pure part of routing: signatures, how many invites may be open, the honest wait, and a conversation's
record.

The transitions themselves are Lua scripts (`store/lua`); `docs/conversations.md` tells their story.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from router.errors import Refused

ACCEPTANCE: Final = 0.05  # prior: what share of open invites is accepted
RISK: Final = 0.05  # how often more may accept than there are free slots
SLOTS: Final = 256  # beyond this many free slots the limit grows in proportion, which is on the safe side

Later = Literal[
    "", "any", "named"
]  # what waits for a first message: nothing, any queue's line, that of a queue

PRESENCES: Final = ("available", "away", "break", "last_chat")
ENDED_AS: Final = {"unanswered": "form", "parked": "parked"}  # what a shopper may still do there

_QUEUES: Final = re.compile(r"[A-Za-z0-9_-]{1,40}(\+[A-Za-z0-9_-]{1,40})*")
_SKILL: Final = re.compile(r"[A-Za-z0-9_-]{1,40}(:[1-5])?")


def signature(queue: str, skills: Iterable[str]) -> str:
    """What a conversation asks of an agent, as one word: `queue|skill,skill:level`, skills sorted, each once. A skill
    without a level is met at any; `queue+queue` is served by agents of each.

    Raises `Refused("bad_request")` for a name that is not 1 to 40 of `A-Z a-z 0-9 _ -`.
    """
    wanted = sorted(set(skills))
    if _QUEUES.fullmatch(queue) is None or not all(map(_SKILL.fullmatch, wanted)):
        raise Refused("bad_request", "Queues and skills are named by 1 to 40 letters, digits, _ or -.")
    return f"{queue}|{','.join(wanted)}"


@cache
def invite_limits(acceptance: float = ACCEPTANCE, risk: float = RISK, slots: int = SLOTS) -> tuple[int, ...]:
    """How many invites may be open with 0, 1, ... `slots` free slots: the largest n with P(Bin(n, p) > free)
    <= risk.

    Without a free slot there is none. Walks n and k upwards from one binomial term to the next, so it neither
    underflows nor sums anything twice.
    """
    limits = [0]
    n, mass, below = 0, 1.0, 1.0  # P(X = k) and P(X <= k) for n invites
    for k in range(slots + 1):
        if n <= k:
            n, mass, below = k, acceptance**k, 1.0
        while below - acceptance * mass >= 1 - risk:
            below -= acceptance * mass
            mass *= (n + 1) * (1 - acceptance) / (n + 1 - k)
            n += 1
        if k:
            limits.append(n)
        mass *= (n - k) / (k + 1) * acceptance / (1 - acceptance)
        below += mass
    return tuple(limits)


def wait_s(position: int, pace_ms: int, slots: int) -> int | None:
    """Seconds until the conversation at `position` in line may expect an agent; None where nobody could know.

    `pace_ms` is how long conversations of the queue have occupied a slot lately, `slots` how many slots the
    agents on duty have for it: on average one of them falls free every `pace_ms / slots`.
    """
    if position < 1 or pace_ms <= 0 or slots <= 0:
        return None
    return ceil(position * pace_ms / slots / 1000)


class Talk(Struct, frozen=True, kw_only=True):
    """A conversation's record as the scripts keep it. Moments in ms; empty text and 0 mean "none yet".

    `state` is opened (before its first message), waiting, ringing, active, away, wrap-up or closed; `end` says how it
    came to an end: closed (by the agent), ended (by the shopper), parked, abandoned, message (left while waiting),
    unanswered (the queue closed), blocked. `over` and `over_of`: how and for whom its last ring ended. `position`,
    `pace` and `staffed` are there only while it waits. `said`: the shopper has written something; `named`: its queue
    was named, and its first message chooses none. `tags` (a list) and `fields` (id -> text) are JSON.

    `why`: how its agent was chosen, JSON (`why_agent`). While a transfer rings, `to` is the login it rings for and
    `to_why` the reason for them; `handed_by` (a name) and `handed_note` stay with it afterwards.
    """

    cid: str
    state: str
    queue: str
    sig: str
    secret: str
    language: str = ""
    agent: str = ""
    agent_name: str = ""
    opened: int = 0
    accepted: int = 0
    deadline: int = 0
    present: bool = True
    card: str = "{}"
    note: str = ""
    disposition: str = ""
    end: str = ""
    over: str = ""
    over_of: str = ""
    step: int = 0
    why: str = ""
    to: str = ""
    to_why: str = ""
    handed_by: str = ""
    handed_note: str = ""
    said: bool = False
    named: bool = False
    visitor: str = ""
    session: str = ""
    tags: str = "[]"
    fields: str = "{}"
    closed: int = 0
    position: int = 0
    pace: float = 0
    staffed: int = 0


def seen_by(talk: Talk, login: str) -> Talk:
    """The record as this agent sees it: a transfer that rings for them is a ring."""
    if not talk.to or talk.to != login:
        return talk
    return replace(talk, state="ringing", agent=login, why=talk.to_why)


def why_agent(why: str) -> dict[str, Any] | None:
    """Why this agent, as consoles get it; None before anybody was chosen."""
    if not why:
        return None
    kind, step, waited_ms, load, idle_ms, skills = msgspec.json.decode(why)
    return {
        "kind": kind, "step": step, "waited_ms": waited_ms, "load": load, "idle_ms": idle_ms,
        "skills": [skill.partition(":")[0] for skill in skills.split(",") if skill],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TalkState:
    """What a shopper's page is told of a conversation; `agent` is the public name once one has accepted.

    `state` is that of `Talk`, or form where the queue closed before anybody answered: a message may be left; or parked
    where a next line lets it go on. `position` (1 is next) only while it waits; `wait_s` too, None where nobody could
    know.
    """

    cid: str
    state: str
    agent: str | None
    position: int | None
    wait_s: int | None
    offset: int
    secret: str


def state_of(talk: Talk, offset: int) -> TalkState:
    """What the shopper may know of the record; who is being rung is not theirs to know."""
    waiting = talk.state == "waiting"
    state = ENDED_AS.get(talk.end, talk.state) if talk.state == "closed" else talk.state
    known = talk.agent_name if talk.state in ("active", "wrap-up", "closed") else ""
    return TalkState(
        cid=talk.cid,
        state=state,
        agent=known or None,
        position=talk.position if waiting else None,
        wait_s=wait_s(talk.position, int(talk.pace), talk.staffed) if waiting else None,
        offset=offset,
        secret=talk.secret,
    )


class Reply(Struct, array_like=True):
    """What every routing script answers: the moment it ran at, the next deadline (0: none), its own `value`,
    the transitions for the journal, system lines to store, and whose view has changed.
    """

    now: int
    next: int
    value: Any
    events: list[dict[str, Any]]
    lines: list[str]
    talks: list[str]
    agents: list[str]

    def checked(self) -> Any:
        """The value; an answer `{"refused": name}` is raised as `Refused(name)`."""
        if isinstance(self.value, dict) and "refused" in self.value:
            raise Refused(str(self.value["refused"]))
        return self.value


class Duty(Struct, frozen=True):
    """An agent at a moment: presence and why, the slots, and the conversations that occupy them."""

    presence: str
    reason: str
    capacity: int
    talks: list[Talk]
