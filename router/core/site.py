"""The site file as data: each shop's origins, queues, offers, articles, rules and texts.

Loading takes a function that reads a file, so that nothing here touches a disk; all faults of the site file
and of the files it names come in one FileErrors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from router.core import units
from router.core.document import Document, Fault, FileErrors, Shape, attempt
from router.core.queue import NAME, Break, Queue, id_of, named, queue_form
from router.core.rules import form
from router.core.rules.compile import RuleSet
from router.core.rules.conditions import Names
from router.core.rules.model import Action, GiveOffer, Invite, Notice, ShowArticle
from router.core.scalars import FLAG, ID, KEY, VERSION, length, pattern, text, whole, written
from router.core.shapes import Choice, Fields, Key, ListOf, Placed, Placing, Table
from router.core.texts import LANGUAGES, Language, Texts, texts_file

T = TypeVar("T")
Reader = Callable[[str], str]
Consent = Literal["required", "notice"]


class Offer(Struct, frozen=True):
    """A campaign: `percent` (5.0 is 5 %) off with a code that lives `expires_ms`; `budget` codes in all, of which an
    agent may give `agent_budget` a day.
    """

    percent: float
    expires_ms: int
    budget: int
    text: str
    agent_budget: int = 0


class Article(Struct, frozen=True):
    """A page of help."""

    url: str
    text: str


class Site(Struct, frozen=True):
    """One shop."""

    id: str
    name: str
    origins: tuple[str, ...]
    currency: str
    language: Language
    consent: Consent
    queues: dict[str, Queue]
    offers: dict[str, Offer]
    articles: dict[str, Article]
    texts: Texts
    rules: RuleSet
    webhooks: dict[str, str] = {}
    rules_file: str = ""
    texts_file: str = ""
    breaks: tuple[Break, ...] = ()
    admin: dict[str, str] = {}
    picture: str = ""
    sneak_peek: bool = False

    def content(self, action: Action, language: str) -> dict[str, Any]:
        """The texts of a decision, as "Content of show" in docs/protocol.md wants them, in the language (or
        one of its regions), else in the site's. The `code` and `expires_at_ms` of an offer are added when it
        is reserved.
        """
        match action:
            case Invite():
                invite = self.texts.invites[action.message].pick(language, self.language)
                return {key: getattr(invite, key) for key in ("title", "text", "accept", "dismiss")}
            case GiveOffer():
                offer = self.texts.offers[self.offers[action.offer].text]
                return msgspec.structs.asdict(offer.pick(language, self.language))
            case ShowArticle():
                article = self.articles[action.article]
                found = self.texts.articles[article.text].pick(language, self.language)
                return {**msgspec.structs.asdict(found), "url": article.url}

            case Notice():
                notice = self.texts.notices[action.text].pick(language, self.language)
                return msgspec.structs.asdict(notice)

    @property
    def names(self) -> Names:
        """The names that this site's rules may use."""
        hours = {name: queue.hours for name, queue in self.queues.items()}
        texts = self.texts
        return Names(
            self.currency, hours, self.offers, self.articles, texts.invites, texts.notices, self.webhooks
        )

    def opening(self, action: Action) -> dict[str, str] | None:
        """The opening line that an invite suggests to the agent, as {ja, en}; None if it suggests none."""
        if not isinstance(action, Invite):
            return None
        versions = self.texts.invites[action.message]
        lines = {name: versions.pick(name, self.language).opening for name in LANGUAGES}
        own = lines[self.language]
        return {name: line or own for name, line in lines.items()} if own else None


# --- the form ----------------------------------------------------------------------------------------------


class _OfferEntry(Struct, frozen=True):
    percent: float
    expires_ms: int
    budget: int
    text: Placed[str]
    agent_budget: int = 0

    def settled(self) -> Offer:
        return Offer(self.percent, self.expires_ms, self.budget, self.text.value, self.agent_budget)


class _ArticleEntry(Struct, frozen=True):
    url: str
    text: Placed[str]

    def settled(self) -> Article:
        return Article(self.url, self.text.value)


class _Entry(Struct, frozen=True):
    """A site as written, before the files it names are read."""

    name: str
    origins: tuple[str, ...]
    currency: str
    language: Language
    consent: Consent
    rules: Placed[str]
    texts: Placed[str]
    queues: Placed[dict[str, Queue]]
    offers: dict[str, _OfferEntry] = {}
    articles: dict[str, _ArticleEntry] = {}
    webhooks: dict[str, str] = {}
    breaks: tuple[Break, ...] = ()
    admin: dict[str, str] = {}
    picture: str = ""
    sneak_peek: bool = False


class _File(Struct, frozen=True):
    version: int
    sites: dict[str, _Entry]


def _percent(value: str) -> float:
    percent = units.percent(value)
    if not percent:
        raise ValueError(value)
    return percent


ORIGIN: Final = pattern(
    "an origin such as `https://shop.example`, without a path", r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", 200
)
CURRENCY: Final = pattern("an ISO 4217 code such as `JPY`", "[A-Z]{3}")
URL: Final = pattern(
    "an address such as `/help/sizes` or `https://shop.example/help`", r"(https?:/|)/[^/\s]\S*", 300
)
PICTURE: Final = pattern(
    "an address with {product} in it, `https://...` or on this service `/...`",
    r"(https:/|)/[^/\s]\S*\{product\}\S*",
    300,
)
ADMIN: Final = ("order", "product", "customer")
WEBHOOK: Final = pattern(
    "an https address such as `https://crm.shop.example/router` (http only on this machine)",
    r"(https://|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?/)\S+",
    300,
)
FILE: Final = text("the name of a file beside this one", 200)
EXPIRES: Final = length("a duration from 1m to 90d such as `30m`", units.MINUTE, 90 * units.DAY)
PERCENT: Final = written("a percentage above 0% such as `5%`", units.PERCENT, _percent)


def _sites_file() -> Fields[_File]:
    return Fields(
        "a site file",
        _File,
        {
            "version": Key(VERSION, required=True),
            "sites": Key(Table("sites by id", ID, _site()), required=True),
        },
    )


def _admin() -> Fields[dict[str, str]]:
    """Addresses in the shop's own admin, with `{order}`, `{product}` or `{customer}` where the number goes."""
    what = "an https address with {%s} in it"
    links = {name: pattern(what % name, rf"https://\S*\{{{name}\}}\S*", 300) for name in ADMIN}
    return Fields("links into the shop's admin", dict, {name: Key(link) for name, link in links.items()})


def _site() -> Fields[_Entry]:
    offer = {
        "percent": Key(PERCENT, required=True),
        "expires": Key(EXPIRES, required=True, name="expires_ms"),
        "budget": Key(whole(1, 1_000_000), required=True),
        "text": Key(Placing(KEY), required=True),
        "agent_budget": Key(whole(0, 1_000)),
    }
    article = {"url": Key(URL, required=True), "text": Key(Placing(KEY), required=True)}
    return Fields(
        "a site",
        _Entry,
        {
            "name": Key(NAME, required=True),
            "origins": Key(ListOf("a list of origins", ORIGIN, key=str), required=True),
            "currency": Key(CURRENCY, required=True),
            "language": Key(Choice("a language", LANGUAGES), required=True),
            "consent": Key(Choice("a consent setting", ("required", "notice")), required=True),
            "rules": Key(Placing(FILE), required=True),
            "texts": Key(Placing(FILE), required=True),
            "queues": Key(Placing(Table("queues by id", ID, queue_form())), required=True),
            "offers": Key(Table("offers by id", ID, Fields("an offer", _OfferEntry, offer))),
            "webhooks": Key(Table("webhooks by name", ID, WEBHOOK)),
            "articles": Key(Table("articles by id", ID, Fields("an article", _ArticleEntry, article))),
            "admin": Key(_admin()),
            "picture": Key(PICTURE),
            "sneak_peek": Key(FLAG),
            "breaks": Key(ListOf("a list of breaks", named("a break", Break), 16, id_of)),
        },
    )


# --- loading -----------------------------------------------------------------------------------------------


def load_sites(file: str, read: Reader) -> dict[str, Site]:
    """The sites of a file, by id; `read` gives the text of a file by name.

    Other files are named relative to this one. Raises FileErrors with every fault of all of them.
    """
    doc = Document(file)
    try:
        found = attempt(doc, read(file), _sites_file())
    except (OSError, UnicodeDecodeError) as error:
        raise FileErrors([Fault(file, 1, 1, f"cannot be read: {error}")]) from None
    faults: list[Fault] = []
    sites = {}
    for site_id, entry in found.sites.items() if found else ():
        site = _Loading(doc, read, faults).site(site_id, entry)
        if site is not None:
            sites[site_id] = site
    faults += doc.faults
    if faults:
        raise FileErrors(faults)
    return sites


class _Loading:
    """One site while the files it names are read; their faults are gathered in `faults`."""

    def __init__(self, doc: Document, read: Reader, faults: list[Fault]) -> None:
        self.doc, self.read, self.faults = doc, read, faults

    def site(self, site_id: str, entry: _Entry) -> Site | None:
        texts = self.other(entry.texts, texts_file(entry.language))
        if texts is not None:
            self.known(entry.offers, texts.offers, "a text of an offer")
            self.known(entry.articles, texts.articles, "a text of an article")
        self.overflows(entry)
        messages, notices = (None, None) if texts is None else (texts.invites, texts.notices)
        queues = {name: queue.hours for name, queue in entry.queues.value.items()}
        names = Names(entry.currency, queues, entry.offers, entry.articles, messages, notices, entry.webhooks)
        rules = self.other(entry.rules, form.rules_file(names))
        if texts is None or rules is None:
            return None
        return Site(
            id=site_id,
            name=entry.name,
            origins=entry.origins,
            currency=entry.currency,
            language=entry.language,
            consent=entry.consent,
            queues=entry.queues.value,
            offers={key: offer.settled() for key, offer in entry.offers.items()},
            articles={key: article.settled() for key, article in entry.articles.items()},
            texts=texts,
            rules=RuleSet(rules),
            webhooks=entry.webhooks,
            rules_file=self.path(entry.rules),
            texts_file=self.path(entry.texts),
            breaks=entry.breaks,
            admin=entry.admin,
            picture=entry.picture,
            sneak_peek=entry.sneak_peek,
        )

    def overflows(self, entry: _Entry) -> None:
        """Note every overflow to a queue that the site does not have."""
        queues = entry.queues.value
        for overflow in filter(None, (queue.overflow for queue in queues.values())):
            for to in overflow.to:
                if to not in queues:
                    self.doc.unknown(entry.queues.node, "a queue to overflow to", to, queues.keys())

    def known(
        self, entries: Mapping[str, _OfferEntry | _ArticleEntry], texts: Mapping[str, object], what: str
    ) -> None:
        """Note every entry whose text is not in the texts file."""
        for entry in entries.values():
            if entry.text.value not in texts:
                self.doc.unknown(entry.text.node, what, entry.text.value, texts.keys())

    def path(self, name: Placed[str]) -> str:
        """Where a file lies that the site file names."""
        return str(PurePath(self.doc.file).parent / name.value)

    def other(self, name: Placed[str], shape: Shape[T]) -> T | None:
        """A file that the site file names; None if it is faulty."""
        path = self.path(name)
        other = Document(path)
        try:
            value = attempt(other, self.read(path), shape)
        except (OSError, UnicodeDecodeError) as error:
            self.doc.fault(name.node, f"'{name.value}' cannot be read: {error}")
            return None
        self.faults += other.faults
        return None if other.faults else value
