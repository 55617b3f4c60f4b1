"""The Makefile: whatever a target needs, there is a rule for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
RULES = dict(re.findall(r"^([a-z]+):([^=#\n]*)", MAKEFILE, re.MULTILINE))
PHONY = " ".join(re.findall(r"^\.PHONY:(.*)", MAKEFILE, re.MULTILINE)).split()


@pytest.mark.parametrize("name", PHONY)
def test_every_name_has_a_rule(name: str) -> None:
    """A phony name without one is silently taken for done."""
    assert name in RULES


@pytest.mark.parametrize("target", RULES)
def test_what_a_target_needs_is_declared(target: str) -> None:
    needed = [word for word in RULES[target].split() if word.isalpha()]
    assert set(needed) <= set(PHONY)
