"""A texts file: what shoppers read, by kind, key and language."""

from __future__ import annotations

from typing import Final, Generic, Literal, TypeVar

from msgspec import Struct

from router.core.document import Shape
from router.core.scalars import KEY, VERSION, text
from router.core.shapes import Fields, Key, Table

Language = Literal["ja", "en"]
LANGUAGES: Final = ("ja", "en")

T = TypeVar("T")


class InviteText(Struct, frozen=True):
    """An invite, and the opening line it suggests to the agent."""

    title: str
    text: str
    accept: str
    dismiss: str
    opening: str = ""


class OfferText(Struct, frozen=True):
    """A discount code: `terms` says what it can be used for."""

    title: str
    text: str
    terms: str
    dismiss: str


class ArticleText(Struct, frozen=True):
    """A link to an article."""

    title: str
    text: str
    dismiss: str


class NoticeText(Struct, frozen=True):
    """A short text without a link."""

    title: str
    text: str
    dismiss: str


class Versions(Struct, Generic[T], frozen=True):
    """One text in the languages it has; the site's own language is always there."""

    ja: T | None = None
    en: T | None = None

    def pick(self, language: str, otherwise: str) -> T:
        """The text in the language (of any region), else in the other one, which has to be there."""
        found: T | None = getattr(self, primary(language), None)
        return found if found is not None else getattr(self, otherwise)


class Texts(Struct, frozen=True):
    """A whole texts file: key -> versions. `replies` are for agents, to be sent as they are or changed."""

    version: int
    invites: dict[str, Versions[InviteText]] = {}
    offers: dict[str, Versions[OfferText]] = {}
    articles: dict[str, Versions[ArticleText]] = {}
    notices: dict[str, Versions[NoticeText]] = {}
    replies: dict[str, Versions[str]] = {}


def primary(language: str) -> str:
    """`ja` of `ja-JP`; an unknown language is left to the caller's otherwise."""
    subtag = language.partition("-")[0].lower()
    return subtag if subtag in LANGUAGES else ""


TITLE: Final = text("a title of at most 40 characters", 40)
BODY: Final = text("a text of at most 160 characters", 160)
BUTTON: Final = text("a button's text of at most 24 characters", 24)
REPLY: Final = text("a reply of at most 1,000 characters", 1000)
OPENING: Final = text("an opening line of at most 300 characters", 300)


def _versions(what: str, shape: Shape[T], language: str) -> Fields[Versions[T]]:
    keys = {name: Key(shape, required=name == language) for name in LANGUAGES}
    return Fields(f"{what}'s languages", Versions[T], keys)


def texts_file(language: str) -> Fields[Texts]:
    """The form of a texts file whose texts all have to be there in this language."""
    common = {"title": Key(TITLE, required=True), "text": Key(BODY, required=True)}
    dismiss = {"dismiss": Key(BUTTON, required=True)}
    invite = Fields(
        "an invite's text",
        InviteText,
        {**common, "accept": Key(BUTTON, required=True), **dismiss, "opening": Key(OPENING)},
    )
    offer = Fields("an offer's text", OfferText, {**common, "terms": Key(BODY, required=True), **dismiss})
    article = Fields("an article's text", ArticleText, {**common, **dismiss})
    notice = Fields("a notice's text", NoticeText, {**common, **dismiss})
    return Fields(
        "a texts file",
        Texts,
        {
            "version": Key(VERSION, required=True),
            "invites": Key(Table("texts of invites", KEY, _versions("an invite", invite, language))),
            "offers": Key(Table("texts of offers", KEY, _versions("an offer", offer, language))),
            "articles": Key(Table("texts of articles", KEY, _versions("an article", article, language))),
            "notices": Key(Table("texts of notices", KEY, _versions("a notice", notice, language))),
            "replies": Key(Table("replies of agents", KEY, _versions("a reply", REPLY, language))),
        },
    )
