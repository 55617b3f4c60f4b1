"""`router agents`: who may log in to the console."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.errors import Refused, StartError
from router.store.agents import Agents

app = typer.Typer(help="Agents: who may log in to the console.", no_args_is_help=True)

Many = list[str]


@app.callback()
def _group() -> None:
    """Agents: who may log in to the console."""


@app.command()
def add(
    site: Annotated[str, typer.Argument(help="The site's id.")],
    login: Annotated[str, typer.Argument(help="What they log in with.")],
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
    redis_url: Annotated[
        str, typer.Option(envvar="REDIS_URL", help="The store that the service uses.")
    ] = "redis://127.0.0.1:6379/0",
) -> None:
    """Add an agent, or replace all that is said of one. The password is asked for, 8 to 200 characters."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask()

    async def work() -> None:
        redis = Redis.from_url(redis_url, socket_connect_timeout=5, socket_timeout=5)
        agents = Agents(redis)
        try:
            await agents.add(
                site, login, name, password, queues=queue, skills=skill or (), languages=language or (),
                capacity=capacity, role=role,
            )  # fmt: skip
        finally:
            agents.close()
            await redis.aclose()

    try:
        asyncio.run(work())
    except Refused as refused:
        raise StartError(refused.detail) from None
    except (RedisError, OSError):
        raise StartError("the store cannot be reached; is REDIS_URL right?") from None
    typer.echo(f"{login} can log in to {site}.")


def _ask() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
