"""Editing a value in a rules file changes that value and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.core.rules import edit, form
from router.core.rules.model import Caps, Compare, RuleFile
from router.errors import Refused
from router.settings import PACKAGE

FILES = [PACKAGE / "demo" / "rules.yaml", PACKAGE / "starter" / "rules.yaml"]


def load(text: str) -> RuleFile:
    return form.load("rules.yaml", text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_value_can_be_written_again_and_all_else_stays(file: Path) -> None:
    text = file.read_text()
    for rule, values in edit.values(text).items():
        assert values
        for value in filter(lambda value: value.text, values):
            again = edit.changed(text, rule, value.path, value.text)
            assert load(again) == load(text)
            assert [line for line in again.splitlines() if line.lstrip().startswith("#")] == [
                line for line in text.splitlines() if line.lstrip().startswith("#")
            ]


def test_a_threshold_is_changed_where_it_stands() -> None:
    text = FILES[0].read_text()
    after = edit.changed(text, "cart-wait", ("when", "all", 1, "cart.value", "gte"), "9000 JPY")
    before, now = text.splitlines(), after.splitlines()
    changed = [(old, new) for old, new in zip(before, now, strict=True) if old != new]
    assert changed == [("        - cart.value: {gte: 3000 JPY}", "        - cart.value: {gte: 9000 JPY}")]


@pytest.mark.parametrize(
    "layout",
    [
        "- id: a\n  when: {cart.lines: 1}\n  then: [article: x]\n",
        "- {id: a, when: {cart.lines: 1}, then: [article: x]}\n",
    ],
)
def test_what_a_rule_does_not_say_is_added(layout: str) -> None:
    text = "version: 1\nrules:\n" + layout
    for key, value, read in (
        ("mode", "shadow", "shadow"),
        ("priority", "70", 70),
        ("holdout", "20%", 0.2),
        ("rollout", "5%", 0.05),
    ):
        (entry,) = load(edit.changed(text, "a", (key,), value)).rules
        assert getattr(entry, key) == read


@pytest.mark.parametrize("caps", ["", ", caps: {per_session: 2}", ", caps: {}"])
def test_caps_and_dates_are_added_whatever_of_them_is_there(caps: str) -> None:
    """And values that are there are not offered twice."""
    text = f"version: 1\nrules:\n- {{id: a, when: {{cart.lines: 1}}, then: [article: x]{caps}}}\n"
    text = edit.changed(text, "a", ("caps", "per_visitor"), "1 in 7d")
    text = edit.changed(text, "a", ("caps", "not_before"), "5s visible")
    text = edit.changed(text, "a", ("dates", "from"), "2026-12-01T00:00+09:00")
    text = edit.changed(text, "a", ("dates", "until"), "2026-12-25T00:00+09:00")
    (entry,) = load(text).rules
    assert entry.caps == Caps(2 if "2" in caps else None, (1, 7 * 86_400_000), 5_000)
    assert entry.dates is not None and entry.dates.from_ms and entry.dates.until_ms
    paths = [value.path for value in edit.values(text)["a"]]
    assert len(paths) == len(set(paths)) and set(edit.OWN) <= set(paths)


@pytest.mark.parametrize(
    "head", ["", "defaults: {holdout: 5%}\n", "defaults:\n  caps:\n    per_session: 2\n"]
)
def test_what_holds_for_all_is_edited_and_added(head: str) -> None:
    text = f"# ours\nversion: 1\n{head}rules:\n- {{id: a, when: {{cart.lines: 1}}, then: [article: x]}}\n"
    for path, value in (
        (("defaults", "caps", "per_visitor"), "2 in 7d"),
        (("defaults", "caps", "rest_after_dismissal"), "2h"),
        (("defaults", "holdout"), "10%"),
        (("site", "holdout"), "3%"),
    ):
        assert path in [value.path for value in edit.common(text)]
        text = edit.changed(text, "", path, value)
        assert {value.path: value.text for value in edit.common(text)}[path] == value
    file = load(text)
    assert text.startswith("# ours\nversion: 1\n")
    assert (file.defaults.holdout, file.site_holdout) == (0.1, 0.03)
    assert file.defaults.caps.per_visitor == (2, 7 * 86_400_000)
    assert file.defaults.caps.rest_after_dismissal_ms == 7_200_000


def test_a_value_that_means_something_in_yaml_is_quoted() -> None:
    text = "version: 1\nrules:\n- {id: a, when: {visit.campaign: spring}, then: [article: x]}\n"
    for value in ("a: b", "#1", "{x}", 'say "hi"', "春, 夏", "- x", "*x", " spaced "):
        (entry,) = load(edit.changed(text, "a", ("when", "visit.campaign"), value)).rules
        assert entry.when == Compare("visit.campaign", "eq", value)


def test_what_is_not_there_cannot_be_changed() -> None:
    text = FILES[0].read_text()
    for rule, path in (
        ("nobody", ("mode",)),
        ("cart-wait", ("when", "all", 9)),
        ("cart-wait", ("when",)),
        ("cart-wait", ("colour",)),
    ):
        with pytest.raises(Refused, match="bad_request"):
            edit.changed(text, rule, path, "x")


TEXTS = """\
version: 1
invites:
  cart.wait:   # the one in the cart
    ja:
      title: 何か
      text: |
        一行目
        二行目
      accept: "はい"
    en: {title: "May we help?", text: Ask., accept: 'Yes'}
"""


def test_texts_are_found_and_replaced_in_any_style_and_nothing_else_changes() -> None:
    key = ("invites", "cart.wait")
    found = edit.below(TEXTS, [key, ("invites", "none")])
    assert list(found) == [key]
    values = {value.path[2:]: value.text for value in found[key]}
    assert values["ja", "text"] == "一行目\n二行目\n" and values["en", "title"] == "May we help?"
    for path in ((*key, "ja", "title"), (*key, "ja", "text"), (*key, "en", "accept"), (*key, "en", "title")):
        text = edit.replaced(TEXTS, path, 'ひと言: "お困りですか" #1')
        changed = {value.path: value.text for value in edit.below(text, [key])[key]}
        before = {value.path: value.text for value in found[key]}
        assert changed == before | {path: 'ひと言: "お困りですか" #1'}
        assert "# the one in the cart" in text
    with pytest.raises(Refused, match=r"There is no text at invites\.none"):
        edit.replaced(TEXTS, ("invites", "none"), "x")
    with pytest.raises(Refused, match="Only single values"):
        edit.replaced(TEXTS, key, "x")
