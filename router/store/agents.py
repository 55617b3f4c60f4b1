"""Agents' accounts: who they are, what they can take, and their password as an argon2id hash.

Hashing takes tens of milliseconds and 64 MiB, so it runs in two threads at most, and at most sixteen may
wait.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from redis.asyncio import Redis

from router.core import roles
from router.core.routing import signature
from router.errors import Refused
from router.store import keys
from router.store.routing import Routing

THREADS: Final = 2
WAITING: Final = 16
PASSWORD_CHARS: Final = (8, 200)
CAPACITY: Final = 20
ROLES: Final = roles.ROLES

_LOGIN: Final = re.compile(r"[A-Za-z0-9._@-]{1,60}")


class Agent(Struct, frozen=True):
    """An agent as a console knows them; `capacity` is how many conversations at a time."""

    login: str
    name: str
    role: str
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    capacity: int


class Agents:
    """The accounts of every site. `now_ms()` is what scripts get: 0 lets them use the server's own time."""

    def __init__(
        self, redis: Redis, now_ms: Callable[[], int] = lambda: 0, hasher: PasswordHasher | None = None
    ) -> None:
        self._redis = redis
        self._routing = Routing(redis, "", now_ms, 0)
        self._hasher = hasher or PasswordHasher()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._hashing = 0
        self._nobody = ""

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    async def add(
        self,
        site: str,
        login: str,
        name: str,
        password: str,
        *,
        queues: Sequence[str],
        skills: Sequence[str] = (),
        languages: Sequence[str] = (),
        capacity: int = 3,
        role: str = "agent",
    ) -> Agent:
        """Add an agent, or replace all that is said of one; their conversations stay with them.

        A rule's skill is met by a skill or by a language; each may say its level (`ja:4`, 1 to 5; without: 3), which
        consoles do not see. Raises `Refused("bad_request")` with what is wrong.
        """
        agent = Agent(
            login, name.strip(), role, tuple(queues), _names(skills), _names(languages), capacity
        )  # fmt: skip
        check(agent, (*skills, *languages), password)
        hashed = await self._in_pool(self._hasher.hash, _bytes(password))
        await self._routing.enroll(
            site,
            login,
            {
                "name": agent.name,
                "hash": hashed,
                "profile": msgspec.json.encode(agent),
                "queues": f",{','.join(agent.queues)},",
                "skills": f",{','.join((*skills, *languages))},",
                "capacity": capacity,
            },
        )
        return agent

    async def disable(self, site: str, login: str, disabled: bool) -> None:
        """Let nobody in with this login any more, and end what is open with it; or let them in again.

        Raises `Refused("not_found")`.
        """
        try:
            (await self._routing.disable(site, login, disabled)).checked()
        except Refused:
            raise Refused("not_found", f"{site} has no agent {login}.") from None

    async def all(self, site: str) -> list[tuple[Agent, bool]]:
        """Every agent of a site by login, and whether they are disabled."""
        logins = sorted(
            login.decode() for login in cast("set[bytes]", await self._redis.smembers(keys.agents(site)))
        )
        found = [
            cast(
                "list[bytes | None]",
                await self._redis.hmget(keys.agent(site, login), ["profile", "disabled"]),
            )
            for login in logins
        ]
        return [
            (msgspec.json.decode(profile, type=Agent), disabled == b"1")
            for profile, disabled in found
            if profile
        ]

    async def get(self, site: str, login: str) -> Agent | None:
        """The agent of this login; None if there is none, or they are disabled."""
        profile, disabled = await self._redis.hmget(keys.agent(site, login), ["profile", "disabled"])
        return None if profile is None or disabled == b"1" else msgspec.json.decode(profile, type=Agent)

    async def check(self, site: str, login: str, password: str) -> Agent:
        """The agent, if the password is theirs. Raises `Refused`: bad_login, and too_many if too many ask at
        once.

        An unknown login takes as long as a wrong password.
        """
        hashed, profile, disabled = None, None, None
        if _LOGIN.fullmatch(login):
            hashed, profile, disabled = await self._redis.hmget(
                keys.agent(site, login), "hash", "profile", "disabled"
            )
        if not self._nobody:
            self._nobody = await self._in_pool(self._hasher.hash, b"nobody has this password")
        known = await self._in_pool(self._fits, _text(hashed) if hashed else self._nobody, _bytes(password))
        if not known or hashed is None or profile is None or disabled == b"1":
            raise Refused("bad_login")
        return msgspec.json.decode(profile, type=Agent)

    def _fits(self, hashed: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_pool(self, work: Any, *args: str | bytes) -> Any:
        if self._hashing >= THREADS + WAITING:
            raise Refused("too_many")
        self._hashing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._hashing -= 1


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _names(skills: Sequence[str]) -> tuple[str, ...]:
    return tuple(skill.partition(":")[0] for skill in skills)


def check(agent: Agent, skills: Sequence[str], password: str) -> None:
    """Raise `Refused("bad_request")` with the first thing that is wrong; `skills` with their levels and languages."""
    for queue in agent.queues:
        if "+" in queue:
            raise Refused("bad_request", "A queue is named by 1 to 40 letters, digits, _ or -.")
        signature(queue, skills)
    if not agent.queues:
        raise Refused("bad_request", "An agent serves at least one queue.")
    if _LOGIN.fullmatch(agent.login) is None:
        raise Refused("bad_request", "A login is 1 to 60 of A-Z a-z 0-9 . _ @ -.")
    if not 1 <= len(agent.name) <= 80:
        raise Refused("bad_request", "A name has 1 to 80 characters.")
    if not 1 <= agent.capacity <= CAPACITY:
        raise Refused("bad_request", f"The capacity is 1 to {CAPACITY}.")
    if agent.role not in ROLES:
        raise Refused("bad_request", f"The role is one of {', '.join(ROLES)}.")
    if not PASSWORD_CHARS[0] <= len(password) <= PASSWORD_CHARS[1]:
        raise Refused("bad_request", f"A password has {PASSWORD_CHARS[0]} to {PASSWORD_CHARS[1]} characters.")
