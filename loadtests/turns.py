"""Page changes: a shopper leaves a page, the next one opens with the session; beside an echo's bare handshake.

A turn is: close the socket as a browser does (code 1001), connect, upgrade, say hello with the session's token and
the page before, send the page's first batch, and wait until it is acknowledged: the session was loaded by then. The
echo gets the very same bytes and sends two frames back. Each shopper has a session of twenty events and more.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from loadtests import client, contest, frames, mix
from loadtests.client import Measured
from loadtests.contest import Comparison, Contest, Contestant, Load, Pace, Round
from loadtests.frames import Acks, BadAnswer, Echoes

SITE: Final = "demo"
LOAD: Final = Load("page changes", 1, 1)
TABS: Final = 256
SEEN: Final = 20
COLD_A_SOCKET: Final = 2  # sessions for each socket of the plan, all new to the process that loads them
PATIENCE_S: Final = 10.0
WELCOME: Final = 1
FRAMES: Final = 2  # hello and the first batch
FIRST: Final[list[frames.Event]] = [[1, 0, "list", "/demo/", "/demo/", "Utsuwa", "ja"], [14, 0, 0, 2]]


def route(token: str) -> str:
    """The path of a session's sockets, which a balancer hashes (docs/protocol.md)."""
    sid = token.split(".")[2]
    return f"/v1/shopper/{hashlib.sha256(sid.encode()).digest()[:16].hex()}"


class Tab:
    """A shopper's tab: one page after another, each on a socket of its own; at an echo if there is no token."""

    def __init__(self, address: str, path: str, token: str = "", page: str = "", origin: str = "") -> None:
        self.sock: socket.socket | None = None
        self._address = address
        self._path = path
        self._token = token
        self.page = page
        self._origin = origin
        self.answers: Acks | Echoes = Echoes(1)
        self._head = b""
        self._open = False

    def move(self, address: str) -> None:
        """The next page opens at another server."""
        self._address = address

    @property
    def sid(self) -> str:
        """The session's id; the token has one."""
        return self._token.split(".")[2]

    def beside(self) -> Tab:
        """Another tab of the same shopper, with no page yet."""
        return Tab(self._address, self._path, self._token, "", self._origin)

    def turn(self) -> socket.socket:
        """Leave the page, and ask for the next one."""
        self.close()
        page, previous = client.page_id(), self.page
        said = frames.hello(SITE, page, self._token or None, previous or None) + frames.batch(page, 1, FIRST)
        self.answers = Acks(page) if self._token else Echoes(1)
        self.page, self._head, self._open = page, b"", False
        self.sock = client.asked(self._address, self._path, said, self._origin)
        return self.sock

    def stands(self) -> bool:
        """Read what came; whether the page stands: its first batch is stored, or came back. Raises BadAnswer."""
        assert self.sock is not None
        data = client.received(self.sock)
        if not self._open:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return False
            head, _, data = self._head.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101 "):
                raise BadAnswer(f"no WebSocket: {head!r}")
            self._open = True
        return self.answers.take(data) >= (len(FIRST) if self._token else FRAMES)

    def close(self) -> None:
        """Close the page as a browser does, without waiting for an answer."""
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.sendall(frames.GOING_AWAY)
            sock.close()


def bare(address: str, number: int) -> Tab:
    """A tab at an echo."""
    return Tab(address, "/")


def shopper(address: str, number: int) -> Tab:
    """A tab whose session has seen some events on its first page, which is closed."""
    return begun(address, number)


def begun(address: str, number: int, origin: str = "", count: int = SEEN) -> Tab:
    """The tab after a first visit with so many events (to 40), all of them stored; its page is closed."""
    page, sent = client.page_id(), mix.opening() + mix.session(number)[:count]
    following = frames.hello(SITE, page) + frames.batch(page, 1, sent)
    sock = client.asked(address, "/v1/shopper/new", following, origin)
    with contextlib.closing(sock):
        token = _welcomed(sock, page, len(sent))
        sock.sendall(frames.GOING_AWAY)
    return Tab(address, route(token), token, page, origin)


def _welcomed(sock: socket.socket, page: str, last: int) -> str:
    """The session's token, once the page's events are stored up to the last."""
    data, token, newest = client.upgraded(sock), "", 0
    acks, fresh = Acks(page), data
    while not token or newest < last:
        newest = acks.take(fresh)
        found, _ = frames.messages(data)
        token = next((str(message[1]) for message in found if message[0] == WELCOME), token)
        if not token or newest < last:
            fresh = client.received(sock)
            data += fresh
    return token


class Tabs:
    """Many tabs, of which some turn at a time."""

    def __init__(self, tabs: Sequence[Tab]) -> None:
        self.tabs = tabs
        self._following = itertools.cycle(tabs)
        self._poll = select.epoll()
        self._turning: dict[int, tuple[Tab, float]] = {}

    def __enter__(self) -> Tabs:
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for tab in self.tabs:
            tab.close()

    def flood(self, active: int, seconds: float, gauge: client.Gauge) -> Measured:
        """Keep `active` of them turning for so long."""
        with client.timed(gauge) as measured:
            begin = time.perf_counter()
            while client.going(begin, seconds, measured):
                self._begin(self._following, active - len(self._turning))
                self._read(measured)
        return self._settled(measured)

    def pace(self, rate: float, seconds: float, gauge: client.Gauge) -> Measured:
        """Let `rate` of them turn a second, for so long."""
        with client.timed(gauge) as measured:
            due, begin = 0, time.perf_counter()
            while (passed := time.perf_counter() - begin) < seconds:
                measured.late.append(max(0.0, passed - due / rate))
                count = int(passed * rate) - due
                self._begin(self._following, min(count, len(self.tabs) - len(self._turning)))
                due += count
                self._read(measured)
        return self._settled(measured)

    def once(self, active: int, gauge: client.Gauge) -> Measured:
        """Every tab turns once, `active` of them at a time."""
        following = iter(self.tabs)
        with client.timed(gauge) as measured:
            while measured.frames < len(self.tabs):
                self._begin(following, active - len(self._turning))
                self._read(measured)
        return measured

    def _begin(self, following: Iterator[Tab], count: int) -> None:
        for tab in itertools.islice(following, max(0, count)):
            if tab.sock is None or tab.sock.fileno() not in self._turning:
                sock = tab.turn()
                self._poll.register(sock, select.EPOLLIN)
                self._turning[sock.fileno()] = tab, time.perf_counter()

    def _read(self, measured: Measured) -> None:
        for fd, _ in self._poll.poll(client.POLL_S):
            tab, began = self._turning[fd]
            if tab.stands():
                measured.answered(time.perf_counter() - began, 1)
                self._poll.unregister(fd)
                del self._turning[fd]

    def _settled(self, measured: Measured) -> Measured:
        """Every page that was begun has to stand in the end. Raises BadAnswer."""
        deadline = time.perf_counter() + PATIENCE_S
        while self._turning:
            if time.perf_counter() > deadline:
                raise BadAnswer(f"{len(self._turning)} pages never stood")
            self._read(Measured())
        return measured


# --- beside an echo ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visited:
    """One server, its store's process (0: none), and the way to make a tab at it."""

    contestant: Contestant
    tab: Callable[[str, int], Tab]


def run(visited: Sequence[Visited], pace: Pace, rate: float = 0.0) -> Contest:
    """A B A B ...: page changes at every server once a round; `rate` a second, else as many as go."""
    found: dict[str, list[Round]] = {each.contestant.name: [] for each in visited}
    for _ in range(pace.rounds):
        for each in visited:
            found[each.contestant.name].append(_round(each, pace, rate))
    return Contest(LOAD, {name: tuple(rounds) for name, rounds in found.items()}, rate)


def _round(visited: Visited, pace: Pace, rate: float) -> Round:
    chosen = visited.contestant
    with Tabs(
        [visited.tab(chosen.server.address, number) for number in range(min(TABS, pace.sockets))]
    ) as tabs:
        if rate:
            return contest.told(tabs.pace(rate, pace.seconds, chosen.used))
        return contest.told(tabs.flood(min(pace.active, len(tabs.tabs)), pace.seconds, chosen.used))


def compare(ours: Visited, other: Visited, pace: Pace) -> Comparison:
    """Page changes a second, or those of a CPU second at the same rate where a server was not the limit."""
    return contest.settle(
        run((ours, other), pace),
        ours.contestant,
        other.contestant,
        lambda rate: run((ours, other), pace, rate),
    )


def loads(maker: Contestant, loader: Contestant, pace: Pace) -> tuple[Round, ...]:
    """Page changes to a process that does not hold the session: it takes it over and loads it from the store.

    `maker` makes sessions, as many as there are tabs a round; `loader` has never seen them.
    """
    return tuple(_loaded(maker, loader, pace) for _ in range(pace.rounds))


def _loaded(maker: Contestant, loader: Contestant, pace: Pace) -> Round:
    made = [shopper(maker.server.address, number) for number in range(COLD_A_SOCKET * pace.sockets)]
    for tab in made:
        tab.move(loader.server.address)
    with Tabs(made) as tabs:
        return contest.told(tabs.once(min(pace.active, len(made)), loader.used))
