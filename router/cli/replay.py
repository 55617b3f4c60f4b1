"""`router replay`: recorded sessions through a service of its own, on the recording's own clock."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from router.core.site import Site
from router.errors import StartError
from router.replay import report
from router.replay.driver import ACCEPTANCE
from router.replay.recording import Recording, load
from router.replay.run import Outcome, run
from router.settings import PACKAGE
from router.store.embedded import Embedded
from router.web.app import read_sites

SITES = PACKAGE / "replay" / "site.yaml"


def replay(
    file: Annotated[Path, typer.Argument(help="The recording: CSV, may be gzipped.", show_default=False)],
    sites: Annotated[
        Path, typer.Option(help="The site file whose rules are run.", show_default="a built-in one")
    ] = SITES,
    site: Annotated[str | None, typer.Option(help="Which of its sites; needed if there are several.")] = None,
    agents: Annotated[int, typer.Option(min=0, max=200, help="Simulated agents.")] = 5,
    seed: Annotated[int, typer.Option(help="What simulated people do follows from this.")] = 1,
    acceptance: Annotated[
        float, typer.Option(min=0, max=1, help="Share of invites that are accepted.")
    ] = ACCEPTANCE,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many actions.")] = None,
) -> None:
    """Send a recording over real sockets, with simulated agents answering; ends with a table and checks.

    Exit status 1 when a check fails. The service runs on a clock that the recording drives, so silences, caps and
    deadlines mean what they say while recorded days pass in seconds.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the private store ends with us
    chosen = chosen_site(read_sites(sites), site)
    console = Console()
    recording = load(file, chosen.currency)
    if limit is not None:
        recording.actions = recording.actions[:limit]
    with Embedded() as store:
        outcome = _run(console, recording, chosen, sites, store, agents, seed, acceptance)
    lacks = report.lacking(chosen, chosen.rules.entries, recording)
    driver = outcome.driver
    report.show(
        console,
        chosen,
        recording,
        driver.tally,
        outcome.agents,
        outcome.noted,
        lacks,
        outcome.checks,
        outcome.seconds,
    )
    if not all(check.holds for check in outcome.checks):
        raise typer.Exit(1)


def chosen_site(sites: dict[str, Site], wanted: str | None) -> Site:
    """The site of this id, or the only one. Raises StartError."""
    if wanted is None and len(sites) == 1:
        return next(iter(sites.values()))
    if wanted not in sites:
        raise StartError(f"Choose a site with --site: {', '.join(sites)}.")
    return sites[wanted]


def _run(
    console: Console,
    recording: Recording,
    site: Site,
    sites: Path,
    store: Embedded,
    agents: int,
    seed: int,
    acceptance: float,
) -> Outcome:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Replaying", total=len(recording.actions))
        work = run(
            recording, site, sites, store, agents=agents, seed=seed, acceptance=acceptance,
            progress=lambda done: bar.update(task, completed=done) if done % 50 == 0 else None,
        )  # fmt: skip
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
