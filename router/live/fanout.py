"""Waking between processes: who watches a conversation or serves an agent here looks again when somebody
elsewhere changed it. A wake carries no truth and may be lost; after every (re)subscription everything is
looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.store import keys
from router.store.life import goes_on
from router.store.quick import Quick

log = structlog.get_logger()

RETRY_S: Final = 0.5
PING_S: Final = 15.0


class Wake(Struct, array_like=True):
    """`talks` and `agents` have changed. `sign` is what passes and is stored nowhere: (kind, about, by whom,
    on).
    """

    node: str
    talks: list[str] = []
    agents: list[str] = []
    sign: tuple[str, str, str, bool] | None = None


_wake: Final = msgspec.msgpack.Decoder(Wake)
_encode: Final = msgspec.msgpack.Encoder().encode


class Fanout:
    """This node's ear and voice on the wake channel of each site. Its own wakes are not heard again.

    `on_wake(site, wake)` for each of the others', `on_gap()` after each subscription, when some may have been
    missed.
    """

    def __init__(
        self,
        redis: Redis,
        node: str,
        sites: Iterable[str],
        on_wake: Callable[[str, Wake], None],
        on_gap: Callable[[], None],
        voice: Quick | None = None,
    ) -> None:
        self._redis = redis
        self._voice = voice or Quick(redis)
        self._node = node
        self._sites = {keys.wake_site(site).encode(): site for site in sites}
        self._on_wake = on_wake
        self._on_gap = on_gap
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    def start(self) -> None:
        """Begin to listen, and go on through every loss of the link."""
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def stop(self) -> None:
        """Cease to listen."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def wake(self, site: str, wake: Wake) -> None:
        """Tell the other nodes; that nobody hears it is no error."""
        await self._voice.ask(("SPUBLISH", keys.wake_site(site), _encode(wake)))

    async def _listen(self) -> None:
        while goes_on():
            pubsub = self._redis.pubsub()
            try:
                await pubsub.ssubscribe(*self._sites)
                while goes_on():
                    message = await pubsub.get_message(timeout=PING_S)
                    if message is None:
                        await pubsub.ping()
                    else:
                        self._hear(message)
            except (RedisError, OSError) as error:
                log.warning("wakes_lost", error=str(error))
            finally:
                self.listening.clear()
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(RETRY_S)

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "ssubscribe":
            self.listening.set()
            self._on_gap()
        elif message["type"] == "smessage":
            try:
                wake = _wake.decode(message["data"])
            except msgspec.DecodeError as error:
                log.warning("bad_wake", error=str(error))
                return
            if wake.node != self._node:
                self._on_wake(self._sites[message["channel"]], wake)
