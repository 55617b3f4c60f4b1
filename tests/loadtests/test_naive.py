"""The yardsticks answer what they get, and the naive one has stored it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from redis import Redis

from loadtests import client, servers
from router.store.embedded import Embedded


@pytest.fixture(scope="module")
def store() -> Iterator[Embedded]:
    with Embedded() as running:
        yield running


@pytest.mark.parametrize("module", ["loadtests.plain", "loadtests.naive"])
def test_a_yardstick_answers_every_frame(module: str, store: Embedded) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(servers.yardstick(module, REDIS_URL=store.url))
        crowd = stack.enter_context(client.crowd(client.echoed, server.address, 4, 5))
        assert crowd.flood(4, 2, 0.2).frames > 0


def test_the_naive_service_counts_what_it_acknowledges(store: Embedded) -> None:
    with (
        servers.yardstick("loadtests.naive", REDIS_URL=store.url) as server,
        client.crowd(client.echoed, server.address, 1, 5) as crowd,
    ):
        crowd.pace(1000, 0.1)
    with Redis.from_url(store.url) as redis:
        counts = [sum(map(int, redis.hvals(name))) for name in redis.scan_iter("naive:*")]
    assert counts and all(count % 5 == 0 for count in counts)
