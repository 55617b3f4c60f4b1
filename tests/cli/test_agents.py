"""`router agents add`: an agent who can log in, or one clear sentence."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from router.cli.agents import app
from router.errors import StartError
from router.store.agents import Agent, Agents
from router.store.embedded import Embedded

ADD = ["add", "shop", "ann", "--name", "Ann", "--queue", "help", "--language", "ja", "--password-stdin"]


def log_in(url: str, password: str) -> Agent:
    async def work() -> Agent:
        redis: Redis = Redis.from_url(url)
        agents = Agents(redis)
        try:
            return await agents.check("shop", "ann", password)
        finally:
            agents.close()
            await redis.aclose()

    return asyncio.run(work())


def test_an_added_agent_can_log_in(valkey: Embedded) -> None:
    result = CliRunner().invoke(app, ADD, input="correct horse\n", env={"REDIS_URL": valkey.url})
    assert (result.exit_code, result.output) == (0, "ann can log in to shop.\n")
    assert log_in(valkey.url, "correct horse").languages == ("ja",)


def test_the_password_is_asked_for_twice_and_not_shown(valkey: Embedded) -> None:
    result = CliRunner().invoke(
        app, ADD[:-1], input="another horse\nanother horse\n", env={"REDIS_URL": valkey.url}
    )
    assert result.exit_code == 0 and "another horse" not in result.output
    assert log_in(valkey.url, "another horse").login == "ann"


@pytest.mark.parametrize(
    "words, password, sentence",
    [
        ([], "short", "8 to 200 characters"),
        (["--capacity", "0"], "correct horse", "capacity is 1 to 20"),
        (["--redis-url", "redis://:hidden@127.0.0.1:1/0"], "correct horse", "cannot be reached"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    valkey: Embedded, words: list[str], password: str, sentence: str
) -> None:
    result = CliRunner().invoke(app, [*ADD, *words], input=f"{password}\n", env={"REDIS_URL": valkey.url})
    assert isinstance(result.exception, StartError)
    assert sentence in str(result.exception) and "hidden" not in str(result.exception)
