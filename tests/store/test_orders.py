"""router.store.orders: each state of an order is recorded once, and what contradicts is refused."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from router.core.offers import Code
from router.errors import Refused
from router.store import keys
from router.store.offers import Offers
from router.store.orders import Order, Orders, Recorded, State

NOW = 1_700_000_000_000
LIFE_MS = 30 * 60_000


@pytest.fixture
def orders(redis: Redis) -> Orders:
    return Orders(redis)


async def put(
    orders: Orders, state: State, *, order: str = "A-1", value: str = "9600", currency: str = "JPY",
    sid: str | None = None, now: int = NOW,
) -> Recorded:  # fmt: skip
    return await orders.put("shop", Order(order, state, Decimal(value), currency, now), sid, now)


async def conflict(orders: Orders, state: State, **more: str) -> str:
    with pytest.raises(Refused, match="conflict") as caught:
        await put(orders, state, **more)  # type: ignore[arg-type]
    return caught.value.detail


async def test_a_state_is_recorded_once_and_answers_the_same_again(orders: Orders) -> None:
    first = await put(orders, "placed", sid="s1")
    assert first == Recorded(NOW, "s1", None, again=False)
    assert await put(orders, "placed", sid="s2", now=NOW + 9) == Recorded(NOW, "s1", None, again=True)


async def test_the_answer_stays_the_same_when_more_is_known_later(orders: Orders) -> None:
    assert (await put(orders, "placed")).sid is None
    assert (await put(orders, "paid", sid="s1")).sid == "s1"
    assert (await put(orders, "placed", sid="s1")).sid is None


async def test_of_many_at_once_one_is_the_first(orders: Orders) -> None:
    answers = await asyncio.gather(*(put(orders, "paid", now=NOW + n) for n in range(50)))
    assert [answer.again for answer in answers].count(False) == 1
    assert len({answer.at for answer in answers}) == 1


async def test_a_session_once_known_holds_for_later_states(orders: Orders) -> None:
    await put(orders, "placed", sid="s1")
    assert (await put(orders, "paid")).sid == "s1"
    assert (await put(orders, "returned", sid="s2")).sid == "s1"


@pytest.mark.parametrize("path", ["placed paid returned", "placed cancelled", "paid cancelled", "returned"])
async def test_the_ways_an_order_may_go(orders: Orders, path: str) -> None:
    for state in path.split():
        assert not (await put(orders, state)).again  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["cancelled", "returned"])
@pytest.mark.parametrize("state", ["placed", "paid", "cancelled", "returned"])
async def test_nothing_new_happens_to_an_order_that_is_over(orders: Orders, end: State, state: State) -> None:
    await put(orders, end)
    if state == end:
        assert (await put(orders, state)).again
    else:
        assert await conflict(orders, state) == f"The order is {end}; it can not become {state}."


async def test_a_placed_that_comes_late_is_recorded_and_moves_nothing(redis: Redis, orders: Orders) -> None:
    await put(orders, "paid")
    assert not (await put(orders, "placed")).again
    assert await redis.hget(keys.order("shop", "A-1"), "state") == b"paid"


async def test_the_same_state_with_other_money_is_a_conflict(orders: Orders) -> None:
    await put(orders, "placed")
    assert "9600 JPY" in await conflict(orders, "placed", value="9601")
    assert "JPY" in await conflict(orders, "paid", currency="USD")
    assert (await put(orders, "placed", value="9600.0")).again


async def test_another_state_may_have_another_value(orders: Orders) -> None:
    """A part of an order may be returned."""
    await put(orders, "paid")
    assert not (await put(orders, "returned", value="3200")).again


async def test_orders_have_a_ttl(redis: Redis, orders: Orders) -> None:
    await put(orders, "placed")
    assert await redis.ttl(keys.order("shop", "A-1")) > 0


# --- codes -------------------------------------------------------------------------------------------------


async def used_code(redis: Redis, order: str = "A-1") -> tuple[Offers, Code]:
    offers = Offers(redis)
    code = await offers.reserve(
        "shop", "did-1", "welcome", code="K7QXM-4HTPW", budget=1, percent=5, expires_in_ms=LIFE_MS,
        visitor="", now=NOW,
    )  # fmt: skip
    assert code is not None
    await offers.redeem("shop", code.code, order, NOW)
    return offers, code


async def test_a_cancel_before_payment_gives_the_code_back(redis: Redis, orders: Orders) -> None:
    offers, code = await used_code(redis)
    await put(orders, "placed")
    answer = await put(orders, "cancelled")
    assert answer.code_returned == code.code
    redeemed = await offers.redeem("shop", code.code, "A-2", NOW + 1)
    assert redeemed.at == NOW + 1
    # the repeated cancel says the same, and takes nothing from the order that has the code now
    assert (await put(orders, "cancelled")).code_returned == code.code
    assert (await offers.redeem("shop", code.code, "A-2", NOW + 2)).at == NOW + 1


async def test_a_cancel_after_payment_keeps_the_code(redis: Redis, orders: Orders) -> None:
    offers, code = await used_code(redis)
    await put(orders, "paid")
    assert (await put(orders, "cancelled")).code_returned is None
    with pytest.raises(Refused, match="redeemed"):
        await offers.redeem("shop", code.code, "A-2", NOW)


async def test_an_expired_code_is_not_given_back(redis: Redis, orders: Orders) -> None:
    offers, code = await used_code(redis)
    assert (await put(orders, "cancelled", now=NOW + LIFE_MS)).code_returned is None
    with pytest.raises(Refused, match="redeemed"):
        await offers.redeem("shop", code.code, "A-2", NOW + LIFE_MS)


async def test_a_cancel_after_the_code_was_forgotten_gives_nothing_back(redis: Redis, orders: Orders) -> None:
    _, code = await used_code(redis)
    await redis.delete(keys.code("shop", code.code))
    assert (await put(orders, "cancelled")).code_returned is None


async def test_a_cancel_and_a_redemption_at_once_leave_the_code_with_one_order(
    redis: Redis, orders: Orders
) -> None:
    """Either order: the code is with the second order, or it was refused it and the code is free."""
    offers, code = await used_code(redis)
    cancel, redeem = await asyncio.gather(
        put(orders, "cancelled"), offers.redeem("shop", code.code, "A-2", NOW), return_exceptions=True
    )
    assert isinstance(cancel, Recorded)
    assert cancel.code_returned == code.code
    if isinstance(redeem, Refused):
        assert redeem.name == "redeemed"
        redeem = await offers.redeem("shop", code.code, "A-2", NOW)
    with pytest.raises(Refused, match="redeemed"):
        await offers.redeem("shop", code.code, "A-3", NOW)
