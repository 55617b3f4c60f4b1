"""What is known of a visitor across sessions: visits, orders, what was shown and what they did not want.

Only for visitors whose consent allows it: the caller has no visitor id otherwise. Moments are milliseconds
since the epoch by the caller's clock. All of it is forgotten 90 days after the last sign of the visitor.
Every call is one script and may be repeated with the same effect. Errors of the store's link come through
as redis-py raises them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from redis.asyncio import Redis

from router.core.caps import Standing, Times
from router.core.session import Profile
from router.store import keys, scripts
from router.store.link import Link
from router.store.quick import Quick, pairs

Window = tuple[int, int]
"""A cap: at most so many in a sliding window of so many milliseconds, which is at most 90 days."""

NEVER: Final = 253_402_300_799_000  # the last second of the year 9999
LONG_REST_MS: Final = 30 * 24 * 3_600_000  # after the second dismissal
SESSIONS_KEPT: Final = 32
ORDERS_KEPT: Final = 200
PROFILE_FIELDS: Final = 43  # orders, tier, score and forty attributes


class Visitors:
    """All visitors of all sites."""

    def __init__(self, redis: Redis, link: Link | None = None) -> None:
        self._redis = redis
        self._quick = Quick(redis, link)

    async def visit(self, site: str, vid: str, sid: str, now: int) -> int:
        """Count a visit, once for each of the visitor's latest 32 sessions; returns the visits so far."""
        count: int = await self._quick.run(
            "visitor_visit",
            [keys.visits(site, vid), keys.visitor(site, vid)],
            [sid, now, SESSIONS_KEPT, keys.VISITOR_TTL_S],
        )
        return count

    async def order(self, site: str, vid: str, order: str, *, cancelled: bool = False) -> int:
        """Remember an order, or forget a cancelled one; returns how many are remembered, at most 200."""
        count: int = await self._quick.run(
            "visitor_order",
            [keys.visitor_orders(site, vid)],
            [order, "0" if cancelled else "1", ORDERS_KEPT, keys.VISITOR_TTL_S],
        )
        return count

    async def tell(self, site: str, vid: str, said: Profile) -> None:
        """Remember what the shop's backend says of the visitor. What is None or empty in it stays as it was; an
        attribute that is an empty text is forgotten.
        """
        fields = {"orders": said.orders, "tier": said.tier or None, "score": said.score}
        given = {name: msgspec.json.encode(value) for name, value in fields.items() if value is not None}
        for name, value in said.attributes.items():
            given[f"a:{name}"] = b"" if value == "" else msgspec.json.encode(value)
        args: list[scripts.Arg] = [keys.VISITOR_TTL_S, PROFILE_FIELDS]
        for pair in given.items():
            args += pair
        await self._quick.run("visitor_tell", [keys.profile(site, vid)], args)

    async def profile(self, site: str, vid: str) -> Profile:
        """What is known of the visitor: their orders, and what the shop's backend says."""
        told, orders = await self._quick.ask(
            ("HGETALL", keys.profile(site, vid)), ("SCARD", keys.visitor_orders(site, vid))
        )
        fields = {name.decode(): msgspec.json.decode(value) for name, value in pairs(told)}
        return Profile(
            max(orders, fields.get("orders", 0)),
            fields.get("tier", ""),
            fields.get("score"),
            {name[2:]: value for name, value in sorted(fields.items()) if name.startswith("a:")},
        )

    async def standing(self, site: str, vid: str, now: int) -> Standing:
        """What the visitor was shown, what is about to be, and until when they rest."""
        shown, claimed, quiet = await self._quick.ask(
            ("ZRANGE", keys.caps(site, vid), 0, -1, "WITHSCORES"),
            ("ZRANGEBYSCORE", keys.claims(site, vid), f"({now}", "+inf", "WITHSCORES"),
            ("HGET", keys.visitor(site, vid), "quiet"),
        )
        return Standing(_times(pairs(shown)), _times(pairs(claimed)), int(quiet or 0))

    async def claim_cap(
        self,
        site: str,
        vid: str,
        did: str,
        rule: str,
        *,
        rule_cap: Window | None,
        all_cap: Window | None,
        now: int,
        held_out: bool = False,
    ) -> bool:
        """May decision `did` of `rule` be shown to the visitor? If so it counts, as a claim, from now on.

        False while the visitor rests after a dismissal, or if the rule's own cap or the one over all rules is
        spent. A claim ends after 300 s unless `confirm` comes; a held-out decision counts as shown at once.
        """
        claim_ends: int | str = "" if held_out else now + keys.CLAIM_TTL_S * 1000
        allowed = await self._quick.run("cap_claim",
            [keys.caps(site, vid), keys.claims(site, vid), keys.visitor(site, vid)],
            [
                did, rule, now, claim_ends, *(rule_cap or (-1, 0)), *(all_cap or (-1, 0)),
                keys.CLAIM_TTL_S, keys.VISITOR_TTL_S,
            ],
        )  # fmt: skip
        return bool(allowed)

    async def confirm(self, site: str, vid: str, did: str, rule: str, now: int) -> None:
        """The decision was shown, now; it counts even if its claim has ended meanwhile."""
        await self._quick.run(
            "cap_confirm",
            [keys.caps(site, vid), keys.claims(site, vid)],
            [did, rule, now, keys.VISITOR_TTL_S],
        )

    async def release(self, site: str, vid: str, did: str, rule: str) -> None:
        """The decision was not shown and will not be: its claim ends. What was shown stays counted."""
        await self._redis.zrem(keys.claims(site, vid), f"{did}|{rule}")

    async def dismissed(self, site: str, vid: str, did: str, *, never: bool, rest_ms: int, now: int) -> int:
        """The visitor dismissed the decision. Returns the moment until which nothing proactive is shown.

        That is `rest_ms` after the first dismissal in 90 days, 30 days after a further one, and `NEVER` (as
        long as the visitor is known) if `never`. It only ever moves later.
        """
        quiet_until = await self._quick.run(
            "cap_dismiss",
            [keys.dismissals(site, vid), keys.visitor(site, vid)],
            [did, now, rest_ms, LONG_REST_MS, NEVER if never else "", keys.VISITOR_TTL_S],
        )
        return int(quiet_until)


def _times(members: Iterable[tuple[bytes, bytes]]) -> Times:
    """From `decision|rule` and its score."""
    return tuple((member.decode().partition("|")[2], int(float(score))) for member, score in members)
