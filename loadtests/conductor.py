"""What leads a crowd: one conductor a process gives out the plan, starts its part of it, and gathers what was seen.

A process alone does all of it. With several, the master gives each worker its share and gathers; the workers hand over
what they saw since the last time with each of Locust's reports (every 3 s, and when they end).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
from locust.runners import MasterRunner, WorkerRunner

from loadtests import latency, shapes, source
from loadtests.health import Report
from loadtests.pairs import Pairs
from loadtests.source import Plan
from loadtests.users import CheckoutBurst, ShopperUser, crowd, logins

KINDS: Final = {"shopper": ShopperUser, "midway": ShopperUser, "checkout": CheckoutBurst}
PLAN, PHASE, REPORT = "crowd-plan", "crowd-phase", "crowd"


class Conductor:
    """The hooks of one Locust process."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._plan: Plan | None = None
        self._pairs = Pairs(self._rang)
        self._health: dict[str, Report] = {}

    def listen(self) -> None:
        """Take part in what Locust does."""
        events = self._environment.events
        events.request.add_listener(self._measured)
        if not isinstance(self._runner, MasterRunner):
            self._runner.register_message(PHASE, self._phase)
            events.spawning_complete.add_listener(self._spawned)
            events.test_stopping.add_listener(self._end)
        if isinstance(self._runner, WorkerRunner):
            self._runner.register_message(PLAN, self._planned)
            events.report_to_master.add_listener(self._hand_over)
            return
        events.test_start.add_listener(self._give_out)
        events.worker_report.add_listener(self._gather)
        events.quitting.add_listener(self._write)
        crowd.saw = self._pairs.saw

    # --- the plan ------------------------------------------------------------------------------------------

    def _give_out(self, **_: Any) -> None:
        """A run begins. Workers are counted off in the order in which Locust spreads its users."""
        crowd.begin()
        self._health.clear()
        asked = self._environment.parsed_options
        if not isinstance(self._runner, MasterRunner):
            self._take(source.plan(asked)[0])
            return
        clients = sorted(client.id for client in self._runner.clients.all)
        for client, part in zip(clients, source.plan(asked, len(clients)), strict=True):
            self._runner.send_message(PLAN, msgspec.to_builtins(part), client)

    def _planned(self, msg: Any, **_: Any) -> None:
        crowd.begin()
        self._take(msgspec.convert(msg.data, Plan))

    def _take(self, part: Plan) -> None:
        self._plan = part
        logins.clear()
        logins.extend(part.logins())

    def _spawned(self, **_: Any) -> None:
        """The agents are there: shoppers may come. Locust says so again when the number of agents changes."""
        part, self._plan = self._plan, None
        if part is not None:
            gevent.spawn(self._flow, part)

    def _flow(self, part: Plan) -> None:
        shape, behaviour = part.shape_of(), part.behaviour_of()
        ShopperUser.behaviour = behaviour
        arrivals = part.arrivals(shape, behaviour)
        crowd.health.begin()
        gevent.spawn(crowd.pulse)
        source.run(crowd, arrivals, [at * part.seconds for at in shape.drops], self._start)

    def _start(self, arrival: shapes.Arrival, at: float) -> None:
        user: Any = KINDS[arrival.kind](self._environment)
        user.arrival, user.at = arrival, at
        user.start(self._runner.user_greenlets)

    def _phase(self, msg: Any, **_: Any) -> None:
        crowd.stopping.set()
        if msg.data == "closed":
            crowd.closed.set()

    def _end(self, **_: Any) -> None:
        crowd.end()

    # --- what was seen -------------------------------------------------------------------------------------

    def _measured(self, name: str, response_time: float, exception: Any = None, **_: Any) -> None:
        if exception is None:
            crowd.latencies.record(name, response_time)

    def _rang(self, seconds: float) -> None:
        self._environment.events.request.fire(
            request_type="WS", name="invite→ring", response_time=seconds * 1000, response_length=0,
            exception=None, context={},
        )  # fmt: skip

    def _hand_over(self, data: dict[str, Any], **_: Any) -> None:
        report = crowd.health.report(str(self._runner.worker_index))
        data[REPORT] = [crowd.ledger.take(), crowd.latencies.take(), msgspec.to_builtins(report)]

    def _gather(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        ledger, latencies, health = data[REPORT]
        for end in crowd.ledger.add(ledger).ends:
            self._pairs.saw(end)
        crowd.latencies.add(latencies)
        self._health[client_id] = msgspec.convert(health, Report)

    def _write(self, **_: Any) -> None:
        """The ledger for the checks, and the percentiles beside Locust's own tables."""
        asked = self._environment.parsed_options
        alone = not isinstance(self._runner, MasterRunner)
        crowd.ledger.rows = crowd.latencies.rows()
        crowd.ledger.health = [crowd.health.report("0")] if alone else list(self._health.values())
        if asked.ledger:
            crowd.ledger.write(Path(asked.ledger))
        if asked.csv_prefix:
            latency.write(crowd.ledger.rows, asked.csv_prefix)
