"""`router rules replay`: rules tried on recorded sessions or on the shop's own last days, without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from router.cli.replay import SITES, chosen_site
from router.cli.store import STORE, Url, asked
from router.core.document import FileErrors
from router.core.rules.compile import RuleSet
from router.core.site import Site
from router.core.written import Written, rewritten
from router.errors import StartError
from router.replay import trial, trial_report
from router.replay.recording import load
from router.replay.watched import watched
from router.store import behaviour
from router.store.behaviour import Batch
from router.web.app import read_sites


def replay(
    file: Annotated[
        str,
        typer.Argument(help="A recording (CSV, may be gzipped), or `journal`: what the service kept itself."),
    ],
    rules: Annotated[
        Path | None, typer.Option(help="The rules to try.", show_default="the site's own")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Other rules: print what they change.", show_default="none")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts whose names the rules may use.", show_default="the site's own")
    ] = None,
    sites: Annotated[
        Path, typer.Option(help="The site file whose names the rules may use.", show_default="a built-in one")
    ] = SITES,
    site: Annotated[str | None, typer.Option(help="Which of its sites; needed if there are several.")] = None,
    newest: Annotated[
        int | None,
        typer.Option(min=1, help="Of the journal only so many batches, the newest.", show_default="all"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    redis_url: Url = STORE,
) -> None:
    """Try rules on what shoppers did, through the service's own fold and decisions, silences included.

    Per rule: how often and with which outcome, at which moment and hour, what overlaps, who bought all the same, and
    how many agents would have been wanted at once. Agents are always free, and nobody answers. The same input prints
    the same.
    """
    shop = chosen_site(read_sites(sites), site)
    batches = _batches(file, shop, redis_url)[-newest if newest else 0 :]
    first = _rules(shop, rules, texts)
    before = trial_report.report(first, trial.run(batches, shop, first))
    if against is None:
        typer.echo(_json(before) if as_json else trial_report.table(before))
        return
    second = _rules(shop, against, texts)
    after = trial_report.report(second, trial.run(batches, shop, second))
    if as_json:
        typer.echo(json.dumps([trial_report.as_json(before), trial_report.as_json(after)], indent=1))
    else:
        typer.echo(trial_report.changes(before, after))


def _batches(file: str, site: Site, url: str) -> list[Batch]:
    if file != "journal":
        return list(watched(load(Path(file), site.currency).actions))
    found = asked(url, lambda redis: behaviour.kept(redis, site.id))
    if not found:
        raise StartError(
            f"Nothing that shoppers of {site.id} did is kept at {url}; is REDIS_URL right, and is "
            "ROUTER_BEHAVIOUR_MB above 0?"
        )
    return found


def _json(found: trial_report.Report) -> str:
    return json.dumps(trial_report.as_json(found), indent=1)


def _rules(site: Site, file: Path | None, texts: Path | None) -> RuleSet:
    if file is None:
        return site.rules
    try:
        return rewritten(site, Written(_read(file), _read(texts) if texts else "")).rules
    except FileErrors as errors:
        raise StartError(f"the rules have faults:\n{errors}") from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file} cannot be read: {error}") from None
