"""Shoppers and agents for Locust. Against a running `make demo`:

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000

then open http://localhost:8089. `make load` does it without a browser, on a service of its own. docs/loadtests.md has
the options, the shapes and the way to several workers. Entries, in ms, each from the moment meant for its begin:

- `page→ack`: a page opens, until its first events are stored: the socket, the welcome, the ack;
- `event→ack`: an event on an open page, until it is acknowledged as stored;
- `trigger→invite`: a rule becomes true (where it waits for a silence: the end of that), until the invite is there;
- `invite→ring`: an invite is accepted, until an agent's console rings;
- `message`: one side of a talk says something, until the other side has it;
- `reconnect`: a page comes back after its socket was dropped, until it is welcome again.
"""

from __future__ import annotations

from typing import Any, Final

from locust import LoadTestShape, events
from locust.runners import MasterRunner

from loadtests import recorded, shapes
from loadtests.conductor import KINDS, PHASE, Conductor
from loadtests.users import AgentUser, CheckoutBurst, ShopperUser
from loadtests.visit import CART_LEAD_S
from router.web.demo_seed import AGENTS, PASSWORD

__all__ = ["AgentUser", "CheckoutBurst", "CrowdShape", "ShopperUser"]

START_S: Final = CART_LEAD_S + 2.0  # until the agents are there and the schedule begins
LINGER_S: Final = 60.0  # the longest that visits and talks may take to end
REPORT_S: Final = 4.0  # workers tell how many users they have every 3 s


def options(parser: Any) -> None:
    """What this file adds to Locust's own options. `--users` are the shoppers that are there at a time."""
    add = parser.add_argument
    add("--shape", choices=list(shapes.SHAPES), default="steady", help="Who arrives when.")
    add(
        "--burst",
        type=int,
        default=-1,
        help="Checkouts at once at a shape's bursts; -1: a quarter of the users.",
    )
    add("--pace", type=float, default=30.0, help="How much faster than people the shoppers are.")
    add(
        "--behaviour",
        choices=["auto", "recorded", "synthetic"],
        default="auto",
        help="Where visits come from.",
    )
    add("--data", default=str(recorded.folder()), help="Folder of recordings.")
    add("--agents", default=",".join(AGENTS), help="The agents' logins; one AgentUser each.")
    add("--agent-password", default=PASSWORD, help="The password of all of them.")
    add("--ledger", default="", help="File for what was sent and acknowledged; empty: none.")
    add("--seed", type=int, default=1, help="Seed of the arrivals and the shoppers' behaviour.")


class CrowdShape(LoadTestShape):
    """Locust starts the agents, and ends the run; in between the schedule starts the shoppers.

    At the end first the shoppers come to theirs, then the agents; each is waited for, `LINGER_S` at most.
    """

    use_common_options = True

    def tick(self) -> tuple[int, float, list[type]] | None:
        """How many agents there are; None when all is over."""
        runner: Any = self.runner
        asked = runner.environment.parsed_options
        run_s: float = self.get_run_time()  # type: ignore[no-untyped-call]
        agents = len(asked.agents.split(","))
        over_s = run_s - START_S - (asked.run_time or shapes.SHAPES[asked.shape].seconds)
        if over_s >= 0:
            runner.send_message(PHASE, "closed" if self._empty(over_s) else "stopping")
            if over_s > REPORT_S and (not runner.user_count or over_s > 2 * LINGER_S):
                return None
        return agents, float(agents), [AgentUser]

    def _empty(self, over_s: float) -> bool:
        """Whether no shopper is left, `over_s` after the end; what a master knows of it is some seconds old."""
        runner: Any = self.runner
        distributed = isinstance(runner, MasterRunner)
        if over_s > LINGER_S or (distributed and over_s < REPORT_S):
            return over_s > LINGER_S
        counts = runner.reported_user_classes_count if distributed else runner.user_classes_count
        return not any(counts.get(kind.__name__, 0) for kind in KINDS.values())


def begin(environment: Any, **_: Any) -> None:
    """Locust is about to run, alone, as a master or as a worker."""
    Conductor(environment).listen()


hooks: Any = events
hooks.init_command_line_parser.add_listener(options)
hooks.init.add_listener(begin)
