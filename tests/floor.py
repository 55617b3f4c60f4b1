"""A shop floor for tests: a shop with two queues, a clock moved by hand, and routing on a real store."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from router.core.lines import Terms, terms
from router.core.queue import Break, Disposition, Name, Queue
from router.core.routing import Duty, Later, Reply, Talk, signature
from router.core.rules.model import Action
from router.core.site import Article, Offer
from router.core.texts import Texts, Versions
from router.store import keys
from router.store.routing import Routing, duty_of, talk_of

START = 1_700_000_000_000
SITE = "shop"
RING_MS, WRAP_MS, AWAY_MS, PARK_MS, LOST_MS, REST_MS = 20_000, 30_000, 180_000, 600_000, 45_000, 10_000


def _queue(en: str, ja: str) -> Queue:
    sold = Disposition("sold", Name(ja="購入", en="Sold"))
    other = Disposition("other", Name(ja="その他", en="Other"))
    return Queue(Name(ja=ja, en=en), (sold, other), ring_ms=RING_MS, wrap_up_ms=WRAP_MS, rings="at_once")


@dataclass(frozen=True)
class TestShop:
    """What routing has to know of a site."""

    __test__ = False

    id: str = SITE
    name: str = "Utsuwa"
    currency: str = "JPY"
    language: str = "ja"
    queues: dict[str, Queue] = field(
        default_factory=lambda: {"help": _queue("Help", "ご案内"), "style": _queue("Style", "コーディネート")}
    )
    texts: Texts = field(
        default_factory=lambda: Texts(1, replies={"hello": Versions(ja="こんにちは", en="Hello")})
    )
    admin: dict[str, str] = field(default_factory=dict)
    picture: str = ""
    articles: dict[str, Article] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    breaks: tuple[Break, ...] = (Break("lunch", Name(ja="昼休み", en="Lunch")),)

    def content(self, action: Action, language: str) -> dict[str, Any]:
        """It has nothing to show."""
        raise KeyError(action)


SITES = {SITE: TestShop()}


def plain_terms(queue: str = "help", skills: Sequence[str] = (), wrap_ms: int = WRAP_MS) -> Terms:
    """The terms of a queue that relaxes nothing."""
    return Terms(queue=queue, steps=((0, signature(queue, skills)),), ring_ms=RING_MS, wrap_ms=wrap_ms)


class Floor:
    """Agents and conversations of one site by short calls; `now` is the scripts' time."""

    def __init__(self, redis: Redis, *, node: str = "n1", lease_ms: int = 0) -> None:
        self.redis = redis
        self.now = START
        self.routing = Routing(redis, node, lambda: self.now, lease_ms)
        self.replies: list[Reply] = []
        self._cids = itertools.count(1)

    async def run(self, script: Any) -> Any:
        """Run a script, remember its reply, and return its value; a refusal is raised."""
        reply: Reply = await script
        self.replies.append(reply)
        return reply.checked()

    async def advance(self, by_ms: int) -> None:
        """Let time pass, settling each deadline at its own moment, as the nodes' timers do."""
        until = self.now + by_ms
        while True:
            await self.run(self.routing.sweep(SITE))
            due = self.replies[-1].next
            if not due or due > until:
                break
            self.now = max(self.now, due)
        self.now = until

    # --- agents ---

    async def enroll(
        self, login: str, *, queues: Sequence[str] = ("help",), skills: Sequence[str] = (), capacity: int = 1
    ) -> None:
        """Let there be this agent, not there yet."""
        fields: dict[str, str | int] = {
            "name": login.capitalize(),
            "queues": f",{','.join(queues)},",
            "skills": f",{','.join(skills)},",
            "capacity": capacity,
        }
        await self.run(self.routing.enroll(SITE, login, fields))

    async def agent(
        self, login: str, *, queues: Sequence[str] = ("help",), skills: Sequence[str] = (), capacity: int = 1
    ) -> None:
        """Let there be this agent, there and available; each comes a millisecond after the one before."""
        await self.enroll(login, queues=queues, skills=skills, capacity=capacity)
        self.now += 1
        await self.join(login)
        await self.run(self.routing.presence(SITE, login, "available"))

    async def join(self, login: str, socket: str = "s1") -> None:
        """A socket of the agent is there."""
        await self.run(self.routing.join(SITE, [(login, socket)]))

    async def leave(self, login: str, socket: str = "s1") -> None:
        """It is gone."""
        await self.run(self.routing.leave(SITE, login, socket))

    async def duty(self, login: str) -> Duty:
        """The agent as they are now."""
        return duty_of(await self.run(self.routing.duty(SITE, login)))

    # --- conversations ---

    async def open(
        self,
        cid: str = "",
        *,
        queue: str = "help",
        skills: Sequence[str] = (),
        wrap_ms: int = WRAP_MS,
        rules: Queue | None = None,
        closes: int = 0,
        later: Later = "",
    ) -> Talk:
        """An invite was accepted; each comes a millisecond after the one before."""
        self.now += 1
        asked = (
            plain_terms(queue, skills, wrap_ms) if rules is None else terms(queue, rules, skills, self.now)
        )
        record = await self.run(
            self.routing.open(
                SITE, cid or f"talk-{next(self._cids):04}", secret="secret-of-it", language="ja", card="{}",
                terms=replace(asked, closes=closes), later=later,
            )
        )  # fmt: skip
        return talk_of(record)

    async def talk(self, cid: str) -> Talk:
        """The conversation as it is now."""
        (record,) = await self.run(self.routing.look(SITE, [cid]))
        return talk_of(record)

    async def active(self, login: str, **how: Any) -> Talk:
        """A conversation that this agent has accepted."""
        talk = await self.open(**how)
        assert talk.agent == login
        await self.run(self.routing.answer(SITE, login, talk.cid))
        return await self.talk(talk.cid)

    def events(self, cid: str = "") -> list[str]:
        """The kinds of transitions so far, of one conversation or of agents ("")."""
        return [
            event["kind"] for reply in self.replies for event in reply.events if event.get("cid", "") == cid
        ]

    async def due(self) -> list[str]:
        """What has a deadline."""
        items: Any = await self.redis.zrange(keys.routing(SITE, "due"), 0, -1)
        return [item.decode() for item in items]
