"""Webhooks: what a rule tells another service of a decision, beside everything else and never in its way.

A call is signed as the shop's own requests are (`docs/api.md`), tried up to three times, and dropped when too many
wait. At most once after a crash: what waited then is lost, which the journal shows by its absence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any, Final, NamedTuple

import httpx
import msgspec
import structlog

from router.core import signing
from router.live.clock import Clock
from router.store.journal import Journal

log = structlog.get_logger()

MAX_WAITING: Final = 1000
AT_ONCE: Final = 8
TIMEOUT_S: Final = 3.0
TRIES: Final = 3
PAUSE_S: Final = 1.0  # doubled from try to try


class Call(NamedTuple):
    """One call: to which address, about which decision, with which body."""

    site: str
    name: str
    url: str
    decision: str
    body: bytes


class Webhooks:
    """This process's calls. `dropped` counts those for which there was no room."""

    def __init__(self, secret: bytes, clock: Clock, journal: Journal, *, pause_s: float = PAUSE_S) -> None:
        self.dropped = 0
        self._secret = secret
        self._clock = clock
        self._journal = journal
        self._pause_s = pause_s
        self._waiting: deque[Call] = deque()
        self._wake = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._client: httpx.AsyncClient | None = None
        self._busy = 0

    def start(self) -> None:
        """Begin to call."""
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self._workers = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]

    async def stop(self) -> None:
        """Cease; what waits is not called any more."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    @property
    def busy(self) -> bool:
        """Whether a call waits or is under way."""
        return bool(self._waiting or self._busy)

    def call(self, site: str, name: str, url: str, decision: str, about: dict[str, Any]) -> None:
        """Call this address soon. Never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append(Call(site, name, url, decision, msgspec.json.encode(about)))
        self._wake.set()

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            call = self._waiting.popleft()
            self._busy += 1
            try:
                await self._deliver(call)
            finally:
                self._busy -= 1

    async def _deliver(self, call: Call) -> None:
        outcome = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._pause_s * 2 ** (attempt - 1))
            outcome = await self._try(call)
            if outcome == "ok":
                break
        else:
            log.warning("a webhook was not taken", site=call.site, webhook=call.name, outcome=outcome)
        with contextlib.suppress(Exception):
            entry = {"site": call.site, "webhook": call.name, "did": call.decision, "outcome": outcome}
            self._journal.add("webhook", entry | {"at": self._clock.now()})

    async def _try(self, call: Call) -> str:
        assert self._client is not None
        time_s = str(self._clock.now() // 1000)
        headers = {
            "Content-Type": "application/json",
            "X-Router-Site": call.site,
            "X-Router-Time": time_s,
            "X-Router-Signature": signing.sign_request(
                signing.site_key(self._secret, call.site), time_s, call.body
            ),
        }
        try:
            answer = await self._client.post(call.url, content=call.body, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "ok" if answer.is_success else f"status {answer.status_code}"
