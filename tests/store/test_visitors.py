"""router.store.visitors: caps hold across sessions and processes, and a visitor's no is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core.caps import uses
from router.core.rules.model import Caps, DefaultCaps
from router.core.rules.words import cap
from router.core.session import Profile, Session
from router.store import keys
from router.store.visitors import (
    LONG_REST_MS,
    NEVER,
    ORDERS_KEPT,
    PROFILE_FIELDS,
    SESSIONS_KEPT,
    Visitors,
    Window,
)

NOW = 1_700_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
CLAIM_MS = keys.CLAIM_TTL_S * 1000

Claim = Callable[..., Coroutine[Any, Any, bool]]


@pytest.fixture
def visitors(redis: Redis) -> Visitors:
    return Visitors(redis)


@pytest.fixture
def claim(visitors: Visitors) -> Claim:
    """A claim for visitor v1; without caps unless they are given."""

    async def claim_cap(
        did: str, rule: str = "r1", *, rule_cap: Window | None = None, all_cap: Window | None = None,
        now: int = NOW, held_out: bool = False, vid: str = "v1",
    ) -> bool:  # fmt: skip
        return await visitors.claim_cap(
            "shop", vid, did, rule, rule_cap=rule_cap, all_cap=all_cap, now=now, held_out=held_out
        )

    return claim_cap


# --- caps --------------------------------------------------------------------------------------------------


async def test_without_caps_everything_may_be_shown(claim: Claim) -> None:
    assert all([await claim(f"decision-{n}") for n in range(20)])


async def test_a_rules_cap_counts_that_rule_alone(claim: Claim) -> None:
    assert await claim("d1", "r1", rule_cap=(1, DAY))
    assert not await claim("d2", "r1", rule_cap=(1, DAY))
    assert await claim("d3", "1", rule_cap=(1, DAY))
    assert await claim("d4", "other", rule_cap=(1, DAY))


async def test_the_common_cap_counts_all_rules_together(claim: Claim) -> None:
    assert await claim("d1", "r1", all_cap=(2, DAY))
    assert await claim("d2", "r2", all_cap=(2, DAY))
    assert not await claim("d3", "r3", all_cap=(2, DAY))


async def test_the_narrower_of_both_caps_holds(claim: Claim) -> None:
    assert await claim("d1", "r1", rule_cap=(2, DAY), all_cap=(1, DAY))
    assert not await claim("d2", "r1", rule_cap=(2, DAY), all_cap=(1, DAY))
    assert not await claim("d3", "r1", rule_cap=(1, DAY), all_cap=(5, DAY))


async def test_the_same_decision_counts_once(claim: Claim, visitors: Visitors) -> None:
    for _ in range(3):
        assert await claim("d1", rule_cap=(1, DAY))
    await visitors.confirm("shop", "v1", "d1", "r1", NOW)
    await visitors.confirm("shop", "v1", "d1", "r1", NOW + HOUR)
    assert await claim("d1", rule_cap=(1, DAY))
    assert await claim("d2", rule_cap=(2, DAY))


async def test_many_at_once_never_exceed_the_cap(claim: Claim) -> None:
    answers = await asyncio.gather(
        *(claim(f"decision-{n}", f"r{n % 4}", all_cap=(3, DAY)) for n in range(80))
    )
    assert answers.count(True) == 3


async def test_what_is_said_of_the_caps_is_what_they_do(visitors: Visitors) -> None:
    """Whatever was shown and claimed, the script allows one more exactly where no cap is said to be spent."""
    own, common = Caps(per_visitor=(2, 60_000)), DefaultCaps(per_session=None, per_visitor=(3, 600_000))
    session = Session("s", "shop", "v", "JPY", 0, 0)
    now = 1_000_000
    allowed = []
    for number, step in enumerate((0, 1, 1, 30_000, 31_000, 1, 400_000, 200_000, 1)):
        now += step
        standing = await visitors.standing("shop", "v", now)
        said = not any(use.spent for use in uses(session, "r", own, common, standing, now))
        did = await visitors.claim_cap(
            "shop", "v", f"d{number}", "r", rule_cap=own.per_visitor, all_cap=common.per_visitor, now=now
        )
        assert said is did, (number, standing)
        allowed.append(did)
        if did and number % 3:
            await visitors.confirm("shop", "v", f"d{number}", "r", now)
    assert True in allowed and False in allowed
    (mine, everybodys) = uses(session, "r", own, common, await visitors.standing("shop", "v", now), now)
    assert (mine.scope, everybodys.scope, mine.most, everybodys.most) == ("rule", "all", 2, 3)


async def test_a_cap_says_when_it_frees(visitors: Visitors) -> None:
    for number in range(3):
        await visitors.confirm("shop", "v", f"d{number}", "other", 1_000 + number)
    standing = await visitors.standing("shop", "v", 2_000)
    (use,) = uses(
        Session("s", "shop", "v", "JPY", 0, 0), "r", Caps(), DefaultCaps(None, (3, 60_000)), standing, 2_000
    )
    assert (use.used, use.spent, use.frees_at) == (3, True, 61_000)
    assert cap(use, 2_000, "en") == "by all rules, for this visitor in 1 min: 3 of 3; one more in 59 s"
    assert cap(use, 2_000, "ja") == "全ルール・このお客様に1分で：3／3回（あと59秒で1回）"
    for moment, allowed in ((60_999, False), (61_000, True)):
        standing = await visitors.standing("shop", "v", moment)
        assert (
            await visitors.claim_cap("shop", "v", "new", "r", rule_cap=None, all_cap=(3, 60_000), now=moment)
            is allowed
        )


async def test_the_window_slides_from_the_first_showing(claim: Claim, visitors: Visitors) -> None:
    await claim("d1")
    await visitors.confirm("shop", "v1", "d1", "r1", NOW)
    await visitors.confirm("shop", "v1", "d1", "r1", NOW + HOUR)
    assert not await claim("d2", rule_cap=(1, DAY), now=NOW + DAY - 1)
    assert await claim("d2", rule_cap=(1, DAY), now=NOW + DAY)


async def test_a_claim_that_was_not_shown_ends_by_itself(claim: Claim) -> None:
    assert await claim("d1", all_cap=(1, DAY))
    assert not await claim("d2", all_cap=(1, DAY), now=NOW + CLAIM_MS - 1)
    assert await claim("d2", all_cap=(1, DAY), now=NOW + CLAIM_MS)
    assert not await claim("d1", all_cap=(1, DAY), now=NOW + CLAIM_MS)


async def test_a_showing_that_is_told_late_counts_all_the_same(claim: Claim, visitors: Visitors) -> None:
    await claim("d1")
    await visitors.confirm("shop", "v1", "d1", "r1", NOW + 2 * CLAIM_MS)
    assert not await claim("d2", rule_cap=(1, DAY), now=NOW + 2 * CLAIM_MS)


async def test_a_release_gives_the_claim_back_but_not_what_was_shown(
    claim: Claim, visitors: Visitors
) -> None:
    await claim("d1", all_cap=(1, DAY))
    await visitors.release("shop", "v1", "d1", "r1")
    assert await claim("d2", all_cap=(1, DAY))
    await visitors.confirm("shop", "v1", "d2", "r1", NOW)
    await visitors.release("shop", "v1", "d2", "r1")
    assert not await claim("d3", all_cap=(1, DAY))


async def test_a_held_out_decision_spends_the_cap_at_once(claim: Claim) -> None:
    assert await claim("d1", rule_cap=(1, DAY), held_out=True)
    assert not await claim("d2", rule_cap=(1, DAY), now=NOW + CLAIM_MS)
    assert not await claim("d3", rule_cap=(1, DAY), held_out=True, now=NOW + CLAIM_MS)


async def test_visitors_do_not_share_caps(claim: Claim) -> None:
    assert await claim("d1", all_cap=(1, DAY))
    assert await claim("d2", all_cap=(1, DAY), vid="v2")


# --- dismissals --------------------------------------------------------------------------------------------


async def dismiss(visitors: Visitors, did: str, *, never: bool = False, now: int = NOW) -> int:
    return await visitors.dismissed("shop", "v1", did, never=never, rest_ms=DAY, now=now)


async def test_after_a_dismissal_nothing_is_shown_for_the_rest(visitors: Visitors, claim: Claim) -> None:
    assert await dismiss(visitors, "d1") == NOW + DAY
    assert not await claim("d2", now=NOW + DAY - 1)
    assert await claim("d2", now=NOW + DAY)
    assert await claim("d3", vid="v2")


async def test_after_the_second_it_is_thirty_days(visitors: Visitors, claim: Claim) -> None:
    await dismiss(visitors, "d1")
    assert await dismiss(visitors, "d2", now=NOW + 2 * DAY) == NOW + 2 * DAY + LONG_REST_MS
    assert not await claim("d3", now=NOW + 31 * DAY)
    assert await claim("d3", now=NOW + 32 * DAY)


async def test_the_same_dismissal_told_twice_counts_once(visitors: Visitors) -> None:
    await dismiss(visitors, "d1")
    assert await dismiss(visitors, "d1", now=NOW + HOUR) == NOW + DAY


async def test_a_dismissal_of_three_months_ago_is_forgotten(visitors: Visitors) -> None:
    await dismiss(visitors, "d1")
    assert await dismiss(visitors, "d2", now=NOW + 91 * DAY) == NOW + 92 * DAY


async def test_never_means_never(visitors: Visitors, claim: Claim) -> None:
    assert await dismiss(visitors, "d1") == NOW + DAY
    assert await dismiss(visitors, "d1", never=True) == NEVER
    assert await dismiss(visitors, "d2", now=NOW + DAY) == NEVER
    assert not await claim("d3", now=NOW + 1000 * 365 * DAY)


# --- visits and orders -------------------------------------------------------------------------------------


async def test_a_visit_counts_once_a_session(visitors: Visitors) -> None:
    assert await visitors.visit("shop", "v1", "s1", NOW) == 1
    assert await visitors.visit("shop", "v1", "s2", NOW + 1) == 2
    assert await visitors.visit("shop", "v1", "s1", NOW + 2) == 2
    assert await visitors.visit("shop", "v2", "s3", NOW) == 1


async def test_a_faithful_visitor_takes_no_more_room(redis: Redis, visitors: Visitors) -> None:
    total = SESSIONS_KEPT + 10
    for n in range(total):
        assert await visitors.visit("shop", "v1", f"s{n}", NOW + n) == n + 1
    assert await redis.zcard(keys.visits("shop", "v1")) == SESSIONS_KEPT
    assert await visitors.visit("shop", "v1", f"s{total - 1}", NOW + total) == total


async def test_orders_count_once_and_a_cancelled_one_does_not(visitors: Visitors) -> None:
    assert await visitors.order("shop", "v1", "A-1") == 1
    assert await visitors.order("shop", "v1", "A-1") == 1
    assert await visitors.order("shop", "v1", "A-2") == 2
    assert await visitors.order("shop", "v1", "A-1", cancelled=True) == 1


async def test_orders_are_remembered_up_to_a_bound(visitors: Visitors) -> None:
    counts = [await visitors.order("shop", "v1", f"A-{n}") for n in range(ORDERS_KEPT + 1)]
    assert counts[-2:] == [ORDERS_KEPT, ORDERS_KEPT]


async def test_all_of_a_visitor_has_a_ttl(redis: Redis, visitors: Visitors, claim: Claim) -> None:
    await claim("d1")
    await visitors.confirm("shop", "v1", "d1", "r1", NOW)
    await claim("d2")
    await claim("d3", held_out=True)
    await dismiss(visitors, "d1", never=True)
    await visitors.visit("shop", "v1", "s1", NOW)
    await visitors.order("shop", "v1", "A-1")
    found = await redis.keys("*")
    assert len(found) == 6
    for key in found:
        assert 0 < await redis.ttl(key) <= keys.VISITOR_TTL_S, key


# --- what the shop's backend says --------------------------------------------------------------------------


async def test_what_a_backend_says_is_added_to_what_it_said_before(visitors: Visitors) -> None:
    await visitors.tell("shop", "v1", Profile(2, "gold", 0.5, {"plan": "pro", "points": 7.0, "beta": True}))
    await visitors.tell("shop", "v1", Profile(score=0.9, attributes={"plan": ""}))
    assert await visitors.profile("shop", "v1") == Profile(2, "gold", 0.9, {"points": 7.0, "beta": True})
    assert await visitors.profile("other", "v1") == Profile(0)


async def test_orders_that_were_reported_count_where_the_backend_says_less(visitors: Visitors) -> None:
    await visitors.order("shop", "v1", "A-1")
    await visitors.order("shop", "v1", "A-2")
    assert (await visitors.profile("shop", "v1")).orders == 2
    await visitors.tell("shop", "v1", Profile(9))
    assert (await visitors.profile("shop", "v1")).orders == 9


async def test_what_is_remembered_of_a_visitor_is_bounded_and_ends(visitors: Visitors, redis: Redis) -> None:
    for start in range(0, 60, 20):
        said: dict[str, str | float | bool] = {f"a{n}": "x" for n in range(start, start + 20)}
        await visitors.tell("shop", "v1", Profile(attributes=said))
    assert len((await visitors.profile("shop", "v1")).attributes) == PROFILE_FIELDS
    assert 0 < await redis.ttl(keys.profile("shop", "v1")) <= keys.VISITOR_TTL_S
