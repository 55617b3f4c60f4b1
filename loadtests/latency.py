"""Latencies in fractions of a millisecond, beside the whole ones that Locust keeps; they add up across workers.

Each entry is an HDR histogram of whole microseconds with three significant digits.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final

import msgspec
from hdrh.histogram import HdrHistogram

DIGITS: Final = 3
MAX_US: Final = 600_000_000  # ten minutes; what takes longer is counted as that
PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}


class Row(msgspec.Struct, frozen=True):
    """One entry's figures: how often, and `ms` by the names of `PERCENTILES` and "max"."""

    name: str
    count: int
    ms: dict[str, float]


class Latencies:
    """Histograms by entry."""

    def __init__(self) -> None:
        self._by_name: dict[str, Any] = {}

    def record(self, name: str, ms: float) -> None:
        """One measurement. What is below a microsecond counts as one."""
        self._of(name).record_value(max(1, min(MAX_US, round(ms * 1000))))

    def take(self) -> dict[str, str]:
        """Everything since the last `take`, for another process to `add`; then there is nothing here any more."""
        packed = {name: histogram.encode().decode() for name, histogram in self._by_name.items()}
        self._by_name.clear()
        return packed

    def add(self, packed: dict[str, str]) -> None:
        """What another process measured."""
        for name, histogram in packed.items():
            self._of(name).decode_and_add(histogram.encode())

    def rows(self) -> list[Row]:
        """The figures, by name."""
        return [_row(name, histogram) for name, histogram in sorted(self._by_name.items())]

    def _of(self, name: str) -> Any:
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = HdrHistogram(1, MAX_US, DIGITS)
        return found


def _row(name: str, histogram: Any) -> Row:
    ms = {label: histogram.get_value_at_percentile(p) / 1000 for label, p in PERCENTILES.items()}
    return Row(name, histogram.get_total_count(), ms | {"max": histogram.get_max_value() / 1000})


def write(rows: list[Row], prefix: str) -> None:
    """`<prefix>_latency.csv` and `.json`, in ms; folders are made."""
    columns = (*PERCENTILES, "max")
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{prefix}_latency.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Name", "Count", *(f"{column} ms" for column in columns)])
        writer.writerows([row.name, row.count, *(f"{row.ms[c]:.3f}" for c in columns)] for row in rows)
    tree = {row.name: {"count": row.count, **row.ms} for row in rows}
    Path(f"{prefix}_latency.json").write_text(
        json.dumps(tree, indent=1, ensure_ascii=False), encoding="utf-8"
    )
