"""`router demo`: the service with a small shop and an agent's login, ready to be tried in two windows."""

from __future__ import annotations

from dataclasses import replace

import typer

from router import settings
from router.cli.serve import Host, Port
from router.web.demo_seed import LOGIN, PASSWORD, SUPERVISOR
from router.web.server import Running, run


def demo(host: Host = None, port: Port = None) -> None:
    """Start the service with the demo shop; data stays in `.router` (ROUTER_DATA) between runs."""
    read = settings.read()
    run(
        replace(read, host=host or read.host, port=read.port if port is None else port, demo=True),
        announce=_announce,
    )


def _announce(running: Running) -> None:
    here = running.address
    typer.echo(
        f"""
  Router is running. Open these in two windows:

    {here}/          what is what
    {here}/demo/     the shop: put something into the cart and wait on the cart page
    {here}/agent/    the console: login {LOGIN}, password {PASSWORD}
    {here}/ops/      rules and figures: login {SUPERVISOR}, the same password

  Data is kept in {running.data}. Ctrl-C ends everything.
"""
    )
