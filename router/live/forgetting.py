"""A shopper withdraws consent: what is known of the session and of the visitor is erased, at every process.

The journal and the behaviour kept for replays hold events under ids that nothing leads back to a person any more, until
their own bounds take them.
"""

from __future__ import annotations

import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.core import protocol as wire
from router.core import signing
from router.errors import Refused
from router.live.commit import decode_session
from router.live.desk import Desk
from router.live.engine import Engine
from router.store import keys
from router.store.sessions import forget, peek


class Forgetting:
    """Of one process."""

    def __init__(self, redis: Redis, engine: Engine, desk: Desk, secret: bytes) -> None:
        self._redis = redis
        self._engine = engine
        self._desk = desk
        self._secret = secret

    async def withdraw(self, body: bytes) -> None:
        """The body of `POST /v1/forget`. Once more is harmless. Raises `Refused`: bad_request, unknown_site, bad_token,
        unavailable.
        """
        said = wire.decode_withdrawal(body)
        if said.site not in self._engine.sites:
            raise Refused("unknown_site")
        sid = signing.open_session(self._secret, said.site, said.token)
        vid = signing.open_visitor(self._secret, said.site, said.visitor) if said.visitor else ""
        try:
            await self._end_talk(said.site, sid)
            await self._desk.withdrawn(said.site, sid)
            await forget(self._redis, sid)
            if vid:
                await self._redis.delete(*keys.of_visitor(said.site, vid))
        except (RedisError, OSError) as error:
            raise Refused("unavailable") from error

    async def _end_talk(self, site: str, sid: str) -> None:
        held, blob = self._engine.holdings.get(sid), await peek(self._redis, sid)
        session = held.session if held else decode_session(blob) if blob else None
        if session and session.talk:
            with contextlib.suppress(Refused):
                await self._desk.end(site, session.talk)

    def here(self, sid: str) -> None:
        """If this process holds the session: it is nobody's any more, and its pages begin anew."""
        held = self._engine.holdings.get(sid)
        if held is not None:
            self._engine.holdings.give_up(held, "forgotten")
