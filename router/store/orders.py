"""Orders as the shop's backend tells them: the truth about what came of a session."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys, scripts

State = Literal["placed", "paid", "cancelled", "returned"]


class Order(Struct, frozen=True):
    """One order reached `state` at `at` (ms since the epoch); `value` in major units of `currency`.

    `visitor` and `code` are None unless the shop gave a token signed here and a code of our form.
    """

    order: str
    state: State
    value: Decimal
    currency: str
    at: int
    visitor: str | None = None
    code: str | None = None


class Recorded(Struct, frozen=True):
    """What was recorded: moment, session if known, code given back; at a repeat the same but for `again`."""

    at: int
    sid: str | None
    code_returned: str | None
    again: bool


class Orders:
    """All orders of all sites. Every call may be repeated with the same effect."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, site: str, order: Order, sid: str | None, now: int) -> Recorded:
        """Record a state of an order; once for each state, and `cancelled` and `returned` are final.

        A session known from an earlier state holds for later ones. An order cancelled before it was paid
        gives its code back, unless that has expired. A `placed` that comes after `paid` is recorded and
        moves nothing. Raises Refused("conflict") for a state that contradicts, or the same state with other
        money.
        """
        answer: list[bytes] = await scripts.run(
            self._redis,
            "order_put",
            [keys.order(site, order.order)],
            [
                order.order, order.state, _plain(order.value), order.currency, order.at, sid or "", now,
                keys.ORDER_TTL_S, keys.code(site, ""),
            ],
        )  # fmt: skip
        kind, *rest = (part.decode() for part in answer)
        if kind in _CONFLICTS:
            raise Refused("conflict", _CONFLICTS[kind].format(now=order.state, was=rest[0]))
        at, joined, back = rest
        return Recorded(int(at), joined or None, back or None, kind == "again")


_CONFLICTS = {
    "state": "The order is {was}; it can not become {now}.",
    "value": "The order was reported as {now} before, with {was}.",
    "currency": "The order was reported in {was} before.",
}


def _plain(value: Decimal) -> str:
    """One text for one amount: 9600, 9600.0 and 9.6E+3 are the same money."""
    return format(value.normalize(), "f")
