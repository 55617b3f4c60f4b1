"""router.replay.crowd: the demo's simulated shoppers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from pathlib import Path

from router.core import events as ev
from router.live.clock import WallClock
from router.replay import crowd
from router.store.embedded import Embedded
from tests.service import in_loop
from tests.waiting import until

CATALOGUE = Path(__file__).parents[2] / "static" / "demo" / "catalogue.json"
PRODUCTS = json.loads(CATALOGUE.read_text(encoding="utf-8"))["products"]


def test_a_visit_is_what_a_page_would_send() -> None:
    for seed in range(30):
        pages = list(crowd.visit(PRODUCTS, random.Random(seed)))
        assert all(isinstance(page[0], ev.Page) for page in pages)
        added = [event for page in pages for event in page if isinstance(event, ev.CartAdd)]
        carts = [event for page in pages for event in page if isinstance(event, ev.Cart)]
        assert [cart.quantity for cart in carts] == ([len(added)] if added else [])
        assert sum(event.value or 0 for event in added) == sum(cart.value or 0 for cart in carts)


async def test_they_come_browse_and_leave_nothing_open(valkey: Embedded, tmp_path: Path) -> None:
    async with in_loop(valkey.url, WallClock(), tmp_path) as at:
        engine = at.service.engine
        browsing = asyncio.create_task(
            crowd.browse(at.url, "demo", PRODUCTS, 3, random.Random(1), pause_s=(0.0, 0.02))
        )
        sessions = engine.holdings.all
        await until(lambda: len(sessions()) > 3 or browsing.done())  # the fourth comes after one of three
        await until(lambda: any(held.session.cart.quantity for held in sessions()) or browsing.done())
        assert not browsing.done(), browsing
        assert len({held.session.visitor for held in sessions()}) == len(sessions())
        browsing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await browsing
        await until(lambda: not at.service.roster.sockets)
