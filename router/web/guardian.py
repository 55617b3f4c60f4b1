"""Keeps the demo's service running: when its process is killed, another goes on, on the same socket."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Final

from router.errors import StartError

ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class Guardian:
    """Runs work in a child process, again each time it is killed, until it ends by itself or a signal ends it.

    Signals that end are passed on to the child, and noted in `told` by both. The child dies with this process, however
    that ends.
    """

    def __init__(self) -> None:
        self.told: list[int] = []
        self._child = 0
        for number in ENDING:
            signal.signal(number, self._pass_on)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self.told.append(number)
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, number)

    def run(self, work: Callable[[bool], None]) -> None:
        """Run `work(first)` until it ends. Raises SystemExit with its status if it failed, which it has said itself."""
        first = True
        while not self.told:
            status = self._once(work, first)
            if status != -signal.SIGKILL:
                sys.exit(status)
            first = False

    def _once(self, work: Callable[[bool], None], first: bool) -> int:
        lifeline, held = os.pipe()
        child = os.fork()
        if not child:
            os.close(held)
            os.setpgid(0, 0)  # what is typed at the terminal comes once, from here
            threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
            os._exit(_status(work, first))
        os.close(lifeline)
        self._child = child
        if self.told:
            os.kill(child, self.told[-1])
        _, status = os.waitpid(child, 0)
        self._child = 0
        os.close(held)
        return os.waitstatus_to_exitcode(status)


def _status(work: Callable[[bool], None], first: bool) -> int:
    try:
        work(first)
    except StartError as error:
        print(f"router: {error}", file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _die_with(lifeline: int) -> None:
    """Wait until whoever holds the other end is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGKILL)
