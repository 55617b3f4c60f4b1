"""Both load tests run from end to end, and leave what they promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.checks import HELD, INVALID
from loadtests.goals import GOALS

PROMISED = (
    "ratio_to_echo", "ratio_to_echo_5", "ratio_to_naive", "ratio_to_naive_5", "p99_ratio_to_echo_at_half_load",
    "p999_ms_at_half_load", "rules_1000_over_20", "handshakes_ratio_to_echo", "kib_per_idle_shopper",
    "session_bytes_p50", "session_bytes_p99", "redis_cpu_us_per_event", "always_over_none",
)  # fmt: skip
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.load, pytest.mark.timeout(110)]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m module ...` in the project's folder."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


def test_the_bench_ends_with_a_line_of_figures(tmp_path: Path) -> None:
    done = run("loadtests.bench", "--quick", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert all(figures[name] > 0 for name in PROMISED)
    assert {goal.figure for goal in GOALS} <= figures.keys()
    assert done.stdout.count("\n  frames beside a picows echo") == 1
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert kept["ratio_to_echo"] == figures["ratio_to_echo"] and len(kept["loads"]) == 3
    assert list(kept["loads"][0]["rounds"]) == ["service", "picows echo", "starlette echo", "naive"]
    assert "<svg" in (tmp_path / "bench.svg").read_text()


def test_a_soak_finds_no_leak() -> None:
    done = run("loadtests.soak", "--sockets", "150", "--seconds", "12")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no socket, task or file was left" in done.stdout


def crowd(folder: Path, *arguments: str) -> str:
    """A short run: what it printed. A busy machine may make it invalid (2), but nothing may be lost or doubled."""
    done = run("loadtests.run", "--behaviour", "synthetic", "--results", str(folder), *arguments)
    assert done.returncode in (HELD, INVALID), done.stdout + done.stderr
    for check in ("events", "decisions", "messages", "assignment", "capacity", "caps"):
        assert f"{check}: holds" in done.stdout
    return done.stdout


def test_a_crowd_loses_and_doubles_nothing(tmp_path: Path) -> None:
    crowd(tmp_path, "--seconds", "15", "--users", "20")
    assert "event→ack" in (tmp_path / "load_stats.csv").read_text()
    assert "<html" in (tmp_path / "load.html").read_text()
    figures = json.loads((tmp_path / "load_latency.json").read_text())
    assert {"page→ack", "event→ack", "trigger→invite", "invite→ring", "message"} <= figures.keys()
    assert all(row["p50"] <= row["p99.9"] <= row["max"] for row in figures.values())


def test_two_workers_are_one_crowd(tmp_path: Path) -> None:
    """Shoppers and agents meet across the workers, pages come back from a storm, and all of it is in one ledger."""
    told = crowd(tmp_path, "--seconds", "10", "--users", "16", "--workers", "2", "--shape", "reconnect-storm")
    assert "generator 0: " in told and "generator 1: " in told
    figures = json.loads((tmp_path / "load_latency.json").read_text())
    assert {"page→ack", "invite→ring", "reconnect"} <= figures.keys()


@pytest.mark.parametrize("shape", ["spike", "flash-sale"])
def test_every_shape_runs(tmp_path: Path, shape: str) -> None:
    told = crowd(tmp_path, "--seconds", "4", "--users", "8", "--shape", shape)
    assert "page→ack: " in told


def test_the_scripts_of_a_day_are_timed() -> None:
    done = run(
        "loadtests.scripts", "--agents", "30", "--waiting", "60", "--steps", "400", "--bound", "100000"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for script in ("close", "hold", "open", "seen", "sweep", "take", "transfer"):
        assert f"│ {script} " in done.stdout
    assert "ok: with 60 waiting and 30 agents" in done.stdout
