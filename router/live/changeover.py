"""Other rules, or none: what becomes of the sessions that this process holds when a site's rules change or stop."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from router.core.site import Site
from router.live.clock import Clock
from router.live.decider import Decider
from router.live.holdings import Holdings
from router.live.timers import Timers

SLICE_S: Final = 0.002


class Changeover:
    """Works on `sites`, which everybody reads, and on the sessions held."""

    def __init__(
        self, sites: dict[str, Site], clock: Clock, holdings: Holdings, timers: Timers, decider: Decider
    ) -> None:
        self._sites = sites
        self._clock = clock
        self._holdings = holdings
        self._timers = timers
        self._decider = decider

    def take(self, site: Site) -> None:
        """Other rules or texts are in force from now on: the sessions that are held go over to them, some at a time."""
        self._sites[site.id] = site
        self._holdings.spawn(self._go_over(site))

    async def _go_over(self, site: Site) -> None:
        """Between two events of each session, at most 2 ms at a stretch; what was true already does not fire again."""
        until = time.perf_counter() + SLICE_S
        for held in self._holdings.all():
            if self._sites[site.id] is not site:
                return  # newer ones came meanwhile
            if held.site.id == site.id:
                held.site = site
                site.rules.adopt(held.session, self._clock.now(), held.due)
                self._timers.plan(held)
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_S

    def stop(self, site: str, killed: bool) -> None:
        """Everything proactive of a site stops at once, what is on its way or open too; or it may go on."""
        if not killed:
            self._decider.killed.discard(site)
            return
        self._decider.killed.add(site)
        now = self._clock.now()
        for held in self._holdings.all():
            if held.site.id == site:
                self._decider.delivery.stop(held, now)
