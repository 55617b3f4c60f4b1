"""`router report funnel`: what a journal says."""

from __future__ import annotations

import asyncio
import json

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from router.cli import app
from router.errors import StartError
from router.live.clock import WallClock
from router.store.embedded import Embedded
from router.store.journal import Journal

RUN = CliRunner()


def journalled(valkey: Embedded, *records: tuple[str, dict[str, object]]) -> None:
    async def write() -> None:
        async with Redis.from_url(valkey.url) as redis:
            await redis.flushall()
            journal = Journal(redis, "node-1", WallClock())
            for kind, record in records:
                journal.add(kind, record)
            await journal.flush()

    asyncio.run(write())


def ask(valkey: Embedded, *arguments: str) -> str:
    result = RUN.invoke(
        app, ["report", "funnel", *arguments, "--redis-url", valkey.url], env={"COLUMNS": "160"}
    )
    if isinstance(result.exception, StartError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_funnel_is_told_as_a_table_and_for_a_program(valkey: Embedded) -> None:
    common = {"site": "shop", "rule": "cart-wait", "at": 1}
    journalled(
        valkey,
        ("decision", common | {"sid": "s1", "outcome": "made", "did": "d1"}),
        ("decision", common | {"sid": "s2", "outcome": "held_out", "did": "d2"}),
        ("shown", {"did": "d1", "sid": "s1", "at": 2}),
        ("order", {"site": "shop", "order": "o", "sid": "s1", "state": "paid", "at": 3, "value": "10"}),
    )
    told = ask(valkey, "shop")
    assert "cart-wait" in told and "1 (100.0%)" in told and "too few" in told
    found = json.loads(ask(valkey, "shop", "--json"))
    assert found["rules"][0]["treated"] == {"sessions": 1, "bought": 1, "value": 10.0}
    assert "No rule of other had its turn" in ask(valkey, "other")
    with pytest.raises(StartError, match="such as 24h or 7d"):
        ask(valkey, "shop", "--since", "a week")
