"""`router rules test`: do the rules act on the examples that are kept beside them?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from router.cli.replay import chosen_site
from router.core.document import FileErrors
from router.core.rules import examples
from router.core.rules.compile import RuleSet
from router.core.rules.examples import Case, Wait
from router.core.rules.explain import Node, explain
from router.core.rules.model import RuleFile
from router.core.session import Session
from router.core.site import Site
from router.errors import StartError
from router.replay import trial
from router.replay.recording import Action
from router.replay.watched import watched
from router.web.app import read_sites

START: Final = 1_780_000_000_000
ACTED: Final = ("made", "shadow")


def test(
    file: Annotated[Path, typer.Argument(help="The examples, such as rules.test.yaml.")],
    sites: Annotated[
        Path | None, typer.Option(help="The site file.", show_default="the site.yaml beside the examples")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Which of its sites; needed if there are several.")] = None,
) -> None:
    """Run examples through the rules on a clock of their own; exit 1 if a rule acts when it should not, or does not.

    Shares (holdout, roll-out) are left out, caps are not. An example fails with what happened instead, and with
    what kept the expected rule from acting.
    """
    shop = chosen_site(read_sites(sites or file.parent / "site.yaml"), site)
    rules = whole(shop)
    failed = 0
    cases = _load(file, shop).cases
    for case in cases:
        acted, session, end = run(case, shop, rules)
        if acted == case.expect:
            typer.echo(f"ok    {case.name}")
            continue
        failed += 1
        typer.echo(f"FAIL  {case.name}: expected {_list(case.expect)}, found {_list(acted)}")
        for line in _why(rules, session, end, [rule for rule in case.expect if rule not in acted]):
            typer.echo(f"      {line}")
    typer.echo(f"{len(cases) - failed} of {len(cases)} hold")
    if failed:
        raise typer.Exit(1)


def _load(file: Path, site: Site) -> examples.Examples:
    try:
        names = tuple(rule.id for rule in site.rules.rules)
        return examples.load(str(file), file.read_text(encoding="utf-8"), names, site.currency)
    except FileErrors as errors:
        raise StartError(f"the examples have faults:\n{errors}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file} cannot be read: {error}") from None


def whole(site: Site) -> RuleSet:
    """The site's rules without any share: everybody is in, nobody is held out."""
    entries = tuple(msgspec.structs.replace(entry, holdout=0.0, rollout=1.0) for entry in site.rules.entries)
    return RuleSet(RuleFile(1, entries, msgspec.structs.replace(site.rules.defaults, holdout=0.0)))


def run(case: Case, site: Site, rules: RuleSet) -> tuple[tuple[str, ...], Session | None, int]:
    """The rules that acted, in order; the session, and the moment at which the example ends."""
    actions, now = [], START
    for step in case.steps:
        if isinstance(step, Wait):
            now += step.ms
        else:
            actions.append(Action(case.name, case.visitor or case.name, now, (step,)))
    tried, sessions = trial.run_until(watched(actions), now, site, rules)
    acted = tuple(firing.rule for firing in tried.firings if firing.outcome in ACTED and firing.at <= now)
    return acted, sessions.get(case.name), now


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _why(rules: RuleSet, session: Session | None, now: int, missing: list[str]) -> Iterator[str]:
    """What kept the rules from acting, in words."""
    if session is None:
        return
    for rule in explain(rules, session, now):
        if rule.rule in missing:
            reasons = [*_failing(rule.condition), *([rule.obstacle] if rule.obstacle else [])]
            yield f"{rule.rule}: {'; '.join(reasons) or 'it was true all the time, so it did not turn true'}"


def _failing(node: Node) -> Iterator[str]:
    if node.parts:
        for part in node.parts:
            yield from _failing(part)
    elif node.holds != "true":
        yield node.words.get("en") or f"{node.what} is {node.holds}"
