"""Tabs that turn pages: at an echo, and at the service with sessions behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from redis import Redis

from loadtests import client, fleet, servers, turns
from loadtests.contest import Contestant, Pace
from loadtests.servers import Server
from loadtests.turns import Tabs, Visited
from router.store.embedded import Embedded

PACE = Pace(1, 0.2, 8)


@pytest.fixture(scope="module")
def echo() -> Iterator[Server]:
    with servers.yardstick("loadtests.echo") as server:
        yield server


@pytest.fixture(scope="module")
def store() -> Iterator[Embedded]:
    with Embedded() as running:
        yield running


@pytest.fixture(scope="module")
def service(store: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.service(tmp_path_factory.mktemp("data"), store.url) as server:
        yield server


def test_a_route_is_the_beginning_of_the_session_ids_hash() -> None:
    assert turns.route("S.demo.abc.sig") == f"/v1/shopper/{hashlib.sha256(b'abc').hexdigest()[:32]}"


def test_pages_turn_at_an_echo_as_often_as_it_goes_or_as_given(echo: Server) -> None:
    with Tabs([turns.bare(echo.address, number) for number in range(8)]) as tabs:
        assert tabs.flood(4, 0.2, tuple).frames > 8
        assert 0 < tabs.pace(50, 0.4, tuple).frames <= 20
        assert tabs.once(4, tuple).frames == 8


def test_the_service_is_compared_with_the_echo(echo: Server, service: Server, store: Embedded) -> None:
    ours = Visited(Contestant("service", service, client.shopper, store.process.pid), turns.shopper)
    found = turns.compare(ours, Visited(Contestant("echo", echo, client.echoed), turns.bare), PACE)
    assert found.ratio > 0


def test_the_next_page_has_the_session_of_the_one_before(service: Server, store: Embedded) -> None:
    tab = turns.begun(service.address, 1, count=3)
    with Tabs([tab]) as tabs, Redis.from_url(store.url) as redis:
        before = tab.page
        tabs.once(1, tuple)
        owner, pages = fleet.record(redis, tab.sid)
    assert before != tab.page
    assert pages == {tab.page: owner}
