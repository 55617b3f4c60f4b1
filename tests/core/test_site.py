"""Site files: what a shop is made of, checked together with the rules and texts it names."""

# ruff: noqa: E501  (a fault is one line)

from __future__ import annotations

from pathlib import Path

import pytest

from router.core import site as site_module
from router.core.document import FileErrors
from router.core.queue import Overflow, Relaxation
from router.core.rules.model import GiveOffer, Invite, ShowArticle
from router.core.site import Site, load_sites
from router.core.units import HOUR

DEMO = Path(site_module.__file__).parents[1] / "demo" / "site.yaml"

SITE = """version: 1
sites:
  shop:
    name: Shop
    origins: [https://shop.example, 'http://127.0.0.1:8000']
    currency: JPY
    language: ja
    consent: required
    rules: rules.yaml
    texts: texts.yaml
    queues:
      help:
        name: {ja: 係, en: Help}
        dispositions: [{id: done, name: {ja: 済, en: Done}}]
    offers:
      welcome: {percent: 2.5%, expires: 30m, budget: 10, text: hello}
    articles:
      sizes: {url: /sizes, text: sizes}
"""
RULES = """version: 1
rules:
- id: a
  when: {cart.value: {gte: 1 JPY}}
  then: [invite: {queue: help, message: hi}, offer: welcome, article: sizes]
"""
TEXTS = """version: 1
invites:
  hi:
    ja: {title: 題, text: 文, accept: はい, dismiss: いいえ, opening: ようこそ}
    en: {title: Title, text: Text, accept: Yes, dismiss: No}
  bye:
    ja: {title: 題, text: 文, accept: はい, dismiss: いいえ}
offers:
  hello:
    ja: {title: 割引, text: どうぞ, terms: 一回, dismiss: 閉じる}
    en: {title: Off, text: Here, terms: Once, dismiss: Close}
articles:
  sizes:
    ja: {title: 大きさ, text: めやす, dismiss: 閉じる}
"""
FILES = {"conf/site.yaml": SITE, "conf/rules.yaml": RULES, "conf/texts.yaml": TEXTS}


def load(**changes: tuple[str, str]) -> dict[str, Site]:
    """The files with one replacement each."""
    files = dict(FILES)
    for name, (old, new) in changes.items():
        path = f"conf/{name}.yaml"
        assert old in files[path]
        files[path] = files[path].replace(old, new)

    def read(name: str) -> str:
        if name not in files:
            raise FileNotFoundError(2, "No such file", name)
        return files[name]

    return load_sites("conf/site.yaml", read)


def faults(**changes: tuple[str, str]) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        load(**changes)
    return str(caught.value).splitlines()


def test_a_site_is_what_its_file_says() -> None:
    site = load()["shop"]
    assert (site.id, site.name, site.currency, site.language) == ("shop", "Shop", "JPY", "ja")
    assert site.consent == "required"
    assert site.origins == ("https://shop.example", "http://127.0.0.1:8000")
    queue = site.queues["help"]
    assert (queue.ring_ms, queue.wrap_up_ms, queue.name.ja) == (20_000, 30_000, "係")
    found = queue.disposition("done")
    assert found is not None
    assert found.name.en == "Done"
    assert queue.disposition("undone") is None
    offer = site.offers["welcome"]
    assert (offer.percent, offer.expires_ms, offer.budget) == (2.5, 1_800_000, 10)
    assert [rule.id for rule in site.rules.rules] == ["a"]


DISPOSITIONS = "        dispositions: [{id: done, name: {ja: 済, en: Done}}]\n"
WAITING = """        level: 3
        priority: 60s
        relax: [{after: 30s, drop: style}, {after: 60s, level: 2}]
        overflow: {after: 45s, to: [other]}
        service_level: {share: 90%, within: 30s}
        reply_within: 8h
        tags: [{id: gift, name: {ja: 贈, en: Gift}}]
        fields: [{id: order, name: {ja: 番号, en: Order}, required: true}, {id: more, name: {ja: 他, en: More}}]
      other:
        name: {ja: 他, en: Other}
"""


def test_a_queue_says_how_it_waits_and_a_site_its_breaks() -> None:
    breaks = "    breaks: [{id: lunch, name: {ja: 昼休み, en: Lunch}}]\n    offers:\n"
    text = SITE.replace(DISPOSITIONS, DISPOSITIONS + WAITING + DISPOSITIONS)
    site = load(site=(SITE, text.replace("    offers:\n", breaks)))["shop"]
    queue = site.queues["help"]
    assert (queue.level, queue.priority_ms) == (3, 60_000)
    assert queue.relax == (Relaxation(30_000, drop="style"), Relaxation(60_000, level=2))
    assert queue.overflow == Overflow(45_000, ("other",))
    assert (queue.service_level.share, queue.service_level.within_ms) == (0.9, 30_000)
    assert (queue.reply_ms, site.queues["other"].reply_ms) == (8 * HOUR, 24 * HOUR)
    assert [tag.id for tag in queue.tags] == ["gift"]
    assert [(field.id, field.required) for field in queue.fields] == [("order", True), ("more", False)]
    plain = site.queues["other"].service_level
    assert (plain.share, plain.within_ms) == (0.8, 20_000)
    assert [one.id for one in site.breaks] == ["lunch"]


def test_a_site_may_link_into_its_own_admin() -> None:
    def linked(links: str) -> tuple[str, str]:
        return (SITE, SITE.replace("    offers:\n", f"    admin: {links}\n    offers:\n"))

    assert load()["shop"].admin == {}
    address = "https://admin.shop.example/orders/{order}"
    assert load(site=linked(f'{{order: "{address}"}}'))["shop"].admin == {"order": address}
    with pytest.raises(FileErrors, match=r"expected an https address with \{product\} in it"):
        load(site=linked('{product: "https://admin.shop.example/"}'))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("relax: [{after: 30s, drop: ja}]", "a language is never dropped"),
        ("relax: [{after: 30s, level: 6}]", "a whole number from 1 to 5"),
        ("overflow: {after: 45s, to: [nowhere]}", "'nowhere'"),
    ],
)
def test_a_queue_neither_drops_languages_nor_overflows_to_nowhere(line: str, found: str) -> None:
    (fault,) = faults(site=(DISPOSITIONS, f"{DISPOSITIONS}        {line}\n"))
    assert found in fault


def test_content_is_in_the_shoppers_language_else_in_the_sites() -> None:
    site = load()["shop"]
    invite = Invite("help", (), "hi")
    english = {"title": "Title", "text": "Text", "accept": "Yes", "dismiss": "No"}
    assert site.content(invite, "en") == english
    assert site.content(invite, "en-GB") == english
    for language in ("ja", "ja-JP", "fr", ""):
        assert site.content(invite, language)["title"] == "題"
    assert site.content(Invite("help", (), "bye"), "en")["title"] == "題"
    assert site.content(GiveOffer("welcome"), "en") == {
        "title": "Off", "text": "Here", "terms": "Once", "dismiss": "Close",
    }  # fmt: skip
    assert site.content(ShowArticle("sizes"), "en") == {
        "title": "大きさ", "text": "めやす", "dismiss": "閉じる", "url": "/sizes",
    }  # fmt: skip


def test_an_opening_line_is_suggested_in_both_languages_or_not_at_all() -> None:
    site = load()["shop"]
    assert site.opening(Invite("help", (), "hi")) == {"ja": "ようこそ", "en": "ようこそ"}
    assert site.opening(Invite("help", (), "bye")) is None
    assert site.opening(GiveOffer("welcome")) is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("https://shop.example,", "https://shop.example/,", "5:15: expected an origin such as `https://shop.example`, without a path, found 'https://shop.example/'"),
        ("https://shop.example,", "shop.example,", "5:15: expected an origin such as `https://shop.example`, without a path, found 'shop.example'"),
        ("https://shop.example,", "'http://127.0.0.1:8000',", "5:40: expected each id once, found 'http://127.0.0.1:8000' twice"),
        ("currency: JPY", "currency: yen", "6:15: expected an ISO 4217 code such as `JPY`, found 'yen'"),
        ("language: ja", "language: jp", "7:15: expected a language, found 'jp'; known: en, ja"),
        ("consent: required", "consent: require", "8:14: expected a consent setting, found 'require'; did you mean 'required'?"),
        ("    consent: required\n", "", "4:5: expected the key 'consent' in a site, found none"),
        ("name: {ja: 係, en: Help}", "name: {ja: 係, en: Help}\n        ring: 3s", "14:15: expected a duration from 5s to 2m such as `20s`, found '3s'"),
        ("dispositions: [{id: done, name: {ja: 済, en: Done}}]", "dispositions: []", "14:23: expected a list of dispositions, found a list"),
        (", en: Done", "", "14:41: expected the key 'en' in a name, found none"),
        ("percent: 2.5%", "percent: 0%", "16:26: expected a percentage above 0% such as `5%`, found '0%'"),
        ("budget: 10", "budget: 0", "16:54: expected a whole number from 1 to 1000000, found '0'"),
        ("expires: 30m", "expires: 10s", "16:41: expected a duration from 1m to 90d such as `30m`, found '10s'"),
        ("text: hello", "text: helo", "16:64: expected a text of an offer, found 'helo'; did you mean 'hello'?"),
        ("text: sizes", "text: size", "18:34: expected a text of an article, found 'size'; did you mean 'sizes'?"),
        ("url: /sizes", "url: javascript:alert(1)", "18:20: expected an address such as `/help/sizes` or `https://shop.example/help`, found 'javascript:alert(1)'"),
        ("url: /sizes", "url: //evil.example", "18:20: expected an address such as `/help/sizes` or `https://shop.example/help`, found '//evil.example'"),
        ("rules: rules.yaml", "rules: rule.yaml", "9:12: 'rule.yaml' cannot be read: [Errno 2] No such file: 'conf/rule.yaml'"),
    ],
)  # fmt: skip
def test_a_fault_of_the_site_file_is_told_by_place(old: str, new: str, fault: str) -> None:
    assert faults(site=(old, new)) == ["conf/site.yaml:" + fault]


def test_names_in_rules_are_checked_against_the_site_and_its_texts() -> None:
    assert faults(rules=("queue: help", "queue: halp")) == [
        "conf/rules.yaml:5:26: expected a queue of the site, found 'halp'; did you mean 'help'?"
    ]
    assert faults(rules=("message: hi", "message: ho")) == [
        "conf/rules.yaml:5:41: expected a text of an invite, found 'ho'; known: bye, hi"
    ]
    assert faults(rules=("1 JPY", "1 USD")) == [
        "conf/rules.yaml:4:28: expected money in the site's currency, such as `8000 JPY`, found '1 USD'"
    ]


def test_a_text_has_to_be_there_in_the_sites_own_language() -> None:
    assert faults(texts=("    ja: {title: 割引, text: どうぞ, terms: 一回, dismiss: 閉じる}\n", "")) == [
        "conf/texts.yaml:10:5: expected the key 'ja' in an offer's languages, found none"
    ]


def test_a_text_is_short_enough_for_a_phone() -> None:
    assert faults(texts=("title: Title", "title: " + "x" * 41))[0].startswith(
        "conf/texts.yaml:5:17: expected a title of at most 40 characters, found 'xxx"
    )


def test_faults_of_all_files_come_together() -> None:
    found = faults(
        site=("text: hello", "text: helo"), rules=("queue: help", "queue: halp"), texts=("accept: Yes, ", "")
    )
    assert [line.split(":")[0] for line in found] == ["conf/rules.yaml", "conf/texts.yaml"]
    found = faults(site=("text: hello", "text: helo"), rules=("queue: help", "queue: halp"))
    assert [line.split(":")[0] for line in found] == ["conf/rules.yaml", "conf/site.yaml"]


def test_a_site_file_that_cannot_be_read_is_one_sentence() -> None:
    def read(name: str) -> str:
        raise FileNotFoundError(2, "No such file", name)

    with pytest.raises(FileErrors, match=r"^no\.yaml:1:1: cannot be read: "):
        load_sites("no.yaml", read)


def test_the_demo_shop_checks_clean_and_speaks_both_languages() -> None:
    demo = load_sites(str(DEMO), lambda name: Path(name).read_text(encoding="utf-8"))["demo"]
    assert {rule.id for rule in demo.rules.rules} == {
        "cart-wait",
        "shipping-loop",
        "size-doubt",
        "first-order",
    }
    for rule in demo.rules.rules:
        assert rule.mode == "live"
        assert rule.holdout == 0
        for action in rule.then:
            ja, en = demo.content(action, "ja"), demo.content(action, "en")
            assert ja.keys() == en.keys()
            assert ja["title"] != en["title"]
            opening = demo.opening(action)
            assert (opening is not None) == isinstance(action, Invite)
