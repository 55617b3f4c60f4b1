"""Login sessions of agents: cookie tokens, CSRF tokens, one-use socket tickets, and the limit on tries.

Tokens are stored only as SHA-256 hashes: whoever reads the store cannot use them.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from msgspec import Struct
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys, scripts

TRIES_PER_LOGIN: Final = 10  # each per LOGIN_TRIES_TTL_S; a right password gives a login's tries back
TRIES_PER_ADDRESS: Final = 50


class Login(Struct, frozen=True):
    """A login session: `id` is the hash of its cookie's token."""

    id: str
    site: str
    login: str
    csrf: str


def hashed(token: str) -> str:
    """The form in which a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _text(value: bytes | str) -> str:
    """What the store answered, as text."""
    return value if isinstance(value, str) else value.decode()


class Logins:
    """The login sessions of every site."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count_try(self, site: str, login: str, address: str) -> None:
        """Count a try before its password is looked at. Raises `Refused("too_many")`."""
        for about, most in (
            (f"login:{site}:{login}", TRIES_PER_LOGIN),
            (f"from:{address}", TRIES_PER_ADDRESS),
        ):
            key = keys.login_tries(hashed(about))
            if not await scripts.run(self._redis, "tries", (key,), (most, keys.LOGIN_TRIES_TTL_S)):
                raise Refused("too_many", "Too many tries to log in; wait a quarter of an hour.")

    async def succeeded(self, site: str, login: str) -> None:
        """The password was right: its login's tries are forgiven, the address's are not."""
        await self._redis.delete(keys.login_tries(hashed(f"login:{site}:{login}")))

    async def start(self, site: str, login: str) -> tuple[str, Login]:
        """A new session, 12 h long, and the token for its cookie."""
        token = secrets.token_urlsafe(32)
        session = Login(hashed(token), site, login, secrets.token_urlsafe(32))
        key = keys.agent_session(session.id)
        pipe = self._redis.pipeline(transaction=True)
        pipe.hset(key, mapping={"site": site, "login": login, "csrf": session.csrf})
        pipe.expire(key, keys.AGENT_SESSION_TTL_S)
        await pipe.execute()
        return token, session

    async def session(self, token: str) -> Login:
        """The session of a cookie's token. Raises `Refused("unauthorized")`."""
        return await self.by_id(hashed(token))

    async def by_id(self, session: str) -> Login:
        """The session of this id. Raises `Refused("unauthorized")` if it has ended."""
        site, login, csrf = await self._redis.hmget(keys.agent_session(session), "site", "login", "csrf")
        if site is None or login is None or csrf is None:
            raise Refused("unauthorized")
        return Login(session, _text(site), _text(login), _text(csrf))

    async def end(self, session: Login) -> None:
        """Log out; tickets of the session are worth nothing any more."""
        await self._redis.delete(keys.agent_session(session.id))

    async def ticket(self, session: Login) -> str:
        """A ticket for one socket, 30 s long."""
        ticket = secrets.token_urlsafe(24)
        await self._redis.set(keys.ticket(hashed(ticket)), session.id, ex=keys.TICKET_TTL_S)
        return ticket

    async def redeem(self, ticket: str) -> Login:
        """The session of a ticket, once. Raises `Refused("bad_ticket")`."""
        session = await self._redis.getdel(keys.ticket(hashed(ticket)))
        if session is None:
            raise Refused("bad_ticket")
        try:
            return await self.by_id(_text(session))
        except Refused:
            raise Refused("bad_ticket") from None
