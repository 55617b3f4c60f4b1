"""The load client: many raw sockets in one loop, frames sent as prepared bytes, of answers only the numbers read.

`flood` keeps a window of frames in flight on some sockets at a time (how fast can it go?); `pace` sends a given
number of frames a second whatever comes back (what does a frame cost then, how long does it take?).
"""

from __future__ import annotations

import itertools
import select
import socket
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
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
    """One run: frames answered, the seconds they took, and for each the time from send to answer (in seconds)."""

    frames: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
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


def asked(address: str, path: str, following: bytes) -> socket.socket:
    """A socket on which an upgrade was asked for; what follows is sent with it."""
    host, _, port = address.partition(":")
    sock = socket.create_connection((host, int(port)), timeout=OPEN_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(frames.upgrade(address, path, f"http://{address}") + following)
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


class Crowd:
    """Open sockets, of which `active` are used at a time: whoever has sent a session's frames makes room for the next.

    After the last one the first goes on, with another session's frames on the same page.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
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

    def flood(self, active: int, window: int, seconds: float) -> Measured:
        """Keep `window` frames in flight on `active` sockets for so long; what is answered later is not counted."""
        measured, following = Measured(), itertools.cycle(self.lines)
        for line in itertools.islice(following, active):
            line.begin(window)
        begin, cpu = time.perf_counter(), time.process_time()
        while (now := time.perf_counter()) - begin < seconds:
            for fd, _ in self._poll.poll(0.1):
                line = self._by_fd[fd]
                count = line.receive(measured)
                if count and line.send(count):
                    continue
                if count and line.idle:
                    next(following).begin(window)
        return self._finished(measured, now - begin, time.process_time() - cpu)

    def pace(self, rate: float, seconds: float) -> Measured:
        """Send `rate` frames a second, one after another over all sockets, for so long."""
        measured, following = Measured(), itertools.cycle(self.lines)
        sent, begin, cpu = 0, time.perf_counter(), time.process_time()
        while (now := time.perf_counter()) - begin < seconds:
            while sent < (now - begin) * rate:
                next(following).begin(1)
                sent += 1
            for fd, _ in self._poll.poll(POLL_S):
                self._by_fd[fd].receive(measured)
        return self._finished(measured, now - begin, time.process_time() - cpu)

    def _finished(self, measured: Measured, seconds: float, cpu_s: float) -> Measured:
        """Everything that was sent has to be answered, or the run does not count. Raises BadAnswer."""
        if not measured.frames:
            raise BadAnswer(f"not one frame was answered in {seconds:.1f} s")
        measured.seconds, measured.cpu_s = seconds, cpu_s
        rest, deadline = Measured(), time.perf_counter() + DRAIN_S
        while any(not line.idle for line in self.lines):
            if time.perf_counter() > deadline:
                raise BadAnswer("some frames were never answered")
            for fd, _ in self._poll.poll(0.1):
                self._by_fd[fd].receive(rest)
        return measured
