"""One short scene of the Locust kit in a process of its own, since gevent changes the process that it runs in:

    python tests/loadtests/scene.py HOST LEDGER '{"agents": ["ann", "bob"]}'

Shoppers look around, wait in the cart, accept, and say one thing; agents answer it. Everything is as in a real run but
the schedule, and the waits, which are short.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import gevent
import msgspec
from locust.env import Environment

from loadtests import model, moments, sockets, visit
from loadtests import users as played
from loadtests.conductor import Conductor
from loadtests.users import AgentUser, ShopperUser, crowd, logins
from router.core import events as ev

READY_S, END_S = 10.0, 10.0
PASSWORD = "simulated-and-harmless"
STEPS = (
    model.Step((ev.Page(0, "list", "/"), model.looked_at())),
    model.Step((ev.Scroll(0, 0.5),), opens=False),
    model.Step((ev.Page(0, "cart", "/cart"), model.looked_at(), ev.Cart(0, 1, 1, 5000.0, "JPY"))),
)


class Script(msgspec.Struct):
    """What to play: `agents` by login, `shoppers`, all at once or one after the other, as one visitor or several."""

    agents: list[str]
    shoppers: int = 1
    together: bool = False
    one_visitor: bool = False


class Scripted:
    """Every visit is the same."""

    def visit(self, chance: object) -> model.Visit:
        """Two pages, and the wait in the cart."""
        return model.Visit(STEPS, "cart")


def hurry() -> None:
    """Short waits, and people who say yes."""
    visit.CART_SILENCE_S = 0.0  # type: ignore[misc]
    visit.INVITE_S = visit.ANSWER_S = 2.0  # type: ignore[misc]
    visit.LINES = (1, 1)  # type: ignore[misc]
    visit.THINK_S = (0.05, 0.1)  # type: ignore[misc]
    played.THINK_S = visit.THINK_S  # type: ignore[attr-defined]
    model.ACCEPTS = 1.0  # type: ignore[misc]
    sockets.TIMEOUT_S = 2.0  # type: ignore[misc]


def play(host: str, ledger: str, script: Script) -> None:
    """The whole scene."""
    environment = Environment(user_classes=[AgentUser, ShopperUser], host=host)
    environment.parsed_options = Namespace(
        seed=1, pace=1.0, agent_password=PASSWORD, ledger=ledger, csv_prefix=""
    )
    environment.create_local_runner()
    AgentUser.host = ShopperUser.host = host
    ShopperUser.behaviour = Scripted()
    Conductor(environment).listen()
    agents = _agents(environment, script.agents)
    pulse = gevent.spawn(crowd.pulse)
    _shoppers(environment, script)
    crowd.end()
    gevent.joinall([pulse, *agents], timeout=END_S, raise_error=True)
    environment.events.quitting.fire(environment=environment, reverse=True)  # type: ignore[no-untyped-call]


def _agents(environment: Environment, names: list[str]) -> list[gevent.Greenlet]:
    """Everybody is at their console."""
    logins.extend(names)
    playing = [AgentUser(environment) for _ in names]
    assert environment.runner is not None
    greenlets = [agent.start(environment.runner.user_greenlets) for agent in playing]
    with gevent.Timeout(READY_S):
        while not all(hasattr(agent, "console") for agent in playing):
            gevent.sleep(0.01)
    return greenlets


def _shoppers(environment: Environment, script: Script) -> None:
    """Come and go."""
    visitor: str | None = None
    coming: list[gevent.Greenlet] = []
    for number in range(script.shoppers):
        shopper = ShopperUser(environment)
        shopper.on_start()
        coming.append(gevent.spawn(_visit, shopper, number, visitor))
        if not script.together:
            coming[-1].join(timeout=END_S)
        if script.one_visitor:
            visitor = coming[-1].get()
    gevent.joinall(coming, timeout=END_S, raise_error=True)


def _visit(shopper: ShopperUser, number: int, visitor: str | None) -> str | None:
    """One visit; the visitor's token."""
    going = visit.Visit(shopper.host, shopper.chance, 1.0, shopper.report, crowd, moments.now())
    going.visitor = visitor
    try:
        going.walk(shopper.behaviour.visit(shopper.chance))
    finally:
        going.leave()
    return going.visitor


if __name__ == "__main__":
    hurry()
    play(sys.argv[1], sys.argv[2], msgspec.json.decode(sys.argv[3], type=Script))
    assert Path(sys.argv[2]).exists()
