"""Moments that several processes on one machine can compare, and message ids that carry one.

A moment is `time.monotonic()`, in seconds: on Linux and macOS it is the machine's, not the process's. What a moment of
another machine would say is unknown, so each one travels with `HOST`.
"""

from __future__ import annotations

import platform
import secrets
import time
import zlib
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
HOST: Final = f"{zlib.crc32((platform.node() + (_BOOT.read_text() if _BOOT.exists() else '')).encode()):08x}"

now = time.monotonic


def stamped(at: float) -> str:
    """A message id of 27 to 33 characters that says when (a moment) and on which machine its message was said."""
    return f"{HOST}-{round(at * 1_000_000):010x}-{secrets.token_hex(4)}"


def age_s(mid: str, at: float) -> float | None:
    """Seconds from the moment in a message id to `at`; None for ids of another machine, or that carry none."""
    host, _, rest = mid.partition("-")
    micros, _, _ = rest.partition("-")
    if host != HOST:
        return None
    try:
        return at - int(micros, 16) / 1_000_000
    except ValueError:
        return None
