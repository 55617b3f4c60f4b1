"""Who calls: cookies, CSRF tokens and origins of agents, and the form of bodies and refusals on their
addresses.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import wraps
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from redis.exceptions import RedisError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from router.core import roles
from router.errors import Refused
from router.store import keys
from router.store.agents import Agent, Agents
from router.store.logins import Login, Logins

COOKIE: Final = "router_agent"
COOKIE_PATH: Final = "/agent"
MAX_BODY_BYTES: Final = 4 * 1024
READ_TIMEOUT_S: Final = 10.0

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def answer(content: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer that nobody keeps."""
    body = msgspec.json.encode(content)
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


def refusing(endpoint: Endpoint) -> Endpoint:
    """Turn refusals into answers by the error table, and a store that is away into `unavailable`."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as error:
            refused = error
        except ClientDisconnect:
            refused = Refused("bad_request", "The body broke off.")
        except (RedisError, OSError):
            refused = Refused("unavailable")
        meaning = refused.meaning
        form = {"error": refused.name, "text": refused.detail, "retry": meaning.retry}
        return answer(form, meaning.status)

    return answered


async def body(request: Request, form: type[T], most: int = MAX_BODY_BYTES) -> T:
    """The JSON body as `form`. Raises `Refused`: too_large, silent, bad_request with what was expected."""
    raw = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > most:
                    raise Refused("too_large")
    except TimeoutError:
        raise Refused("silent") from None
    try:
        return msgspec.json.decode(bytes(raw), type=form)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused("bad_request", str(error)) from None


def check_origin(headers: Mapping[str, str]) -> None:
    """Raise `Refused("bad_origin")` if a page of another host asks. Only browsers say whose page it is."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise Refused("bad_origin")


async def logged_in(request: Request, logins: Logins) -> Login:
    """The login session of the request's cookie. Raises `Refused("unauthorized")`."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise Refused("unauthorized")
    return await logins.session(token)


async def authorized(request: Request, logins: Logins) -> Login:
    """The same for a request that changes something. Raises `Refused`: unauthorized, bad_origin, csrf."""
    check_origin(request.headers)
    login = await logged_in(request, logins)
    token = request.headers.get("x-csrf-token", "")
    if not secrets.compare_digest(token.encode("utf-8", "surrogatepass"), login.csrf.encode()):
        raise Refused("csrf")
    return login


async def admit(
    request: Request, logins: Logins, agents: Agents, sites: Collection[str]
) -> tuple[Login, Agent]:
    """Who asks, and may by the table of roles. Raises `Refused`: unauthorized, forbidden, and those of a change."""
    check = logged_in if request.method == "GET" else authorized
    login = await check(request, logins)
    agent = await agents.get(login.site, login.login) if login.site in sites else None
    if agent is None:
        raise Refused("unauthorized")
    roles.check_route(agent.role, request.url.path)
    return login, agent


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Let the browser keep the session's token where no script can read it."""
    response.set_cookie(
        COOKIE, token, max_age=keys.AGENT_SESSION_TTL_S, path=COOKIE_PATH, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def take_cookie(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
