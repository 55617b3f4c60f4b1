"""Both load tests run from end to end, and leave what they promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    times = ("p50_ms", "p99_ms", "cpu_us_per_frame", "frames_per_s")
    ratios = ("ratio_to_echo", "ratio_to_echo_5", "ratio_to_echo_single", "cpu_ratio_to_echo")
    assert all(figures[name] > 0 for name in (*times, *ratios))
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert kept["ratio_to_echo"] == figures["ratio_to_echo"] and len(kept["loads"]) == 4


def test_a_crowd_loses_and_doubles_nothing(tmp_path: Path) -> None:
    done = run("loadtests.run", "--seconds", "15", "--users", "20", "--results", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok: everything sent was acknowledged, and stored exactly once" in done.stdout
    assert "event→ack" in (tmp_path / "load_stats.csv").read_text()
    assert "<html" in (tmp_path / "load.html").read_text()


def test_the_scripts_of_a_day_are_timed() -> None:
    done = run(
        "loadtests.scripts", "--agents", "30", "--waiting", "60", "--steps", "400", "--bound", "100000"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for script in ("close", "hold", "open", "seen", "sweep", "take", "transfer"):
        assert f"│ {script} " in done.stdout
    assert "ok: with 60 waiting and 30 agents" in done.stdout
