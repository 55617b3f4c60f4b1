"""The rules that were published while the service runs: each revision of each site, and the kill switch."""

from __future__ import annotations

from typing import Final, cast

from msgspec import Struct
from redis.asyncio import Redis

from router.store import keys, scripts

KEPT: Final = 100


class Revision(Struct, frozen=True):
    """Published rules, with the texts they show ("": the site file's): the number within the site, the rules' version
    (8 hex digits), when (ms), by whom, and why.
    """

    number: int
    version: str
    at: int
    who: str
    note: str
    text: str
    texts: str = ""


class Switch(Struct, frozen=True):
    """A site at a glance: the newest revision's number (0: none), and who stopped everything proactive ("": nobody)."""

    number: int = 0
    killed: str = ""


class Rulebooks:
    """All sites' revisions. Errors of the store come through as redis-py raises them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(
        self, site: str, text: str, version: str, who: str, note: str, now: int, texts: str = ""
    ) -> int:
        """Keep rules and texts as the next revision, which every process takes up; returns its number. 100 are kept."""
        number: int = await scripts.run(
            self._redis,
            "rules_publish",
            [keys.rulebook(site), keys.revision(site, "")],
            [text, version, now, who, note, KEPT, texts],
        )
        return number

    async def kill(self, site: str, who: str) -> None:
        """Stop everything proactive of the site; an empty `who` lets it go on."""
        await self._redis.hset(keys.rulebook(site), "killed", who)

    async def switch(self, site: str) -> Switch:
        """What every process looks at again and again."""
        found = cast("list[bytes | None]", await self._redis.hmget(keys.rulebook(site), ["number", "killed"]))
        number, killed = found
        return Switch(int(number or 0), (killed or b"").decode())

    async def revision(self, site: str, number: int) -> Revision | None:
        """One revision; None if it never was or is forgotten."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.revision(site, str(number))))
        if not found:
            return None
        fields = {name.decode(): value.decode() for name, value in found.items()}
        return Revision(
            number, fields["version"], int(fields["at"]), fields["who"], fields["note"], fields["text"],
            fields.get("texts", ""),
        )  # fmt: skip

    async def history(self, site: str) -> list[Revision]:
        """The revisions that are kept, newest first."""
        newest = (await self.switch(site)).number
        numbers = range(newest, max(0, newest - KEPT), -1)
        found = [await self.revision(site, number) for number in numbers]
        return [revision for revision in found if revision is not None]
