"""The private server: data that stays, one user a folder, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis

from router.errors import StartError
from router.store.embedded import Embedded, check_version


def value(server: Embedded, key: str) -> object:
    with Redis.from_url(server.url) as client:
        return client.get(key)


def put(server: Embedded, key: str) -> None:
    with Redis.from_url(server.url) as client:
        client.set(key, "kept")


@pytest.mark.parametrize("name", ["data", "with a space", "うつわ"])
def test_data_stays_between_runs(tmp_path: Path, name: str) -> None:
    with Embedded(tmp_path / name) as server:
        put(server, "a")
    with Embedded(tmp_path / name) as server:
        assert value(server, "a") == b"kept"


def test_a_busy_store_does_not_rewrite_its_log_all_the_time(tmp_path: Path) -> None:
    """At the store's own 64 MB it would every few seconds, and events wait for it."""
    with Embedded(tmp_path) as server, Redis.from_url(server.url) as client:
        assert client.config_get("auto-aof-rewrite-min-size") == {"auto-aof-rewrite-min-size": str(512 << 20)}


def test_without_a_folder_nothing_is_kept() -> None:
    with Embedded() as server:
        put(server, "a")
        with Redis.from_url(server.url) as client:
            assert client.config_get("appendonly") == {"appendonly": "no"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_a_folder_in_use_is_refused_and_its_user_is_left_alone(tmp_path: Path) -> None:
    """Two servers that append to the same files would destroy them."""
    with Embedded(tmp_path) as server:
        put(server, "a")
        with pytest.raises(StartError, match="Another router uses the data folder"):
            Embedded(tmp_path)
        assert value(server, "a") == b"kept"
    Embedded(tmp_path).stop()


LEFT_BEHIND = """
import os, sys
from pathlib import Path
from router.store.embedded import Embedded
print(Embedded(Path(sys.argv[1])).process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_server_of_a_killed_process_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", LEFT_BEHIND, tmp_path], check=False, capture_output=True, text=True, timeout=60
    )
    orphan = psutil.Process(int(killed.stdout))
    try:
        assert orphan.is_running()
        with Embedded(tmp_path) as server:
            put(server, "a")
            assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
        with Embedded(tmp_path) as server:
            assert value(server, "a") == b"kept"
    finally:
        if orphan.is_running():
            orphan.kill()


def test_another_server_on_a_remembered_port_is_left_alone(tmp_path: Path) -> None:
    """A port is given to somebody else after a restart of the machine."""
    with Embedded() as other:
        (tmp_path / "port").write_text(str(other.port))
        with Embedded(tmp_path) as server:
            assert server.port != other.port
        assert other.process.poll() is None


def test_a_server_that_does_not_start_is_said_and_gives_the_folder_free(tmp_path: Path) -> None:
    """Another server on its port once answered in its stead."""
    with Embedded() as other, pytest.raises(StartError, match="private Valkey"):
        Embedded(tmp_path, port=other.port, appendfsync="nonsense")
    Embedded(tmp_path).stop()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="ROUTER_DATA="):
        Embedded(tmp_path / "file" / "valkey")


@pytest.mark.parametrize("text", ["v=7.0.0", "Redis server v=7.2.4 sha=0", "Valkey server v=9.1.0 sha=0"])
def test_versions_that_will_do(text: str) -> None:
    check_version(text, "it")


@pytest.mark.parametrize(
    ("text", "said"), [("v=6.2.14", "6.2"), ("Redis server v=5.0.7", "5.0"), ("nothing", "0.0")]
)
def test_versions_that_will_not(text: str, said: str) -> None:
    with pytest.raises(StartError, match=f"it is version {said}, but Redis or Valkey 7 or later is needed"):
        check_version(text, "it")
