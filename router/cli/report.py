"""`router report`: what the journal says of the rules."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Column, Table

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
    site: Annotated[str, typer.Argument(help="The site's id.")],
    since: Annotated[str, typer.Option(help="How far back, such as 24h or 7d.")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    redis_url: Annotated[
        str, typer.Option(envvar="REDIS_URL", help="The store that the service uses.")
    ] = "redis://127.0.0.1:6379/0",
) -> None:
    """For each rule: eligible, held out, shown, accepted, answered, bought; and whether it helps."""
    try:
        begin = time.time_ns() // 1_000_000 - duration(since)
    except ValueError:
        raise StartError(f"--since has to be a duration such as 24h or 7d, not {since!r}.") from None
    try:
        found = asyncio.run(_read(site, begin, redis_url))
    except (RedisError, OSError):
        raise StartError("the store cannot be reached; is REDIS_URL right?") from None
    if as_json:
        typer.echo(msgspec.json.encode(asdict(found)))
        return
    Console().print(
        table(site, since, found) if found.rules else f"No rule of {site} had its turn in the last {since}."
    )


async def _read(site: str, begin: int, url: str) -> Funnel:
    redis: Redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=30)
    try:
        return await gather.funnel(redis, site, begin)
    finally:
        await redis.aclose()


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
