"""A draft of rules, tried on what the service kept of its shoppers: `router rules replay journal` in a process of its
own, so that no event waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import orjson

from router.core.written import Written
from router.errors import Refused

NEWEST: Final = 40_000  # batches: some seconds of a core
WITHIN_S: Final = 60.0
NICENESS: Final = 10


class Tryout:
    """Tries one draft at a time. `sites`: the site file; `redis_url`: the store."""

    def __init__(self, sites: Path, redis_url: str) -> None:
        self._sites = sites
        self._redis_url = redis_url
        self._busy = asyncio.Lock()

    async def run(self, site: str, before: Written, after: Written) -> dict[str, Any]:
        """What two sets of rules make of the newest kept behaviour: `{before, after}`, as `replay --json` tells it.

        Raises `Refused`: overloaded (another draft is being tried), not_found (nothing is kept), unavailable.
        """
        if self._busy.locked():
            raise Refused(
                "overloaded", "Another draft is being tried at the moment; try again in a few seconds."
            )
        async with self._busy:
            with tempfile.TemporaryDirectory() as folder:
                files = [Path(folder) / name for name in ("before.yaml", "after.yaml", "texts.yaml")]
                for file, text in zip(
                    files, (before.rules, after.rules, after.texts or before.texts), strict=True
                ):
                    file.write_text(text, encoding="utf-8")
                told = await self._replay(site, files)
        first, second = orjson.loads(told)
        return {"before": first, "after": second}

    async def _replay(self, site: str, files: list[Path]) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "router", "rules", "replay", "journal", "--json", "--newest", str(NEWEST),
            "--sites", self._sites, "--site", site, "--rules", files[0], "--against", files[1], "--texts", files[2],
            env=os.environ | {"REDIS_URL": self._redis_url},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            async with asyncio.timeout(WITHIN_S):
                told, said = await process.communicate()
        except TimeoutError:
            raise Refused("unavailable", f"The trial took longer than {WITHIN_S:.0f} s.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise Refused("not_found", said.decode(errors="replace").strip().removeprefix("router: "))
        return told
