"""What cannot start says so in one clear sentence on stderr and exit status 1, soon and without a traceback."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from router import __version__
from router.core.signing import site_key
from router.store.embedded import Embedded

WITHIN_S = (
    30.0  # a second or two on an idle machine, five where a server says nothing; the rest is for a busy one
)


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


async def router(*words: str, folder: Path, **env: str) -> Ended:
    """Run the command line in a process of its own; fails if it takes `WITHIN_S`."""
    cleared = {key: value for key, value in os.environ.items() if key not in ("HOST", "PORT", "REDIS_URL")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "router",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=cleared | {"ROUTER_DATA": str(folder), "COLUMNS": "200"} | env,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return Ended(process.returncode or 0, out.decode(), err.decode())


def sentence(ended: Ended) -> str:
    """The one sentence of a start that failed."""
    assert ended.status == 1 and not ended.out, ended
    assert ended.err.startswith("router: ") and ended.err.count("\n") == 1, ended.err
    return ended.err


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_a_taken_port(tmp_path: Path, taken: int) -> None:
    said = sentence(await router("demo", folder=tmp_path, PORT=str(taken)))
    assert f"127.0.0.1:{taken}" in said and "in use" in said and "PORT=" in said
    assert not (tmp_path / "valkey").exists(), "nothing was started for a service that cannot listen"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"PORT": "eighty"}, ["PORT", "65535", "'eighty'"]),
        ({"ROUTER_SECRET": "passing"}, ["ROUTER_SECRET", "at least 32 characters"]),
        ({"REDIS_URL": "127.0.0.1:6379"}, ["REDIS_URL", "redis://"]),
        ({"REDIS_URL": "redis://:pass@127.0.0.1:1/0"}, ["redis://127.0.0.1:1/0", "REDIS_URL"]),
        ({"ROUTER_DATA": os.devnull}, ["ROUTER_DATA", os.devnull]),
    ],
)
async def test_a_setting_that_cannot_be(tmp_path: Path, env: dict[str, str], words: list[str]) -> None:
    said = sentence(await router("serve", folder=tmp_path, **{"PORT": "0"} | env))
    assert all(word in said for word in words), said
    assert "pass" not in said


async def test_a_redis_that_is_too_old(tmp_path: Path) -> None:
    async with OldRedis("redis_version:6.2.14") as old:
        said = sentence(
            await router("serve", folder=tmp_path, PORT="0", REDIS_URL=f"redis://127.0.0.1:{old.port}")
        )
    assert "is version 6.2" in said and "7 or later" in said


async def test_something_that_is_no_redis(tmp_path: Path) -> None:
    """A server that says nothing is given up within the bound, one that talks otherwise at once."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    said = sentence(await router("serve", folder=tmp_path, PORT="0", REDIS_URL=f"redis://127.0.0.1:{port}"))
    server.close()
    assert "No Redis or Valkey answers" in said


async def test_a_password_that_does_not_fit(tmp_path: Path, valkey: Embedded) -> None:
    url = f"redis://ann:wrong@127.0.0.1:{valkey.port}/0"
    said = sentence(await router("serve", folder=tmp_path, PORT="0", REDIS_URL=url))
    assert "password" in said and "wrong" not in said


async def test_a_store_that_refuses_to_write(tmp_path: Path) -> None:
    """A full store answers, and refuses what the service needs."""
    with Embedded() as full:
        full_up(full.port)
        said = sentence(await router("demo", folder=tmp_path, PORT="0", REDIS_URL=full.url))
    assert "The store does not do" in said and "maxmemory" in said


def full_up(port: int) -> None:
    """Let the server have no memory left."""
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(b"CONFIG SET maxmemory 1\r\n")
        assert link.recv(100) == b"+OK\r\n"


SITE = """version: 1
sites:
  shop:
    name: Shop
    origin: [https://shop.example]
"""


async def test_a_faulty_site_file_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    ended = await router("serve", folder=tmp_path, PORT="0", ROUTER_SITES=str(file))
    assert ended.status == 1 and "Traceback" not in ended.err
    assert f"{file}:5:5: expected" in ended.err and "did you mean 'origins'?" in ended.err


async def test_a_faulty_rules_file_is_told_with_its_place(tmp_path: Path) -> None:
    demo = Path(sys.modules["router"].__file__ or "").parent / "demo"
    for name in ("site.yaml", "rules.yaml", "texts.yaml"):
        (tmp_path / name).write_text((demo / name).read_text())
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules.read_text().replace("page.type: cart", "page.typ: cart"))
    ended = await router("serve", folder=tmp_path, PORT="0", ROUTER_SITES=str(tmp_path / "site.yaml"))
    assert ended.status == 1 and "Traceback" not in ended.err
    line = next(n for n, text in enumerate(rules.read_text().splitlines(), 1) if "page.typ:" in text)
    assert f"{rules}:{line}:" in ended.err and "did you mean 'page.type'" in ended.err


async def test_help_names_every_command(tmp_path: Path) -> None:
    ended = await router("--help", folder=tmp_path)
    assert ended.status == 0
    assert all(word in ended.out for word in ("serve", "demo", "rules", "agents", "site-key", "replay"))


async def test_the_version(tmp_path: Path) -> None:
    assert await router("--version", folder=tmp_path) == Ended(0, f"{__version__}\n", "")


async def test_the_site_key_follows_from_the_secret_alone(tmp_path: Path) -> None:
    secret = "a secret for tests, 32 bytes long"
    ended = await router("site-key", "demo", folder=tmp_path / "other", ROUTER_SECRET=secret)
    assert ended == Ended(0, site_key(secret.encode(), "demo") + "\n", "")
    assert not (tmp_path / "other").exists()


async def test_the_site_key_of_a_kept_secret_stays(tmp_path: Path) -> None:
    first = await router("site-key", "demo", folder=tmp_path)
    kept = (tmp_path / "secret").read_bytes()
    assert first == await router("site-key", "demo", folder=tmp_path)
    assert first.out == site_key(kept, "demo") + "\n"


class OldRedis:
    """Enough of a Redis to be asked for its version."""

    def __init__(self, info: str) -> None:
        self._info = f"# Server\r\n{info}\r\n".encode()
        self.port = 0

    async def __aenter__(self) -> OldRedis:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                words = [(await self._word(reader)).upper() for _ in range(int(line[1:]))]
                if words[0] == b"INFO":
                    writer.write(b"$%d\r\n%s\r\n" % (len(self._info), self._info))
                elif words[0] == b"HELLO":
                    writer.write(b"-ERR unknown command 'HELLO'\r\n")
                else:
                    writer.write(b"+OK\r\n")
        except OSError:
            pass
        finally:
            writer.close()

    async def _word(self, reader: asyncio.StreamReader) -> bytes:
        size = int((await reader.readline())[1:])
        return (await reader.readexactly(size + 2))[:-2]
