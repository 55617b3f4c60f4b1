"""Locust's users: shoppers who come as scheduled, shoppers who reach the checkout all at once, agents who answer.

A shopper is one visit: the schedule starts a new one for each arrival, however many are still there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

import gevent
from gevent.pool import Group
from locust import User, constant, task
from locust.exception import StopUser

from loadtests import model, moments
from loadtests.crowd import Crowd
from loadtests.held import Holding
from loadtests.ledger import Heard, Said
from loadtests.pairs import End
from loadtests.shapes import Arrival
from loadtests.sockets import FAULTS, Console
from loadtests.visit import THINK_S, Visit
from router.web.demo_seed import SITE

LOOK_S: Final = 0.1
DISPOSITIONS: Final = {"checkout-help": "answered", "style": "advised"}
FIELDS: Final = {"checkout-help": {}, "style": {"wish": "…"}}

crowd: Final = Crowd()
logins: Final[deque[str]] = deque()  # of the agents that this process is to play


class _Reporting(User):
    """What all users share."""

    abstract = True
    host: str
    chance: Random

    def report(self, name: str, seconds: float, error: Exception | None = None) -> None:
        """One line of the statistics."""
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=seconds * 1000,
            response_length=0,
            exception=error,
            context={},
        )


class _Visiting(_Reporting):
    """A user who makes one visit: that of an `arrival`, at the moment `at`. `behaviour` is the run's."""

    abstract = True
    wait_time = constant(0)
    behaviour: model.Behaviour = model.Synthetic()
    arrival = Arrival(0, 0)
    at = 0.0

    def on_start(self) -> None:
        """Everybody behaves differently, and the same in every run."""
        asked = self.environment.parsed_options
        self.chance = Random(f"{asked.seed} {self.arrival.number}")

    def make(self, go: Callable[[Visit], None]) -> None:
        """One visit from the first page to the last, and the end of this user."""
        pace = self.environment.parsed_options.pace
        visit = Visit(self.host, self.chance, pace, self.report, crowd, self.at or moments.now())
        crowd.visits.add(visit)
        try:
            go(visit)
        except FAULTS as error:
            self.report("page→ack", 0, error)
        finally:
            visit.leave()
            crowd.visits.discard(visit)
        raise StopUser


class ShopperUser(_Visiting):
    """Looks around, hesitates, is invited, talks: a visit drawn from the run's behaviour."""

    @task
    def visit(self) -> None:
        """One visit."""
        drawn = self.behaviour.visit(self.chance)
        if self.arrival.kind == "midway":
            drawn = model.midway(drawn, self.chance)
        self.make(lambda visit: visit.walk(drawn))


class CheckoutBurst(_Visiting):
    """One of many who go from the cart to the checkout at the same moment, and buy."""

    @task
    def visit(self) -> None:
        """One visit."""
        self.make(Visit.rush)


class AgentUser(_Reporting):
    """An agent at a console: takes what rings, answers every line, says what became of it."""

    console: Console
    holding: Holding
    work: Group

    def on_start(self) -> None:
        """Log in; an agent without a login of their own has nothing to do."""
        if not logins:
            raise StopUser
        asked, login = self.environment.parsed_options, logins.popleft()
        self.chance = Random(f"{asked.seed} {login}")
        self.work = Group()
        self.holding = Holding(login, crowd.ledger.held.append, time.time)
        self.console = Console(self.host, SITE, login, asked.agent_password, self.came)

    def on_stop(self) -> None:
        """Close the console."""
        with suppress(AttributeError):  # who could not log in has none
            self.holding.clear()
            self.console.leave()

    @task
    def serve(self) -> None:
        """What comes is answered as it comes. The agent stays until the last visit is over; one task for all that
        time, since Locust ends at once whoever waits between two tasks.
        """
        while not crowd.closed.is_set() or crowd.visits or self.work:
            if self.console.closed.wait(timeout=LOOK_S):
                self.report("message", 0, ConnectionError("the console's socket was closed"))
                break
        raise StopUser

    def came(self, frame: dict[str, Any]) -> None:
        """Anything that matters. Runs in the console's reader, so what takes time gets a greenlet."""
        match frame["t"]:
            case "hello":
                for conversation in frame["conversations"]:
                    self._changed(conversation)
            case "ring":
                crowd.saw(End(frame["conversation"]["cid"], True, moments.now()))
                self.holding.changed(frame["conversation"])
                self.work.spawn(self._accept, frame["conversation"]["cid"])
            case "ring_over" if frame["reason"] != "accepted":
                self.holding.lost(frame["cid"])
            case "message" if frame["message"]["author"] == "shopper":
                self._heard(frame["cid"], frame["message"])
            case "conversation" | "ok" if "conversation" in frame:
                self._changed(frame["conversation"])

    def _ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        try:
            return self.console.ask(kind, **fields)
        except FAULTS as error:
            self.report("message", 0, error)
            return {"t": "error"}

    def _accept(self, cid: str) -> None:
        gevent.sleep(self.chance.uniform(*THINK_S))
        answer = self._ask("accept", cid=cid)
        if answer["t"] == "ok":
            for line in answer["conversation"].get("messages", ()):
                if line["author"] == "shopper":
                    self._heard(cid, line)

    def _heard(self, cid: str, line: dict[str, Any]) -> None:
        crowd.ledger.heard.append(Heard(cid, "shopper", line["mid"]))
        waited = moments.age_s(line["mid"], moments.now())
        if waited is not None:
            self.report("message", waited)
            self.work.spawn(self._reply, cid)

    def _reply(self, cid: str) -> None:
        due = moments.now() + self.chance.uniform(*THINK_S)
        gevent.sleep(max(0.0, due - moments.now()))
        mid = moments.stamped(due)
        crowd.ledger.tried.append(mid)
        if self._ask("say", cid=cid, mid=mid, text="明日お届けできます。")["t"] == "ok":
            crowd.ledger.lines.append(Said(cid, "agent", mid))

    def _changed(self, conversation: dict[str, Any]) -> None:
        self.holding.changed(conversation)
        if conversation["state"] == "wrap-up" and conversation["disposition"] is None:
            self.work.spawn(self._close, conversation["cid"], conversation["queue"])

    def _close(self, cid: str, queue: str) -> None:
        self._ask("close", cid=cid, disposition=DISPOSITIONS[queue], note="", fields=FIELDS[queue])
