"""What the bench sees of a service from within."""

from __future__ import annotations

from pathlib import Path

from loadtests import client, servers
from loadtests.watched import Watch
from router.store.embedded import Embedded


def test_pauses_tasks_and_a_profile_are_seen_from_outside(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "page")
    with (
        Embedded() as store,
        servers.service(
            tmp_path / "data", store.url, program="loadtests.watched", **watch.variables
        ) as service,
        client.crowd(client.shopper, service.address, 8, 1) as crowd,
    ):
        watch.profile(True)
        crowd.flood(8, 8, 0.5)
        watch.profile(False)
        longest, count = watch.pauses()
        assert (longest > 0) == (count > 0)
        assert watch.tasks() > 0
        assert any(name.startswith("live/engine.py:") for name in watch.samples())
