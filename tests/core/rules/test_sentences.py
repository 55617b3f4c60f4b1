"""Rules as sentences for people who run a shop."""

# ruff: noqa: E501  (a sentence is one line)

from __future__ import annotations

import pytest
from hypothesis import given, settings

from router.core.rules.model import Condition, Entry, Invite, ShowArticle
from router.core.rules.sentences import sentence
from router.settings import DEMO_SITES, PACKAGE
from router.web.app import read_sites
from tests.core.rules.test_predicates import conditions

QUEUES = {
    "checkout-help": {"ja": "ご注文のお手伝い", "en": "Checkout help"},
    "help": {"ja": "お客様相談", "en": "Help"},
}
STARTER = PACKAGE / "starter" / "site.yaml"


def entries() -> dict[str, Entry]:
    sites = [read_sites(DEMO_SITES)["demo"], read_sites(STARTER)["shop"]]
    return {f"{site.id} {entry.id}": entry for site in sites for entry in site.rules.entries}


@pytest.mark.parametrize(
    ("rule", "ja", "en"),
    [
        (
            "demo cart-wait",
            "「ページの種類がカート」かつ「カートの金額が3,000円以上」かつ「カートで8秒、購入手続きに進んでいません」の場合、『ご注文のお手伝い』のチャットに招く。",
            "When page type is the cart and cart value is at least 3,000 JPY and in the cart for 8 s without starting checkout: "
            "invite to a chat (Checkout help).",
        ),
        (
            "demo size-doubt",
            "「同じ商品を24時間以内に3回以上見た」の場合、『style』のチャットに招く（できないときは案内『size-guide』を出す）。",
            "When the same product was seen at least 3 times in 24 h: invite to a chat (style), or, if that cannot be, "
            "show the article size-guide.",
        ),
        (
            "shop coupon-refused",
            "「クーポンが使えなかったのが2分以内に1回以上」の場合、案内『coupons』を出す。",
            "When had a coupon refused at least once in 2 min: show the article coupons.",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule: str, ja: str, en: str) -> None:
    assert sentence(entries()[rule], QUEUES) == {"ja": ja, "en": en}


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_every_condition_can_be_said(condition: Condition) -> None:
    said = sentence(Entry("a", condition, (Invite("help"), ShowArticle("sizes"))), QUEUES)
    assert all(len(text) > 10 and "{" not in text and "None" not in text for text in said.values())


@pytest.mark.parametrize("rule", entries())
def test_every_rule_of_ours_can_be_said(rule: str) -> None:
    said = sentence(entries()[rule], QUEUES)
    assert said["en"].startswith("When ") and said["ja"].endswith("。")
