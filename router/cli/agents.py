"""`router agents`: who may log in to the console."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from router.cli.store import STORE, SiteId, Url, asked
from router.core import roster
from router.core.document import Fault, FileErrors
from router.errors import Refused, StartError
from router.store.agents import Agent, Agents, check

app = typer.Typer(help="Agents: who may log in to the console.", no_args_is_help=True)

Many = list[str]
T = TypeVar("T")
Login = Annotated[str, typer.Argument(help="What they log in with.")]
MADE_UP_BYTES = 12  # 16 characters


@app.callback()
def _group() -> None:
    """Agents: who may log in to the console."""


@app.command()
def add(
    site: SiteId,
    login: Login,
    name: Annotated[str, typer.Option(help="Public name: shoppers see it.")],
    queue: Annotated[Many, typer.Option(help="A queue they serve; may be repeated.")],
    skill: Annotated[
        Many | None,
        typer.Option(help="A skill, with a level 1 to 5 if any (gold:4); repeatable."),
    ] = None,
    language: Annotated[
        Many | None,
        typer.Option(help="A language they speak, such as ja or ja:5; repeatable."),
    ] = None,
    capacity: Annotated[int, typer.Option(help="Conversations at a time, 1 to 20.")] = 3,
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")] = "agent",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    redis_url: Url = STORE,
) -> None:
    """Add an agent, or replace all that is said of one. The password is asked for, 8 to 200 characters."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask()
    _asked(
        redis_url,
        lambda agents: agents.add(
            site, login, name, password, queues=queue, skills=skill or (), languages=language or (),
            capacity=capacity, role=role,
        ),
    )  # fmt: skip
    typer.echo(f"{login} can log in to {site}.")


@app.command("import")
def import_(
    site: SiteId,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file; see docs/operating.md.")
    ],
    redis_url: Url = STORE,
) -> None:
    """Add or replace the agents of a CSV file; nobody if one is faulty. Missing passwords are made up and printed."""
    try:
        lines = roster.read(file.name, file.read_text(encoding="utf-8"))
        passwords = {line.login: line.password or secrets.token_urlsafe(MADE_UP_BYTES) for line in lines}
        _check(file.name, lines, passwords)
    except FileErrors as errors:
        raise StartError(f"nobody was imported:\n{errors}") from None
    except UnicodeDecodeError:
        raise StartError(f"{file} is not UTF-8; save it as such.") from None

    async def work(agents: Agents) -> None:
        for line in lines:
            await agents.add(
                site, line.login, line.name, passwords[line.login], queues=line.queues, skills=line.skills,
                languages=line.languages, capacity=line.capacity, role=line.role,
            )  # fmt: skip

    _asked(redis_url, work)
    for line in lines:
        if not line.password:
            typer.echo(f"{line.login}\t{passwords[line.login]}")
    typer.echo(f"{len(lines)} can log in to {site}.", err=True)


def _check(file: str, lines: list[roster.Line], passwords: dict[str, str]) -> None:
    faults = []
    for line in lines:
        skills = (*line.skills, *line.languages)
        agent = Agent(line.login, line.name, line.role, line.queues, (), (), line.capacity)
        try:
            check(agent, skills, passwords[line.login])
        except Refused as refused:
            faults.append(Fault(file, line.number, 1, refused.detail))
    if faults:
        raise FileErrors(faults)


@app.command("list")
def list_(site: SiteId, redis_url: Url = STORE) -> None:
    """Who may log in to a site."""
    table = Table("login", "name", "role", "queues", "skills", "capacity", "")
    for agent, disabled in _asked(redis_url, lambda agents: agents.all(site)):
        skills = " ".join((*agent.skills, *agent.languages))
        queues = " ".join(agent.queues)
        table.add_row(
            agent.login, agent.name, agent.role, queues, skills, str(agent.capacity), "disabled" if disabled else ""
        )  # fmt: skip
    Console().print(table if table.row_count else f"Nobody may log in to {site}.")


@app.command()
def disable(site: SiteId, login: Login, redis_url: Url = STORE) -> None:
    """Log an agent out everywhere at once and let them in no more; their talks go to the front of their lines."""
    _asked(redis_url, lambda agents: agents.disable(site, login, True))
    typer.echo(f"{login} cannot log in to {site} any more. `router agents enable {site} {login}` lets them.")


@app.command()
def enable(site: SiteId, login: Login, redis_url: Url = STORE) -> None:
    """Let an agent in again."""
    _asked(redis_url, lambda agents: agents.disable(site, login, False))
    typer.echo(f"{login} can log in to {site}.")


def _asked(redis_url: str, work: Callable[[Agents], Awaitable[T]]) -> T:
    """What the accounts say. Raises StartError with one sentence."""

    async def run(redis: Redis) -> T:
        agents = Agents(redis)
        try:
            return await work(agents)
        finally:
            agents.close()

    try:
        return asked(redis_url, run)
    except Refused as refused:
        raise StartError(refused.detail) from None


def _ask() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
