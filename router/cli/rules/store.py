"""`router rules` publish, history, roll-back, kill, revive, explain: what asks the store that the service uses."""

from __future__ import annotations

import getpass
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from router import settings
from router.cli.store import STORE, SiteId, Url, asked
from router.core.document import FileErrors
from router.core.rules.explain import Explained, Node, explain
from router.core.rules.words import LANGUAGES, duration
from router.core.session import Session
from router.core.site import Site
from router.core.written import Written, rewritten
from router.errors import StartError
from router.live.commit import decode_session
from router.live.rulebook import SiteFiles, newest
from router.store.rulebooks import Rulebooks
from router.store.sessions import peek
from router.store.visitors import Visitors

Who = Annotated[str, typer.Option(help="Who does it; kept with the change.", show_default="your login")]


def _now() -> int:
    return time.time_ns() // 1_000_000


def publish(
    sites: dict[str, Site], rules: Path, texts: Path | None, site: str | None, note: str, who: str, url: str
) -> tuple[Site, int]:
    """Publish a rules file, and texts with it; returns the site as it then is, and the revision's number.

    Raises StartError with every fault.
    """
    if site is None and len(sites) == 1:
        site = next(iter(sites))
    if site not in sites:
        raise StartError(f"Choose a site with --site: {', '.join(sites)}.")
    written = Written(rules.read_text(encoding="utf-8"), texts.read_text(encoding="utf-8") if texts else "")
    chosen = rewritten(sites[site], written)
    number = asked(
        url,
        lambda redis: Rulebooks(redis).publish(
            chosen.id,
            written.rules,
            chosen.rules.version,
            who or getpass.getuser(),
            note,
            _now(),
            written.texts,
        ),
    )
    return chosen, number


def history(site: SiteId, redis_url: Url = STORE) -> None:
    """What was published for a site, newest first, by whom, and why."""
    table = Table("revision", "version", "when", "who", "note")
    for revision in asked(redis_url, lambda redis: Rulebooks(redis).history(site)):
        when = datetime.fromtimestamp(revision.at / 1000).astimezone().isoformat(timespec="seconds")
        table.add_row(str(revision.number), revision.version, when, revision.who, revision.note)
    Console().print(table if table.row_count else f"Nothing was published for {site}: its file is in force.")


def roll_back(
    site: SiteId,
    number: Annotated[int, typer.Argument(help="The revision to go back to.")],
    who: Who = "",
    redis_url: Url = STORE,
) -> None:
    """Publish an older revision again."""

    async def work(redis: Redis) -> int | None:
        books = Rulebooks(redis)
        old = await books.revision(site, number)
        if old is None:
            return None
        by = who or getpass.getuser()
        return await books.publish(site, old.text, old.version, by, f"back to {number}", _now(), old.texts)

    published = asked(redis_url, work)
    if published is None:
        raise StartError(f"{site} has no revision {number}; `router rules history {site}` lists them.")
    typer.echo(f"{site}: revision {published} is what {number} was. It is in force within a second.")


def kill(site: SiteId, who: Who = "", redis_url: Url = STORE) -> None:
    """Stop everything proactive of a site, at every process, within a second. Conversations go on."""
    asked(redis_url, lambda redis: Rulebooks(redis).kill(site, who or getpass.getuser()))
    typer.echo(f"{site}: nothing proactive happens any more. `router rules revive {site}` lets it go on.")


def revive(site: SiteId, redis_url: Url = STORE) -> None:
    """Let a site that was stopped go on."""
    asked(redis_url, lambda redis: Rulebooks(redis).kill(site, ""))
    typer.echo(f"{site}: goes on.")


# --- explain -------------------------------------------------------------------------------------------------


def explain_session(
    session: Annotated[str, typer.Argument(help="A session's id, or the token that the page holds.")],
    sites: Annotated[Path | None, typer.Option(help="The site file (ROUTER_SITES; the demo's).")] = None,
    language: Annotated[str, typer.Option(help="ja or en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
    redis_url: Url = STORE,
) -> None:
    """Why each rule is true or not for a session, and when it would become true if nothing more happened."""
    if language not in LANGUAGES:
        raise StartError("The language is ja or en.")
    files = SiteFiles(sites or settings.read().sites)
    sid = session.split(".")[2] if session.count(".") == 3 else session
    found = asked(redis_url, lambda redis: _look(redis, sid, files))
    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    console, now = Console(), _now()
    for rule in found:
        console.print(_tree(rule, language, now))


async def _look(redis: Redis, sid: str, files: SiteFiles) -> list[Explained]:
    blob = await peek(redis, sid)
    if blob is None:
        raise StartError("There is no such session (any more): it lives 30 minutes after the last event.")
    session: Session = decode_session(blob)
    try:
        site = files.load().get(session.site)
        if site is None:
            raise StartError(f"The session is of site {session.site}, which the site file does not have.")
        books = Rulebooks(redis)
        switch = await books.switch(site.id)
        site = await newest(site, files.at, books, switch.number)
    except FileErrors as errors:
        raise StartError(f"the rules have faults:\n{errors}") from None
    standing = await Visitors(redis).standing(site.id, session.visitor, _now())
    return explain(site.rules, session, _now(), killed=bool(switch.killed), standing=standing)


MARKS = {"true": "[green]✓[/]", "false": "[red]✗[/]", "unknown": "[yellow]?[/]"}


def _tree(rule: Explained, language: str, now: int) -> Tree:
    state = "[green]true[/]" if rule.holds else "[red]not true[/]"
    when = f", true in {duration(rule.true_at - now, language)}" if rule.true_at is not None else ""
    tree = Tree(f"[bold]{rule.rule}[/] ({rule.mode}, priority {rule.priority}): {state}{when}")
    _grow(tree, rule.condition, language, now)
    for line in _standing(rule, language):
        tree.add(line)
    return tree


def _grow(tree: Tree, node: Node, language: str, now: int) -> None:
    label = node.words.get(language) or node.what
    if not node.words and node.threshold is not None:
        label += f" {node.threshold}"
    turns = (
        f" [dim](turns in {duration(node.turns_at - now, language)})[/]" if node.turns_at is not None else ""
    )
    branch = tree.add(f"{MARKS[node.holds]} {label}{turns}")
    for part in node.parts:
        _grow(branch, part, language, now)


def _standing(rule: Explained, language: str) -> list[str]:
    lines = []
    if rule.obstacle:
        left = (
            f" for another {duration(rule.not_before_ms, language)}" if rule.obstacle == "not_before" else ""
        )
        lines.append(f"stands in the way: [bold]{rule.obstacle}[/]{left}")
    if rule.remembered:
        lines.append("was true before: it fires again after it was false")
    lines += [told.words[language] + (" [red]✗[/]" if told.spent else "") for told in rule.caps]
    shares = (("holdout", rule.holdout), ("site holdout", rule.site_holdout), ("roll-out", rule.rollout))
    lines += [
        f"{name}: {share.share:.0%}, the visitor's draw is {share.drawn:.0%}: {'in' if share.inside else 'out'}"
        for name, share in shares
        if 0 < share.share < 1
    ]
    return lines
