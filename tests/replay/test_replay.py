"""A replay from end to end: real sockets, a driven clock, agents who answer; also while processes are killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli import app
from router.core.rules.model import All, Compare, Repeats, Silence
from router.core.site import Site
from router.replay import report
from router.replay.driven import DrivenService
from router.replay.driver import Display, Work
from router.replay.recording import load
from router.replay.run import Outcome, run
from router.settings import PACKAGE
from router.store.embedded import Embedded
from router.web.app import read_sites
from tests.replay.recordings import write

SITES = PACKAGE / "replay" / "site.yaml"


@pytest.fixture
def site() -> Site:
    return read_sites(SITES)["replay"]


def failing(outcome: Outcome) -> list[report.Check]:
    return [check for check in outcome.checks if not check.holds]


async def test_a_replay_shows_rings_talks_and_every_check_holds(tmp_path: Path, site: Site) -> None:
    recording = load(write(tmp_path / "r.csv.gz", 60), site.currency)
    with Embedded() as store:
        outcome = await run(recording, site, SITES, store, agents=3, seed=1, acceptance=0.5)
    tally = outcome.driver.tally
    assert not failing(outcome)
    assert tally.sessions >= 60 and tally.sent == tally.acked > 200
    assert {display.kind for display in tally.displays} >= {"invite"}
    assert tally.talks and sum(sum(agent.accepted.values()) for agent in outcome.agents)
    assert outcome.noted.outcomes[("added-then-silent", "made")]


@pytest.mark.fault
async def test_killing_the_service_during_a_replay_loses_and_doubles_nothing(
    tmp_path: Path, site: Site
) -> None:
    recording = load(write(tmp_path / "r.csv.gz", 40), site.currency)

    def faults(service: DrivenService, store: Embedded) -> dict[int, Work]:
        async def kill() -> None:
            service.kill()
            await service.start()

        return {40: kill, 80: kill}

    with Embedded() as store:
        outcome = await run(recording, site, SITES, store, agents=2, seed=1, faults=faults, acceptance=0.5)
    assert not failing(outcome)
    assert outcome.driver.tally.sent == outcome.driver.tally.stored


@pytest.mark.fault
async def test_killing_the_store_during_a_replay_loses_no_acked_event(tmp_path: Path, site: Site) -> None:
    recording = load(write(tmp_path / "r.csv.gz", 40), site.currency)

    def persistent(port: int = 0) -> Embedded:
        return Embedded(tmp_path / "valkey", port=port, appendfsync="always")

    store = persistent()
    again: list[Embedded] = []

    def faults(service: DrivenService, running: Embedded) -> dict[int, Work]:
        async def kill() -> None:
            running.process.kill()
            running.stop()
            again.append(await asyncio.to_thread(persistent, running.port))

        return {60: kill}

    try:
        outcome = await run(recording, site, SITES, store, agents=2, seed=1, faults=faults, acceptance=0.5)
    finally:
        store.stop()
        for server in again:
            server.stop()
    assert not failing(outcome)


def test_the_command_ends_with_a_table_and_status_0(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv.gz", 12)
    result = CliRunner().invoke(app, ["replay", str(file), "--agents", "1"])
    assert result.exit_code == 0, result.output
    for part in (
        "events sent, acked, doubled",
        "Decisions",
        "Assignments",
        "every event folded exactly once",
    ):
        assert part in result.output


class TestChecksCanFail:
    def test_a_session_that_is_shown_more_than_its_cap(self, site: Site) -> None:
        twice = [Display("s", "v", f"decision{n}", "invite", 1000 * n) for n in (1, 2)]
        assert report.exceeded(site, twice, {})
        assert not report.exceeded(site, twice[:1], {})

    def test_a_visitor_that_is_shown_more_than_the_cap_of_all_rules(self, site: Site) -> None:
        day = 86_400_000
        shown = [Display(f"s{n}", "v", f"decision{n}", "invite", day * n) for n in range(1, 5)]
        assert report.exceeded(site, shown, {})
        apart = [Display(f"s{n}", "v", f"decision{n}", "invite", 3 * day * n) for n in range(1, 5)]
        assert not report.exceeded(site, apart, {})

    def test_a_rules_own_cap(self, site: Site) -> None:
        offers = [Display(f"s{n}", "v", f"decision{n}", "offer", 9 * 86_400_000 * n) for n in (1, 2)]
        assert report.exceeded(site, offers, {"decision1": "large-cart", "decision2": "large-cart"})


def test_facts_that_a_condition_cannot_do_without() -> None:
    price = Compare("cart.value", "gte", 100.0, "USD")
    assert report.facts_of(All((price, Silence("checkout", "cart_add", 1000, "wall")))) == {
        "cart.value",
        "cart_add",
    }
    assert report.facts_of(Repeats("product", 3, 1000)) == {"repeats.product"}
