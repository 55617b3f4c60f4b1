"""Service level: of those who asked for a person, how many were answered, how many in time, how many gave up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Level:
    """One queue: conversations `answered`, those of them within its promised time (`prompt`), and `abandoned` ones."""

    queue: str
    answered: int = 0
    prompt: int = 0
    abandoned: int = 0

    @property
    def share(self) -> float | None:
        """The prompt ones of all that were answered or given up; None if there were none."""
        asked = self.answered + self.abandoned
        return self.prompt / asked if asked else None


class Reading:
    """Records of one site's journal, in their order, become service levels. `within_ms`: by queue the promised time."""

    def __init__(self, site: str, within_ms: Mapping[str, int]) -> None:
        self._site = site
        self._within_ms = within_ms
        self._levels: defaultdict[str, Level] = defaultdict(lambda: Level(""))
        self._answered: set[str] = set()

    def add(self, kind: str, record: dict[str, Any]) -> None:
        """One record; only the first answer of a conversation counts, not those of transfers."""
        if kind != "routing" or record.get("site") != self._site or "cid" not in record:
            return
        cid, level = record["cid"], self._levels[record["queue"]]
        if record["kind"] == "accepted" and cid not in self._answered:
            self._answered.add(cid)
            level.answered += 1
            waited_ms = record["at_ms"] - record["opened_ms"]
            level.prompt += waited_ms <= self._within_ms.get(record["queue"], 0)
        elif record["kind"] == "closed" and cid not in self._answered:
            level.abandoned += 1

    def levels(self) -> list[Level]:
        """What was read so far, by queue."""
        for queue, level in self._levels.items():
            level.queue = queue
        return sorted(self._levels.values(), key=lambda level: level.queue)
