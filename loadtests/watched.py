"""The service watched from within: pauses of the collector, tasks, and a profile on demand.

`python -m loadtests.watched serve ...` is `python -m router serve ...`, and writes what it sees to the file that
WATCHED names, a page of memory that both sides have mapped; `Watch` is the other side. It costs a timer five times a
second, and what a pause needs to be timed. While a profile is wanted, a signal each 2 ms of CPU time notes which
function runs; time inside of C counts for the function that called it, or for the one that is called next.
"""

from __future__ import annotations

import asyncio
import gc
import json
import mmap
import os
import signal
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import uvloop

from router.cli import main

VARIABLE: Final = "WATCHED"
SIZE: Final = mmap.PAGESIZE
SEEN: Final = struct.Struct("=dqq")  # the longest pause in s, how many there were, tasks
WANTED_AT: Final = SEEN.size
TICK_S: Final = 0.2
SAMPLE_S: Final = 0.002
ROOT: Final = Path(__file__).parents[1]


class Watch:
    """The page of memory, from outside: start a service with `variables`, and look at it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(bytes(SIZE))
        with file.open("r+b") as stream:
            self._page = mmap.mmap(stream.fileno(), SIZE)

    @property
    def variables(self) -> dict[str, str]:
        """What a watched service needs to know."""
        return {VARIABLE: str(self.file)}

    def pauses(self) -> tuple[float, int]:
        """The collector's pauses since the service serves: (the longest in ms, how many)."""
        longest, count, _ = SEEN.unpack_from(self._page)
        return longest * 1000, count

    def tasks(self) -> int:
        """The tasks of the service's loop, a fifth of a second ago at most."""
        return int(SEEN.unpack_from(self._page)[2])

    def profile(self, on: bool) -> None:
        """Begin or end a profile; it takes effect within a fifth of a second."""
        self._page[WANTED_AT] = on
        time.sleep(2 * TICK_S)

    def samples(self) -> dict[str, int]:
        """How often each function was seen in the profile that ended last, by "file:function"."""
        found: dict[str, int] = json.loads(_profile_file(self.file).read_text())
        return found


class Inside:
    """What runs in the service's process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open("r+b") as stream:
            self._page = mmap.mmap(stream.fileno(), SIZE)
        self._began = self._longest = 0.0
        self._count = 0
        self._profiling = False
        self._samples: Counter[tuple[str, str]] = Counter()
        self._new_loop = uvloop.new_event_loop

    def begin(self) -> None:
        """Watch the collector from now on, and the loop once there is one."""
        gc.callbacks.append(self._collected)
        signal.signal(signal.SIGPROF, self._sampled)
        uvloop.new_event_loop = self.loop

    def loop(self) -> uvloop.Loop:
        """The loop that the service will run on."""
        loop = self._new_loop()
        loop.call_later(TICK_S, self._tick, loop)
        return loop

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        elif gc.get_freeze_count():  # what is done at the start delays nobody
            self._longest = max(self._longest, now - self._began)
            self._count += 1

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        SEEN.pack_into(self._page, 0, self._longest, self._count, len(asyncio.all_tasks(loop)))
        wanted = bool(self._page[WANTED_AT])
        if wanted != self._profiling:
            self._profiling = wanted
            signal.setitimer(signal.ITIMER_PROF, SAMPLE_S * wanted, SAMPLE_S * wanted)
            if not wanted:
                self._write()
        loop.call_later(TICK_S, self._tick, loop)

    def _sampled(self, number: int, frame: FrameType | None) -> None:
        if frame is not None:
            self._samples[frame.f_code.co_filename, frame.f_code.co_name] += 1

    def _write(self) -> None:
        named: Counter[str] = Counter()
        for (file, function), count in self._samples.items():
            named["the collector" if file == __file__ else f"{_short(file)}:{function}"] += count
        self._samples.clear()
        _profile_file(self._file).write_text(json.dumps(named))


def _short(file: str) -> str:
    """A file's name as a reader knows it: from the project's, the library's or Python's folder on."""
    for before in (
        f"{ROOT}/router/",
        "site-packages/",
        f"/python{sys.version_info[0]}.{sys.version_info[1]}/",
    ):
        _, found, behind = file.rpartition(before)
        if found:
            return behind
    return file


def _profile_file(file: Path) -> Path:
    return file.with_suffix(".profile")


if __name__ == "__main__":
    Inside(Path(os.environ[VARIABLE])).begin()
    main()
