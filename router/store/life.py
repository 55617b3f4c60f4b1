"""Tasks that work with the store until they are cancelled."""

from __future__ import annotations

import asyncio


def goes_on() -> bool:
    """False once this task was asked to end. A loop asks at each turn: under way in the store's client a cancellation
    can be swallowed (redis-py 8.1 on Python 3.11), and the loop would never hear of it.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()
