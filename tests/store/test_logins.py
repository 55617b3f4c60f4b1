"""router.store.logins: sessions, tickets and the limit on tries."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys
from router.store.logins import TRIES_PER_ADDRESS, TRIES_PER_LOGIN, Logins, hashed


@pytest.fixture
def logins(redis: Redis) -> Logins:
    return Logins(redis)


async def test_a_session_is_found_by_its_token_until_it_ends(logins: Logins) -> None:
    token, session = await logins.start("shop", "ann")
    assert await logins.session(token) == session
    assert (session.site, session.login) == ("shop", "ann")
    await logins.end(session)
    with pytest.raises(Refused, match="unauthorized"):
        await logins.session(token)


async def test_tokens_are_stored_hashed_and_expire(logins: Logins, redis: Redis) -> None:
    token, session = await logins.start("shop", "ann")
    ticket = await logins.ticket(session)
    stored = str(await redis.keys())
    assert token not in stored and ticket not in stored
    assert 0 < await redis.ttl(keys.agent_session(hashed(token))) <= keys.AGENT_SESSION_TTL_S
    assert 0 < await redis.ttl(keys.ticket(hashed(ticket))) <= 30


async def test_a_ticket_opens_one_socket(logins: Logins) -> None:
    _, session = await logins.start("shop", "ann")
    ticket = await logins.ticket(session)
    outcomes = await asyncio.gather(*(logins.redeem(ticket) for _ in range(8)), return_exceptions=True)
    assert outcomes.count(session) == 1
    assert sum(isinstance(outcome, Refused) and outcome.name == "bad_ticket" for outcome in outcomes) == 7


async def test_a_ticket_ends_with_its_session(logins: Logins) -> None:
    _, session = await logins.start("shop", "ann")
    ticket = await logins.ticket(session)
    await logins.end(session)
    with pytest.raises(Refused, match="bad_ticket"):
        await logins.redeem(ticket)


async def test_a_login_has_so_many_tries_whatever_address_they_come_from(logins: Logins) -> None:
    tries = [logins.count_try("shop", "ann", f"10.0.0.{n}") for n in range(TRIES_PER_LOGIN + 5)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 5
    await logins.count_try("shop", "bob", "10.0.0.1")


async def test_an_address_has_so_many_tries_whatever_login_it_tries(logins: Logins) -> None:
    for n in range(TRIES_PER_ADDRESS):
        await logins.count_try("shop", f"agent{n}", "10.0.0.1")
    with pytest.raises(Refused, match="too_many"):
        await logins.count_try("shop", "ann", "10.0.0.1")
    await logins.count_try("shop", "ann", "10.0.0.2")


async def test_a_right_password_gives_the_tries_of_its_login_back_and_the_wait_is_bounded(
    logins: Logins, redis: Redis
) -> None:
    for n in range(TRIES_PER_LOGIN):
        await logins.count_try("shop", "ann", f"10.0.0.{n}")
    await logins.succeeded("shop", "ann")
    await logins.count_try("shop", "ann", "10.0.0.1")
    for key in await redis.keys("l:*"):
        assert 0 < await redis.ttl(key) <= keys.LOGIN_TRIES_TTL_S
