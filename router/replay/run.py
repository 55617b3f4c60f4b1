"""A whole replay: a private store, the service on a driven clock, agents, the recording, the report."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from router.core.site import Site
from router.replay.agents import SimulatedAgent, enrol
from router.replay.driven import DrivenService
from router.replay.driver import ACCEPTANCE, Driver, Work
from router.replay.recording import Recording
from router.replay.report import Check, Journalled, checks, journalled
from router.store.embedded import Embedded

Faults = Callable[[DrivenService, Embedded], dict[int, Work]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to."""

    driver: Driver
    agents: list[SimulatedAgent]
    noted: Journalled
    checks: list[Check]
    seconds: float


async def run(
    recording: Recording,
    site: Site,
    sites_file: Path,
    store: Embedded,
    *,
    agents: int,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
    faults: Faults | None = None,
    acceptance: float = ACCEPTANCE,
) -> Outcome:
    """Replay a recording through `site` on the store; `faults` are what is to go wrong, by the action's number."""
    redis: Redis = Redis.from_url(store.url)
    chance = random.Random(seed)  # noqa: S311  (simulated people, not secrets)
    service = DrivenService(store.url, sites_file, recording.actions[0].at - 1000)
    gc.freeze()  # the recording lives as long as the run: the collector need not look at it again
    began = time.perf_counter()
    try:
        logins = await enrol(redis, site, agents)
        await service.start()
        people: list[SimulatedAgent] = []
        driver = Driver(
            recording, site, service, redis, people, chance, progress=progress,
            faults=faults(service, store) if faults else None, acceptance=acceptance,
        )  # fmt: skip
        people += [
            SimulatedAgent(login, site, driver.plan_in, random.Random(chance.random()))  # noqa: S311
            for login in logins
        ]
        for agent in people:
            await agent.connect(service.address)
        await driver.run()
        for agent in people:
            await agent.leave()
        await service.stop()
        noted = await journalled(redis)
        results = await checks(site, driver.tally, people, noted, redis)
        return Outcome(driver, people, noted, results, time.perf_counter() - began)
    finally:
        await service.stop()
        await redis.aclose()
