"""`kill -9` of the service, its orderly end, and two of them side by side: what was acknowledged has its effect."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis

from router.core import protocol as wire
from router.store.embedded import Embedded
from tests.agent import Agent
from tests.faults.crowd import Crowd, Visitor, begin_talk, come_back
from tests.relay import Relay
from tests.service import Process
from tests.waiting import until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]


class Restartable:
    """The service as a process that comes back on the same port and store. `at` is its address."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._folder = folder
        self._redis_url = redis_url
        self.at: Process
        self.now: Process | None = None

    async def start(self) -> None:
        """Start it without holding up this loop."""
        port = self.at.port if self.now is not None else 0
        started = await asyncio.to_thread(Process, self._folder, self._redis_url, port=port)
        if self.now is None:
            self.at = started
        self.now = started

    def kill(self) -> None:
        """`kill -9`."""
        assert self.now is not None
        self.now.kill()

    async def end(self, number: signal.Signals) -> int:
        """Send a signal as a terminal or a supervisor does; the exit status."""
        assert self.now is not None
        os.killpg(self.now.process.pid, number)
        return await asyncio.to_thread(self.now.process.wait, 20)


@contextlib.asynccontextmanager
async def running(folder: Path, redis_url: str) -> AsyncIterator[Restartable]:
    service = Restartable(folder, redis_url)
    await service.start()
    try:
        yield service
    finally:
        assert service.now is not None
        await asyncio.to_thread(service.now.stop)


async def test_kill_9_of_the_service_under_load(redis: Redis, valkey: Embedded, tmp_path: Path) -> None:
    """Everybody comes back and says again what was not acked; the talk goes on with the same agent."""
    async with (
        running(tmp_path, valkey.url) as service,
        Agent(service.at) as agent,
        Crowd(service.at, 6) as crowd,
    ):
        assert (await agent.ask("presence", state="available"))["t"] == "ok"
        asking = Visitor(service.at)
        talk = await begin_talk(asking, agent)
        crowd.also(talk.shopper())
        crowd.also(talk.console())
        for _ in range(2):
            said, answered = len(talk.said), len(talk.answered)
            await crowd.busy(20)
            await until(lambda: len(talk.said) > said + 3 and len(talk.answered) > answered + 3, within_s=30)  # noqa: B023
            service.kill()
            await service.start()
        said, answered = len(talk.said), len(talk.answered)
        await crowd.busy(20)
        await until(lambda: len(talk.said) > said + 3 and len(talk.answered) > answered + 3, within_s=30)
        await crowd.settle()
        for visitor in crowd.visitors:
            await visitor.check(redis)
        await come_back(agent)
        await talk.repeat()
        lines = await talk.lines()
        assert_said(lines["shopper"], talk.said)
        assert_said(lines["agent"], talk.answered)
        asking.got.clear()
        await asking.come()
        asking.tab.send_message(wire.Resume(talk.cid, talk.secret, 0))
        expected = lines["shopper"] + lines["agent"]
        await until(
            lambda: len([m for m in asking.all(wire.Message) if m.author != "system"]) >= len(expected)
        )
        got = asking.all(wire.Message)
        assert [m.offset for m in got] == list(range(1, len(got) + 1))
        assert sorted(m.text for m in got if m.author != "system") == sorted(expected)
        states = [m for m in asking.all(wire.Conversation) if m.cid == talk.cid]
        assert states and states[-1].state == "active"
        asking.tab.close()


def assert_said(stored: list[str], confirmed: list[str]) -> None:
    """Each confirmed line once and in order; the last one may have been stored without its confirmation seen."""
    assert stored[: len(confirmed)] == confirmed
    assert len(stored) - len(confirmed) in (0, 1)


@pytest.mark.parametrize("arrives", [True, False], ids=["what was on its way arrives late", "it is lost"])
async def test_kill_9_while_the_store_is_silent(
    redis: Redis, valkey: Embedded, tmp_path: Path, arrives: bool
) -> None:
    """Nothing is acked before it is stored, whatever becomes of what the dead process had sent."""
    async with (
        Relay(valkey.port) as relay,
        running(tmp_path, f"redis://127.0.0.1:{relay.port}/0") as service,
        Crowd(service.at, 6) as crowd,
    ):
        await crowd.busy(20)
        relay.fall_silent()
        acked = [visitor.tab.acked for visitor in crowd.visitors]
        await until(lambda: all(v.tab.sent > v.tab.acked + 20 for v in crowd.visitors))
        for visitor, before in zip(crowd.visitors, acked, strict=True):
            assert visitor.tab.acked <= before + 5, "but for what the store had confirmed before"
        service.kill()
        if not arrives:
            relay.cut()
        relay.heal()
        await service.start()
        await crowd.busy(20)
        await crowd.settle()
        for visitor in crowd.visitors:
            await visitor.check(redis)


async def test_an_orderly_restart_says_so_and_loses_nothing(
    redis: Redis, valkey: Embedded, tmp_path: Path
) -> None:
    async with (
        running(tmp_path, valkey.url) as service,
        Agent(service.at) as agent,
        Crowd(service.at, 6) as crowd,
    ):
        await crowd.busy(20)
        assert await service.end(signal.SIGTERM) == 0
        assert agent._socket is not None
        await asyncio.wait_for(agent._socket.wait_closed(), 5)
        assert agent._socket.close_code == 1012, "which a console takes for: come back"
        await until(lambda: all(visitor.closed for visitor in crowd.visitors))
        assert [visitor.closed[0] for visitor in crowd.visitors] == [4105] * 6
        await service.start()
        await crowd.busy(20)
        assert all(4100 not in visitor.closed for visitor in crowd.visitors), "its sessions were given free"
        await crowd.settle()
        for visitor in crowd.visitors:
            await visitor.check(redis)


async def test_ctrl_c_ends_everything_and_the_data_stays(tmp_path: Path) -> None:
    """Without a store of its own, the demo starts one in its data folder."""
    async with running(tmp_path, "") as service:
        visitor = Visitor(service.at)
        page = visitor.tab
        await visitor.come()
        for n in range(5):
            visitor.see(f"/{n}")
        await visitor.settle()
        assert service.now is not None
        children = psutil.Process(service.now.process.pid).children(recursive=True)
        assert [child for child in children if "valkey" in child.name() or "redis" in child.name()]
        assert await service.end(signal.SIGINT) == 0
        assert not [
            child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        ]
        assert "Traceback" not in service.now.log.read_text()
        await service.start()
        await visitor.come()
        assert page.marks[page.page] == 5, "the session goes on where it was"
        service.kill()
        await page.gone.wait()
        await service.start()
        await visitor.come()
        assert page.marks[page.page] == 5, "also after a kill that left the private store behind"
        page.close()
        assert await service.end(signal.SIGTERM) == 0


async def test_sigterm_while_it_starts_leaves_no_process(tmp_path: Path) -> None:
    """Told to end before there was a server to stop, the process once left its private store behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "router",
        "demo",
        "--port",
        "0",
        env=os.environ | {"ROUTER_DATA": str(tmp_path), "REDIS_URL": ""},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        children = await until(lambda: psutil.Process(process.pid).children(), within_s=60)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


async def test_two_processes_on_one_store(redis: Redis, valkey: Embedded, tmp_path: Path) -> None:
    """Two tabs of one shopper meet at one owner, an agent at either talks with a shopper at the other, and what one
    process held goes on at the other when it is killed.
    """
    secret = "a secret for tests, 32 bytes long"
    here = await asyncio.to_thread(Process, tmp_path / "here", valkey.url, ROUTER_SECRET=secret)
    there = await asyncio.to_thread(Process, tmp_path / "there", valkey.url, ROUTER_SECRET=secret)
    try:
        async with Agent(there) as agent:
            assert (await agent.ask("presence", state="available"))["t"] == "ok"
            asking = Visitor(here)
            talk = await begin_talk(asking, agent)
            asking.tab.send_message(wire.Say(talk.cid, "mid-shopper-1", "over there?"))
            await until(lambda: [f for f in agent.all("message") if f["message"]["text"] == "over there?"])
            assert (await agent.ask("say", cid=talk.cid, mid="mid-agent-1", text="here"))["t"] == "ok"
            await until(lambda: [m for m in asking.all(wire.Message) if m.text == "here"])
            second = asking.page()
            with pytest.raises(ConnectionError):
                await second.connect(there.ws, there.url)
            assert second.closed_with == 4100
            here.kill()
            asking.at = there
            await asking.tab.gone.wait()
            asking.got.clear()
            await moved_to(asking, there)
            assert asking.all(wire.Welcome)[-1].config["talk"] == [talk.cid, talk.secret]
            asking.tab.send_message(wire.Say(talk.cid, "mid-shopper-2", "still there?"))
            await until(lambda: [f for f in agent.all("message") if f["message"]["text"] == "still there?"])
            asking.tab.close()
    finally:
        await asyncio.to_thread(here.stop)
        await asyncio.to_thread(there.stop)


async def moved_to(visitor: Visitor, process: Process) -> None:
    """The visitor's page is connected to this process."""
    async with asyncio.timeout(15):
        while not visitor.tab.connected:
            try:
                await visitor.tab.connect(process.ws, process.url)
            except ConnectionError:
                visitor.closed.append(visitor.tab.closed_with)
                await asyncio.sleep(0.1)
