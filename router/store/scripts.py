"""The Lua scripts: one atomic step each, loaded by name from `lua/`, run by hash, reloaded when unknown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

_LUA = Path(__file__).parent / "lua"
Arg = str | bytes | int | float


@cache
def source(name: str) -> str:
    """The text of `lua/<name>.lua`; `-- uses a b` puts `a.lua` and `b.lua` of the same folder in front."""
    text = _read(name)
    uses = re.search(r"^-- uses (.+)$", text, re.MULTILINE)
    parts = uses[1].split() if uses else []
    folder = name.rpartition("/")[0]
    return "".join(_read(f"{folder}/{part}") for part in parts) + text


def _read(name: str) -> str:
    return (_LUA / f"{name}.lua").read_text(encoding="utf-8")


@cache
def sha(name: str) -> str:
    """The hash under which the server knows the script."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


async def run(redis: Redis, name: str, keys: Sequence[str], args: Sequence[Arg]) -> Any:
    """Run a script in one round trip; a server that does not know it yet gets its text."""
    try:
        return await redis.evalsha(sha(name), len(keys), *keys, *args)
    except NoScriptError:
        return await redis.eval(source(name), len(keys), *keys, *args)
