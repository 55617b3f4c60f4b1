"""What the demo adds to a fresh store: agents and a supervisor to log in as, and the origins of its shop."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec
from argon2 import PasswordHasher
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.core.site import Site
from router.store.agents import Agents

SITE: Final = "demo"
PASSWORD: Final = "tea-and-rice-bowls"  # noqa: S105  (shown on the demo's login page)
LOGIN: Final = "aoi"
AGENTS: Final = {"aoi": "葵 Aoi", "haru": "陽 Haru"}
SUPERVISOR: Final = "mana"

hasher = PasswordHasher  # what hashes the demo's one password; tests make it cheaper


async def seed(redis: Redis) -> None:
    """Make the demo's agents, unless they are there."""
    agents = Agents(redis, hasher=hasher())
    try:
        for login, name in AGENTS.items():
            if await agents.get(SITE, login) is None:
                await agents.add(
                    SITE, login, name, PASSWORD, queues=("checkout-help", "style"), skills=("ja", "en"),
                    languages=("ja", "en"), capacity=3,
                )  # fmt: skip
        if await agents.get(SITE, SUPERVISOR) is None:
            await agents.add(
                SITE, SUPERVISOR, "真奈 Mana", PASSWORD, queues=("checkout-help",), languages=("ja", "en"),
                role="supervisor",
            )  # fmt: skip
    finally:
        agents.close()


def with_origin(sites: dict[str, Site], address: str) -> dict[str, Site]:
    """The demo's shop is reached at this service's own address, by number and by name."""
    parts = urlsplit(address)
    own = {address, f"http://127.0.0.1:{parts.port}", f"http://localhost:{parts.port}"}
    site = sites[SITE]
    return sites | {SITE: msgspec.structs.replace(site, origins=tuple(sorted({*site.origins, *own})))}


def routes() -> list[BaseRoute]:
    """The console's login page asks here what it may fill in."""

    async def credentials(request: Request) -> Response:
        return JSONResponse({"site": SITE, "login": LOGIN, "supervisor": SUPERVISOR, "password": PASSWORD})

    return [Route("/agent/api/demo", credentials)]
