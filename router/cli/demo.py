"""`router demo`: the service with a small shop and an agent's login, ready to be tried in two windows."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from router import settings
from router.cli.serve import Host, Port
from router.replay import crowd
from router.web.demo_seed import LOGIN, PASSWORD, SITE, SUPERVISOR
from router.web.server import Running, run


def demo(
    host: Host = None,
    port: Port = None,
    shoppers: Annotated[
        int, typer.Option(min=0, max=50, help="Simulated shoppers who browse beside you.")
    ] = 0,
) -> None:
    """Start the service with the demo shop; data stays in `.router` (ROUTER_DATA) between runs."""
    read = settings.read()
    run(
        replace(read, host=host or read.host, port=read.port if port is None else port, demo=True),
        announce=_announce,
        beside=partial(_crowd, shoppers=shoppers) if shoppers else None,
    )


async def _crowd(running: Running, shoppers: int) -> None:
    catalogue = json.loads(
        (settings.read().static_folder / "demo" / "catalogue.json").read_text(encoding="utf-8")
    )
    await crowd.browse(running.address, SITE, catalogue["products"], shoppers, random.SystemRandom())


def _announce(running: Running) -> None:
    here = running.address
    typer.echo(
        f"""
  Router is running. Everything in five minutes:

    {here}/demo/tour

  Or open these in two windows:

    {here}/          what is what
    {here}/demo/     the shop: put something into the cart and wait on the cart page
    {here}/agent/    the console: login {LOGIN}, password {PASSWORD}
    {here}/ops/      rules and figures: login {SUPERVISOR}, the same password

  Data is kept in {running.data}. Ctrl-C ends everything.
"""
    )
