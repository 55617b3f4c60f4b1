"""Python's collector of cycles, kept out of the way: a look at everything that ten thousand sessions hold takes 0.4 s.

What lives as long as the process is frozen once. The young generations are small, so that a look at them stays below a
few milliseconds. The old one is looked at only while no session is held: nothing on the way of an event leaves a cycle
that lives that long (a test holds it to that), reference counts free the rest at once.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

YOUNG: Final = 2_000
MIDDLE: Final = 2
NEVER: Final = 2**31 - 1
QUIET_S: Final = 60.0


def settle() -> None:
    """The process has started: what stands now is never looked at again, what grows old is not by itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


async def tidy(idle: Callable[[], bool]) -> None:
    """Look at everything now and then while the process is `idle`, until cancelled."""
    while True:
        await asyncio.sleep(QUIET_S)
        if idle():
            gc.collect()
