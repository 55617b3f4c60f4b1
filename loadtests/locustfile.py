"""Shoppers and agents for Locust. Against a running `make demo`:

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000

then open http://localhost:8089. `make load` does it without a browser, on a service of its own.

Entries, in ms:
- `event→ack`: an event is sent, until it is acknowledged as stored;
- `trigger→invite`: a rule becomes true (where it waits for a silence: the end of that), until the invite is there;
- `message`: one side of a talk says something, until the other side has it.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import gevent
from gevent.pool import Group
from locust import User, constant, events, task
from locust.exception import StopUser

from loadtests import model
from loadtests.ledger import Said
from loadtests.sockets import FAULTS, Console
from loadtests.visit import THINK_S, Visit, ledger, said_at, stopping
from router.web.demo_seed import AGENTS, PASSWORD, SITE

LOOK_S: Final = 0.1

logins: deque[str] = deque()
visits: set[Visit] = set()
_numbers = itertools.count(1)


def options(parser: Any) -> None:
    """What this file adds to Locust's own options."""
    parser.add_argument(
        "--pace", type=float, default=30.0, help="How much faster than people the shoppers are."
    )
    parser.add_argument("--agents", default=",".join(AGENTS), help="The agents' logins; one AgentUser each.")
    parser.add_argument("--agent-password", default=PASSWORD, help="The password of all of them.")
    parser.add_argument("--ledger", default="", help="File for what was sent and acknowledged; empty: none.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the shoppers' behaviour.")


def begin(environment: Any, **_: Any) -> None:
    """Every agent has one login."""
    stopping.clear()
    logins.clear()
    logins.extend(environment.parsed_options.agents.split(","))
    AgentUser.fixed_count = len(logins)


def end(**_: Any) -> None:
    """Visits come to their end."""
    stopping.set()


def write(environment: Any, **_: Any) -> None:
    """What happened, for the checks."""
    if environment.parsed_options.ledger:
        ledger.write(Path(environment.parsed_options.ledger))


class _Reporting(User):
    """What both kinds of users share."""

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


class ShopperUser(_Reporting):
    """One shopper after another: a visit of `model.visit`, each page view on a socket of its own."""

    wait_time = constant(0.5)
    pace: float

    def on_start(self) -> None:
        """Everybody behaves differently, and the same in every run."""
        asked = self.environment.parsed_options
        self.pace = asked.pace
        self.chance = Random(f"{asked.seed} {next(_numbers)}")

    @task
    def visit(self) -> None:
        """One visit from the first page to the last."""
        if stopping.is_set():
            raise StopUser
        visit = Visit(self.host, self.chance, self.pace, self.report)
        visits.add(visit)
        try:
            visit.walk(model.visit(self.chance))
        except FAULTS as error:
            self.report("event→ack", 0, error)
        finally:
            visit.leave()
            visits.discard(visit)


class AgentUser(_Reporting):
    """An agent at a console: takes what rings, answers every line, says what became of it."""

    fixed_count = len(AGENTS)
    console: Console
    mids: Iterator[str]
    work: Group

    def on_start(self) -> None:
        """Log in; an agent without a login of their own has nothing to do."""
        if not logins:
            raise StopUser
        asked, login = self.environment.parsed_options, logins.popleft()
        self.chance = Random(f"{asked.seed} {login}")
        self.mids = (f"{login}-{self.chance.getrandbits(32):08x}-{number}" for number in itertools.count(1))
        self.work = Group()
        self.console = Console(self.host, SITE, login, asked.agent_password, self.came)

    def on_stop(self) -> None:
        """Close the console."""
        with suppress(AttributeError):  # who could not log in has none
            self.console.leave()

    @task
    def serve(self) -> None:
        """What comes is answered as it comes. The agent stays until the last visit is over; one task for all that
        time, since Locust ends at once whoever waits between two tasks.
        """
        while not stopping.is_set() or visits or self.work:
            if self.console.closed.wait(timeout=LOOK_S):
                self.report("message", 0, ConnectionError("the console's socket was closed"))
                break
        raise StopUser

    def came(self, frame: dict[str, Any]) -> None:
        """Anything but an answer. Runs in the console's reader, so what takes time gets a greenlet."""
        match frame["t"]:
            case "hello":
                for conversation in frame["conversations"]:
                    self._changed(conversation)
            case "ring":
                self.work.spawn(self._accept, frame["conversation"]["cid"])
            case "message" if frame["message"]["author"] == "shopper":
                self._heard(frame["cid"], frame["message"])
            case "conversation":
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
        at = said_at.pop(line["mid"], None)
        if at is not None:
            self.report("message", time.perf_counter() - at)
            self.work.spawn(self._reply, cid)

    def _reply(self, cid: str) -> None:
        gevent.sleep(self.chance.uniform(*THINK_S))
        mid = next(self.mids)
        said_at[mid] = time.perf_counter()
        if self._ask("say", cid=cid, mid=mid, text="明日お届けできます。")["t"] == "ok":
            ledger.lines.append(Said(cid, "agent", mid))

    def _changed(self, conversation: dict[str, Any]) -> None:
        if conversation["state"] == "wrap-up" and conversation["disposition"] is None:
            self.work.spawn(self._close, conversation["cid"], conversation["queue"])

    def _close(self, cid: str, queue: str) -> None:
        disposition = {"checkout-help": "answered", "style": "advised"}[queue]
        self._ask("close", cid=cid, disposition=disposition, note="")


hooks: Any = events
hooks.init_command_line_parser.add_listener(options)
hooks.init.add_listener(begin)
hooks.test_start.add_listener(begin)
hooks.test_stopping.add_listener(end)
hooks.quitting.add_listener(write)
