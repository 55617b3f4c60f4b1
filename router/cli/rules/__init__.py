"""`router rules`: check the files of a shop, tell editors their form, publish, stop, explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from yaml.nodes import Node

from router.cli.rules import replay, store, test
from router.cli.store import STORE, Url
from router.core.document import Document, FileErrors, Json, attempt
from router.core.rules import form
from router.core.site import Site, load_sites
from router.errors import StartError

app = typer.Typer(help="Rules: check, explain, publish, stop.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A site file, or a file that the site.yaml beside it names.")]


@app.command()
def check(file: File) -> None:
    """Check a site file with the rules and texts it names; print every fault as file:line:column."""
    try:
        sites = checked(file)
    except StartError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for site in sites.values():
        typer.echo(f"OK {_counts(site)}")


@app.command()
def publish(
    file: File,
    texts: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Texts to publish with them.", show_default="the site file's"
        ),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Which site; needed if there are several.")] = None,
    note: Annotated[str, typer.Option(help="Why; kept with the revision.")] = "",
    who: store.Who = "",
    redis_url: Url = STORE,
) -> None:
    """Check a rules file and put it in force at every process, within a second, until a newer one comes."""
    try:
        chosen, number = store.publish(checked(file), file, texts, site, note, who, redis_url)
    except FileErrors as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{chosen.id}: revision {number}, version {chosen.rules.version}, is in force within a second."
    )


app.command()(store.history)
app.command("roll-back")(store.roll_back)
app.command()(store.kill)
app.command()(store.revive)
app.command("explain")(store.explain_session)
app.command()(replay.replay)
app.command()(test.test)


@app.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of rules files."""
    typer.echo(json.dumps(form.schema(), indent=2, ensure_ascii=False))


def checked(file: Path) -> dict[str, Site]:
    """The sites that the file belongs to. Raises StartError with every fault, or if no site names it."""
    reader = _Reader()
    site_file = _site_file(file)
    sites = load_sites(str(site_file), reader.read)
    if not any(file.samefile(name) for name in reader.names):
        raise StartError(f"{site_file} names no {file.name}: check the site file that does.")
    return sites


class _Reader:
    """Reads files, and remembers which."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def read(self, name: str) -> str:
        text = Path(name).read_text(encoding="utf-8")
        self.names.append(name)
        return text


def _site_file(file: Path) -> Path:
    """The file itself, unless it is something else and has a site.yaml beside it."""
    beside = file.parent / "site.yaml"
    try:
        keys = attempt(Document(str(file)), file.read_text(encoding="utf-8"), _TopKeys())
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file} cannot be read: {error}") from None
    return file if keys is None or "sites" in keys or not beside.exists() else beside


class _TopKeys:
    """The shape of any mapping: its keys."""

    def load(self, node: Node, doc: Document) -> set[str]:
        return {key for key, _, _ in doc.pairs(node, "a mapping")}

    def schema(self) -> Json:
        return {"type": "object"}


def _counts(site: Site) -> str:
    counts = (
        (len(site.rules.rules), "rule"),
        (len(site.queues), "queue"),
        (len(site.offers), "offer"),
        (len(site.articles), "article"),
    )
    listed = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    return f"{site.id}: {listed}; rules version {site.rules.version}"
