"""One shopper's visit as it goes: pages on sockets of their own, what is shown, what is said.

Each step has a moment at which it is due, counted from the arrival; a step that comes late because the one before took
long is measured from its due moment all the same.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

import gevent
from gevent.event import AsyncResult, Event

from loadtests import model, moments
from loadtests.crowd import Crowd
from loadtests.ledger import Awaited, Heard, PageRecord, Said, Seen
from loadtests.pairs import End
from loadtests.sockets import FAULTS, PageSocket
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
CART_LEAD_S: Final = 2.0  # before a burst everybody has the cart open
PAY_S: Final = 1.0
BACK_S: Final = 1.0  # a page that lost its socket comes back within it, at random

Report = Callable[..., None]  # (entry, seconds, error or nothing): one line of the statistics

_numbers = itertools.count(1)


class Visit:
    """One visit as it goes: its tokens, the page that is open, what was shown and said. `at`: the moment of its
    arrival, and then that of its latest step.
    """

    def __init__(
        self, host: str, chance: Random, pace: float, report: Report, crowd: Crowd, at: float
    ) -> None:
        self.host = host
        self.chance = chance
        self.pace = pace
        self.report = report
        self.crowd = crowd
        self.at = self.began = at
        self.token: str | None = None
        self.visitor: str | None = None
        self.page: PageSocket | None = None
        self.due: float | None = None  # when a rule has become, or will become, true
        self.invite: AsyncResult = AsyncResult()
        self.talk: AsyncResult = AsyncResult()
        self.answered = Event()
        self.offset = 0

    @property
    def sid(self) -> str:
        """The session's id, once there is one."""
        return self.token.split(".")[2] if self.token else ""

    # --- pages ---------------------------------------------------------------------------------------------

    def walk(self, visit: model.Visit) -> None:
        """One step after another, then what the visit ends with."""
        for step in visit.steps:
            self.at += model.gap_s(step, self.pace)
            if not self.crowd.until(self.at):
                return
            self.take(step)
        if self.invite.ready():
            self.answer(self.invite.get())
        elif visit.ending == "cart":
            self.stay(CART_SILENCE_S)
        elif visit.ending == "shipping":
            self.return_to_delivery()

    def rush(self) -> None:
        """Have the cart open, go to the checkout at the moment `at` as everybody else does, and buy."""
        cart, checkout, purchase = model.burst(self.chance)
        moment = self.at
        for step, at in ((cart, moment - CART_LEAD_S), (checkout, moment), (purchase, moment + PAY_S)):
            self.at = at
            if not self.crowd.until(at):
                return
            self.take(step)

    def take(self, step: model.Step) -> None:
        """One step that is due at the moment `at`, or when a dropped page is back."""
        if self.page is not None:
            self.page.stand()
            self.at = max(self.at, self.page.back_at)
        if step.opens or self.page is None:
            self.open(step)
        else:
            self.page.events(step.events, self.at, "event→ack")

    def open(self, step: model.Step) -> None:
        """Leave the page that is open and open another."""
        previous = self.page.page if self.page is not None else None
        self.leave()
        page = PageSocket(f"0{next(_numbers):08d}-locusts", self.report, self.came)
        welcome = page.connect(self.host, SITE, self.token, self.visitor, previous)
        self.page, self.token, self.visitor = page, welcome.token, welcome.visitor
        page.events(step.events, self.at, "page→ack")

    def leave(self) -> None:
        """Close the page that is open, once everything is acknowledged, and put it on record."""
        page = self.page
        if page is None:
            return
        if not page.leave():
            self.report("event→ack", 0, TimeoutError("not acknowledged in time"))
        self.page = None
        self.crowd.ledger.pages.append(PageRecord(self.sid, page.page, page.sent, page.acked))

    def drop(self) -> None:
        """Lose the socket, and come back at random within `BACK_S`, as pages do."""
        page = self.page
        if page is not None:
            now = moments.now()
            page.drop(now + self.chance.uniform(0, BACK_S))
            gevent.spawn(self._return, page, now, page.back_at)

    def _return(self, page: PageSocket, dropped: float, due: float) -> None:
        gevent.sleep(max(0.0, due - moments.now()))
        if page is not self.page:
            return
        try:
            welcome = page.connect(self.host, SITE, self.token, self.visitor, None)
        except FAULTS as error:
            self.report("reconnect", 0, error)
            return
        self.report("reconnect", moments.now() - due)
        page.events([model.looked_at()], moments.now(), "event→ack")
        if self.due is not None and self.due > dropped:  # a silence counts only while a page is visible
            self.due += moments.now() - dropped
        if welcome.config.get("talk"):
            cid, secret = welcome.config["talk"]
            page.resume(cid, secret, self.offset)

    def return_to_delivery(self) -> None:
        """The page about delivery, again and again, once invites are allowed at all."""
        self.at = max(self.at, self.began + NOT_BEFORE_S + 1)
        for visit in range(DELIVERY_VISITS):
            self.at += self.chance.uniform(*THINK_S) if visit else 0
            if not self.crowd.until(self.at):
                return
            self.take(model.delivery_page())
        self.stay(0)

    def stay(self, silence_s: float) -> None:
        """Stay for the invite that is due after a silence, and answer it."""
        self.due = self.at + silence_s
        stays_s = max(self.due - moments.now(), 0.0) + INVITE_S
        gevent.wait([self.invite, self.crowd.stopping], timeout=stays_s, count=1)
        if self.invite.ready():
            self.crowd.ledger.awaited.append(Awaited(self.sid, True))
            self.answer(self.invite.get())
        elif not self.crowd.stopping.is_set():
            self.crowd.ledger.awaited.append(Awaited(self.sid, False))

    # --- what the service says -----------------------------------------------------------------------------

    def came(self, message: wire.ServerMessage) -> None:
        """Anything but an ack. Runs in the page's reader, so it must not wait."""
        match message:
            case wire.Show():
                self._shown(message)
            case wire.Retract() if self.invite.ready() and self.invite.get() == message.decision:
                self.invite = AsyncResult()
            case wire.Conversation() if message.state == "active":
                self.talk.set(message.cid)
            case wire.Message():
                self.offset = max(self.offset, message.offset)
                if message.author == "agent":
                    self._heard(message.cid, message.mid)
            case wire.Stored():
                self.crowd.ledger.lines.append(Said(message.cid, "shopper", message.mid))
            case wire.Error():
                self.report("event→ack", 0, RuntimeError(f"{message.name}: {message.detail}"))

    def _shown(self, show: wire.Show) -> None:
        if self.page is not None:
            seen = Seen(
                self.sid, self.visitor or self.sid, show.decision, show.kind, self.page.page, self.page.link,
                show.again, time.time(),
            )  # fmt: skip
            self.crowd.ledger.seen.append(seen)
            gevent.spawn(self._drawn, self.page, show.decision)
        if show.again or show.kind != "invite" or self.invite.ready():
            return
        if self.due is not None:
            back_at = self.page.back_at if self.page is not None else 0.0
            self.report("trigger→invite", moments.now() - max(self.due, back_at))
        self.invite.set(show.decision)

    def _drawn(self, page: PageSocket, did: str) -> None:
        """A page says at once what it draws, whether or not anybody will answer: caps count it."""
        with suppress(*FAULTS):  # what is not acknowledged is seen when the page is left
            page.events([ev.Shown(0, did)], moments.now(), "event→ack")

    def _heard(self, cid: str, mid: str) -> None:
        self.crowd.ledger.heard.append(Heard(cid, "agent", mid))
        waited = moments.age_s(mid, moments.now())
        if waited is not None and self.page is not None:
            self.report("message", min(waited, moments.now() - self.page.back_at))
        self.answered.set()

    # --- talking -------------------------------------------------------------------------------------------

    def answer(self, did: str) -> None:
        """Accept and talk, dismiss, or let it be."""
        if not self._think() or self.page is None:
            return
        if self.chance.random() < model.ACCEPTS:
            self.crowd.saw(End(did, False, max(self.at, self.page.back_at)))
            self.page.events([ev.Accepted(0, did)], self.at, "event→ack")
            self.chat()
        elif self.chance.random() < model.DISMISSES:
            self.page.events([ev.Dismissed(0, did, False)], self.at, "event→ack")

    def _think(self) -> bool:
        self.at = moments.now() + self.chance.uniform(*THINK_S)
        return self.crowd.until(self.at)

    def chat(self) -> None:
        """Say a few things, wait for an answer to each, and end the talk."""
        gevent.wait([self.talk, self.crowd.stopping], timeout=ANSWER_S, count=1)
        if not self.talk.ready() or self.page is None:
            return
        cid = self.talk.get()
        self.at = moments.now()
        for turn in range(self.chance.randint(*LINES)):
            self.page.stand()
            self.at = max(self.at, self.page.back_at)
            self.answered.clear()
            mid = moments.stamped(self.at)
            self.crowd.ledger.tried.append(mid)
            self.page.say(cid, mid, f"質問 {turn + 1}: いつ届きますか")
            if not self.answered.wait(timeout=ANSWER_S):
                self.report("message", 0, TimeoutError("nobody answered"))
                break
            if not self._think():
                break
        self.page.end(cid)
