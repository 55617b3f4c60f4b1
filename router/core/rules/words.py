"""A reason as a sentence for agents, in Japanese and English. Shoppers never read these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from router.core.caps import CapUse
from router.core.facts import FACTS
from router.core.reasons import Reason
from router.core.units import DAY, HOUR, MINUTE, SECOND

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

# A step of a sequence: "a product → the cart", "商品 → カート".
DEEDS: Final[dict[str, Words]] = {
    "page": ("ページ", "a page"),
    "list": ("商品一覧", "a list"),
    "search": ("検索", "a search"),
    "product": ("商品", "a product"),
    "cart_add": ("カートに追加", "added to the cart"),
    "cart_remove": ("カートから削除", "removed from the cart"),
    "cart": ("カート", "the cart"),
    "wishlist": ("お気に入り", "the wish list"),
    "checkout": ("購入手続き", "checkout"),
    "checkout_step": ("購入手続きの段階", "a checkout step"),
    "payment": ("お支払い", "payment"),
    "purchase": ("注文", "an order"),
    "coupon": ("クーポン", "a coupon"),
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
    "scroll": ("ページを見た範囲", "Seen of the page"),
    "idle": ("操作のない時間", "Time without input"),
    "struggle.time": ("入力にかかった時間", "Time in one form field"),
    "struggle.edits": ("入力のやり直し", "Corrections in one form field"),
    "product.category": ("商品のカテゴリー", "Product category"),
    "cart.edits": ("カートの変更回数", "Changes of the cart"),
    "cart.removed": ("カートから外した点数", "Items taken out of the cart"),
    "cart.age": ("カートに入れてからの時間", "Age of the cart"),
    "cart.last_added": ("最後にカートに入れてからの時間", "Time since the last item was added"),
    "checkout.step": ("購入手続きの段階", "Checkout step"),
    "payment.failed": ("お支払いの失敗", "Payment failed"),
    "visit.number": ("訪問回数", "Visit number"),
    "visit.referrer": ("参照元", "Referrer"),
    "visit.landing": ("最初に見たページ", "Landing page"),
    "visit.source": ("流入元", "Source"),
    "visit.medium": ("流入の種類", "Medium"),
    "visit.campaign": ("キャンペーン", "Campaign"),
    "visit.device": ("端末", "Device"),
    "visit.country": ("国", "Country"),
    "visitor.returning": ("再訪", "Returning"),
    "visitor.orders": ("これまでの注文数", "Orders so far"),
    "visitor.tier": ("会員ランク", "Loyalty tier"),
    "score": ("スコア", "Score"),
    "offers.seen": ("このサイト訪問での案内の回数", "Shown in this session"),
}

# Flags as sentences: (true, false), each Japanese and English.
FLAGS: Final[dict[str, tuple[Words, Words]]] = {
    "checkout.started": (
        ("購入手続きを始めています", "Has started checkout"),
        ("まだ購入手続きを始めていません", "Has not started checkout"),
    ),
    "payment.failed": (
        ("お支払いに失敗しました", "The payment failed"),
        ("お支払いは失敗していません", "No payment failed"),
    ),
    "visitor.returning": (
        ("再訪のお客様です", "Has been here before"),
        ("初めてのお客様です", "Is here for the first time"),
    ),
}

DEVICES: Final[dict[str, Words]] = {
    "phone": ("スマートフォン", "phone"),
    "tablet": ("タブレット", "tablet"),
    "desktop": ("パソコン", "desktop"),
}

# What is counted: "Tried a coupon 2 times in 5 min", "クーポンを試したのは5分以内に2回です".
COUNTED: Final[dict[str, Words]] = {
    "search.count": ("検索したの", "Searched"),
    "search.empty": ("検索しても何も見つからなかったの", "Found nothing by searching"),
    "coupon.tried": ("クーポンを試したの", "Tried a coupon"),
    "coupon.refused": ("クーポンが使えなかったの", "Had a coupon refused"),
    "friction.rage": ("同じ場所を何度もクリックしたの", "Clicked angrily"),
    "friction.dead": ("反応のない場所をクリックしたの", "Clicked where nothing happened"),
    "friction.errors": ("ページでエラーが起きたの", "Met an error on a page"),
    "friction.requests": ("通信に失敗したの", "Met a failed request"),
}

LEAVING: Final[dict[str, Words]] = {
    "pointer": ("ページの外へマウスを動かしました", "Moved the pointer out of the page"),
    "tab": ("別のタブに移りました", "Went to another tab"),
    "scroll": ("急いで上へスクロールしました", "Scrolled up in a hurry"),
    "return": ("別のタブから戻りました", "Came back from another tab"),
    "idle": ("操作が止まっています", "Has stopped doing anything"),
}
NOT_LEAVING: Final[Words] = ("離れるそぶりはありません", "Shows no sign of leaving")

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
    if reason.fact in FLAGS:
        return _of(FLAGS[reason.fact][not reason.value], language)
    if reason.fact in COUNTED:
        return _counted(reason, language)
    special = _SPECIAL.get(reason.fact)
    return special(reason, language) if special else _compared(reason, language)


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
    return en.format(reason.about, _times(reason.value), window)


def _times(count: Any) -> str:
    return "once" if count == 1 else f"{count} times"


def _counted(reason: Reason, language: str) -> str:
    window = duration(int(reason.unit.removeprefix("in ")), language)
    what, only = _of(COUNTED[reason.fact], language), reason.op == "lt"
    if language == "ja":
        return f"{what}は{window}以内に{reason.value}回{'だけ' if only else ''}です"
    return f"{what} {'only ' if only else ''}{_times(reason.value)} in {window}"


def _leaving(reason: Reason, language: str) -> str:
    return _of(LEAVING[reason.about] if reason.value else NOT_LEAVING, language)


def _shortfall(reason: Reason, language: str) -> str:
    missing, to = (money(float(value or 0), reason.unit, language) for value in (reason.value, reason.about))
    if reason.op == "gt":
        return _say(language, "{}まで、あとわずかではありません", "Not close to {}", to)
    return _say(language, "{}まであと{}です", "{1} short of {0}", to, missing)


def _attribute(reason: Reason, language: str) -> str:
    value, limit = str(reason.value), _of(LIMITS[reason.op], language).format(reason.threshold)
    shown = value if reason.op == "eq" else _say(language, "{}（{}）", "{} ({})", value, limit)
    return _say(language, "{}は{}です", "{}: {}", reason.about, shown)


def _sequence(reason: Reason, language: str) -> str:
    steps = (_of(DEEDS.get(step, (step, step)), language) for step in reason.about.split(" > "))
    way = " → ".join(steps)
    if reason.value:
        return _say(language, "{}の順に進みました", "Went: {}", way)
    return _say(language, "{}の順には進んでいません", "Did not go: {}", way)


def _known(reason: Reason, language: str) -> str:
    name = _of(NAMES[reason.about], language)
    if reason.value:
        return _say(language, "{}がわかっています", "{} is known", name)
    return _say(language, "{}がわかっていません", "{} is not known", name)


def _compared(reason: Reason, language: str) -> str:
    name = _of(NAMES[reason.fact], language)
    value = written(reason, reason.value, language)
    if reason.op in ("eq", "in"):
        return _say(language, "{}は{}です", "{}: {}", name, value)
    limit = _of(LIMITS[reason.op], language).format(written(reason, reason.threshold, language))
    return _say(language, "{}は{}です（{}）", "{}: {} ({})", name, value, limit)


def written(reason: Reason, value: Any, language: str) -> str:
    """A value of the reason's fact as people write it."""
    kind = FACTS[reason.fact].kind
    if kind == "duration":
        return duration(_ms(value), language)
    if kind == "ratio":
        return f"{float(value or 0):.0%}"
    if kind == "device":
        return _of(DEVICES.get(str(value), (str(value), str(value))), language)
    if reason.unit:
        return money(float(value), reason.unit, language)
    if reason.fact == "page.type":
        comma = _of(("、", ", "), language)
        return comma.join(_page_type(one, language) for one in str(value).split(", "))
    return str(value)


def _page_type(value: Any, language: str) -> str:
    known = PAGE_TYPES.get(str(value))
    return str(value) if known is None else _of(known, language)


_SPECIAL: Final[dict[str, Callable[[Reason, str], str]]] = {
    "exit": _leaving,
    "cart.shortfall": _shortfall,
    "visitor.attribute": _attribute,
    "sequence": _sequence,
}


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


def cap(use: CapUse, now: int, language: str) -> str:
    """How much of a cap is used: "by all rules, for this visitor in 7 d: 3 of 3; one more in 2 h"."""
    whose = _of(
        ("このルール", "by this rule") if use.scope == "rule" else ("全ルール", "by all rules"), language
    )
    where = _of(("この訪問", "in this visit"), language)
    if use.window_ms is not None:
        where = _say(language, "このお客様に{}で", "for this visitor in {}", _window(use.window_ms, language))
    said = _say(language, "{}・{}：{}／{}回", "{}, {}: {} of {}", whose, where, str(use.used), str(use.most))
    if use.frees_at is None:
        return said
    return said + _say(language, "（あと{}で1回）", "; one more in {}", _window(use.frees_at - now, language))


def _window(ms: int, language: str) -> str:
    """A duration of days is told in days."""
    return _say(language, "{}日", "{} d", str(ms // DAY)) if ms >= 2 * DAY else duration(ms, language)


def money(value: float, currency: str, language: str) -> str:
    """12,000円 and 12,000 JPY; decimals only where there are some."""
    amount = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return f"{amount}円" if currency == "JPY" and language == "ja" else f"{amount} {currency}"
