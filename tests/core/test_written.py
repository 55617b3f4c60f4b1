"""router.core.written: rules and texts that stand in for a site's own are checked as those are."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.core.document import FileErrors
from router.core.rules.model import Invite
from router.core.site import Site, load_sites
from router.core.written import Written, rewritten
from router.settings import DEMO_SITES

FOLDER = DEMO_SITES.parent
RULES = (FOLDER / "rules.yaml").read_text(encoding="utf-8")
TEXTS = (FOLDER / "texts.yaml").read_text(encoding="utf-8")
INVITE = Invite("checkout-help", ("ja",), "cart.wait")


@pytest.fixture(scope="module")
def site() -> Site:
    return load_sites(str(DEMO_SITES), lambda name: Path(name).read_text(encoding="utf-8"))["demo"]


def test_other_texts_are_shown_and_without_any_the_sites_own(site: Site) -> None:
    own = site.content(INVITE, "en")["title"]
    assert rewritten(site, Written(RULES)).content(INVITE, "en")["title"] == own
    changed = rewritten(site, Written(RULES, TEXTS.replace(own, "May we help?")))
    assert changed.content(INVITE, "en")["title"] == "May we help?"
    assert site.content(INVITE, "en")["title"] == own


def test_rules_may_use_a_text_that_comes_with_them(site: Site) -> None:
    rules = RULES.replace("message: cart.wait", "message: cart.soon")
    with pytest.raises(FileErrors, match=r"rules.yaml of 3:\d+:\d+: .*'cart.soon'"):
        rewritten(site, Written(rules), " of 3")
    changed = rewritten(site, Written(rules, TEXTS.replace("cart.wait:", "cart.soon:")))
    assert changed.rules.rules[0].then[0] == Invite("checkout-help", ("ja",), "cart.soon")


def test_every_fault_of_both_is_told(site: Site) -> None:
    faulty = TEXTS.replace("welcome-5:", "welcome-6:").replace("size-guide:", "size-gide:")
    with pytest.raises(FileErrors) as told:
        rewritten(site, Written(RULES.replace("page.type: cart", "page.typ: cart"), faulty))
    text = str(told.value)
    assert "texts.yaml:1:1: expected a text 'welcome-5' below offers: the site shows it" in text
    assert "expected a text 'size-guide' below articles" in text and "did you mean 'page.type'" in text
    with pytest.raises(FileErrors, match=r"texts\.yaml:1:"):
        rewritten(site, Written(RULES, "invites: ["))
