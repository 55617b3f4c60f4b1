"""Reasons as sentences that an agent reads in a glance."""

from __future__ import annotations

import pytest

from router.core import events as ev
from router.core.facts import DEEDS, DEVICES, FACTS, PAGE_TYPES, SIGNS
from router.core.reasons import Reason
from router.core.rules import words
from router.core.rules.conditions import LEAVING
from router.core.rules.predicate import OPPOSITE


@pytest.mark.parametrize(
    ("reason", "ja", "en"),
    [
        (
            Reason("silence", "gte", 45_003, 45_000, "visible", "checkout since cart"),
            "カートで45秒、購入手続きに進んでいません",
            "In the cart for 45 s without starting checkout",
        ),
        (
            Reason("silence", "lt", 5000, 45_000, "wall", "checkout since cart"),
            "カートでまだ5秒です",
            "In the cart for only 5 s",
        ),
        (
            Reason("repeats.page", "gte", 3, 3, "in 600000", "/shipping"),
            "/shippingを10分以内に3回見ています",
            "Came to /shipping 3 times in 10 min",
        ),
        (
            Reason("repeats.product", "lt", 1, 3, "in 86400000", "青い茶碗"),
            "青い茶碗を見たのは24時間以内に1回だけです",
            "Came to 青い茶碗 only once in 24 h",
        ),
        (Reason("page.type", "eq", "cart", "cart"), "カートを見ています", "Looking at the cart"),
        (
            Reason("page.type", "in", "cart", "cart, checkout"),
            "ページの種類はカートです",
            "Page type: the cart",
        ),
        (
            Reason("page.type", "not_in", "home", "cart, checkout"),
            "ページの種類はトップページです（カート、購入手続きのページ以外）",
            "Page type: the home page (none of the cart, the checkout page)",
        ),
        (
            Reason("cart.value", "gte", 9600.0, 8000.0, "JPY"),
            "カートの金額は9,600円です（8,000円以上）",
            "Cart value: 9,600 JPY (at least 8,000 JPY)",
        ),
        (
            Reason("product.price", "lt", 79.5, 80.0, "EUR"),
            "商品の価格は79.50 EURです（80 EUR未満）",
            "Product price: 79.50 EUR (less than 80 EUR)",
        ),
        (
            Reason("dwell.page", "gte", 185_000, 180_000),
            "このページの閲覧時間は3分5秒です（3分以上）",
            "Time on this page: 3 min 5 s (at least 3 min)",
        ),
        (Reason("cart.lines", "eq", 2, 2), "カートの品目数は2です", "Cart lines: 2"),
        (
            Reason("checkout.started", "eq", False, False),
            "まだ購入手続きを始めていません",
            "Has not started checkout",
        ),
        (Reason("checkout.started", "ne", True, False), "購入手続きを始めています", "Has started checkout"),
        (
            Reason("coupon.refused", "gte", 2, 1, "in 120000"),
            "クーポンが使えなかったのは2分以内に2回です",
            "Had a coupon refused 2 times in 2 min",
        ),
        (
            Reason("search.empty", "lt", 0, 1, "in 60000"),
            "検索しても何も見つからなかったのは1分以内に0回だけです",
            "Found nothing by searching only 0 times in 1 min",
        ),
        (
            Reason("exit", "eq", True, True, about="pointer"),
            "ページの外へマウスを動かしました",
            "Moved the pointer out of the page",
        ),
        (
            Reason("cart.shortfall", "lte", 1200.0, 1500.0, "JPY", "10000"),
            "10,000円まであと1,200円です",
            "1,200 JPY short of 10,000 JPY",
        ),
        (
            Reason("visitor.attribute", "eq", "gold", "gold", about="plan"),
            "planはgoldです",
            "plan: gold",
        ),
        (
            Reason("visitor.attribute", "gte", 7.0, 5.0, about="points"),
            "pointsは7.0（5.0以上）です",
            "points: 7.0 (at least 5.0)",
        ),
        (
            Reason("sequence", "eq", True, True, about="product > cart_add > /shipping"),
            "商品 → カートに追加 → /shippingの順に進みました",
            "Went: a product → added to the cart → /shipping",
        ),
        (
            Reason("scroll", "gte", 0.8, 0.75),
            "ページを見た範囲は80%です（75%以上）",
            "Seen of the page: 80% (at least 75%)",
        ),
        (Reason("visit.device", "eq", "phone", "phone"), "端末はスマートフォンです", "Device: phone"),
        (Reason("payment.failed", "eq", True, True), "お支払いに失敗しました", "The payment failed"),
        (
            Reason("known", "eq", False, False, about="product.price"),
            "商品の価格がわかっていません",
            "Product price is not known",
        ),
    ],
)
def test_a_reason_reads_well(reason: Reason, ja: str, en: str) -> None:
    assert words.sentences([reason]) == {"ja": [ja], "en": [en]}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_reason_there_can_be_has_words(language: str) -> None:
    operators = [*OPPOSITE, *OPPOSITE.values()]
    reasons = [Reason(name, op, 2, 1) for name in FACTS for op in operators]
    reasons += [Reason("known", "eq", held, held, about=name) for name in FACTS for held in (True, False)]
    reasons += [
        Reason("silence", op, 1, 1, "wall", f"{of} since {since}")
        for of in DEEDS for since in DEEDS for op in ("gte", "lt")
    ]  # fmt: skip
    reasons += [Reason(name, op, 1, 1, "in 1000") for name in SIGNS for op in ("gte", "lt")]
    reasons += [Reason("exit", "eq", held, True, about=kind) for kind in LEAVING for held in (True, False)]
    reasons += [
        Reason("cart.shortfall", op, value, 5.0, "JPY", "10") for op in ("lte", "gt") for value in (1.0, None)
    ]
    reasons += [Reason("visitor.attribute", op, 2, 1, about="plan") for op in operators]
    reasons += [Reason("sequence", "eq", held, True, about=" > ".join(DEEDS)) for held in (True, False)]
    for reason in reasons:
        assert words.sentence(reason, language)
        assert "{" not in words.sentence(reason, language)


def test_the_words_cover_the_vocabulary() -> None:
    assert set(words.PAGE_TYPES) == set(PAGE_TYPES)
    assert set(words.SINCE) == set(words.WITHOUT) == set(DEEDS) == {"purchase", "coupon", *DEEDS}
    assert set(words.NAMES) == set(FACTS)
    assert set(words.COUNTED) == set(SIGNS)
    assert set(words.LEAVING) == set(LEAVING)
    assert set(words.DEVICES) == set(DEVICES)
    assert set(words.DEEDS) == set(DEEDS)
    assert set(words.FLAGS) == {name for name, fact in FACTS.items() if fact.kind == "flag"}
    assert set(DEEDS) < set(ev.KINDS)


@pytest.mark.parametrize(
    ("ms", "ja", "en"),
    [
        (0, "0秒", "0 s"),
        (999, "0秒", "0 s"),
        (59_999, "59秒", "59 s"),
        (60_000, "1分", "1 min"),
        (3_665_000, "1時間1分", "1 h 1 min"),
        (3_605_000, "1時間5秒", "1 h 5 s"),
    ],
)
def test_durations_read_well(ms: int, ja: str, en: str) -> None:
    assert (words.duration(ms, "ja"), words.duration(ms, "en")) == (ja, en)
