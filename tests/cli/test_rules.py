"""`router rules`: a check before going live, and the schema for editors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from router.cli.rules import app
from router.core import site as site_module
from router.core.rules.examples import Case, load
from router.errors import StartError
from router.web.app import read_sites
from tests.replay.recordings import write

DEMO = Path(site_module.__file__).parents[1] / "demo"
RUN = CliRunner()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the demo shop's files."""
    for name in ("site.yaml", "rules.yaml", "texts.yaml"):
        shutil.copy(DEMO / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["site.yaml", "rules.yaml", "texts.yaml"])
def test_a_clean_file_is_ok_with_counts(shop: Path, name: str) -> None:
    result = RUN.invoke(app, ["check", str(shop / name)])
    assert result.exit_code == 0
    assert result.stdout.startswith("OK demo: 4 rules, 2 queues, 1 offer, 1 article; rules version ")


@pytest.mark.parametrize("name", ["site.yaml", "rules.yaml"])
def test_every_fault_is_printed_and_the_exit_code_is_1(shop: Path, name: str) -> None:
    rules = shop / "rules.yaml"
    rules.write_text(rules.read_text().replace("page.type: cart", "page.typ: cart").replace("live", "on"))
    rules.write_text(rules.read_text().replace("queue: style", "queue: stile"))
    result = RUN.invoke(app, ["check", str(shop / name)])
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{rules}:")
    assert lines[0].endswith("expected a fact or condition, found 'page.typ'; did you mean 'page.type'?")
    assert lines[1].endswith("expected a queue of the site, found 'stile'; did you mean 'style'?")


def test_broken_yaml_is_a_fault_with_its_place(shop: Path) -> None:
    (shop / "rules.yaml").write_text("rules: [")
    for name in ("site.yaml", "rules.yaml"):
        result = RUN.invoke(app, ["check", str(shop / name)])
        assert result.exit_code == 1
        assert "rules.yaml:1:9: expected YAML: " in result.stderr


def test_a_rules_file_that_no_site_names_is_said(shop: Path) -> None:
    shutil.copy(shop / "rules.yaml", shop / "other.yaml")
    result = RUN.invoke(app, ["check", str(shop / "other.yaml")])
    assert result.exit_code == 1
    assert result.stderr.strip().endswith("site.yaml names no other.yaml: check the site file that does.")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["check", str(tmp_path / "no.yaml")])
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_schema_is_printed_as_json() -> None:
    result = RUN.invoke(app, ["schema"])
    assert result.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(result.stdout))


def test_rules_are_tried_on_a_recording_and_against_others(tmp_path: Path) -> None:
    recording = write(tmp_path / "events.csv.gz", 40)
    told = RUN.invoke(app, ["replay", str(recording)])
    assert told.exit_code == 0, told.output
    assert "sessions bought, at most" in told.stdout and "added-then-silent (live)" in told.stdout
    assert RUN.invoke(app, ["replay", str(recording)]).stdout == told.stdout
    assert json.loads(RUN.invoke(app, ["replay", str(recording), "--json"]).stdout)["sessions"] > 0
    other = tmp_path / "other.yaml"
    text = (DEMO.parent / "replay" / "rules.yaml").read_text()
    other.write_text(text.replace("for: 2m", "for: 1m"))
    changes = RUN.invoke(app, ["replay", str(recording), "--against", str(other)]).stdout
    assert changes.startswith("from rules version ")
    assert "same-product-again" in changes and "->" in changes


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    recording = write(tmp_path / "events.csv.gz", 2)
    faulty = tmp_path / "rules.yaml"
    faulty.write_text("version: 1\nrules: [{id: a, when: {page.typ: x}, then: [article: delivery]}]\n")
    for arguments, sentence in (
        (["journal", "--redis-url", "redis://127.0.0.1:1"], "cannot be reached"),
        ([str(recording), "--rules", str(faulty)], "did you mean 'page.type'"),
        ([str(recording), "--rules", str(tmp_path / "none.yaml")], "cannot be read"),
        ([str(tmp_path / "none.csv")], "cannot be read as a recording"),
    ):
        result = RUN.invoke(app, ["replay", *arguments])
        assert isinstance(result.exception, StartError), result.output
        assert sentence in str(result.exception)


STARTER = DEMO.parent / "starter"


def test_the_starters_rules_do_what_their_examples_say() -> None:
    result = RUN.invoke(app, ["test", str(STARTER / "rules.test.yaml")])
    assert result.exit_code == 0, result.output
    sites = read_sites(STARTER / "site.yaml")
    expected = {rule for case in examples_of(STARTER / "rules.test.yaml") for rule in case.expect}
    assert expected == {rule.id for rule in sites["shop"].rules.rules}
    assert result.stdout.splitlines()[-1].endswith("hold")


def test_every_text_of_the_starter_is_there_in_both_languages() -> None:
    texts = read_sites(STARTER / "site.yaml")["shop"].texts
    for kind in (texts.invites, texts.offers, texts.articles, texts.notices):
        assert all(version.ja is not None and version.en is not None for version in kind.values())


def test_an_example_that_does_not_hold_says_what_happened_and_why(tmp_path: Path) -> None:
    shutil.copytree(STARTER, tmp_path / "shop")
    file = tmp_path / "shop" / "rules.test.yaml"
    file.write_text(
        "version: 1\n"
        "cases:\n"
        "- name: too soon\n"
        "  steps: [page: {type: list, path: /search}, search: {results: 0}, search: {results: 0}]\n"
        "  expect: [nothing-found]\n"
        "- name: too cheap\n"
        "  steps:\n"
        "  - page: {type: cart, path: /cart}\n"
        "  - wait: 31s\n"
        "  - cart: {lines: 1, quantity: 1, value: 100}\n"
        "  expect: [nearly-free-delivery]\n"
    )
    result = RUN.invoke(app, ["test", str(file)])
    assert result.exit_code == 1
    assert "FAIL  too soon: expected nothing-found, found nothing" in result.stdout
    assert "nothing-found: not_before" in result.stdout
    assert "nearly-free-delivery: Not close to 8,000 JPY" in result.stdout
    assert result.stdout.splitlines()[-1] == "0 of 2 hold"


def examples_of(file: Path) -> tuple[Case, ...]:
    site = read_sites(file.parent / "site.yaml")["shop"]
    names = tuple(rule.id for rule in site.rules.rules)
    return load(str(file), file.read_text(), names, site.currency).cases
