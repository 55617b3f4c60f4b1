"""A shopper withdraws consent, or is named by the shop: what is known of them goes, or comes."""

from __future__ import annotations

import time

import httpx
import pytest
from redis.asyncio import Redis

from router.core import protocol as wire
from router.core.signing import Customer, sign_customer, site_key
from tests.agent import Agent
from tests.live.world import World, available, held_of, on_cart, talking
from tests.shopper import Shopper
from tests.waiting import until


async def withdraw(world: World, shopper: Shopper, *, visitor: bool = True) -> int:
    """As a page does it; the status."""
    body = wire.encode(["demo", shopper.token, shopper.visitor if visitor else None])
    async with httpx.AsyncClient(base_url=world.at.url) as http:
        answer = await http.post("/v1/forget", content=body)
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.status_code


async def left_of(redis: Redis, *names: str) -> list[str]:
    """Keys that have one of these ids in their name."""
    found = [key.decode() async for key in redis.scan_iter()]
    return sorted(key for key in found if any(name in key for name in names))


async def test_session_and_visitor_are_gone_and_their_pages_begin_anew(world: World, redis: Redis) -> None:
    shopper = Shopper(world.at)
    page = await on_cart(shopper)
    session = held_of(world.at, shopper).session
    assert await left_of(redis, session.sid, session.visitor)
    assert await withdraw(world, shopper) == 204
    await page.gone.wait()
    assert page.closed_with == 4201
    assert await left_of(redis, session.sid, session.visitor) == []
    assert world.at.service.engine.holdings.get(session.sid) is None
    assert await withdraw(world, shopper) == 204, "once more is harmless"


async def test_an_open_talk_is_ended_for_both_sides(world: World, redis: Redis) -> None:
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        _, cid = await talking(world, shopper, agent)
        assert await withdraw(world, shopper) == 204
        await until(lambda: any(
            frame["conversation"]["state"] == "wrap-up" for frame in agent.all("conversation")
            if frame["conversation"]["cid"] == cid
        ))  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"\xc1", wire.encode(["demo", "S.demo.x.y", None])])
async def test_nobody_else_is_forgotten(world: World, redis: Redis, body: bytes) -> None:
    shopper = Shopper(world.at)
    await on_cart(shopper)
    async with httpx.AsyncClient(base_url=world.at.url) as http:
        assert (await http.post("/v1/forget", content=body)).status_code in (400, 401)
    assert held_of(world.at, shopper).peers


async def test_agents_see_whom_the_shop_has_named(world: World, redis: Redis) -> None:
    key = site_key(world.at.service.secret, "demo")
    async with Agent(world.at) as agent:
        await available(agent)
        shopper = Shopper(world.at)
        page, cid = await talking(world, shopper, agent)
        token = sign_customer(key, Customer("C-17", world.clock.now() // 1000, "山田 花子"))
        page.send_message(wire.Identify(token))
        await until(lambda: any(
            frame["conversation"]["card"]["who"].get("name") == "山田 花子" for frame in agent.all("conversation")
        ))  # fmt: skip
        assert held_of(world.at, shopper).session.customer == ("C-17", "山田 花子")
        page.send_message(wire.Identify(sign_customer("other", Customer("C-18", int(time.time())))))
        await until(lambda: any(error.name == "bad_signature" for error in shopper.all(wire.Error)))
        assert held_of(world.at, shopper).session.customer[0] == "C-17" and cid
