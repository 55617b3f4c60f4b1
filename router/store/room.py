"""What agents see of a site beside their own talks: who waits, who is there, what was left. Plain reads, for looking
at and never for deciding; the scripts decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis

from router.core.left import Left
from router.core.room import Colleague, Waiter
from router.store import keys

LINE: Final = 100
WAITER: Final = ("sig", "queue", "opened", "step", "language", "card")
BLOCK: Final = ("cid", "by", "name", "reason", "until", "at", "who")
COLLEAGUE: Final = ("name", "presence", "reason", "capacity", "queues", "skills")


class Rooms:
    """The rooms of all sites."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def waiting(self, site: str, most: int = LINE) -> list[Waiter]:
        """Who waits, by place; at most so many. Plain reads: for looking at, not for deciding."""
        sigs = cast("set[bytes]", await self._redis.smembers(keys.routing(site, "sigs")))
        async with self._redis.pipeline(transaction=False) as pipeline:
            for sig in sigs:
                pipeline.zrange(keys.routing(site, f"line:{sig.decode()}"), 0, most - 1, withscores=True)
            lines = await pipeline.execute()
        first = sorted((place, cid.decode()) for line in lines for cid, place in line)[:most]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for _, cid in first:
                pipeline.hmget(keys.routing(site, f"talk:{cid}"), WAITER)
            records = await pipeline.execute()
        return [
            Waiter(
                cid=cid, place=int(place), sig=_str(sig), queue=_str(queue), opened=int(opened), step=int(step or 0),
                language=_str(language), card=_str(card),
            )
            for (place, cid), (sig, queue, opened, step, language, card) in zip(first, records, strict=True)
            if opened is not None
        ]  # fmt: skip

    async def left(self, site: str, most: int = LINE) -> list[Left]:
        """The open left messages, what is due first; at most so many."""
        ids = cast("list[bytes]", await self._redis.zrange(keys.routing(site, "left"), 0, most - 1))
        async with self._redis.pipeline(transaction=False) as pipeline:
            for left in ids:
                pipeline.hgetall(keys.routing(site, f"left:{left.decode()}"))
            records = await pipeline.execute()
        return [
            msgspec.convert({"id": left.decode(), **_texts(record)}, Left, strict=False)
            for left, record in zip(ids, records, strict=True)
            if record
        ]

    async def blocks(self, site: str, now: int) -> list[dict[str, Any]]:
        """The blocks that last, the latest first: {cid, by, name, reason, until, at, who}; moments in ms."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.routing(site, "blocks")))
        blocks = [{"cid": cid.decode(), **msgspec.json.decode(block)} for cid, block in found.items()]
        lasting = [{name: block[name] for name in BLOCK} for block in blocks if block["until"] > now]
        return sorted(lasting, key=lambda block: (-block["at"], block["cid"]))

    async def colleagues(self, site: str, logins: Iterable[str] | None = None) -> list[Colleague]:
        """These agents as they are, or all; who is not known any more is left out. Plain reads, as `waiting`."""
        if logins is None:
            known = cast("set[bytes]", await self._redis.smembers(keys.agents(site)))
            logins = [login.decode() for login in known]
        asked = list(logins)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for login in asked:
                pipeline.hmget(keys.agent(site, login), COLLEAGUE)
                pipeline.smembers(keys.routing(site, f"busy:{login}"))
                pipeline.exists(keys.routing(site, f"sockets:{login}"))
            answers = iter(await pipeline.execute())
        return [
            Colleague(
                login=login, name=_str(fields[0]), presence=_str(fields[1]) or "away", reason=_str(fields[2]),
                capacity=int(fields[3] or 0), queues=_listed(fields[4]), skills=_listed(fields[5]), load=len(talks),
                there=bool(there), talks=tuple(sorted(cid.decode() for cid in talks)),
            )
            for login, fields, talks, there in zip(asked, answers, answers, answers, strict=False)
            if fields[0] is not None
        ]  # fmt: skip


def _str(value: bytes | None) -> str:
    return (value or b"").decode()


def _texts(record: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in record.items()}


def _listed(value: bytes | None) -> tuple[str, ...]:
    """From `,a,b,`."""
    return tuple(filter(None, _str(value).split(",")))
