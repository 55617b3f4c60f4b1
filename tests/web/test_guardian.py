"""router.web.guardian: the demo's service comes back when it is killed, and ends with whoever started it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx

from router.store.embedded import Embedded
from tests.service import Process
from tests.waiting import until


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def test_a_killed_service_comes_back_at_its_address(valkey: Embedded, tmp_path: Path) -> None:
    with Process(tmp_path, valkey.url) as running:
        (first,) = children(running.process.pid)
        os.kill(first, signal.SIGKILL)
        async with httpx.AsyncClient(base_url=running.url, timeout=20) as http:
            assert (await http.get("/healthz")).json() == {"ok": True}
        (second,) = children(running.process.pid)
        assert second != first
        assert running.stop() == 0
    assert not alive(second)


async def test_the_service_dies_with_its_guardian(valkey: Embedded, tmp_path: Path) -> None:
    with Process(tmp_path, valkey.url) as running:
        (child,) = children(running.process.pid)
        running.kill()
        await until(lambda: not alive(child))
