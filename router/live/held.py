"""A session that this process owns: its state, its open pages, and what waits for the next commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from router.core.rules.compile import Rule
from router.core.session import Session
from router.core.site import Site


class Peer(Protocol):
    """An open page, as the engine sees its socket."""

    page: str
    site: Site

    def send(self, frame: bytes) -> None:
        """Queue a frame; a peer that does not read is closed by its own bound."""

    def acked(self, page: str, n: int) -> None:
        """All events of `page` up to `n` are stored."""

    def close(self, name: str) -> None:
        """End the socket with a named error."""


class Held:
    """One owned session. `key` names its blob, `due` holds each timed rule's next moment, `deadline` the
    decision's, `tried` the pages it was sent to, `armed` the earliest moment in the process's heap (0: none).
    """

    __slots__ = (
        "after", "armed", "card_due", "deadline", "deciding", "dirty", "doubted", "due", "fired", "idle_since",
        "in_flight", "key", "lost", "owed", "peers", "refreshed", "session", "site", "token", "tried",
    )  # fmt: skip

    def __init__(self, session: Session, site: Site, token: str, key: str) -> None:
        self.session = session
        self.site = site
        self.token = token
        self.key = key
        self.peers: dict[str, Peer] = {}
        self.dirty = False
        self.in_flight = False
        self.lost = False
        self.doubted = False
        self.owed: list[tuple[Peer, str, int]] = []
        self.after: list[Callable[[], None]] = []
        self.due: dict[int, int] = {}
        self.deadline = 0
        self.armed = 0
        self.idle_since = 0
        self.refreshed = 0
        self.deciding = False
        self.fired: list[Rule] = []
        self.tried: set[str] = set()
        self.card_due = 0

    @property
    def wake(self) -> int:
        """The earliest moment at which something of this session may change by itself; 0 if nothing will."""
        earliest = min(self.due.values()) if self.due else 0
        deadline = self.deadline
        if deadline and (not earliest or deadline < earliest):
            return deadline
        return earliest
