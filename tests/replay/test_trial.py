"""Rules tried without a service fire as they do live, and the report counts what happened."""

# ruff: noqa: E501  (a rule is one line)

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from router.core import events as ev
from router.core import protocol as wire
from router.core.rules import form
from router.core.rules.compile import RuleSet
from router.core.site import Site
from router.live.clock import DrivenClock
from router.replay import trial, trial_report
from router.replay.page import PageClient
from router.replay.recording import Action, Recording
from router.replay.watched import watched
from router.settings import DEMO_SITES
from router.store import behaviour
from router.store.embedded import Embedded
from router.store.journal import read
from router.web.app import read_sites
from tests.service import in_loop
from tests.shopper import Shopper

T = 1_780_000_000_000
CUP = ev.Item("cup", "Cup", "cups", price=4800.0)
RULES = """
version: 1
defaults: {caps: {per_session: 3, per_visitor: 20 in 7d, not_before: 0s visible}}
rules:
- {id: silent, priority: 70, when: {silence: {of: checkout, since: cart_add, for: 40s, clock: visible}}, then: [article: size-guide]}
- {id: again, priority: 60, when: {repeats.product: {gte: 2 in 1m}}, then: [article: size-guide], caps: {per_session: 1}}
- {id: large, priority: 80, when: {all: [cart.value: {gte: 9000 JPY}, page.type: cart]}, then: [article: size-guide]}
- {id: long, priority: 10, when: {dwell.page: {gte: 30s}}, then: [article: size-guide]}
- {id: way, priority: 20, when: {sequence: {steps: [product, cart_add], within: 1m}}, then: [article: size-guide]}
- {id: watched, priority: 90, mode: shadow, when: {cart.lines: {gte: 1}}, then: [article: size-guide]}
"""


def demo() -> Site:
    return read_sites(DEMO_SITES)["demo"]


def rules(site: Site, text: str = RULES) -> RuleSet:
    return RuleSet(form.load("rules.yaml", text, site.names))


def shopped(seed: int) -> Recording:
    """Three shoppers who browse, add and hesitate, for some minutes, at whole seconds of their own."""
    chance = random.Random(seed)
    recording = Recording(has_price=True, sessions=3)
    for name in ("a", "b", "c"):
        at = T + chance.randint(0, 20) * 1000
        for _ in range(14):
            at += chance.randint(1, 70) * 1000
            recording.actions.append(Action(name, f"v-{name}", at, tuple(_events(chance))))
    recording.actions.sort(key=lambda action: action.at)
    return recording


def _events(chance: random.Random) -> list[ev.AnyEvent]:
    match chance.randrange(5):
        case 0:
            return [ev.Page(0, "product", "/p/cup"), ev.Product(0, CUP, 4800.0, "JPY")]
        case 1:
            return [ev.CartAdd(0, CUP, 4800.0, "JPY")]
        case 2:
            return [ev.Page(0, "cart", "/cart"), ev.Cart(0, 2, 2, 9600.0, "JPY")]
        case 3:
            return [ev.Page(0, "list", "/all")]
    return [ev.Checkout(0)]


@pytest.mark.parametrize("seed", range(4))
async def test_a_trial_fires_as_the_service_does(
    redis: Redis, valkey: Embedded, tmp_path: Path, seed: int
) -> None:
    """The same rules, at the same moments, with the same outcomes, for the same events."""
    folder = tmp_path / "site"
    shutil.copytree(DEMO_SITES.parent, folder)
    (folder / "rules.yaml").write_text(RULES)
    recording, clock = shopped(seed), DrivenClock(T)
    async with in_loop(
        valkey.url, clock, tmp_path, lease_ms=0, sweep_ms=600_000, sites=folder / "site.yaml"
    ) as at:
        shoppers: dict[str, tuple[Shopper, PageClient]] = {}
        names: dict[str, str] = {}

        async def drawn() -> None:
            """Whoever is shown something draws it at once."""
            for shopper, page in shoppers.values():
                for show in shopper.all(wire.Show):
                    if show.decision not in names:
                        names[show.decision] = ""
                        page.send(ev.Shown(0, show.decision))
                        await page.stored()
            await at.service.settled()

        async def advance(moment: int) -> None:
            while (due := clock.next_due()) is not None and due <= moment:
                await clock.advance(due, at.service.settled)
                await _heard(shoppers)
                await drawn()
            await clock.advance(moment, at.service.settled)

        for action in recording.actions:
            await advance(action.at)
            events: list[ev.AnyEvent] = list(action.events)
            if action.session not in shoppers:
                shopper = Shopper(at)
                shoppers[action.session] = shopper, await shopper.open()
                events.append(ev.Dwell(0, 0, ev.FOCUSED))
            page = shoppers[action.session][1]
            page.send(*events)
            await page.stored()
            await at.service.settled()
            await _heard(shoppers)
            await drawn()
        sids = {shopper.sid: name for name, (shopper, _) in shoppers.items()}
        await at.service.journal.flush()
        await at.service.behaviour.flush()
        end = clock.now()
        live = [
            (
                sids[entry.record["sid"]],
                entry.record["at"],
                entry.record["rule"],
                entry.record["outcome"],
                entry.record.get("reason", ""),
            )
            async for entry in read(redis)
            if entry.kind == "decision"
        ]
    site = demo()
    tried = trial.run(watched(recording.actions), site, rules(site)).firings
    again = trial.run(await behaviour.kept(redis, "demo"), site, rules(site)).firings
    assert live
    assert sorted(live) == sorted(
        (f.session, f.at, f.rule, f.outcome, f.reason) for f in tried if f.at <= end
    )
    assert sorted(live) == sorted((sids[f.session], f.at, f.rule, f.outcome, f.reason) for f in again)


async def _heard(shoppers: dict[str, tuple[Shopper, PageClient]]) -> None:
    """All that was sent to the pages has come: an ack comes behind it."""
    for _, page in shoppers.values():
        page.send(ev.Wishlist(0, CUP))
        await page.stored()


def test_the_same_input_gives_the_same_report() -> None:
    site, recording = demo(), shopped(1)
    first, second = (
        trial_report.report(rules(site), trial.run(watched(recording.actions), site, rules(site)))
        for _ in range(2)
    )
    assert trial_report.table(first) == trial_report.table(second)


def action(name: str, seconds: int, *events: ev.AnyEvent) -> Action:
    return Action(name, f"v-{name}", T + seconds * 1000, events)


def tried(text: str, *actions: Action) -> trial_report.Report:
    site = demo()
    ruleset = rules(site, "version: 1\ndefaults: {caps: {not_before: 0s visible}}\nrules:\n" + text)
    return trial_report.report(ruleset, trial.run(watched(actions), site, ruleset))


def test_the_report_counts_moments_pages_buyers_overlap_and_agents() -> None:
    invite = "{invite: {queue: checkout-help, message: cart.wait}}"
    found = tried(
        f"- {{id: cart, when: {{page.type: cart}}, then: [{invite}]}}\n"
        "- {id: late, mode: shadow, when: {silence: {of: checkout, since: cart, for: 20s, clock: wall}}, then: [article: size-guide]}\n",
        action("a", 0, ev.Page(0, "list", "/")),
        action("b", 5, ev.Page(0, "cart", "/cart"), ev.Cart(0, 1, 1, 100.0, "JPY")),
        action("a", 10, ev.Page(0, "cart", "/cart"), ev.Cart(0, 1, 1, 100.0, "JPY")),
        action("a", 60, ev.Purchase(0, "o1")),
    )
    cart, late = found.rules
    assert (cart.outcomes, cart.sessions, cart.pages, cart.bought, cart.agents) == (
        {"made": 2},
        2,
        {"cart": 2},
        1,
        2,
    )
    assert cart.after_s == 5.0
    assert sum(cart.hours) == 2
    assert late.outcomes == {"suppressed (busy)": 2}
    assert (found.sessions, found.buyers, found.agents) == (2, 1, 2)


def test_caps_hold_over_sessions_and_holdouts_spend_them() -> None:
    rule = "- {id: a, when: {page.type: cart}, then: [article: size-guide], caps: {per_visitor: 1 in 1d}"
    visits = [
        Action(name, "v", T + hours * 3_600_000, (ev.Page(0, "cart", "/cart"),))
        for name, hours in (("a", 0), ("b", 2), ("c", 30))
    ]
    (found,) = tried(rule + "}\n", *visits).rules
    assert found.outcomes == {"made": 2, "capped": 1}
    (found,) = tried(rule + ", holdout: 100%}\n", *visits).rules
    assert found.outcomes == {"held_out": 2, "capped": 1}


def test_what_came_true_while_nobody_looked_is_late() -> None:
    (found,) = tried(
        "- {id: a, when: {silence: {of: checkout, since: cart, for: 5m, clock: wall}}, then: [article: size-guide]}\n",
        action("a", 0, ev.Page(0, "cart", "/cart"), ev.Cart(0, 1, 1, 100.0, "JPY")),
        action("a", 600, ev.Page(0, "list", "/")),
    ).rules
    assert found.outcomes == {"late": 1}


def test_changes_between_two_sets_of_rules_are_told() -> None:
    visits = [action("a", 0, ev.Page(0, "cart", "/cart")), action("b", 0, ev.Page(0, "list", "/"))]
    same = "- {id: same, when: {page.type: list}, then: [article: size-guide]}\n"
    old = tried("- {id: cart, when: {page.type: cart}, then: [article: size-guide]}\n" + same, *visits)
    new = tried(
        "- {id: cart, when: {page.type: cart}, mode: off, then: [article: size-guide]}\n" + same, *visits
    )
    told = trial_report.changes(old, new).splitlines()
    assert told[1].split(None, 1) == ["cart", "made 1 -> 0 (-1), sessions 1 -> 0 (-1)"]
    assert told[2].split(None, 1) == ["same", "the same"]


def test_a_report_can_be_read_by_a_program() -> None:
    found: dict[str, Any] = trial_report.as_json(
        tried(
            "- {id: a, when: {page.type: cart}, then: [article: size-guide]}\n",
            action("a", 0, ev.Page(0, "cart", "/cart")),
        )
    )
    assert found["rules"][0]["rule"] == "a" and found["rules"][0]["outcomes"] == {"made": 1}
