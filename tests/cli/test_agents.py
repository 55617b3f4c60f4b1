"""`router agents add`: an agent who can log in, or one clear sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from router.cli.agents import app
from router.errors import Refused, StartError
from router.store.agents import Agent, Agents
from router.store.embedded import Embedded

ADD = ["add", "shop", "ann", "--name", "Ann", "--queue", "help", "--language", "ja", "--password-stdin"]


def log_in(url: str, password: str, login: str = "ann") -> Agent:
    async def work() -> Agent:
        redis: Redis = Redis.from_url(url)
        agents = Agents(redis)
        try:
            return await agents.check("shop", login, password)
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


def run(valkey: Embedded, *words: str) -> str:
    result = CliRunner().invoke(app, [*words], env={"REDIS_URL": valkey.url})
    if isinstance(result.exception, StartError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_roster_is_imported_whole_or_not_at_all(valkey: Embedded, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    head = "login,name,queues,languages,capacity,password\n"
    file.write_text(
        head + "ann,Ann,help,ja,2,correct horse\nbob,Bob,help style,en,9999,short\n", encoding="utf-8"
    )
    with pytest.raises(StartError, match=r"nobody was imported:\nroster.csv:3:1: The capacity is 1 to 20"):
        run(valkey, "import", "other", str(file))
    assert "Nobody may log in" in run(valkey, "list", "other")
    file.write_text(head + "ann,Ann,help,ja,2,correct horse\nbob,Bob,help style,en,4,\n", encoding="utf-8")
    printed = run(valkey, "import", "shop", str(file))
    assert log_in(valkey.url, "correct horse").capacity == 2
    ((login, password),) = [line.split("\t") for line in printed.splitlines() if "\t" in line]
    assert login == "bob" and log_in(valkey.url, password, "bob").queues == ("help", "style")
    listed = run(valkey, "list", "shop")
    assert "Ann" in listed and "help style" in listed and password not in listed


def test_who_is_disabled_cannot_log_in_until_they_are_enabled(valkey: Embedded) -> None:
    CliRunner().invoke(app, ADD, input="correct horse\n", env={"REDIS_URL": valkey.url})
    assert "cannot log in" in run(valkey, "disable", "shop", "ann")
    assert "disabled" in run(valkey, "list", "shop")
    with pytest.raises(Refused, match="bad_login"):
        log_in(valkey.url, "correct horse")
    run(valkey, "enable", "shop", "ann")
    assert log_in(valkey.url, "correct horse").login == "ann"
    with pytest.raises(StartError, match="shop has no agent nobody"):
        run(valkey, "disable", "shop", "nobody")
