"""`router site-key`: what a shop's backend signs its requests with."""

from __future__ import annotations

from typing import Annotated

import typer

from router import settings
from router.core.signing import site_key as derive


def site_key(site: Annotated[str, typer.Argument(help="The site's id.")]) -> None:
    """Print a site's API key, for the shop's backend alone. It follows from ROUTER_SECRET or the kept secret."""
    read = settings.read()
    typer.echo(derive(read.secret or settings.kept_secret(read.data), site))
