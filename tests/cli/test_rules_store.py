"""`router rules` against a store: publish, history, roll back, kill, explain."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from router.cli.rules import app
from router.core import events as ev
from router.core.fold import fold
from router.core.session import Session, admit
from router.errors import StartError
from router.live.commit import encode_session
from router.settings import DEMO_SITES
from router.store import keys
from router.store.behaviour import Behaviour
from router.store.embedded import Embedded
from router.store.rulebooks import Rulebooks, Switch
from router.store.visitors import Visitors

RUN = CliRunner()
PAGE = "000000001aaaaaaa"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the demo shop's files."""
    return Path(shutil.copytree(DEMO_SITES.parent, tmp_path / "shop"))


@pytest.fixture(autouse=True)
def clean(valkey: Embedded) -> None:
    """Nothing of other tests is in the store."""

    async def flush() -> None:
        async with Redis.from_url(valkey.url) as redis:
            await redis.flushall()

    asyncio.run(flush())


def switch(valkey: Embedded) -> Switch:
    async def ask() -> Switch:
        async with Redis.from_url(valkey.url) as redis:
            return await Rulebooks(redis).switch("demo")

    return asyncio.run(ask())


def router(valkey: Embedded, *arguments: str) -> str:
    result = RUN.invoke(app, [*arguments, "--redis-url", valkey.url])
    if isinstance(result.exception, StartError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_rules_are_published_listed_and_rolled_back(valkey: Embedded, shop: Path) -> None:
    rules = str(shop / "rules.yaml")
    assert "Nothing was published" in router(valkey, "history", "demo")
    assert "demo: revision 1, version " in router(valkey, "publish", rules, "--note", "first", "--who", "aoi")
    assert "demo: revision 2 is what 1 was" in router(valkey, "roll-back", "demo", "1", "--who", "ren")
    listed = router(valkey, "history", "demo")
    assert listed.index("ren") < listed.index("aoi")
    assert "back to 1" in listed and "first" in listed
    with pytest.raises(StartError, match="has no revision 7"):
        router(valkey, "roll-back", "demo", "7")


def test_faulty_rules_are_not_published(valkey: Embedded, shop: Path) -> None:
    rules = shop / "rules.yaml"
    rules.write_text(rules.read_text().replace("page.type: cart", "page.typ: cart"))
    result = RUN.invoke(app, ["publish", str(rules), "--redis-url", valkey.url])
    assert result.exit_code == 1
    assert "did you mean 'page.type'" in result.stderr
    assert switch(valkey) == Switch()


def test_a_site_is_stopped_and_goes_on(valkey: Embedded) -> None:
    assert "nothing proactive happens any more" in router(valkey, "kill", "demo", "--who", "ren")
    assert switch(valkey).killed == "ren"
    router(valkey, "revive", "demo")
    assert switch(valkey).killed == ""


def test_a_session_is_explained_rule_by_rule(valkey: Embedded) -> None:
    session = Session("sid-1", "demo", "v", "JPY", 1, 1)
    admit(session, PAGE)
    fold(session, PAGE, ev.Page(0, "cart", "/demo/cart"), 1_000)

    async def keep() -> None:
        async with Redis.from_url(valkey.url) as redis:
            await redis.hset(keys.owner("sid-1"), "token", "t1")
            for number in range(50):
                await Visitors(redis).confirm("demo", "v", f"d{number}", "other", time.time_ns() // 1_000_000)
            await redis.set(keys.blob("sid-1", "t1"), encode_session(session))

    asyncio.run(keep())
    told = router(valkey, "explain", "sid-1")
    assert "cart-wait (live, priority 60): not true" in told
    assert "✓ Looking at the cart" in told and "✗ Cart value: 0 JPY (less than 3,000 JPY)" in told
    assert "by all rules, for this visitor in 7 d: 50 of 50; one more in 6" in told
    assert "カートを見ています" in router(valkey, "explain", "S.demo.sid-1.signature", "--language", "ja")
    found = json.loads(router(valkey, "explain", "sid-1", "--json"))
    assert [rule["rule"] for rule in found] == ["cart-wait", "shipping-loop", "size-doubt", "first-order"]
    with pytest.raises(StartError, match="no such session"):
        router(valkey, "explain", "sid-2")


def test_rules_are_tried_on_what_the_service_kept(valkey: Embedded, shop: Path) -> None:
    asked = ["replay", "journal", "--sites", str(shop / "site.yaml"), "--redis-url", valkey.url]
    nothing = RUN.invoke(app, asked)
    assert isinstance(nothing.exception, StartError)
    assert "Nothing that shoppers of demo did is kept" in str(nothing.exception)
    session = Session("sid-1", "demo", "v", "JPY", 1, 1)

    async def keep() -> None:
        async with Redis.from_url(valkey.url) as redis:
            pen = Behaviour(redis, 1024 * 1024)
            for number in (1, 2, 3):
                at = 1_780_000_000_000 + number * 60_000
                pen.add(session, PAGE, number, at, True, [ev.Page(0, "shipping", "/demo/shipping")])
            pen.add(session, PAGE, 0, at + 1, False, [])
            await pen.flush()

    asyncio.run(keep())
    told = RUN.invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert "shipping-loop" in told.output and "1 sessions" in told.output
