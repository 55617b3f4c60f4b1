"""Each check fails, and it alone, where the service that was loaded breaks the promise that it is about.

A meddler between the load's clients and a real service breaks one promise at a time; the clients, the ledger, the store
and the checks are those of a real run. Latency is judged only where it is meant, since a test's machine may be busy.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from loadtests import checks, servers
from loadtests.checks import Limits
from loadtests.evidence import gather
from loadtests.ledger import Ledger
from loadtests.run import enrol
from router.core import events as ev
from router.core import protocol as wire
from router.core.site import Site
from router.store.embedded import Embedded
from tests.loadtests.meddler import Fault, Line, Meddler
from tests.waiting import until_async

ROOT = Path(__file__).parents[2]
ORIGIN = "http://127.0.0.1:1"
SLOTS = 3
SCENE_S = 60.0
LATE_S = 0.6
RULES = """
version: 1
defaults: {caps: {per_session: 3, per_visitor: PER_VISITOR in 7d, not_before: 0s visible}, holdout: 0%}
site: {holdout: 0%}
rules:
  - {id: cart, when: {page.type: cart}, then: [{invite: {queue: checkout-help, skills: [ja], message: help}}]}
"""
TEXTS = """
version: 1
invites:
  help: {ja: {title: "?", text: "?", accept: "+", dismiss: "-"}, en: {title: "?", text: "?", accept: "+", dismiss: "-"}}
"""
SITE = f"""
version: 1
sites:
  demo:
    name: Broken
    origins: ["{ORIGIN}"]
    currency: JPY
    language: ja
    consent: notice
    rules: rules.yaml
    texts: texts.yaml
    queues:
      checkout-help:
        rings: at_once
        name: {{ja: ご案内, en: Help}}
        dispositions: [{{id: answered, name: {{ja: 回答済み, en: Answered}}}}]
"""


@dataclass
class Place:
    """A service, its store, its agents."""

    address: str
    redis_url: str
    agents: list[str]


def site_file(folder: Path, per_visitor: int) -> Path:
    """The site, with this cap by visitor."""
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES.replace("PER_VISITOR", str(per_visitor)))
    (folder / "texts.yaml").write_text(TEXTS)
    (folder / "site.yaml").write_text(SITE)
    return folder / "site.yaml"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("broken")
    more = {"ROUTER_SITES": str(site_file(folder / "site", 50)), "ROUTER_SECRET": "broken" * 8}
    with Embedded(folder / "valkey") as store:
        agents = asyncio.run(enrol(store.url, SLOTS))
        with servers.service(folder / "data", store.url, "serve", "--port", "0", **more) as service:
            yield Place(service.address, store.url, agents)


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site as it was promised, which is how the service runs it."""
    return checks.site_of(site_file(tmp_path_factory.mktemp("promised") / "site", 50), "demo")


@dataclass
class Scene:
    """What is played, with which fault, and what was promised for it."""

    fault: Fault = field(default_factory=Fault)
    agents: int = 2
    script: dict[str, Any] = field(default_factory=dict)
    slots: int = SLOTS
    ms: dict[str, float] = field(default_factory=dict)
    site: Site | None = None


async def failing(place: Place, promised: Site, folder: Path, scene: Scene) -> tuple[set[str], Ledger]:
    """Play a scene; the names of the checks that fail, and the ledger. The journal may be some moments behind."""
    script = json.dumps({"agents": place.agents[: scene.agents], **scene.script})
    async with Meddler(place.address, ORIGIN, scene.fault) as meddler:
        command = (sys.executable, str(ROOT / "tests/loadtests/scene.py"), f"http://{meddler.address}")
        process = await asyncio.create_subprocess_exec(
            *command, str(folder / "ledger.json"), script, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(SCENE_S):
            _, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    ledger = Ledger.read(folder / "ledger.json")
    limits = Limits(scene.site or promised, scene.slots, scene.ms)
    redis: Redis = Redis.from_url(place.redis_url)
    async with redis:
        await until_async(lambda: settled(ledger, redis))
        found = checks.judge(ledger, await gather(ledger, redis), limits)
    return {check.name for check in found if not check.holds} - {"generator"}, ledger


async def settled(ledger: Ledger, redis: Redis) -> bool:
    """Whether the journal has come as far as the decision of every session of the ledger."""
    evidence = await gather(ledger, redis)
    return all(evidence.decided.get(awaited.sid) for awaited in ledger.awaited) and all(
        evidence.shown[end.cid] for end in ledger.ends if not end.rang and evidence.made[end.cid]
    )


async def test_a_service_that_keeps_its_promises_passes(place: Place, promised: Site, tmp_path: Path) -> None:
    found, ledger = await failing(place, promised, tmp_path, Scene())
    assert found == set()
    assert ledger.events == 8 and len(ledger.pages) == 2
    assert [line.author for line in ledger.lines] == ["shopper", "agent"]
    assert {row.name for row in ledger.rows} == {
        "page→ack", "event→ack", "trigger→invite", "invite→ring", "message"
    }  # fmt: skip


async def test_a_ledger_can_be_checked_by_hand(
    place: Place, promised: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await failing(place, promised, tmp_path, Scene())
    wide = [word for entry in checks.LIMITS_MS for word in ("--limit", f"{entry}=60000")]
    words = [str(tmp_path / "ledger.json"), "--redis", place.redis_url, *wide]
    assert await asyncio.to_thread(checks.main, words) in (checks.HELD, checks.INVALID)
    told = capsys.readouterr().out
    assert all(f"{name}: " in told for name in checks.CHECKS)
    assert "events: holds" in told and "messages: holds" in told


# --- events ------------------------------------------------------------------------------------------------


def scrolls(message: object) -> bool:
    return isinstance(message, wire.Batch) and isinstance(message.events[0], ev.Scroll)


class LosesAnEvent(Fault):
    """Acknowledges a batch, and forgets it."""

    async def page_up(self, line: Line, message: wire.ClientMessage) -> None:
        if isinstance(message, wire.Batch) and scrolls(message):
            await self.page_down(line, wire.Ack(message.page, message.first + len(message.events) - 1))
        else:
            await super().page_up(line, message)


class NeverAcknowledges(Fault):
    """Swallows a batch without a word."""

    async def page_up(self, line: Line, message: wire.ClientMessage) -> None:
        if not scrolls(message):
            await super().page_up(line, message)


class DoublesAnEvent(Fault):
    """Stores a batch twice, the second time as new events."""

    async def page_up(self, line: Line, message: wire.ClientMessage) -> None:
        await super().page_up(line, message)
        if isinstance(message, wire.Batch) and scrolls(message):
            again = msgspec.structs.replace(message, first=message.first + len(message.events))
            line.notes["last"] = message.first
            await super().page_up(line, again)

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        if isinstance(message, wire.Ack) and "last" in line.notes:
            message = msgspec.structs.replace(message, n=min(message.n, line.notes["last"]))
        await super().page_down(line, message)


# --- decisions ---------------------------------------------------------------------------------------------


class LosesADecision(Fault):
    """What is to be shown never comes."""

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        if not isinstance(message, wire.Show):
            await super().page_down(line, message)


class DoublesADecision(Fault):
    """What is to be shown comes twice."""

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        for _ in range(1 + isinstance(message, wire.Show)):
            await super().page_down(line, message)


class InventsADecision(Fault):
    """Something is to be shown that nobody decided."""

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        if isinstance(message, wire.Show):
            message = msgspec.structs.replace(message, decision="x" * len(message.decision))
        await super().page_down(line, message)


# --- messages ----------------------------------------------------------------------------------------------


class LosesALine(Fault):
    """Confirms what an agent said, and forgets it."""

    async def console_up(self, line: Line, frame: dict[str, Any]) -> None:
        if frame["t"] == "say":
            await self.console_down(line, {"t": "ok", "ref": frame["ref"]})
        else:
            await super().console_up(line, frame)


class DoublesALine(Fault):
    """Stores what an agent said twice."""

    async def console_up(self, line: Line, frame: dict[str, Any]) -> None:
        await super().console_up(line, frame)
        if frame["t"] == "say":
            await super().console_up(line, frame | {"mid": "x" + frame["mid"][1:], "ref": 1_000_000})


class DeliversALineTwice(Fault):
    """Sends a page the same line twice."""

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        for _ in range(1 + (isinstance(message, wire.Message) and message.author == "agent")):
            await super().page_down(line, message)


# --- agents ------------------------------------------------------------------------------------------------


class GivesToTwo(Fault):
    """Rings every console for the same conversation, and lets everybody accept."""

    async def console_down(self, line: Line, frame: dict[str, Any]) -> None:
        await super().console_down(line, frame)
        for other in self.lines if frame["t"] == "ring" else ():
            if other.login and other is not line:
                given = frame["conversation"] | {"agent": other.login}
                other.notes["given"] = given
                await super().console_down(other, frame | {"conversation": given})

    async def console_up(self, line: Line, frame: dict[str, Any]) -> None:
        given = line.notes.get("given")
        if given is not None and frame["t"] == "accept":
            await super().console_down(line, {"t": "ok", "ref": frame["ref"], "conversation": given})
        else:
            await super().console_up(line, frame)


class Dawdles(Fault):
    """Acknowledges late."""

    async def page_down(self, line: Line, message: wire.ServerMessage) -> None:
        if isinstance(message, wire.Ack):
            await asyncio.sleep(LATE_S)  # the fault itself: a service that takes its time
        await super().page_down(line, message)


BROKEN = [
    ("events", Scene(LosesAnEvent())),
    ("events", Scene(NeverAcknowledges())),
    ("events", Scene(DoublesAnEvent())),
    ("decisions", Scene(LosesADecision())),
    ("decisions", Scene(DoublesADecision())),
    ("decisions", Scene(InventsADecision())),
    ("messages", Scene(LosesALine())),
    ("messages", Scene(DoublesALine())),
    ("messages", Scene(DeliversALineTwice())),
    ("assignment", Scene(GivesToTwo())),
    ("capacity", Scene(slots=1, agents=1, script={"shoppers": 2, "together": True})),
    ("latency", Scene(Dawdles(), ms={"event→ack": LATE_S * 500})),
]


@pytest.mark.parametrize(
    ("check", "scene"), BROKEN, ids=[f"{check}-{type(scene.fault).__name__}" for check, scene in BROKEN]
)
async def test_the_check_fails_and_no_other(
    place: Place, promised: Site, tmp_path: Path, check: str, scene: Scene
) -> None:
    found, _ = await failing(place, promised, tmp_path, scene)
    assert found == {check}


async def test_caps_fail_where_the_service_shows_more_than_was_promised(
    place: Place, promised: Site, tmp_path: Path
) -> None:
    """The same visitor comes twice, and was promised one invite in seven days."""
    strict = checks.site_of(site_file(tmp_path / "strict", 1), "demo")
    twice = {"shoppers": 2, "one_visitor": True}
    assert (await failing(place, promised, tmp_path, Scene(script=twice)))[0] == set()
    assert (await failing(place, promised, tmp_path, Scene(script=twice, site=strict)))[0] == {"caps"}
