"""The service's own pages and scripts: what is what, the console, the beacon, health. One strict CSP for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.web import scripts

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
    "font-src 'self'; media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SafeHeaders:
    """Every HTTP response of ours carries these headers, whatever made it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in HEADERS if name not in present),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)


def with_pictures(csp: str, addresses: Iterable[str]) -> str:
    """The policy, with pictures from the origins of these addresses too; those on this service need nothing."""
    origins = sorted({"/".join(address.split("/")[:3]) for address in addresses if "://" in address})
    return csp.replace("img-src 'self' data:", " ".join(["img-src 'self' data:", *origins]))


def routes(
    static: Path,
    ready: Callable[[], Awaitable[dict[str, object]]],
    *,
    framed: bool = False,
    pictures: Iterable[str] = (),
) -> list[BaseRoute]:
    """`/`, `/beacon.js` and its chunks, `/agent/`, `/ops/`, `/healthz`, `/readyz`.

    `framed`: a page of this origin may frame the console, as the demo's tour does; else nobody may. `pictures`: where
    the console may show products' pictures from.
    """
    policy = CSP.replace("frame-ancestors 'none'", "frame-ancestors 'self'") if framed else CSP
    console_headers = {
        "cache-control": "no-cache",
        "content-security-policy": with_pictures(policy, pictures),
    }

    async def home(request: Request) -> Response:
        return FileResponse(static / "home" / "index.html")

    async def console(request: Request) -> Response:
        return FileResponse(static / "console" / "index.html", headers=console_headers)

    async def operations(request: Request) -> Response:
        return FileResponse(static / "ops" / "index.html", headers={"cache-control": "no-cache"})

    async def healthz(request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(request: Request) -> Response:
        state = await ready()
        return JSONResponse(state, status_code=200 if state["ready"] else 503)

    return [
        Route("/", home),
        Mount("/home", StaticFiles(directory=static / "home")),
        *scripts.routes(static / "dist"),
        Route("/ops", _to("/ops/")),
        Route("/ops/", operations),
        Mount("/ops", _Fresh(directory=static / "ops")),
        Route("/agent", _to("/agent/")),
        Route("/agent/", console),
        Mount("/agent", _Fresh(directory=static / "console")),
        Mount("/vendor", StaticFiles(directory=static / "vendor")),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
    ]


class _Fresh(StaticFiles):
    """Files that are asked for again each time: a release changes them under one name."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As Starlette makes it, revalidated."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


def _to(address: str) -> Callable[[Request], Awaitable[Response]]:
    async def redirect(request: Request) -> Response:
        return HTMLResponse(status_code=308, headers={"location": address})

    return redirect
