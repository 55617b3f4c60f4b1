"""The load client: many raw sockets in one loop, frames sent as prepared bytes, of answers only the numbers read.

`flood` keeps a window of frames in flight on some sockets at a time (how fast can it go?); `pace` sends a given
number of frames a second whatever comes back (what does a frame cost then, how long does it take?).
"""

from __future__ import annotations

import gc
import itertools
import select
import socket
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from loadtests import frames, mix
from loadtests.frames import Acks, BadAnswer, Echoes, Lap

MAX_UNACKED: Final = 256
OPEN_S: Final = 10.0
TOGETHER: Final = 32
DRAIN_S: Final = 5.0
POLL_S: Final = 0.001
READ_BYTES: Final = 1 << 18
_pages = itertools.count(1)


class Answers(Protocol):
    """Reads what a server sends back."""

    newest: int

    def take(self, data: bytes) -> int:
        """Take bytes; returns the newest number that was answered."""


@dataclass(slots=True)
class Measured:
    """One run: frames answered, the seconds they took, and for each the time from send to answer (in seconds).

    `used`: how much each figure of the run's gauge grew meanwhile; `late`: how long after their moment the frames of an
    open loop were sent, one figure a turn of the client's loop.
    """

    frames: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    used: tuple[float, ...] = ()
    late: array[float] = field(default_factory=lambda: array("d"))
    waits: array[float] = field(default_factory=lambda: array("d"))
    weights: array[int] = field(default_factory=lambda: array("L"))

    def answered(self, wait: float, count: int) -> None:
        """`count` frames were answered `wait` seconds after they were sent."""
        self.frames += count
        self.waits.append(wait)
        self.weights.append(count)

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The wait below which this share of the frames was answered, in ms."""
        order = sorted(range(len(self.waits)), key=self.waits.__getitem__)
        reached = list(itertools.accumulate(self.weights[index] for index in order))
        if not reached:
            return 0.0
        place = bisect_left(reached, share * reached[-1])
        return self.waits[order[min(place, len(order) - 1)]] * 1000

    def late_ms(self, share: float) -> float:
        """How late the client was at most in this share of its loop's turns, in ms."""
        late = sorted(self.late)
        return late[min(int(share * len(late)), len(late) - 1)] * 1000 if late else 0.0


class Line:
    """One socket with one page on it, and the frames of one session at a time."""

    def __init__(self, sock: socket.socket, lap: Lap, answers: Answers, sent: int) -> None:
        self.sock = sock
        self._lap = lap
        self._answers = answers
        self._sent = self._answered = sent
        self._data = b""
        self._next = len(lap)
        self._waiting: deque[tuple[int, float]] = deque()

    @property
    def idle(self) -> bool:
        """Whether everything that was sent is answered."""
        return self._sent == self._answered

    def begin(self, count: int) -> None:
        """Begin a session, unless one is under way, and send `count` frames."""
        if self._next == len(self._lap):
            self._data, self._next = self._lap.numbered(self._sent + 1), 0
        self.send(count)

    def send(self, count: int) -> int:
        """Send the next frames, `count` of them unless the session or the bound of what may stand unanswered ends
        before that; returns how many.
        """
        lap, begin = self._lap, self._next
        room = (MAX_UNACKED - (self._sent - self._answered)) // lap.per_frame
        count = min(count, len(lap) - begin, room)
        if count <= 0:
            return 0
        self._next = begin + count
        self._sent += count * lap.per_frame
        self._waiting.append((self._sent, time.perf_counter()))
        self.sock.sendall(self._data[lap.ends[begin - 1] if begin else 0 : lap.ends[self._next - 1]])
        return count

    def receive(self, measured: Measured) -> int:
        """Read what came; returns how many frames were answered by it."""
        newest, before = self._answers.take(received(self.sock)), self._answered
        if newest <= before:
            return 0
        now, per_frame, waiting = time.perf_counter(), self._lap.per_frame, self._waiting
        at = before
        while waiting and at < newest:
            last, sent_at = waiting[0]
            upto = min(last, newest)
            measured.answered(now - sent_at, (upto - at) // per_frame)
            at = upto
            if upto == last:
                waiting.popleft()
        self._answered = newest
        return (newest - before) // per_frame


def page_id() -> str:
    """A page id of this client's; later ones are greater."""
    return f"0{next(_pages):08d}-loadtest"


Gauge = Callable[[], tuple[float, ...]]
Opener = Callable[[str, int, int], Callable[[], Line]]


def shopper(address: str, number: int, per_frame: int) -> Callable[[], Line]:
    """Ask for a socket to the service, as a first visit; what this gives waits until its first events are stored."""
    page = page_id()
    sock = asked(
        address, "/v1/shopper/new", frames.hello("demo", page) + frames.batch(page, 1, mix.opening())
    )
    acks, first = Acks(page), len(mix.opening())

    def opened() -> Line:
        acks.take(upgraded(sock))
        while acks.newest < first:
            acks.take(received(sock))
        return Line(sock, Lap(page, mix.session(number), per_frame), acks, first)

    return opened


def echoed(address: str, number: int, per_frame: int) -> Callable[[], Line]:
    """Ask for a socket to the echo, which gets the very same frames."""
    sock = asked(address, "/", b"")

    def opened() -> Line:
        upgraded(sock)
        return Line(sock, Lap(page_id(), mix.session(number), per_frame), Echoes(per_frame), 0)

    return opened


def asked(address: str, path: str, following: bytes, origin: str = "") -> socket.socket:
    """A socket on which a page of `origin` (the server's own) asked for an upgrade; what follows is sent with it."""
    sock = connected(address)
    sock.sendall(frames.upgrade(address, path, origin or f"http://{address}") + following)
    return sock


def connected(address: str) -> socket.socket:
    """A connection on which small frames go out at once."""
    host, _, port = address.partition(":")
    sock = socket.create_connection((host, int(port)), timeout=OPEN_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def upgraded(sock: socket.socket) -> bytes:
    """What came behind the server's agreement to the upgrade."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += received(sock)
    head, _, behind = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        raise BadAnswer(f"no WebSocket: {head!r}")
    return behind


def received(sock: socket.socket) -> bytes:
    """What came, at least one byte. Raises BadAnswer if the server ended the socket."""
    data = sock.recv(READ_BYTES)
    if not data:
        raise BadAnswer("the server ended a socket")
    return data


def crowd(opener: Opener, address: str, size: int, per_frame: int) -> Crowd:
    """Open `size` sockets, some at a time."""
    lines: list[Line] = []
    while len(lines) < size:
        together = range(len(lines), min(len(lines) + TOGETHER, size))
        lines += [opened() for opened in [opener(address, number, per_frame) for number in together]]
    return Crowd(lines)


def going(begin: float, seconds: float, measured: Measured) -> bool:
    """Whether a flood goes on: for its seconds, and until something was answered if the machine is that busy."""
    passed = time.perf_counter() - begin
    return passed < seconds or (not measured.frames and passed < seconds + DRAIN_S)


@contextmanager
def timed(gauge: Gauge) -> Iterator[Measured]:
    """A run: what it took, without pauses of this process's collector. Raises BadAnswer if nothing was answered."""
    measured = Measured()
    gc.collect()
    gc.disable()
    try:
        before, begin, cpu = gauge(), time.perf_counter(), time.process_time()
        yield measured
        measured.seconds, measured.cpu_s = time.perf_counter() - begin, time.process_time() - cpu
        measured.used = tuple(after - old for old, after in zip(before, gauge(), strict=True))
    finally:
        gc.enable()
    if not measured.frames:
        raise BadAnswer(f"not one frame was answered in {measured.seconds:.1f} s")


class Crowd:
    """Open sockets, of which `active` are used at a time: whoever has sent a session's frames makes room for the next.

    After the last one the first goes on, with another session's frames on the same page.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self._following = itertools.cycle(lines)
        self._poll = select.epoll()
        self._by_fd = {line.sock.fileno(): line for line in lines}
        for fd in self._by_fd:
            self._poll.register(fd, select.EPOLLIN)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for line in self.lines:
            line.sock.close()

    def flood(self, active: int, window: int, seconds: float, gauge: Gauge = tuple) -> Measured:
        """Keep `window` frames in flight on `active` sockets for so long; what is answered later is not counted."""
        with timed(gauge) as measured:
            for line in itertools.islice(self._following, active):
                line.begin(window)
            begin = time.perf_counter()
            while going(begin, seconds, measured):
                for fd, _ in self._poll.poll(0.1):
                    line = self._by_fd[fd]
                    count = line.receive(measured)
                    if count and line.send(count):
                        continue
                    if count and line.idle:
                        next(self._following).begin(window)
        return self._drained(measured)

    def pace(self, rate: float, seconds: float, burst: int = 1, gauge: Gauge = tuple) -> Measured:
        """Send `rate` frames a second for so long, `burst` of them at once, one socket after another."""
        with timed(gauge) as measured:
            sent, begin = 0, time.perf_counter()
            while (passed := time.perf_counter() - begin) < seconds:
                measured.late.append(max(0.0, passed - sent / rate))
                while sent < passed * rate:
                    next(self._following).begin(burst)
                    sent += burst
                for fd, _ in self._poll.poll(POLL_S):
                    self._by_fd[fd].receive(measured)
        return self._drained(measured)

    def _drained(self, measured: Measured) -> Measured:
        """Everything that was sent has to be answered in the end, or the run does not count. Raises BadAnswer."""
        rest, deadline = Measured(), time.perf_counter() + DRAIN_S
        while any(not line.idle for line in self.lines):
            if time.perf_counter() > deadline:
                raise BadAnswer("some frames were never answered")
            for fd, _ in self._poll.poll(0.1):
                self._by_fd[fd].receive(rest)
        return measured
