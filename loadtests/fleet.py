"""Two processes behind HAProxy, which hashes the shopper's path: every tab at its owner, and what two carry beside one.

HAProxy has a door to the first process alone and one to both; rounds alternate between the two doors, so the way is
the same. Before, every shopper makes a first visit, turns the page and opens a second tab, and the owner records of
all sessions are read: both tabs have to stand at the session's owner, and nobody may have been sent elsewhere.
Nothing is bound to a core here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from redis import Redis

from loadtests import client, contest, mix, servers, turns
from loadtests.client import Crowd, Line
from loadtests.contest import ONE, Contest, Load, Pace, Round
from loadtests.frames import Acks, BadAnswer, Lap
from loadtests.servers import Server, cpu_seconds
from router.store import keys
from router.store.embedded import Embedded, free_port

ORIGIN: Final = "http://127.0.0.1:8000"  # the demo's site file has it
SECRET: Final = "two-doors-and-harmless-for-a-bench"
START_S: Final = 10.0
LOOK_S: Final = 0.05
ABSENT: Final = "not measured: there is no haproxy on this machine (apt-get install haproxy)"
DOORS: Final = ("one process", "two processes")
CONFIG: Final = """\
defaults
  mode http
  timeout connect 3s
  timeout client 1m
  timeout server 1m
  timeout tunnel 2m
{doors}"""
DOOR: Final = """\
frontend door-{name}
  bind 127.0.0.1:{port}
  acl first path /v1/shopper/new
  use_backend first-{name} if first
  default_backend shoppers-{name}
backend first-{name}
  balance roundrobin
{servers}backend shoppers-{name}
  balance hash path
  hash-type consistent
{servers}"""


@dataclass(frozen=True, slots=True)
class Tabs:
    """Where the tabs stand: sessions by owner, tabs that stand elsewhere than at it, sockets sent elsewhere."""

    owners: dict[str, int]
    strayed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """What was found: the tabs behind both processes, and the rounds at both doors."""

    tabs: Tabs
    contest: Contest

    @property
    def sum_ratio(self) -> float:
        """Frames a second of two processes to those of one, on the cores that there are."""
        one, two = (self.contest.middle(door, lambda each: each.frames_per_s) for door in DOORS)
        return two / one

    @property
    def cpu_ratio(self) -> float:
        """The same if each process had a core of its own: twice what a frame costs one to what it costs two."""
        one, two = (self.contest.middle(door, lambda each: each.cpu_us) for door in DOORS)
        return 2 * one / two


def measure(pace: Pace) -> Fleet | None:
    """Start everything and measure; None if there is no HAProxy."""
    haproxy = shutil.which("haproxy")
    if haproxy is None:
        return None
    with _started(haproxy) as (doors, processes, store):
        with Redis.from_url(store.url) as redis:
            tabs = _tabs(doors[1], redis, pace.sockets)
        found: dict[str, list[Round]] = {name: [] for name in DOORS}
        for _ in range(pace.rounds):
            for name, address, behind in zip(DOORS, doors, (processes[:1], processes), strict=True):
                found[name].append(_round(address, behind, store.process.pid, pace))
        return Fleet(tabs, Contest(ONE, {name: tuple(rounds) for name, rounds in found.items()}))


@contextmanager
def _started(haproxy: str) -> Iterator[tuple[list[str], list[Server], Embedded]]:
    """(addresses of both doors, both processes, their store)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-fleet-")))
        store = stack.enter_context(Embedded(folder / "valkey"))
        processes = [
            stack.enter_context(
                servers.service(folder / name, store.url, "serve", "--port", "0", ROUTER_SECRET=SECRET)
            )
            for name in ("a", "b")
        ]
        ports = [free_port(), free_port()]
        file = folder / "haproxy.cfg"
        file.write_text(config(ports, [process.address for process in processes]))
        stack.enter_context(_balancer(haproxy, file, ports))
        yield [f"127.0.0.1:{port}" for port in ports], processes, store


def config(ports: list[int], addresses: list[str]) -> str:
    """HAProxy's file: behind the first port the first process, behind the second port all of them."""
    doors = []
    for name, port, behind in zip(("one", "two"), ports, (addresses[:1], addresses), strict=True):
        lines = "".join(f"  server s{at} {address}\n" for at, address in enumerate(behind))
        doors.append(DOOR.format(name=name, port=port, servers=lines))
    return CONFIG.format(doors="".join(doors))


@contextmanager
def _balancer(haproxy: str, file: Path, ports: list[int]) -> Iterator[None]:
    process = subprocess.Popen(
        [haproxy, "-f", str(file), "-db"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await_port(process, ports[-1])
        yield
    finally:
        process.terminate()
        process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.connected(f"127.0.0.1:{port}").close()
        except OSError:
            time.sleep(LOOK_S)
        else:
            return
    raise RuntimeError(f"HAProxy did not start: status {process.poll()}")


# --- every tab at its owner --------------------------------------------------------------------------------------


def _tabs(address: str, redis: Redis, shoppers: int) -> Tabs:
    """Let each shopper come, turn the page, and open a second tab; then look where they stand."""
    owners: Counter[str] = Counter()
    strayed = refused = 0
    for number in range(shoppers):
        first = turns.begun(address, number, ORIGIN)
        second = first.beside()
        for tab in (first, second):
            refused += not _stands(tab)
        owner, pages = record(redis, first.sid)
        owners[owner] += 1
        strayed += sum(pages.get(tab.page) != owner for tab in (first, second))
        first.close()
        second.close()
    return Tabs(dict(owners), strayed, refused)


def _stands(tab: turns.Tab) -> bool:
    tab.turn()
    try:
        while not tab.stands():
            pass
    except BadAnswer:
        return False
    return True


def record(redis: Redis, sid: str) -> tuple[str, dict[str, str]]:
    """A session's owner, and the process at which each open page stands, as the store has it."""
    found = cast("dict[bytes, bytes]", redis.hgetall(keys.owner(sid)))
    fields = {name.decode(): value.decode() for name, value in found.items()}
    open_pages = (name.split(":", 2) for name in fields if name.startswith("p:"))
    return fields["node"], {page: node for _, node, page in open_pages}


# --- throughput --------------------------------------------------------------------------------------------------


def _round(address: str, processes: list[Server], store_pid: int, pace: Pace) -> Round:
    def used() -> tuple[float, float]:
        return sum(process.cpu for process in processes), cpu_seconds(store_pid)

    lines = [_routed(address, number, ONE) for number in range(pace.sockets)]
    with Crowd(lines) as crowd:
        return contest.told(crowd.flood(min(pace.active, len(lines)), ONE.window, pace.seconds, used))


def _routed(address: str, number: int, load: Load) -> Line:
    """A socket on a page at its session's own path: where the balancer wants it for good."""
    tab = turns.begun(address, number, ORIGIN, 0)
    sock = tab.turn()
    while not tab.stands():
        pass
    assert isinstance(tab.answers, Acks)
    return Line(sock, Lap(tab.page, mix.session(number), load.per_frame), tab.answers, len(turns.FIRST))


# --- telling -----------------------------------------------------------------------------------------------------


def table(found: Fleet | None) -> str:
    """The figures for a reader."""
    if found is None:
        return f"two processes behind HAProxy\n  {ABSENT}"
    shares = " and ".join(f"{count:,}" for count in found.tabs.owners.values())
    return "\n".join(
        [
            "two processes behind HAProxy, which hashes the shopper's path; nothing bound to a core",
            contest.table(found.contest),
            f"  two carry {found.sum_ratio:.2f} of what one does on {os.cpu_count()} cores, shared with client, "
            "balancer and store;",
            f"  with a core for each it would be {found.cpu_ratio:.2f}, by the CPU seconds a frame",
            f"  sessions at each owner: {shares}; tabs elsewhere than at their owner: {found.tabs.strayed}; "
            f"sockets sent elsewhere: {found.tabs.refused}",
        ]
    )


def summary(found: Fleet | None) -> dict[str, float | None]:
    """The figures for a machine; None where there was no HAProxy."""
    if found is None:
        return dict.fromkeys(
            ("two_over_one", "two_over_one_by_cpu", "tabs_strayed", "sockets_sent_elsewhere")
        )
    return {
        "two_over_one": round(found.sum_ratio, 3),
        "two_over_one_by_cpu": round(found.cpu_ratio, 3),
        "tabs_strayed": found.tabs.strayed,
        "sockets_sent_elsewhere": found.tabs.refused,
    }
