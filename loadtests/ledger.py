"""What a crowd did, as it saw it: written down while it runs, compared with the store when it is over.

Moments are seconds since the epoch; workers on one machine share that clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from loadtests.health import Report
from loadtests.latency import Row
from loadtests.pairs import End


class PageRecord(msgspec.Struct):
    """One page: how many events were sent, and up to which number they were acknowledged."""

    sid: str
    page: str
    sent: int
    acked: int


class Said(msgspec.Struct):
    """One chat line that the service confirmed."""

    cid: str
    author: str
    mid: str


class Heard(msgspec.Struct):
    """One chat line that came to the other side: `author` said it."""

    cid: str
    author: str
    mid: str


class Seen(msgspec.Struct):
    """Something that a page was sent to show. `link` numbers the page's sockets; `again`: drawn anew, as announced."""

    sid: str
    visitor: str
    did: str
    kind: str
    page: str
    link: int
    again: bool
    at: float


class Awaited(msgspec.Struct):
    """A shopper made a rule true and stayed for its invite: did anything come?"""

    sid: str
    came: bool


class Held(msgspec.Struct):
    """A console showed a conversation as its agent's, from the ring on."""

    cid: str
    login: str
    since: float
    until: float


class Ledger(msgspec.Struct):
    """Everything that happened. `tried`: the ids of all lines that anybody said, confirmed (`lines`) or not. `rows` and
    `health` are there once the run is over.
    """

    pages: list[PageRecord] = []
    tried: list[str] = []
    lines: list[Said] = []
    heard: list[Heard] = []
    seen: list[Seen] = []
    awaited: list[Awaited] = []
    held: list[Held] = []
    ends: list[End] = []
    rows: list[Row] = []
    health: list[Report] = []

    def take(self) -> dict[str, Any]:
        """Everything since the last `take`, for another process to `add`; then there is nothing here any more."""
        taken: dict[str, Any] = msgspec.to_builtins(self)
        for field in self.__struct_fields__:
            getattr(self, field).clear()
        return taken

    def add(self, taken: dict[str, Any]) -> Ledger:
        """What another process saw; returns that part."""
        part = msgspec.convert(taken, Ledger)
        for field in self.__struct_fields__:
            getattr(self, field).extend(getattr(part, field))
        return part

    def write(self, file: Path) -> None:
        """As JSON."""
        file.write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, file: Path) -> Ledger:
        """What `write` wrote. Raises OSError or msgspec.DecodeError."""
        return msgspec.json.decode(file.read_bytes(), type=Ledger)

    @property
    def events(self) -> int:
        """How many events were sent."""
        return sum(page.sent for page in self.pages)
