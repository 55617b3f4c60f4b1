"""Every address of the web app and every role: the table decides, and nothing that asks for a login is beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.routing import Mount, Route

from router.core import roles
from router.live.clock import WallClock
from router.store.agents import Agents
from router.store.embedded import Embedded
from tests.service import InLoop, in_loop

PASSWORD = "correct horse"


@pytest.fixture
async def at(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[InLoop]:
    async with in_loop(valkey.url, WallClock(), tmp_path) as running:
        yield running


def addresses(at: InLoop) -> Iterator[tuple[str, str]]:
    """(method, path) of every route."""
    app: Any = at.service.app
    while not hasattr(app, "routes"):
        app = app.app
    for route in app.routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, route.path
        elif isinstance(route, Mount):
            assert not route.path.startswith("/agent/api")


async def log_in(http: httpx.AsyncClient, login: str) -> str:
    credentials = {"site": "demo", "login": login, "password": PASSWORD}
    return str((await http.post("/agent/api/login", json=credentials)).json()["csrf"])


async def test_every_address_lets_in_whom_the_table_names(at: InLoop, redis: Redis) -> None:
    agents = Agents(redis)
    for role in roles.ROLES:
        await agents.add("demo", role, role, PASSWORD, queues=["style"], role=role)
    agents.close()
    known = {path for _, path in addresses(at)}
    guarded = {path for path, needed in roles.ROUTES.items() if needed}
    assert set(roles.ROUTES) <= known
    assert {path for path in known if path.startswith("/agent/api")} == set(roles.ROUTES)
    for role in ("", *roles.ROLES):
        async with httpx.AsyncClient(base_url=at.url) as http:
            headers = {"X-CSRF-Token": await log_in(http, role)} if role else {}
            asked = sorted(addresses(at), key=lambda address: address[1].endswith("/logout"))
            for method, path in asked:
                if path not in guarded:
                    continue
                answer = await http.request(method, path, headers=headers)
                if not role:
                    assert answer.status_code == 401, path
                else:
                    allowed = roles.at_least(role, roles.ROUTES[path])
                    assert (answer.status_code == 403) is not allowed, (role, path, answer.text)
                    assert answer.status_code != 401, (role, path)
