"""No card number gets further than the socket: not into the store, the journal, the log, or an agent's screen."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core import signing
from router.core.redact import redacted
from tests.agent import Agent
from tests.live.world import World, available, farewell, talking
from tests.service import SECRET
from tests.shopper import Shopper, page_id
from tests.waiting import until

CARD = "5555555555554444"
WRITTEN = (CARD, "5555 5555 5555 4444", "5555-5555-5555-4444", "５５５５５５５５５５５５４４４４")


async def everything(redis: Redis) -> str:
    """All that the store holds, as text."""
    found: list[Any] = []
    async for key in redis.scan_iter():
        match await redis.type(key):
            case b"string":
                found.append(await redis.get(key))
            case b"hash":
                found.append(await redis.hgetall(key))
            case b"stream":
                found.append(await redis.xrange(key))
            case b"list":
                found.append(await redis.lrange(key, 0, -1))
            case b"set":
                found.append(await redis.smembers(key))
            case b"zset":
                found.append(await redis.zrange(key, 0, -1))
    return "".join(filter(str.isalnum, _text(found)))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return _text([*value.keys(), *value.values()])
    return " ".join(map(_text, value)) if isinstance(value, list | tuple | set) else str(value)


async def test_a_card_number_reaches_nobody(
    world: World, redis: Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    shopper = Shopper(world.at)
    service = world.at.service
    async with Agent(world.at) as agent:
        await available(agent)
        page, cid = await talking(world, shopper, agent)
        for number, card in enumerate(WRITTEN):
            page.send(
                ev.Page(
                    0,
                    "other",
                    f"/pay/{card}",
                    referrer=f"https://a.example/?c={card}",
                    title=f"カード {card}",
                ),
                ev.Search(0, card, 0),
                ev.Checkout(0, coupon=card),
                ev.Visit(0, campaign=card),
            )
            page.send_message(wire.Say(cid, f"mid-{number:06}", f"番号は {card} です"))
            assert (await agent.ask("say", cid=cid, mid=f"mid-{number:06}", text=card))["t"] == "ok"
            assert (await agent.ask("note", cid=cid, text=f"gave {card}"))["t"] == "ok"
        await page.stored()
        for number, part in enumerate(("5555 5555", "5555 4444")):
            page.send_message(wire.Say(cid, f"mid-part-{number}", part))
        body = farewell(shopper, page_id(), 1, ev.Page(0, "other", f"/late/{CARD}"))
        elsewhere = Shopper(world.at)  # nobody holds its session: what it says waits
        elsewhere.token = signing.sign_session(SECRET, "demo", "a" * 22)
        waits = farewell(elsewhere, page_id(), 1, ev.Search(0, CARD, 0))
        async with httpx.AsyncClient(base_url=world.at.url) as http:
            for last in (body, waits):
                assert (await http.post("/v1/last", content=last)).status_code == 204
        await until(
            lambda: len([f for f in agent.all("message") if f["message"]["author"] == "shopper"]) == 6
        )
        assert (await agent.ask("close", cid=cid, disposition="answered", note=CARD))["t"] == "ok"
        await service.settled()
        await service.behaviour.flush()
        await service.journal.flush()
        seen = json.dumps(agent.got, ensure_ascii=False)
        assert redacted(seen) == seen and "•••• 4444" in seen and "カード" in seen
    kept = await everything(redis)
    for card in WRITTEN:
        assert "".join(filter(str.isalnum, card)) not in kept
    out, err = capfd.readouterr()
    assert CARD not in out + err
