"""A reason as a sentence for agents, in Japanese and English. Shoppers never read these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from router.core.reasons import Reason
from router.core.units import HOUR, MINUTE, SECOND

LANGUAGES: Final = ("ja", "en")
Words = tuple[str, str]  # Japanese, English

PAGE_TYPES: Final[dict[str, Words]] = {
    "home": ("トップページ", "the home page"),
    "list": ("商品一覧", "a product list"),
    "product": ("商品ページ", "a product page"),
    "cart": ("カート", "the cart"),
    "shipping": ("配送案内のページ", "the shipping page"),
    "checkout": ("購入手続きのページ", "the checkout page"),
    "payment": ("お支払いのページ", "the payment page"),
    "thanks": ("注文完了のページ", "the thank-you page"),
    "other": ("その他のページ", "another page"),
}

# Since when: "In the cart for 45 s", "カートで45秒".
SINCE: Final[dict[str, Words]] = {
    "page": ("ページを開いて", "On the page"),
    "list": ("商品一覧を見て", "After a product list"),
    "search": ("検索して", "After a search"),
    "product": ("商品を見て", "After looking at a product"),
    "cart_add": ("カートに入れて", "After adding to the cart"),
    "cart_remove": ("カートから外して", "After removing from the cart"),
    "cart": ("カートで", "In the cart"),
    "wishlist": ("お気に入りに入れて", "After adding to the wish list"),
    "checkout": ("購入手続きを始めて", "In checkout"),
    "checkout_step": ("購入手続きの途中で", "At a checkout step"),
    "payment": ("支払いを選んで", "After choosing payment"),
    "purchase": ("注文して", "After ordering"),
    "coupon": ("クーポンを試して", "After trying a coupon"),
}

# What did not happen: "without starting checkout", "購入手続きに進んでいません".
WITHOUT: Final[dict[str, Words]] = {
    "page": ("ほかのページに移っていません", "without going to another page"),
    "list": ("商品一覧を見ていません", "without seeing a product list"),
    "search": ("検索していません", "without searching"),
    "product": ("商品を見ていません", "without looking at a product"),
    "cart_add": ("カートに何も入れていません", "without adding anything to the cart"),
    "cart_remove": ("カートから何も外していません", "without removing anything from the cart"),
    "cart": ("カートを見ていません", "without looking at the cart"),
    "wishlist": ("お気に入りに入れていません", "without adding to the wish list"),
    "checkout": ("購入手続きに進んでいません", "without starting checkout"),
    "checkout_step": ("購入手続きが進んでいません", "without completing a checkout step"),
    "payment": ("支払いに進んでいません", "without paying"),
    "purchase": ("注文していません", "without ordering"),
    "coupon": ("クーポンを試していません", "without trying a coupon"),
}

NAMES: Final[dict[str, Words]] = {
    "page.type": ("ページの種類", "Page type"),
    "page.path": ("見ているページ", "Page"),
    "page.language": ("ページの言語", "Page language"),
    "dwell.page": ("このページの閲覧時間", "Time on this page"),
    "dwell.site": ("サイトの閲覧時間", "Time on the site"),
    "product.price": ("商品の価格", "Product price"),
    "cart.value": ("カートの金額", "Cart value"),
    "cart.lines": ("カートの品目数", "Cart lines"),
    "cart.quantity": ("カートの点数", "Items in the cart"),
    "checkout.started": ("購入手続きの開始", "Checkout started"),
}

LIMITS: Final[dict[str, Words]] = {
    "gte": ("{}以上", "at least {}"),
    "gt": ("{}超", "more than {}"),
    "lte": ("{}以下", "at most {}"),
    "lt": ("{}未満", "less than {}"),
    "eq": ("{}", "{}"),
    "ne": ("{}以外", "anything but {}"),
    "in": ("{}のいずれか", "one of {}"),
    "not_in": ("{}以外", "none of {}"),
}


def sentences(reasons: Iterable[Reason]) -> dict[str, list[str]]:
    """The reasons in both languages: {"ja": [...], "en": [...]}."""
    kept = tuple(reasons)
    return {language: [sentence(reason, language) for reason in kept] for language in LANGUAGES}


def sentence(reason: Reason, language: str) -> str:
    """The reason as one sentence; any language but ja is English."""
    if reason.fact == "silence":
        return _silence(reason, language)
    if reason.fact.startswith("repeats."):
        return _repeats(reason, language)
    if reason.fact == "known":
        return _known(reason, language)
    if reason.fact == "page.type" and reason.op == "eq":
        return _say(language, "{}を見ています", "Looking at {}", _page_type(reason.value, language))
    if reason.fact == "checkout.started":
        begun = reason.value is True
        ja = "購入手続きを始めています" if begun else "まだ購入手続きを始めていません"
        return _say(language, ja, "Has started checkout" if begun else "Has not started checkout")
    return _compared(reason, language)


def _silence(reason: Reason, language: str) -> str:
    of, _, since = reason.about.partition(" since ")
    shown = duration(_ms(reason.value), language)
    begun, missing = SINCE[since], WITHOUT[of]
    if reason.op == "lt":
        return _say(language, "{}まだ{}です", "{} for only {}", _of(begun, language), shown)
    return _say(language, "{}{}、{}", "{} for {} {}", _of(begun, language), shown, _of(missing, language))


def _repeats(reason: Reason, language: str) -> str:
    window = duration(int(reason.unit.removeprefix("in ")), language)
    if reason.op == "lt":
        ja, en = "{}を見たのは{}以内に{}回だけです", "Came to {} only {} in {}"
    else:
        ja, en = "{}を{}以内に{}回見ています", "Came to {} {} in {}"
    if language == "ja":
        return ja.format(reason.about, window, reason.value)
    return en.format(reason.about, "once" if reason.value == 1 else f"{reason.value} times", window)


def _known(reason: Reason, language: str) -> str:
    name = _of(NAMES[reason.about], language)
    if reason.value:
        return _say(language, "{}がわかっています", "{} is known", name)
    return _say(language, "{}がわかっていません", "{} is not known", name)


def _compared(reason: Reason, language: str) -> str:
    name = _of(NAMES[reason.fact], language)
    value = _value(reason, reason.value, language)
    if reason.op in ("eq", "in"):
        return _say(language, "{}は{}です", "{}: {}", name, value)
    limit = _of(LIMITS[reason.op], language).format(_value(reason, reason.threshold, language))
    return _say(language, "{}は{}です（{}）", "{}: {} ({})", name, value, limit)


def _value(reason: Reason, value: Any, language: str) -> str:
    if reason.fact.startswith("dwell."):
        return duration(_ms(value), language)
    if reason.unit:
        return money(float(value), reason.unit, language)
    if reason.fact == "page.type":
        comma = _of(("、", ", "), language)
        return comma.join(_page_type(one, language) for one in str(value).split(", "))
    return str(value)


def _page_type(value: Any, language: str) -> str:
    known = PAGE_TYPES.get(str(value))
    return str(value) if known is None else _of(known, language)


def _ms(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _of(words: Words, language: str) -> str:
    return words[0] if language == "ja" else words[1]


def _say(language: str, ja: str, en: str, *parts: str) -> str:
    return _of((ja, en), language).format(*parts)


def duration(ms: int, language: str) -> str:
    """45 s, 3 min, 1 h 5 min: the two largest units, rounded down to whole seconds."""
    ja = language == "ja"
    hours, rest = divmod(ms // SECOND * SECOND, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = [
        (hours, "時間" if ja else " h"),
        (minutes, "分" if ja else " min"),
        (rest // SECOND, "秒" if ja else " s"),
    ]
    shown = [f"{count}{unit}" for count, unit in parts if count][:2]
    return ("" if ja else " ").join(shown) or ("0秒" if ja else "0 s")


def money(value: float, currency: str, language: str) -> str:
    """12,000円 and 12,000 JPY; decimals only where there are some."""
    amount = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return f"{amount}円" if currency == "JPY" and language == "ja" else f"{amount} {currency}"
