"""Discount codes of a site's campaigns: made within a budget, used once. Every step is one script.

Moments are milliseconds since the epoch by the caller's clock. Every call may be repeated with the same
effect, so an unknown outcome is simply asked for again. Errors of the store's link come through as redis-py
raises them.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from router.core.offers import Code, Redemption
from router.errors import Refused
from router.store import keys
from router.store.link import Link
from router.store.quick import Quick


class Offers:
    """All campaigns of all sites."""

    def __init__(self, redis: Redis, link: Link | None = None) -> None:
        self._redis = redis
        self._quick = Quick(redis, link)

    async def reserve(
        self,
        site: str,
        did: str,
        offer: str,
        *,
        code: str,
        budget: int,
        percent: float,
        expires_in_ms: int,
        visitor: str,
        now: int,
    ) -> Code | None:
        """A code for decision `did`: the one it has, else `code` (made by `new_code`).

        It expires at `now + expires_in_ms`.
        It counts against `budget`, the number of codes that the campaign may give out, and is a claim until
        `confirm`; a claim older than 300 s gives way to others when the budget is full. None: the budget is
        spent (or `code` is another decision's, at odds of one in a billion).
        """
        expires = now + expires_in_ms
        made = await self._quick.run("offer_reserve",
            [keys.claimed(site, did), keys.budget(site, offer), keys.code(site, code)],
            [
                code, offer, budget, percent, expires, did, visitor, now + keys.CLAIM_TTL_S * 1000, now,
                expires_in_ms // 1000 + keys.CODE_KEPT_S, keys.code(site, ""),
            ],
        )  # fmt: skip
        if made is None:
            return None
        text, campaign, share, until = map(_text, made)
        return Code(text, campaign, float(share), int(until))

    async def give(self, site: str, offer: str, login: str, did: str, most: int, now: int) -> bool:
        """Whether an agent may give one more code, at most so many in 24 h; the same `did` again is one."""
        args = (did, now, most, keys.GIVEN_S)
        return bool(await self._quick.run("offer_give", [keys.given(site, offer, login)], args))

    async def confirm(self, site: str, did: str) -> bool:
        """The code was shown: it stays. False if there is none any more (released, or its claim gave way)."""
        prefixes = [keys.code(site, ""), keys.budget(site, "")]
        return bool(await self._quick.run("offer_confirm", [keys.claimed(site, did)], prefixes))

    async def release(self, site: str, did: str) -> bool:
        """The code will not be shown: its place is free again. False: it was shown, redeemed, or is gone."""
        prefixes = [keys.code(site, ""), keys.budget(site, "")]
        return bool(await self._quick.run("offer_release", [keys.claimed(site, did)], prefixes))

    async def redeem(self, site: str, code: str, order: str, now: int) -> Redemption:
        """Use a code (as `normal_code` writes it) for an order, once; the same order may ask again.

        Raises Refused: unknown_code, expired, redeemed (by another order), conflict (the order has used
        another code, or is over).
        """
        answer = await self._quick.run(
            "offer_redeem",
            [keys.code(site, code), keys.order(site, order)],
            [code, order, now, keys.ORDER_TTL_S, keys.budget(site, "")],
        )
        kind, *rest = map(_text, answer)
        if kind == "over":
            raise Refused("conflict", f"The order is {rest[0]}; it can use no code.")
        if kind == "other":
            raise Refused("conflict", "The order has used another code; one order takes one.")
        if kind != "ok":
            raise Refused(kind)
        offer, percent, at, did = rest
        return Redemption(offer, float(percent), int(at), did)

    async def spent(self, site: str, offer: str, now: int = 0) -> int:
        """Codes of a campaign that are shown, redeemed or claimed, but for claims that are over by `now`."""
        count: int = await self._redis.zcount(keys.budget(site, offer), f"({now}", "+inf")
        return count


def _text(reply: Any) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)
