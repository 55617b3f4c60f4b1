"""A rule as a sentence that a shop manager understands, in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from router.core.facts import FACTS
from router.core.reasons import Reason
from router.core.rules import words
from router.core.rules.model import (
    Action,
    All,
    AnyOf,
    Attribute,
    Available,
    Compare,
    Condition,
    Dates,
    Entry,
    GiveOffer,
    Invite,
    Known,
    Leaving,
    Not,
    Notice,
    Open,
    Repeats,
    Sequence,
    Shortfall,
    ShowArticle,
    Signs,
    Silence,
)  # fmt: skip
from router.core.rules.words import DEEDS, LANGUAGES, LEAVING, LIMITS, NAMES, SINCE, WITHOUT, duration, money

THINGS: Final = {
    "page": ("同じページ", "the same page"),
    "product": ("同じ商品", "the same product"),
    "category": ("同じカテゴリーの商品", "products of one category"),
}
Queues = Mapping[str, Mapping[str, str]]


def sentence(entry: Entry, queues: Queues) -> dict[str, str]:
    """{ja, en}: when what is shown. `queues`: the names of the site's queues by id and language."""
    return {language: _Speaker(language, queues).rule(entry) for language in LANGUAGES}


class _Speaker:
    """Says things in one language."""

    def __init__(self, language: str, queues: Queues) -> None:
        self.ja = language == "ja"
        self.language = language
        self.queues = queues

    def of(self, pair: tuple[str, str]) -> str:
        return pair[0] if self.ja else pair[1]

    def rule(self, entry: Entry) -> str:
        when, then = self.condition(entry.when), self.actions(entry.then)
        return f"{when}の場合、{then}。" if self.ja else f"When {when}: {then}."

    def actions(self, actions: tuple[Action, ...]) -> str:
        first, *others = map(self.action, actions)
        if not others:
            return first
        joined = "、".join(others) if self.ja else ", or ".join(others)
        return (
            f"{first}（できないときは{joined}）" if self.ja else f"{first}, or, if that cannot be, {joined}"
        )

    def action(self, action: Action) -> str:
        match action:
            case Invite():
                name = self.queue(action.queue)
                return f"『{name}』のチャットに招く" if self.ja else f"invite to a chat ({name})"
            case GiveOffer():
                return (
                    f"割引コード『{action.offer}』を出す"
                    if self.ja
                    else f"give the discount code {action.offer}"
                )
            case ShowArticle():
                return f"案内『{action.article}』を出す" if self.ja else f"show the article {action.article}"
            case Notice():
                return f"お知らせ『{action.text}』を出す" if self.ja else f"show the notice {action.text}"

    def queue(self, name: str) -> str:
        return self.queues.get(name, {}).get(self.language, name)

    # --- conditions ----------------------------------------------------------------------------------------------

    def condition(self, condition: Condition) -> str:
        match condition:
            case All():
                return self.joined(condition.parts, "かつ", " and ")
            case AnyOf():
                return f"（{self.joined(condition.parts, 'または', ' or ')}）"
            case Not():
                inner = self.condition(condition.part)
                return f"{inner}ではない" if self.ja else f"not ({inner})"
        said = self.leaf(condition)
        return f"「{said}」" if self.ja else said

    def leaf(self, condition: Condition) -> str:
        match condition:
            case Compare():
                return self.compared(condition)
            case Silence():
                return self.silence(condition)
            case Repeats() | Signs():
                return self.counted(condition)
        return self.special(condition)

    def joined(self, parts: tuple[Condition, ...], ja: str, en: str) -> str:
        return (ja if self.ja else en).join(map(self.condition, parts))

    def compared(self, condition: Compare) -> str:
        kind = FACTS[condition.fact].kind
        if kind == "flag":
            return words.sentence(Reason(condition.fact, "eq", condition.value is True, True), self.language)
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        shown = ("か" if self.ja else " or ").join(self.value(condition, value) for value in values)
        name = self.of(NAMES[condition.fact])
        if condition.op in ("eq", "in"):
            return f"{name}が{shown}" if self.ja else f"{_small(name)} is {shown}"
        limit = self.of(LIMITS[condition.op]).format(shown)
        return f"{name}が{limit}" if self.ja else f"{_small(name)} is {limit}"

    def value(self, condition: Compare, value: Any) -> str:
        return words.written(
            Reason(condition.fact, condition.op, None, None, condition.unit), value, self.language
        )

    def silence(self, condition: Silence) -> str:
        shown = duration(condition.for_ms, self.language)
        begun, missing = self.of(SINCE[condition.since]), self.of(WITHOUT[condition.of])
        return f"{begun}{shown}、{missing}" if self.ja else f"{_small(begun)} for {shown} {missing}"

    def counted(self, condition: Repeats | Signs) -> str:
        window = duration(condition.window_ms, self.language)
        if isinstance(condition, Signs):
            what = self.of(words.COUNTED[condition.of])
            if self.ja:
                return f"{what}が{window}以内に{condition.count}回以上"
            return f"{_small(what)} at least {_times(condition.count)} in {window}"
        thing = condition.path or self.of(THINGS[condition.of])
        if self.ja:
            return f"{thing}を{window}以内に{condition.count}回以上見た"
        return f"{thing} was seen at least {_times(condition.count)} in {window}"

    def special(self, condition: Condition) -> str:
        match condition:
            case Leaving():
                return _small(self.of(LEAVING[condition.kind]))
            case Shortfall():
                most, to = (
                    money(value, condition.unit, self.language) for value in (condition.most, condition.to)
                )
                return (
                    f"カートが{to}まであと{most}以内"
                    if self.ja
                    else f"the cart is {most} or less short of {to}"
                )
            case Attribute():
                limit = self.of(LIMITS[condition.op]).format(condition.value)
                return f"{condition.name}が{limit}" if self.ja else f"{condition.name} is {limit}"
            case Known():
                name = self.of(NAMES[condition.fact])
                return f"{name}がわかっている" if self.ja else f"{_small(name)} is known"
            case Sequence():
                return self.sequence(condition)
            case Open():
                return self.opened(condition)
            case Available():
                return self.available(condition)
            case Dates():
                return self.dates(condition)
        raise AssertionError(condition)

    def sequence(self, condition: Sequence) -> str:
        way = " → ".join(step.path or self.of(DEEDS[step.kind]) for step in condition.steps)
        within = duration(condition.within_ms, self.language)
        without = "、".join(self.of(WITHOUT[kind]) for kind in condition.without)
        if self.ja:
            return f"{within}以内に{way}の順に進んだ" + (f"（{without}）" if without else "")
        return f"went {way} within {within}" + (f" ({without})" if without else "")

    def opened(self, condition: Open) -> str:
        if condition.queue:
            name = self.queue(condition.queue)
            return f"『{name}』の受付時間内" if self.ja else f"{name} is open"
        return "決められた曜日と時間" if self.ja else "it is one of the hours named"

    def available(self, condition: Available) -> str:
        name = self.queue(condition.queue)
        if condition.of == "free":
            return (
                f"『{name}』に空きが{condition.value}以上"
                if self.ja
                else f"{name} has {condition.value} free or more"
            )
        wait = duration(condition.value, self.language)
        return f"『{name}』の待ち時間が{wait}以内" if self.ja else f"{name} answers within {wait}"

    def dates(self, condition: Dates) -> str:
        begin, end = (
            None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            for ms in (condition.from_ms, condition.until_ms)
        )
        if self.ja:
            return "".join([f"{begin}から" if begin else "", f"{end}まで" if end else ""])
        return " ".join([f"from {begin}" if begin else "", f"until {end}" if end else ""]).strip()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _small(text: str) -> str:
    """As it stands within a sentence."""
    return text[:1].lower() + text[1:]
