"""`router report`: what the journal says of the rules."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from router.cli.store import STORE, SiteId, Url, asked
from router.core.units import duration
from router.errors import StartError
from router.reporting import gather
from router.reporting.funnel import Funnel, Group, Lift, Row

app = typer.Typer(help="Reports from the journal.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Reports from the journal."""


@app.command()
def funnel(
    site: SiteId,
    since: Annotated[str, typer.Option(help="How far back, such as 24h or 7d.")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    redis_url: Url = STORE,
) -> None:
    """For each rule: eligible, held out, shown, accepted, answered, bought; and whether it helps."""
    try:
        begin = time.time_ns() // 1_000_000 - duration(since)
    except ValueError:
        raise StartError(f"--since has to be a duration such as 24h or 7d, not {since!r}.") from None
    found = asked(redis_url, lambda redis: gather.funnel(redis, site, begin))
    if as_json:
        typer.echo(msgspec.json.encode(asdict(found)))
        return
    Console().print(
        table(site, since, found) if found.rules else f"No rule of {site} had its turn in the last {since}."
    )


def table(site: str, since: str, found: Funnel) -> Table:
    """The funnel for a reader."""
    steps = ("eligible", "held out", "shown", "accepted", "answered", "bought", "held out: bought", "lift")
    out = Table(
        Column("rule", overflow="fold"), *steps,
        title=f"{site}, the last {since}: sessions", title_justify="left",
    )  # fmt: skip
    for row in found.rules:
        out.add_row(row.rule, *_cells(row))
    out.add_section()
    out.add_row("all rules, against the site's holdout", *_cells(found.programme))
    return out


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.eligible, row.held_out.sessions, row.shown, row.accepted, row.answered)
    return (*(f"{count:,}" for count in counts), _bought(row.treated), _bought(row.held_out), said(row.lift))


def _bought(group: Group) -> str:
    return f"{group.bought:,} ({group.rate:.1%})" if group.sessions else "-"


def said(lift: Lift | None) -> str:
    """A lift in points, with its interval."""
    if lift is None:
        return "too few to tell"
    return f"{lift.difference * 100:+.1f} ({lift.low * 100:+.1f} to {lift.high * 100:+.1f}) points"
