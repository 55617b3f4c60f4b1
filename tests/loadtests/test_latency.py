"""Percentiles in fractions of a millisecond, from one process or several."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from loadtests.latency import MAX_US, Latencies, Row, write


def filled(*values: float, name: str = "event→ack") -> Latencies:
    found = Latencies()
    for ms in values:
        found.record(name, ms)
    return found


def test_fractions_of_a_millisecond_are_kept() -> None:
    (row,) = filled(*[0.25] * 50, *[0.75] * 49, 12.5).rows()
    assert (row.name, row.count) == ("event→ack", 100)
    assert row.ms["p50"] == pytest.approx(0.25, rel=0.001)
    assert row.ms["p99"] == pytest.approx(0.75, rel=0.001)
    assert row.ms["p99.9"] == row.ms["max"] == pytest.approx(12.5, rel=0.001)


def test_workers_add_up() -> None:
    """Percentiles of all, not means of percentiles."""
    whole, one, other = Latencies(), filled(*[1.0] * 900), filled(*[50.0] * 100)
    whole.add(one.take())
    whole.add(other.take())
    whole.add(one.take())  # nothing new since
    (row,) = whole.rows()
    assert row.count == 1000
    assert row.ms["p90"] == pytest.approx(1, rel=0.001) and row.ms["p99"] == pytest.approx(50, rel=0.001)


def test_the_longest_and_the_shortest_are_counted() -> None:
    (row,) = filled(0.0, 1e12).rows()
    assert row.count == 2
    assert row.ms["p50"] == 0.001 and row.ms["max"] == pytest.approx(MAX_US / 1000, rel=0.001)


def test_tables_are_written_in_ms(tmp_path: Path) -> None:
    ms = {"p50": 0.25, "p90": 0.5, "p99": 0.75, "p99.9": 1.5, "max": 2.0}
    write([Row("message", 7, ms)], str(tmp_path / "new" / "load"))
    (line,) = csv.DictReader((tmp_path / "new" / "load_latency.csv").read_text().splitlines())
    assert (line["Name"], line["Count"], line["p50 ms"], line["p99.9 ms"]) == (
        "message",
        "7",
        "0.250",
        "1.500",
    )
    assert json.loads((tmp_path / "new" / "load_latency.json").read_text()) == {"message": {"count": 7, **ms}}
