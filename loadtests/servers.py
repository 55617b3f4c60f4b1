"""The processes under load: each on a core of its own choice, each with the CPU time it has used."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

START_S: Final = 20.0
STOP_S: Final = 20.0
CPUCLOCK_SCHED: Final = 2
LOOK_S: Final = 0.02


def cores() -> tuple[int, int]:
    """(the server's core, everybody else's); the same one twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and what it starts meanwhile, runs on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads, to the nanosecond.

    Its CPU-time clock, as `clock_getcpuclockid` names it (Linux). Raises OSError if there is no such process.
    """
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def memory_bytes(pid: int) -> int:
    """What of a process's memory is in the machine's (RSS), in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def allow_files(count: int) -> int:
    """Let this process and those that it starts open so many files; returns how many the machine lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    return min(max(soft, count), hard)


class Server:
    """A server of ours as a process. `address` is HOST:PORT; `pid`: who serves, where that is a child of it."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, pid: int = 0) -> None:
        self.process = process
        self.address = address
        self.pid = pid or process.pid

    @property
    def cpu(self) -> float:
        """CPU seconds used so far."""
        return cpu_seconds(self.pid)

    def stop(self) -> None:
        """End it, first as asked, then by force."""
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def service(folder: Path, redis_url: str, *command: str, program: str = "router", **more: str) -> Server:
    """The complete service, as `router demo` starts it on a free port, or as another command of `router` does; `more`:
    further variables of its environment; `program`: the module that runs it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    environment = (
        os.environ
        | {
            "ROUTER_DATA": str(folder),
            "REDIS_URL": redis_url,
            "ROUTER_LOG_LEVEL": "info",
        }
        | more
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *(command or ("demo", "--port", "0"))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            env=environment,
            start_new_session=True,
        )
    server = Server(process, "")
    try:
        server.address, server.pid = _announced(process, log)
    except BaseException:
        server.stop()
        raise
    return server


def _announced(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == "serving":
                    return str(entry["address"]).partition("//")[2], int(entry["pid"])
        time.sleep(LOOK_S)
    raise RuntimeError(f"the service did not start: {log.read_text()}")


def yardstick(module: str, **more: str) -> Server:
    """A server of `loadtests` to be compared with, on a free port; `more`: further variables of its environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=os.environ | more,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as stream:
        port = stream.readline().strip().decode()
    if not port:
        process.wait()
        raise RuntimeError(f"{module} did not start: status {process.returncode}")
    return Server(process, f"127.0.0.1:{port}")
