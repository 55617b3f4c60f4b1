"""The command line: `router --help` says what there is."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from router import __version__
from router.cli import agents, demo, keys, replay, report, rules, serve
from router.errors import StartError

app = typer.Typer(
    name="router",
    help="Watches a shop's sessions, decides within milliseconds, routes a live chat to the right agent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("replay")(replay.replay)
app.command("site-key")(keys.site_key)
app.add_typer(rules.app, name="rules")
app.add_typer(agents.app, name="agents")
app.add_typer(report.app, name="report")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """The console script: a start that fails is one clear sentence and exit 1."""
    try:
        app()
    except StartError as error:
        typer.echo(f"router: {error}", err=True)
        sys.exit(1)
