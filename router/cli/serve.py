"""`router serve`: one process on one core, one port for everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from router import settings
from router.web.server import run

Host = Annotated[str | None, typer.Option(help="Address to listen on (HOST; 127.0.0.1).")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one (PORT; 8000).")]


def serve(
    host: Host = None,
    port: Port = None,
    sites: Annotated[Path | None, typer.Option(help="The site file (ROUTER_SITES; the demo's).")] = None,
    redis_url: Annotated[
        str | None, typer.Option(help="Redis or Valkey 7 or later (REDIS_URL; a private one is started).")
    ] = None,
) -> None:
    """Serve shoppers and agents until Ctrl-C or SIGTERM."""
    read = settings.read()
    run(
        replace(
            read,
            host=host or read.host,
            port=read.port if port is None else port,
            sites=sites or read.sites,
            redis_url=read.redis_url if redis_url is None else redis_url,
        )
    )
