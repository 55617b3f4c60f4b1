"""router.store.offers: a code is used once, and a campaign never gives out more than its budget."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from redis.asyncio import BlockingConnectionPool, Redis

from router.core.offers import Code, Redemption, new_code
from router.errors import Refused
from router.store import keys
from router.store.embedded import Embedded
from router.store.offers import Offers
from router.store.orders import Order, Orders

NOW = 1_700_000_000_000
LIFE_MS = 30 * 60_000
CLAIM_MS = keys.CLAIM_TTL_S * 1000
_numbers = itertools.count(1)


@pytest.fixture
async def offers(redis: Redis, valkey: Embedded) -> AsyncIterator[Offers]:
    """Over 32 connections, so that calls made at once really race; further ones wait for a free one."""
    pool = BlockingConnectionPool.from_url(valkey.url, max_connections=32)
    client: Redis = Redis(connection_pool=pool)
    yield Offers(client)
    await client.aclose()
    await pool.aclose()


async def reserve(
    offers: Offers, did: str, *, budget: int = 10, now: int = NOW, site: str = "shop", code: str = ""
) -> Code | None:
    code = code or new_code(next(_numbers).to_bytes(7, "big"))
    return await offers.reserve(
        site,
        did,
        "welcome-5",
        code=code,
        budget=budget,
        percent=5.0,
        expires_in_ms=LIFE_MS,
        visitor="v",
        now=now,
    )


async def made(offers: Offers, did: str = "decision-1", *, budget: int = 10, now: int = NOW) -> Code:
    code = await reserve(offers, did, budget=budget, now=now)
    assert code is not None
    return code


async def refusal(offers: Offers, code: str, order: str, now: int = NOW) -> str:
    with pytest.raises(Refused) as caught:
        await offers.redeem("shop", code, order, now)
    return caught.value.name


# --- making ------------------------------------------------------------------------------------------------


async def test_a_decision_gets_one_code_however_often_it_asks(offers: Offers) -> None:
    first = await made(offers)
    assert (first.offer, first.percent, first.expires_at) == ("welcome-5", 5.0, NOW + LIFE_MS)
    assert await reserve(offers, "decision-1", now=NOW + 1000) == first
    assert await offers.spent("shop", "welcome-5") == 1


async def test_concurrent_reservations_never_overshoot_the_budget(offers: Offers) -> None:
    codes = await asyncio.gather(*(reserve(offers, f"decision-{n}", budget=7) for n in range(100)))
    given = [code for code in codes if code is not None]
    assert len(given) == 7
    assert len({code.code for code in given}) == 7
    assert await offers.spent("shop", "welcome-5") == 7


async def test_the_same_decision_asking_at_once_gets_one_code(offers: Offers) -> None:
    codes = await asyncio.gather(*(reserve(offers, "decision-1") for _ in range(50)))
    assert len({code.code for code in codes if code is not None}) == 1
    assert await offers.spent("shop", "welcome-5") == 1


async def test_a_code_of_another_decision_is_never_handed_out_again(offers: Offers) -> None:
    first = await made(offers)
    assert await reserve(offers, "decision-2", code=first.code) is None
    assert (await offers.redeem("shop", first.code, "order", NOW)).did == "decision-1"


async def test_no_budget_no_code(offers: Offers) -> None:
    assert await reserve(offers, "decision-1", budget=0) is None


async def test_campaigns_of_two_sites_know_nothing_of_each_other(offers: Offers) -> None:
    code = await made(offers, budget=1)
    assert await reserve(offers, "decision-1", budget=1, site="other") is not None
    with pytest.raises(Refused, match="unknown_code"):
        await offers.redeem("other", code.code, "order", NOW)


# --- claims ------------------------------------------------------------------------------------------------


async def test_a_released_code_returns_to_the_budget_and_is_dead(offers: Offers) -> None:
    code = await made(offers, budget=1)
    assert await offers.release("shop", "decision-1")
    assert await refusal(offers, code.code, "order") == "unknown_code"
    assert await reserve(offers, "decision-2", budget=1) is not None
    assert not await offers.release("shop", "decision-1")
    assert not await offers.confirm("shop", "decision-1")


async def test_a_claim_that_is_over_is_not_spent(offers: Offers) -> None:
    await made(offers)
    await made(offers, "decision-2")
    await offers.confirm("shop", "decision-2")
    assert await offers.spent("shop", "welcome-5", NOW + CLAIM_MS - 1) == 2
    assert await offers.spent("shop", "welcome-5", NOW + CLAIM_MS) == 1


async def test_a_claim_gives_way_when_it_is_over_and_room_is_needed(offers: Offers) -> None:
    code = await made(offers, budget=1)
    assert await reserve(offers, "decision-2", budget=1, now=NOW + CLAIM_MS - 1) is None
    assert await reserve(offers, "decision-2", budget=1, now=NOW + CLAIM_MS) is not None
    assert not await offers.confirm("shop", "decision-1")
    assert await refusal(offers, code.code, "order", NOW + CLAIM_MS) == "unknown_code"


async def test_a_shown_code_keeps_its_place_for_ever(offers: Offers) -> None:
    await made(offers, budget=1)
    assert await offers.confirm("shop", "decision-1")
    assert await offers.confirm("shop", "decision-1")
    assert await reserve(offers, "decision-2", budget=1, now=NOW + 100 * CLAIM_MS) is None
    assert not await offers.release("shop", "decision-1")
    assert await offers.spent("shop", "welcome-5") == 1


async def test_a_late_shown_keeps_its_code_while_nobody_needs_the_room(offers: Offers) -> None:
    await made(offers, budget=2)
    await made(offers, "decision-2", budget=2, now=NOW + 2 * CLAIM_MS)
    assert await offers.confirm("shop", "decision-1")
    assert await offers.spent("shop", "welcome-5") == 2


async def test_a_decision_whose_claim_gave_way_can_ask_anew(offers: Offers) -> None:
    first = await made(offers, budget=1)
    await made(offers, "decision-2", budget=1, now=NOW + CLAIM_MS)
    assert await offers.release("shop", "decision-2")
    again = await made(offers, budget=1, now=NOW + CLAIM_MS)
    assert again.code != first.code


async def test_claims_releases_and_confirms_at_once_never_overshoot(offers: Offers) -> None:
    """Whatever order they come in, what can be redeemed at the end is within the budget."""

    async def one(n: int) -> Code | None:
        code = await reserve(offers, f"decision-{n}", budget=5, now=NOW + n * CLAIM_MS // 20)
        if n % 3 == 0:
            await offers.release("shop", f"decision-{n}")
        elif n % 3 == 1:
            await offers.confirm("shop", f"decision-{n}")
        return code

    codes = await asyncio.gather(*(one(n) for n in range(120)))
    answers = await asyncio.gather(
        *(offers.redeem("shop", code.code, f"order-{code.code}", NOW) for code in codes if code is not None),
        return_exceptions=True,
    )
    redeemed = [answer for answer in answers if isinstance(answer, Redemption)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(redeemed) + len(refused) == len(answers)
    assert 0 < len(redeemed) <= 5
    assert {error.name for error in refused} == {"unknown_code"}


async def test_everything_but_the_budget_has_a_ttl(redis: Redis, offers: Offers) -> None:
    code = await made(offers)
    await offers.redeem("shop", code.code, "order", NOW)
    for key in await redis.keys("*"):
        assert (await redis.ttl(key) == -1) == (key == keys.budget("shop", "welcome-5").encode()), key


# --- redeeming ---------------------------------------------------------------------------------------------


async def test_two_hundred_orders_at_once_and_exactly_one_wins(offers: Offers) -> None:
    code = await made(offers)
    answers = await asyncio.gather(
        *(offers.redeem("shop", code.code, f"order-{n}", NOW) for n in range(200)), return_exceptions=True
    )
    won = [answer for answer in answers if isinstance(answer, Redemption)]
    assert len(won) == 1
    assert [answer.name for answer in answers if isinstance(answer, Refused)] == ["redeemed"] * 199


async def test_the_same_order_may_repeat_and_gets_the_same_answer(offers: Offers) -> None:
    code = await made(offers)
    first = await offers.redeem("shop", code.code, "order", NOW + 5)
    assert first == Redemption("welcome-5", 5.0, NOW + 5, "decision-1")
    assert await offers.redeem("shop", code.code, "order", NOW + LIFE_MS + 5) == first
    assert await refusal(offers, code.code, "other") == "redeemed"


async def test_a_redeemed_code_counts_as_shown(offers: Offers) -> None:
    """Somebody typed it in, so it was seen, even if the page's own word of that never came."""
    code = await made(offers, budget=1)
    await offers.redeem("shop", code.code, "order", NOW)
    assert not await offers.release("shop", "decision-1")
    assert await reserve(offers, "decision-2", budget=1, now=NOW + 2 * CLAIM_MS) is None


async def test_an_expired_code_is_expired_and_an_unknown_one_unknown(offers: Offers) -> None:
    code = await made(offers)
    assert await refusal(offers, code.code, "order", NOW + LIFE_MS) == "expired"
    assert await refusal(offers, "AAAAA-AAAAA", "order") == "unknown_code"
    assert (await offers.redeem("shop", code.code, "order", NOW + LIFE_MS - 1)).at == NOW + LIFE_MS - 1


async def test_one_order_takes_one_code(offers: Offers) -> None:
    one, two = await made(offers), await made(offers, "decision-2")
    await offers.redeem("shop", one.code, "order", NOW)
    assert await refusal(offers, two.code, "order") == "conflict"
    assert (await offers.redeem("shop", two.code, "another", NOW)).did == "decision-2"


@pytest.mark.parametrize("state", ["cancelled", "returned"])
async def test_an_order_that_is_over_takes_no_code(redis: Redis, offers: Offers, state: str) -> None:
    code = await made(offers)
    over = Order("order", state, Decimal(1), "JPY", NOW)  # type: ignore[arg-type]
    await Orders(redis).put("shop", over, None, NOW)
    assert await refusal(offers, code.code, "order") == "conflict"
