"""Rules change while the service runs: at every process, between two events, and never into what is faulty."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.document import FileErrors
from router.core.rules.model import ShowArticle
from router.core.written import Written
from router.errors import Refused
from router.live.clock import WallClock
from router.settings import DEMO_SITES
from router.store.embedded import Embedded
from router.store.journal import read
from router.store.rulebooks import KEPT, Rulebooks
from tests.service import InLoop, in_loop
from tests.shopper import Shopper
from tests.waiting import until

CAPS = "defaults: {caps: {per_session: 9, per_visitor: 99 in 7d, not_before: 0s visible}}"
ARTICLE = (
    f"version: 1\n{CAPS}\nrules:\n- {{id: cart, when: {{page.type: cart}}, then: [article: size-guide]}}\n"
)
LIST = ARTICLE.replace("page.type: cart", "page.type: list").replace("id: cart", "id: list")
FAULTY = ARTICLE.replace("page.type", "page.typ")


class Pair:
    """Two processes on one store."""

    def __init__(self, first: InLoop, second: InLoop, folder: Path) -> None:
        self.first, self.second, self.folder = first, second, folder

    @property
    def both(self) -> tuple[InLoop, InLoop]:
        return self.first, self.second

    async def look(self) -> None:
        for at in self.both:
            await at.service.rulebook.look()

    def rules(self) -> list[list[str]]:
        return [[rule.id for rule in at.service.sites["demo"].rules.rules] for at in self.both]


@pytest.fixture
async def pair(redis: Redis, valkey: Embedded, tmp_path: Path) -> AsyncIterator[Pair]:
    folder = tmp_path / "site"
    shutil.copytree(DEMO_SITES.parent, folder)
    (folder / "rules.yaml").write_text(LIST)
    clock = WallClock()
    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(
                in_loop(valkey.url, clock, tmp_path / name, sites=folder / "site.yaml")
            )
            for name in ("a", "b")
        ]
        yield Pair(both[0], both[1], folder)


async def shown(at: InLoop, shopper: Shopper, kind: str) -> list[wire.Show]:
    """What the shopper sees on a page of this type, once everything has come."""
    page = await shopper.open()
    page.send(ev.Page(0, kind, f"/{kind}"), ev.Dwell(0, 0, ev.FOCUSED))
    await page.stored()
    await at.service.settled()
    page.send(ev.Search(0, None, 0))
    await page.stored()
    return shopper.all(wire.Show)


async def test_published_rules_are_in_force_at_every_process_and_kept(pair: Pair) -> None:
    book = pair.first.service.rulebook
    assert pair.rules() == [["list"], ["list"]]
    assert await book.publish("demo", Written(ARTICLE), "aoi", "try the cart") == 1
    await pair.look()
    assert pair.rules() == [["cart"], ["cart"]]
    assert await shown(pair.second, Shopper(pair.second), "cart")
    (revision,) = await book.history("demo")
    assert (revision.who, revision.note, revision.text) == ("aoi", "try the cart", ARTICLE)
    assert revision.version == pair.second.service.sites["demo"].rules.version


async def test_an_older_revision_comes_back_as_a_new_one(pair: Pair) -> None:
    book = pair.first.service.rulebook
    for text in (ARTICLE, LIST):
        await book.publish("demo", Written(text), "aoi", "")
    assert await book.roll_back("demo", 1, "ren") == 3
    await pair.look()
    assert pair.rules() == [["cart"], ["cart"]]
    assert [(revision.number, revision.who, revision.note) for revision in await book.history("demo")] == [
        (3, "ren", "back to 1"), (2, "aoi", ""), (1, "aoi", ""),
    ]  # fmt: skip
    with pytest.raises(Refused, match="not_found"):
        await book.roll_back("demo", 99, "ren")


async def test_texts_are_published_with_the_rules_and_taken_back(pair: Pair) -> None:
    book = pair.first.service.rulebook
    filed = await book.written("demo")
    title = "How to choose the right size"
    assert title in filed.texts

    def titles() -> list[str]:
        return [
            at.service.sites["demo"].content(ShowArticle("size-guide"), "en")["title"] for at in pair.both
        ]

    await book.publish("demo", Written(ARTICLE, filed.texts.replace(title, "Which size?")), "aoi", "")
    await pair.look()
    assert titles() == ["Which size?"] * 2
    assert "Which size?" in (await book.written("demo")).texts and book.in_force("demo") == 1
    await book.publish("demo", Written(ARTICLE, filed.texts), "aoi", "")
    await pair.look()
    assert titles() == [title] * 2
    revision = await Rulebooks(pair.first.service.redis).revision("demo", 2)
    assert revision is not None and revision.texts == ""  # the file's, whatever becomes of it
    await book.roll_back("demo", 1, "ren")
    await pair.look()
    assert titles() == ["Which size?"] * 2
    with pytest.raises(FileErrors, match="expected a text 'size-guide' below articles"):
        await book.publish("demo", Written(ARTICLE, filed.texts.replace("size-guide:", "other:")), "aoi", "")


async def test_faulty_rules_are_refused_with_their_place_and_change_nothing(pair: Pair) -> None:
    with pytest.raises(FileErrors, match=r"rules.yaml:4:21: .* did you mean 'page.type'"):
        await pair.first.service.rulebook.publish("demo", Written(FAULTY), "aoi", "")
    with pytest.raises(Refused, match="unknown_site"):
        await pair.first.service.rulebook.publish("other", Written(ARTICLE), "aoi", "")
    await pair.look()
    assert pair.rules() == [["list"], ["list"]]


async def test_a_revision_that_does_not_fit_this_process_is_told_and_the_old_rules_stay(
    pair: Pair, redis: Redis
) -> None:
    """Such as one that names a queue which this process' site file does not have yet."""
    await Rulebooks(redis).publish("demo", FAULTY, "00000000", "aoi", "", pair.first.service.clock.now())
    await pair.look()
    assert pair.rules() == [["list"], ["list"]]
    ready = await pair.second.service.ready()
    assert ready["ready"] and "did you mean 'page.type'" in ready["refused"]["demo"]
    await pair.first.service.rulebook.publish("demo", Written(ARTICLE), "aoi", "")
    await pair.look()
    assert not (await pair.second.service.ready())["refused"]


async def test_a_file_that_changes_on_disk_is_taken_up_and_a_faulty_one_is_not(pair: Pair) -> None:
    rules = pair.folder / "rules.yaml"
    await pair.first.service.rulebook.publish("demo", Written(ARTICLE), "aoi", "")
    rules.write_text(FAULTY)
    await pair.look()
    assert pair.rules() == [["cart"], ["cart"]]
    assert "rules.yaml:4:21" in (await pair.first.service.ready())["refused"][""]
    rules.write_text(LIST)
    await pair.look()
    assert pair.rules() == [["list"], ["list"]]
    assert not (await pair.first.service.ready())["refused"]


async def test_a_reload_loses_no_session_and_fires_nothing_that_was_true_before(pair: Pair) -> None:
    shopper = Shopper(pair.first)
    assert len(await shown(pair.first, shopper, "list")) == 1
    both = LIST + "- {id: also-list, when: {page.type: list}, then: [article: size-guide]}\n"
    await pair.first.service.rulebook.publish("demo", Written(both), "aoi", "")
    await pair.look()
    await pair.first.service.settled()
    held = pair.first.service.engine.holdings.get(shopper.sid)
    assert held is not None
    assert held.site.rules.version == pair.first.service.sites["demo"].rules.version
    assert {rule.id for rule in held.site.rules.true(held.session)} == {"list", "also-list"}
    assert held.session.events == 3
    assert len(shopper.all(wire.Show)) == 1


async def test_the_kill_switch_stops_everything_proactive_at_every_process(pair: Pair, redis: Redis) -> None:
    """Open decisions are taken away, new ones are not made, and it is told who did it; then all goes on."""
    shopper = Shopper(pair.second)
    (show,) = await shown(pair.second, shopper, "list")
    await pair.first.service.rulebook.kill("demo", True, "ren")
    await until(lambda: all("demo" in at.service.engine.decider.killed for at in pair.both), within_s=1.0)
    await until(lambda: [retract.reason for retract in shopper.all(wire.Retract)] == ["killed"])
    assert shopper.all(wire.Retract)[0].decision == show.decision
    assert not await shown(pair.first, Shopper(pair.first), "list")
    assert (await pair.first.service.ready())["killed"] == {"demo": "ren"}
    await pair.first.service.rulebook.kill("demo", False, "ren")
    await pair.look()
    assert await shown(pair.first, Shopper(pair.first), "list")
    await pair.first.service.journal.flush()
    noted = [entry.record["what"] async for entry in read(redis) if entry.kind == "rules"]
    assert noted.count("killed") >= 1 and noted.count("revived") >= 1


async def test_no_more_than_a_hundred_revisions_are_kept(redis: Redis) -> None:
    books = Rulebooks(redis)
    for n in range(KEPT + 5):
        await books.publish("demo", f"text {n}", "0", "aoi", "", n)
    history = await books.history("demo")
    assert (history[0].number, history[-1].number, len(history)) == (KEPT + 5, 6, KEPT)
