"""One shopper's visit as it goes: pages on sockets of their own, what is shown, what is said."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from random import Random
from typing import Final

import gevent
from gevent.event import AsyncResult, Event

from loadtests import model
from loadtests.ledger import Ledger, PageRecord, Said
from loadtests.sockets import PageSocket
from router.core import events as ev
from router.core import protocol as wire
from router.web.demo_seed import SITE

# What the demo's rules file asks for: the cart's silence, the visits of the delivery page, the time before any invite.
CART_SILENCE_S: Final = 8.0
DELIVERY_VISITS: Final = 3
NOT_BEFORE_S: Final = 5.0
INVITE_S: Final = 5.0  # how long a shopper stays for an invite that is due
ANSWER_S: Final = 20.0  # how long a shopper waits for an agent
LINES: Final = (1, 4)
THINK_S: Final = (0.3, 1.5)

Report = Callable[..., None]  # (name, seconds, error or nothing): one line of the statistics

ledger = Ledger()
said_at: dict[str, float] = {}  # message id -> when it was said; both sides run in this process
stopping = Event()
_numbers = itertools.count(1)


def pause(seconds: float) -> bool:
    """Wait; whether the test goes on."""
    return not stopping.wait(timeout=seconds)


class Visit:
    """One visit as it goes: its tokens, the page that is open, what was shown and said."""

    def __init__(self, host: str, chance: Random, pace: float, report: Report) -> None:
        self.host = host
        self.chance = chance
        self.pace = pace
        self.report = report
        self.token: str | None = None
        self.visitor: str | None = None
        self.page: PageSocket | None = None
        self.began = time.perf_counter()
        self.due: float | None = None  # when a rule has become, or will become, true
        self.invite: AsyncResult = AsyncResult()
        self.talk: AsyncResult = AsyncResult()
        self.answered = Event()

    # --- pages ---------------------------------------------------------------------------------------------

    def walk(self, visit: model.Visit) -> None:
        """Open the pages one after another, then do what the visit ends with."""
        for view in visit.views:
            self.open(view)
            if not pause(model.gap_s(self.chance, self.pace)):
                return
        if visit.ending == "cart" and not self.invite.ready():
            self.due = self.sent_at + CART_SILENCE_S
            self.stay(CART_SILENCE_S)
        elif visit.ending == "shipping" and not self.invite.ready():
            self.return_to_delivery()

    def open(self, view: model.View) -> None:
        """Leave the page that is open and open another."""
        previous = self.page.page if self.page is not None else None
        self.leave()
        page = PageSocket(_page_id(), self.acked, self.came)
        welcome = page.connect(self.host, SITE, self.token, self.visitor, previous)
        self.page, self.token, self.visitor = page, welcome.token, welcome.visitor
        self.sent_at = page.events(view.events)

    def leave(self) -> None:
        """Close the page that is open, once everything is acknowledged, and put it on record."""
        page, self.page = self.page, None
        if page is None:
            return
        if not page.leave():
            self.report("event→ack", 0, TimeoutError("not acknowledged in time"))
        assert self.token is not None
        ledger.pages.append(PageRecord(self.token.split(".")[2], page.page, page.sent, page.acked))

    def return_to_delivery(self) -> None:
        """The page about delivery, again and again, once invites are allowed at all."""
        if not pause(max(0.0, self.began + NOT_BEFORE_S + 1 - time.perf_counter())):
            return
        for left in reversed(range(DELIVERY_VISITS)):
            self.open(model.delivery_page())
            if left and not pause(self.chance.uniform(*THINK_S)):
                return
        self.due = self.sent_at
        self.stay(0)

    def stay(self, seconds: float) -> None:
        """Stay for the invite that is due, and answer it."""
        if not stopping.wait(timeout=0):
            gevent.wait([self.invite, stopping], timeout=seconds + INVITE_S, count=1)
        if self.invite.ready():
            self.answer(self.invite.get())

    # --- what the service says -----------------------------------------------------------------------------

    def acked(self, seconds: float) -> None:
        """An event is stored."""
        self.report("event→ack", seconds)

    def came(self, message: wire.ServerMessage) -> None:
        """Anything but an ack. Runs in the page's reader, so it must not wait."""
        match message:
            case wire.Show(did, "invite") if not message.again:
                if self.due is not None and not self.invite.ready():
                    self.report("trigger→invite", time.perf_counter() - self.due)
                self.invite.set(did)
            case wire.Conversation() if message.state == "active":
                self.talk.set(message.cid)
            case wire.Message(author="agent"):
                self._measure(message.mid)
                self.answered.set()
            case wire.Stored():
                ledger.lines.append(Said(message.cid, "shopper", message.mid))
            case wire.Error():
                self.report("event→ack", 0, RuntimeError(f"{message.name}: {message.detail}"))

    def _measure(self, mid: str) -> None:
        at = said_at.pop(mid, None)
        if at is not None:
            self.report("message", time.perf_counter() - at)

    # --- talking -------------------------------------------------------------------------------------------

    def answer(self, did: str) -> None:
        """Accept and talk, dismiss, or let it be."""
        assert self.page is not None
        self.page.events([ev.Shown(0, did)])
        if not pause(self.chance.uniform(*THINK_S)):
            return
        if self.chance.random() < model.ACCEPTS:
            self.page.events([ev.Accepted(0, did)])
            self.chat()
        elif self.chance.random() < model.DISMISSES:
            self.page.events([ev.Dismissed(0, did)])

    def chat(self) -> None:
        """Say a few things, wait for an answer to each, and end the talk."""
        gevent.wait([self.talk, stopping], timeout=ANSWER_S, count=1)
        if not self.talk.ready() or self.page is None:
            return
        cid = self.talk.get()
        for turn in range(self.chance.randint(*LINES)):
            self.answered.clear()
            mid = f"{self.page.page}-{turn}"
            said_at[mid] = time.perf_counter()
            self.page.say(cid, mid, f"質問 {turn + 1}: いつ届きますか")
            if not self.answered.wait(timeout=ANSWER_S) or not pause(self.chance.uniform(*THINK_S)):
                break
        self.page.end(cid)


def _page_id() -> str:
    return f"0{next(_numbers):08d}-locusts"
