"""`router rules replay`: rules tried on recorded sessions, without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from router.cli.replay import SITES, chosen_site
from router.core.document import FileErrors
from router.core.rules import form
from router.core.rules.compile import RuleSet
from router.core.site import Site
from router.errors import StartError
from router.replay import trial, trial_report
from router.replay.recording import load
from router.web.app import read_sites


def replay(
    file: Annotated[str, typer.Argument(help="The recording: CSV, may be gzipped.")],
    rules: Annotated[
        Path | None, typer.Option(help="The rules to try.", show_default="the site's own")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Other rules: print what they change.", show_default="none")
    ] = None,
    sites: Annotated[
        Path, typer.Option(help="The site file whose names the rules may use.", show_default="a built-in one")
    ] = SITES,
    site: Annotated[str | None, typer.Option(help="Which of its sites; needed if there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Try rules on recorded sessions through the service's own fold and decisions, silences included.

    Per rule: how often and with which outcome, at which moment and hour, what overlaps, who bought all the same, and
    how many agents would have been wanted at once. Agents are always free, and nobody answers. The same input prints
    the same.
    """
    if file == "journal":
        raise StartError(
            "The journal keeps decisions and what became of them, not every event, so nothing can be replayed from it; "
            "give a recording."
        )
    shop = chosen_site(read_sites(sites), site)
    recording = load(Path(file), shop.currency)
    first = _rules(shop, rules)
    before = trial_report.report(first, trial.run(recording, shop, first))
    if against is None:
        typer.echo(_json(before) if as_json else trial_report.table(before))
        return
    second = _rules(shop, against)
    after = trial_report.report(second, trial.run(recording, shop, second))
    if as_json:
        typer.echo(json.dumps([trial_report.as_json(before), trial_report.as_json(after)], indent=1))
    else:
        typer.echo(trial_report.changes(before, after))


def _json(found: trial_report.Report) -> str:
    return json.dumps(trial_report.as_json(found), indent=1)


def _rules(site: Site, file: Path | None) -> RuleSet:
    if file is None:
        return site.rules
    try:
        return RuleSet(form.load(str(file), file.read_text(encoding="utf-8"), site.names))
    except FileErrors as errors:
        raise StartError(f"the rules have faults:\n{errors}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file} cannot be read: {error}") from None
