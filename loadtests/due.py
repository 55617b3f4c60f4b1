"""How late a due moment is: many sessions wait out a silence, and each measures how long after it the decision came.

Every shopper opens a page with a cart and falls silent. The moment at which the silence is over is the moment the
cart was sent plus the rule's time; the delay is what passes from there until the page has the decision. So it holds the
way to the service and back, and a decision that came too early would have a negative one.
"""

from __future__ import annotations

import contextlib
import select
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtests import client, frames, servers
from loadtests.frames import BadAnswer
from loadtests.servers import Server, on_core
from router.store.embedded import Embedded

CART: Final[list[frames.Event]] = [[1, 0, "cart", "/cart"], [14, 0, 0, 2], [7, 0, 1, 1, 9000.0, "JPY"]]
SHOWN: Final = 30
SHOW: Final = 4
PATIENCE_S: Final = 20.0
SPARE_FILES: Final = 200

SITE: Final = """\
version: 1
sites:
  demo:
    name: Silence
    origins: ["http://{address}"]
    currency: JPY
    language: ja
    consent: notice
    rules: rules.yaml
    texts: texts.yaml
    queues: {{help: {{name: {{ja: 相談, en: Help}}, dispositions: [{{id: done, name: {{ja: 完了, en: Done}}}}]}}}}
    articles: {{help: {{url: /help, text: help}}}}
"""
RULES: Final = """\
version: 1
defaults: {{caps: {{per_session: 1, per_visitor: 9 in 1d, not_before: 0s visible}}}}
rules:
  - id: silent
    when: {{all: [page.type: cart, silence: {{of: checkout, since: cart, for: {silence_s}s, clock: visible}}]}}
    then: [article: help]
"""
TEXTS: Final = """\
version: 1
articles: {help: {ja: {title: ご案内, text: お困りですか。, dismiss: 閉じる}}}
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many sessions wait how long, and over how many seconds their moments are spread."""

    sessions: int
    silence_s: int
    spread_s: float


FULL: Final = Waiting(10_000, 20, 20.0)
QUICK: Final = Waiting(200, 2, 1.0)


@dataclass(frozen=True, slots=True)
class Punctual:
    """The delays of all decisions in ms, in order, and what share of its core the service used meanwhile."""

    waiting: Waiting
    delays_ms: tuple[float, ...]
    server_share: float

    def percentile_ms(self, share: float) -> float:
        """The delay below which this share of the decisions came."""
        return self.delays_ms[min(int(share * len(self.delays_ms)), len(self.delays_ms) - 1)]


def measure(waiting: Waiting) -> Punctual:
    """Start a service on a core of its own, and let everybody wait once."""
    servers.allow_files(waiting.sessions + SPARE_FILES)
    with _service(waiting) as server:
        lines = [_opened(server.address) for _ in range(waiting.sessions)]
        try:
            used, begin = server.cpu, time.perf_counter()
            delays = sorted(_waited(lines, waiting))
            share = (server.cpu - used) / (time.perf_counter() - begin)
        finally:
            for line in lines:
                line.sock.close()
    return Punctual(waiting, tuple(delays), share)


def summary(found: Punctual) -> dict[str, float]:
    """The figures for a machine."""
    return {
        "due_sessions": found.waiting.sessions,
        "due_p50_ms": round(found.percentile_ms(0.5), 2),
        "due_p99_ms": round(found.percentile_ms(0.99), 2),
        "due_earliest_ms": round(found.delays_ms[0], 2),
    }


def table(found: Punctual) -> str:
    """The figures for a reader."""
    waiting = found.waiting
    return (
        f"from a due moment to the decision at the page: {waiting.sessions:,} sessions, "
        f"{waiting.sessions / waiting.spread_s:,.0f} moments a second\n"
        f"  p50 {found.percentile_ms(0.5):.1f}, p99 {found.percentile_ms(0.99):.1f}, "
        f"p99.9 {found.percentile_ms(0.999):.1f} ms; earliest {found.delays_ms[0]:.1f} ms; "
        f"server {found.server_share:.0%} of its core"
    )


# --- the service -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _service(waiting: Waiting) -> Iterator[Server]:
    mine, other = servers.cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="router-due-")))
        stack.enter_context(on_core(other))
        store = stack.enter_context(Embedded(folder / "valkey"))
        port = _free_port()
        sites = folder / "site.yaml"
        sites.write_text(SITE.format(address=f"127.0.0.1:{port}"), encoding="utf-8")
        (folder / "rules.yaml").write_text(RULES.format(silence_s=waiting.silence_s), encoding="utf-8")
        (folder / "texts.yaml").write_text(TEXTS, encoding="utf-8")
        with on_core(mine):
            server = stack.enter_context(
                servers.service(
                    folder / "data", store.url, "serve", "--sites", str(sites), "--port", str(port)
                )
            )
        yield server


def _free_port() -> int:
    """A port that is free now: the site file has to name the origin before the service starts."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


# --- the shoppers ----------------------------------------------------------------------------------------------


class Silent:
    """One shopper. `due` is the moment at which the silence is over, by this process's clock."""

    def __init__(self, sock: socket.socket, page: str, received: bytes) -> None:
        self.sock = sock
        self.page = page
        self.due = 0.0
        self._rest = received

    def begin(self, silence_s: float) -> None:
        """Look at the cart, and do nothing more."""
        self.due = time.perf_counter() + silence_s
        self.sock.sendall(frames.batch(self.page, 1, CART))

    def shown(self) -> bool:
        """Read what came; whether the decision is there. It is drawn at once, and said so."""
        messages, self._rest = frames.messages(self._rest + client.received(self.sock))
        for message in messages:
            if message[0] in (frames.GAP, frames.ERROR):
                raise BadAnswer(repr(message))
            if message[0] == SHOW:
                self.sock.sendall(frames.batch(self.page, len(CART) + 1, [[SHOWN, 0, message[1]]]))
                return True
        return False


def _opened(address: str) -> Silent:
    page = client.page_id()
    sock = client.asked(address, "/v1/shopper/new", frames.hello("demo", page))
    return Silent(sock, page, client.upgraded(sock))


def _waited(lines: list[Silent], waiting: Waiting) -> Iterator[float]:
    """The delay of each decision in ms, as they come."""
    poll = select.epoll()
    by_fd = {line.sock.fileno(): line for line in lines}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    begin, left = time.perf_counter(), len(lines)
    to_come = iter(lines)
    sent = 0
    with contextlib.closing(poll):
        while left:
            now = time.perf_counter()
            while sent < len(lines) and begin + sent * waiting.spread_s / len(lines) <= now:
                next(to_come).begin(waiting.silence_s)
                sent += 1
            for fd, _ in poll.poll(client.POLL_S):
                line = by_fd[fd]
                if line.shown():
                    left -= 1
                    yield (time.perf_counter() - line.due) * 1000
            if now - begin > waiting.spread_s + waiting.silence_s + PATIENCE_S:
                raise BadAnswer(f"{left} of {len(lines)} decisions never came")
