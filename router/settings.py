"""The only reader of the environment. Every field: unit, default, and what zero or empty means."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router.errors import StartError

MIB: Final = 1024 * 1024
PACKAGE: Final = Path(__file__).parent
DEMO_SITES: Final = PACKAGE / "demo" / "site.yaml"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs.

    host, port: where it listens; port 0 takes a free one. redis_url: empty starts a private server in `data`.
    sites: the site file. data: folder that keeps the private server's data and a generated secret. secret: signs
    tokens, at least 32 bytes; empty means "generated once, kept in `data`". demo: serve the demo shop and its login.
    static: folder of the front end. log_level: debug, info, warning, error. sweep_ms: how often lost wake-ups are
    covered. lease_ms: how long people of a dead process count as present; 0 means for ever (a driven clock jumps).
    behaviour_bytes: how much of what shoppers did is kept for trying rules on it; 0 keeps nothing.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    redis_url: str = ""
    sites: Path = DEMO_SITES
    data: Path = Path(".router")
    secret: bytes = b""
    demo: bool = False
    static: Path = PACKAGE / "static"
    log_level: str = "info"
    sweep_ms: int = 1_000
    lease_ms: int = 15_000
    behaviour_bytes: int = 64 * MIB

    @property
    def static_folder(self) -> Path:
        """The front end: beside the package in a wheel, beside its parent in a checkout."""
        return self.static if self.static.is_dir() else PACKAGE.parent / "static"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for. Raises StartError with the variable's name and what it takes."""
    secret = environment.get("ROUTER_SECRET", "")
    if secret and len(secret) < 32:
        raise StartError(
            "ROUTER_SECRET has to have at least 32 characters; leave it out to have one generated and kept."
        )
    return Settings(
        host=environment.get("HOST") or "127.0.0.1",
        port=_port(environment.get("PORT") or "8000"),
        redis_url=environment.get("REDIS_URL", ""),
        sites=Path(environment.get("ROUTER_SITES") or DEMO_SITES),
        data=Path(environment.get("ROUTER_DATA") or ".router"),
        secret=secret.encode(),
        log_level=_level(environment.get("ROUTER_LOG_LEVEL") or "info"),
        behaviour_bytes=_mebibytes(environment.get("ROUTER_BEHAVIOUR_MB") or "64") * MIB,
    )


def kept_secret(folder: Path) -> bytes:
    """The secret of this data folder; made at the first start, readable by its owner only.

    Of several processes that start at once, all get the one that was there first. Raises StartError if the folder
    cannot be used.
    """
    file = folder / "secret"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _make_secret(file)
        secret = file.read_bytes()
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be used ({error.strerror}); name another with ROUTER_DATA=."
        ) from None
    if len(secret) < 32:
        raise StartError(
            f"{file} holds no secret of at least 32 characters; remove it to have a new one made."
        )
    return secret


def _make_secret(file: Path) -> None:
    """Written whole, then given its name: a crash in between leaves no empty secret."""
    draft = file.with_name(f"secret.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise StartError(f"PORT has to be a number from 0 (take a free one) to 65535, not {text!r}.")
    return int(text)


def _mebibytes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65536:
        raise StartError(
            f"ROUTER_BEHAVIOUR_MB has to be a number of MiB from 0 (keep nothing) to 65536, not {text!r}."
        )
    return int(text)


def _level(text: str) -> str:
    if text not in ("debug", "info", "warning", "error"):
        raise StartError(f"ROUTER_LOG_LEVEL has to be debug, info, warning or error, not {text!r}.")
    return text
