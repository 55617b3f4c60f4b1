"""Servers under the same load in turn, and what may be compared of them.

Rounds alternate: service, echo, ..., service, echo, ...; so whatever else the machine does meets all of them. Frames
a second are compared where both servers' cores were used up. Where one was not, the load client or the machine was
the limit: then both get the same number of frames a second once more, and the CPU seconds of a frame are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from loadtests import client
from loadtests.client import Crowd, Measured
from loadtests.servers import Server, cpu_seconds

BUSY: Final = 0.9  # a core that is used to this share is the limit
WARM_S: Final = 0.5
OFFERED: Final = 0.7  # of the slower one's rate: what both carry without a queue

Read = Callable[["Round"], float]


@dataclass(frozen=True, slots=True)
class Load:
    """One way of loading a server. `window` frames in flight a socket, sent as a burst where the rate is given."""

    name: str
    per_frame: int
    window: int


ONE: Final = Load("1 event a frame, 8 in flight", 1, 8)
FIVE: Final = Load("5 events a frame, 8 in flight", 5, 8)
SINGLE: Final = Load("1 event a frame, 1 in flight", 1, 1)
RATE: Final = Load("1 event a frame, open loop, half of the rate with 1 in flight", 1, 1)
HALF: Final = Load("1 event a frame, open loop, half of what it carries", 1, 1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it takes: `rounds` of so many `seconds` for each server, with `sockets` open, `active` at a time."""

    rounds: int
    seconds: float
    sockets: int
    active: int = 64


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server under load, the way to open a socket to it, and the store that works for it (0: none)."""

    name: str
    server: Server
    opener: client.Opener
    store_pid: int = 0

    def used(self) -> tuple[float, float]:
        """CPU seconds so far: (server, store)."""
        return self.server.cpu, cpu_seconds(self.store_pid) if self.store_pid else 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """One round's figures. Shares are of one core; `late_ms`: by how much the client missed its moments at p99."""

    frames_per_s: float
    cpu_us: float
    store_us: float
    server_share: float
    client_share: float
    store_share: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    late_ms: float


@dataclass(frozen=True, slots=True)
class Contest:
    """The rounds of all servers under one load; `rate`: frames a second that were offered, 0 if as many as would go."""

    load: Load
    rounds: dict[str, tuple[Round, ...]]
    rate: float = 0.0

    def middle(self, name: str, read: Read) -> float:
        """The median of a server's figure."""
        return median(map(read, self.rounds[name]))

    def capacity(self, name: str) -> float:
        """Frames a second that a server's core carries at the CPU seconds that a frame took."""
        return 1e6 / self.middle(name, _cpu_us)

    def limited(self, name: str) -> bool:
        """Whether the server's core was the limit."""
        return self.middle(name, _server_share) >= BUSY


@dataclass(frozen=True, slots=True)
class Comparison:
    """One server beside another under one load. `offered`: both at the same rate, where rates do not tell."""

    ours: str
    other: str
    contest: Contest
    offered: Contest | None = field(default=None)

    @property
    def ratio(self) -> float:
        """Frames a second, or a CPU second of the server at the same offered load: ours to the other's."""
        ours, other = self._values(self.contest, _rate) if self.offered is None else self._cpu()
        return ours / other

    def _cpu(self) -> tuple[float, float]:
        assert self.offered is not None
        ours, other = self._values(self.offered, _cpu_us)
        return other, ours

    def _values(self, contest: Contest, read: Read) -> tuple[float, float]:
        return contest.middle(self.ours, read), contest.middle(self.other, read)

    @property
    def basis(self) -> str:
        """What was compared, for a reader."""
        if self.offered is None:
            return "frames/s, both servers' cores were the limit"
        idle = [name for name in (self.ours, self.other) if not self.contest.limited(name)]
        whose = " and ".join(f"{name}: {self._limit(name)}" for name in idle)
        return f"CPU seconds a frame, both at {self.offered.rate:,.0f} frames/s; {whose}"

    def _limit(self, name: str) -> str:
        """What kept a server's core from being used up."""
        beside = self.contest.middle(name, lambda one: one.client_share + one.store_share)
        if beside >= BUSY:
            return "the core of client and store was the limit"
        return "no core was the limit, so the machine was busy otherwise"


def run(load: Load, contestants: Sequence[Contestant], pace: Pace, rate: float = 0.0) -> Contest:
    """A B C A B C ...: every contestant once a round. `rate`: frames a second, else as many as go."""
    found: dict[str, list[Round]] = {each.name: [] for each in contestants}
    for _ in range(pace.rounds):
        for each in contestants:
            found[each.name].append(measure(load, each, pace, rate))
    return Contest(load, {name: tuple(rounds) for name, rounds in found.items()}, rate)


def warm(contestants: Sequence[Contestant], pace: Pace) -> None:
    """Let every server open its connections and meet every kind of frame before anything counts."""
    for each in contestants:
        with client.crowd(each.opener, each.server.address, min(pace.active, pace.sockets), 1) as crowd:
            crowd.flood(len(crowd.lines), 1, WARM_S)


def compare(contest: Contest, ours: Contestant, other: Contestant, pace: Pace) -> Comparison:
    """Two of a contest; both are asked again at the same rate if one of them had not been the limit."""
    return settle(contest, ours, other, lambda rate: run(contest.load, (ours, other), pace, rate))


def settle(
    contest: Contest, ours: Contestant, other: Contestant, again: Callable[[float], Contest]
) -> Comparison:
    """Two of a contest. `again` offers both the rate that it is given."""
    if contest.limited(ours.name) and contest.limited(other.name):
        return Comparison(ours.name, other.name, contest)
    rate = OFFERED * min(contest.middle(each.name, _rate) for each in (ours, other))
    return Comparison(ours.name, other.name, contest, again(rate))


def measure(load: Load, contestant: Contestant, pace: Pace, rate: float) -> Round:
    """One round on sockets of its own."""
    with client.crowd(contestant.opener, contestant.server.address, pace.sockets, load.per_frame) as crowd:
        return told(_loaded(crowd, load, contestant, pace, rate))


def _loaded(crowd: Crowd, load: Load, contestant: Contestant, pace: Pace, rate: float) -> Measured:
    if rate:
        return crowd.pace(rate, pace.seconds, load.window, contestant.used)
    active = min(pace.active, pace.sockets)
    return crowd.flood(active, load.window, pace.seconds, contestant.used)


def told(measured: Measured) -> Round:
    """A run's figures; its gauge was a contestant's `used`."""
    seconds, (server, store) = measured.seconds, measured.used
    return Round(
        frames_per_s=measured.rate,
        cpu_us=server / measured.frames * 1e6,
        store_us=store / measured.frames * 1e6,
        server_share=server / seconds,
        client_share=measured.cpu_s / seconds,
        store_share=store / seconds,
        p50_ms=measured.percentile_ms(0.5),
        p99_ms=measured.percentile_ms(0.99),
        p999_ms=measured.percentile_ms(0.999),
        late_ms=measured.late_ms(0.99),
    )


def _rate(one: Round) -> float:
    return one.frames_per_s


def _cpu_us(one: Round) -> float:
    return one.cpu_us


def _server_share(one: Round) -> float:
    return one.server_share


# --- telling ---------------------------------------------------------------------------------------------------


def table(contest: Contest) -> str:
    """The figures for a reader: medians, in brackets the smallest and the largest."""
    offered = f", {contest.rate:,.0f} frames/s offered" if contest.rate else ""
    columns = (
        f"{'frames/s':>28}{'CPU us/frame':>22}{'p50 ms':>9}{'p99 ms':>9}{'p99.9':>8}"
        f"{'server':>8}{'client':>8}{'store':>7}"
    )
    lines = [contest.load.name + offered, f"{'':18}{columns}"]
    lines += [_row(name, rounds) for name, rounds in contest.rounds.items()]
    return "\n".join(lines)


def _row(name: str, rounds: tuple[Round, ...]) -> str:
    def spread(read: Read, digits: int) -> str:
        values = sorted(map(read, rounds))
        return f"{median(values):,.{digits}f} ({values[0]:,.{digits}f}-{values[-1]:,.{digits}f})"

    def middle(read: Read) -> float:
        return median(map(read, rounds))

    return (
        f"  {name:16}{spread(_rate, 0):>28}{spread(_cpu_us, 1):>22}"
        f"{middle(lambda r: r.p50_ms):>9.2f}{middle(lambda r: r.p99_ms):>9.2f}{middle(lambda r: r.p999_ms):>8.2f}"
        f"{middle(_server_share):>8.0%}{middle(lambda r: r.client_share):>8.0%}{middle(lambda r: r.store_share):>7.0%}"
    )


def sentence(comparison: Comparison) -> str:
    """A ratio and its basis."""
    return f"  {comparison.ratio:.2f} of the {comparison.other} ({comparison.basis})"
