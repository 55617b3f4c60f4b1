"""Settings: one reader of the environment, and a secret that is made once."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from router.errors import StartError
from router.settings import DEMO_SITES, PACKAGE, Settings, kept_secret, read
from router.web.server import address_of


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read({}) == Settings()
    assert read({"PORT": "", "HOST": "", "ROUTER_SECRET": "", "ROUTER_DATA": ""}) == Settings()


def test_every_setting_is_read() -> None:
    secret = "x" * 32
    got = read(
        {
            "HOST": "::1",
            "PORT": "0",
            "REDIS_URL": "redis://store:6379/1",
            "ROUTER_SITES": "sites.yaml",
            "ROUTER_DATA": "/var/lib/router",
            "ROUTER_SECRET": secret,
            "ROUTER_LOG_LEVEL": "debug",
        }
    )
    assert got == Settings(
        host="::1",
        port=0,
        redis_url="redis://store:6379/1",
        sites=Path("sites.yaml"),
        data=Path("/var/lib/router"),
        secret=secret.encode(),
        log_level="debug",
    )


@pytest.mark.parametrize("port", ["eighty", "-1", "65536", "8000.0", "٨٠", "1e3"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(StartError, match="PORT has to be a number from 0"):
        read({"PORT": port})


def test_a_short_secret_is_refused_and_not_told() -> None:
    with pytest.raises(StartError, match="at least 32 characters") as caught:
        read({"ROUTER_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_log_level_that_is_none() -> None:
    with pytest.raises(
        StartError, match="ROUTER_LOG_LEVEL has to be debug, info, warning or error, not 'loud'"
    ):
        read({"ROUTER_LOG_LEVEL": "loud"})


def test_every_variable_is_documented() -> None:
    source = (PACKAGE / "settings.py").read_text()
    names = set(re.findall(r'environment\.get\("(\w+)"', source))
    assert len(names) == 8
    documented = set(
        re.findall(r"^\| `(\w+)`", (PACKAGE.parent / "docs" / "operating.md").read_text(), re.MULTILINE)
    )
    assert names <= documented


def test_the_demo_and_the_front_end_are_where_the_package_is() -> None:
    assert DEMO_SITES.is_file()
    assert (Settings().static_folder / "dist" / "beacon.js").is_file()


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    first = kept_secret(folder)
    assert len(first) >= 32 and first == kept_secret(folder)
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in folder.iterdir()] == ["secret"]
    assert kept_secret(tmp_path / "other") != first


def test_processes_that_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    """Two of them read while a third had made the file and not yet written it."""
    got: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        got.append(kept_secret(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len(set(got)) == 1


def test_an_empty_secret_file_signs_nothing(tmp_path: Path) -> None:
    """What a crash between making and writing the file once left behind would have signed everything with nothing."""
    (tmp_path / "secret").touch()
    with pytest.raises(StartError, match="no secret of at least 32 characters"):
        kept_secret(tmp_path)


def test_a_data_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="ROUTER_DATA="):
        kept_secret(tmp_path / "file")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("shop.example", "http://shop.example:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_the_address_that_is_announced(host: str, address: str) -> None:
    assert address_of(host, 80) == address
