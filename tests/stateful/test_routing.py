"""The routing scripts against a small pure model: any sequence of what people do ends in the same state.

And, whatever the model says: no agent over capacity, no conversation with two agents, none that waits while
a fitting agent who was not just tried is free, and every conversation keeps its age.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from router.errors import Refused
from router.store import keys
from router.store.embedded import Embedded
from router.store.routing import talk_of
from tests.floor import AWAY_MS, LOST_MS, PARK_MS, REST_MS, RING_MS, SITE, START, WRAP_MS, Floor

FRONT = 10**12
CREW = {
    "ann": (("help", "style"), ("en", "ja"), 2),
    "bob": (("help",), ("ja",), 1),
    "cem": (("style",), (), 1),
}


# --- the model ---------------------------------------------------------------------------------------------


@dataclass
class Agent:
    login: str
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int
    presence: str = "away"
    there: bool = False
    idle: int = 0
    missed: int = 0
    busy: set[str] = field(default_factory=set)

    @property
    def free(self) -> bool:
        return self.there and self.presence == "available" and len(self.busy) < self.capacity

    def fits(self, talk: Talk) -> bool:
        return talk.queue in self.queues and set(talk.skills) <= set(self.skills)


@dataclass
class Talk:
    cid: str
    queue: str
    skills: tuple[str, ...]
    opened: int
    place: int
    state: str = "waiting"
    agent: str = ""
    tried: set[str] = field(default_factory=set)
    present: bool = True
    end: str = ""


class Model:
    """What the scripts should do, as plain steps on plain data."""

    def __init__(self) -> None:
        self.now = START
        self.agents = {login: Agent(login, *crew) for login, crew in CREW.items()}
        self.talks: dict[str, Talk] = {}
        self.due: dict[str, int] = {}

    def arm(self, kind: str, about: str, in_ms: int) -> None:
        self.due[f"{kind}|{about}"] = self.now + in_ms

    def disarm(self, kind: str, about: str) -> None:
        self.due.pop(f"{kind}|{about}", None)

    # matching

    def ring(self, talk: Talk, agent: Agent) -> None:
        talk.state, talk.agent = "ringing", agent.login
        talk.tried.add(agent.login)
        agent.busy.add(talk.cid)
        self.disarm("again", talk.cid)
        self.arm("ring", talk.cid, RING_MS)

    def offer(self, talk: Talk) -> None:
        able = [a for a in self.agents.values() if a.free and a.fits(talk) and a.login not in talk.tried]
        if able:
            self.ring(talk, min(able, key=lambda a: (len(a.busy), a.idle, a.login)))

    def serve(self, agent: Agent) -> None:
        while agent.free:
            able = [
                t for t in self.talks.values()
                if t.state == "waiting" and agent.fits(t) and agent.login not in t.tried
            ]  # fmt: skip
            if not able:
                return
            self.ring(min(able, key=lambda t: t.place), agent)

    def line_up(self, talk: Talk) -> None:
        talk.state, talk.agent = "waiting", ""
        if talk.tried:
            self.arm("again", talk.cid, REST_MS)
        self.offer(talk)

    def take_back(self, talk: Talk) -> Agent:
        agent = self.agents[talk.agent]
        agent.busy.discard(talk.cid)
        self.disarm("ring", talk.cid)
        talk.agent = ""
        return agent

    def pass_on(self, talk: Talk) -> None:
        agent = self.take_back(talk)
        self.line_up(talk)
        self.serve(agent)

    # transitions

    def set_presence(self, agent: Agent, presence: str) -> None:
        agent.presence, agent.missed, agent.idle = presence, 0, self.now

    def finish(self, talk: Talk, how: str) -> None:
        login = talk.agent
        for kind in ("again", "ring", "away", "wrap"):
            self.disarm(kind, talk.cid)
        talk.state, talk.end = "closed", how
        if login:
            agent = self.agents[login]
            agent.busy.discard(talk.cid)
            agent.idle = self.now
            self.serve(agent)

    def busy(self, agent: Agent, state: str) -> list[Talk]:
        return sorted(
            (self.talks[c] for c in agent.busy if self.talks[c].state == state), key=lambda t: t.place
        )

    # deadlines

    def settle(self) -> None:
        for _ in range(16):
            ready = sorted((moment, name) for name, moment in self.due.items() if moment <= self.now)
            if not ready:
                return
            name = ready[0][1]
            del self.due[name]
            kind, _, about = name.partition("|")
            getattr(self, f"when_{kind}")(about)

    def when_ring(self, cid: str) -> None:
        talk = self.talks[cid]
        agent = self.take_back(talk)
        agent.missed += 1
        if agent.missed >= 2:
            self.set_presence(agent, "away")
        self.line_up(talk)
        self.serve(agent)

    def when_again(self, cid: str) -> None:
        self.talks[cid].tried.clear()
        self.offer(self.talks[cid])

    def when_wrap(self, cid: str) -> None:
        self.finish(self.talks[cid], self.talks[cid].end)

    def when_away(self, cid: str) -> None:
        self.finish(self.talks[cid], "parked" if self.talks[cid].state == "active" else "abandoned")

    def when_lost(self, login: str) -> None:
        agent = self.agents[login]
        self.set_presence(agent, "away")
        for talk in self.busy(agent, "active"):
            agent.busy.discard(talk.cid)
            talk.place, talk.agent = talk.opened - FRONT, ""
            talk.tried.clear()
            if talk.present:
                self.line_up(talk)
            else:
                talk.state = "away"

    # what people do

    def open(self, cid: str, queue: str, skills: tuple[str, ...]) -> None:
        self.talks[cid] = Talk(cid, queue, skills, self.now, self.now)
        self.line_up(self.talks[cid])

    def answer(self, talk: Talk) -> None:
        self.agents[talk.agent].missed = 0
        talk.state = "active"
        talk.tried.clear()
        self.disarm("ring", talk.cid)

    def decline(self, talk: Talk) -> None:
        self.agents[talk.agent].missed = 0
        self.pass_on(talk)

    def presence(self, agent: Agent, presence: str) -> None:
        if agent.presence != presence:
            self.set_presence(agent, presence)
        if presence == "available":
            self.serve(agent)
        else:
            for talk in self.busy(agent, "ringing"):
                self.pass_on(talk)

    def join(self, agent: Agent) -> None:
        if not agent.there:
            agent.there, agent.idle = True, self.now
            self.disarm("lost", agent.login)
            self.serve(agent)

    def leave(self, agent: Agent) -> None:
        if agent.there:
            agent.there = False
            self.arm("lost", agent.login, LOST_MS)
            for talk in self.busy(agent, "ringing"):
                self.pass_on(talk)

    def gone(self, talk: Talk) -> None:
        if not talk.present or talk.state == "closed":
            return
        talk.present = False
        if talk.state == "active":
            self.arm("away", talk.cid, PARK_MS)
        elif talk.state in ("waiting", "ringing"):
            agent = self.take_back(talk) if talk.state == "ringing" else None
            self.disarm("again", talk.cid)
            self.arm("away", talk.cid, AWAY_MS)
            talk.state = "away"
            talk.tried.clear()
            if agent:
                self.serve(agent)

    def back(self, talk: Talk) -> None:
        if talk.present or talk.state == "closed":
            return
        talk.present = True
        self.disarm("away", talk.cid)
        if talk.state == "away":
            self.line_up(talk)

    def close(self, talk: Talk) -> None:
        if talk.state == "active":
            self.wrap_up(talk, "closed")

    def wrap_up(self, talk: Talk, how: str) -> None:
        self.disarm("away", talk.cid)
        talk.state, talk.end = "wrap-up", how
        self.arm("wrap", talk.cid, WRAP_MS)

    def ended(self, talk: Talk) -> None:
        if talk.state == "active":
            self.wrap_up(talk, "ended")
        elif talk.state == "ringing":
            agent = self.take_back(talk)
            self.finish(talk, "ended")
            self.serve(agent)
        elif talk.state in ("waiting", "away"):
            self.finish(talk, "ended")


# --- the machine -------------------------------------------------------------------------------------------

F = TypeVar("F", bound=Callable[..., Any])
LOGINS = st.sampled_from(sorted(CREW))


def some_talk(states: tuple[str, ...], *, present: bool | None = None) -> Callable[[F], F]:
    """A precondition: the model has such a conversation, so that the rule does something."""
    return precondition(
        lambda self: any(
            talk.state in states and present in (None, talk.present) for talk in self.model.talks.values()
        )
    )


ANY = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis: Redis = Redis.from_url(self.url)
        self.floor = Floor(self.redis)
        self.model = Model()
        self.run(self.redis.flushall())
        for login, (queues, skills, capacity) in CREW.items():
            self.run(self.floor.enroll(login, queues=queues, skills=skills, capacity=capacity))
            self.do(self.floor.routing.sweep(SITE))
        for login in ("ann", "bob"):
            self.come_to_work(login)

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.runner.close()

    def run(self, work: Any) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    def tick(self) -> None:
        """A millisecond passes before everything that is done, so that no two moments are the same."""
        self.floor.now += 1
        self.model.now += 1
        self.model.settle()

    def do(self, script: Any) -> None:
        try:
            self.run(self.floor.run(script))
        except Refused as refused:
            assert refused.name == "too_late"

    def some(self, states: tuple[str, ...], pick: int) -> Iterator[Talk]:
        """One conversation of the model in one of these states, if there is any."""
        able = [talk for talk in self.model.talks.values() if talk.state in states]
        if able:
            yield able[pick % len(able)]

    @rule(queue=st.sampled_from(["help", "style"]), skills=st.sampled_from([(), ("ja",), ("en", "ja")]))
    @precondition(lambda self: sum(talk.state != "closed" for talk in self.model.talks.values()) < 9)
    def open(self, queue: str, skills: tuple[str, ...]) -> None:
        cid = f"talk-{len(self.model.talks):04}"
        self.floor.now -= 1  # `Floor.open` lets one pass itself
        self.tick()
        self.model.open(cid, queue, skills)
        self.run(self.floor.open(cid, queue=queue, skills=skills))

    @some_talk(("ringing",))
    @rule(pick=ANY)
    def answer(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("ringing",), pick):
            self.do(self.floor.routing.answer(SITE, talk.agent, talk.cid))
            self.model.answer(talk)

    @rule(queue=st.sampled_from(["help", "style"]))
    @precondition(lambda self: sum(talk.state != "closed" for talk in self.model.talks.values()) < 9)
    def open_and_answer(self, queue: str) -> None:
        self.open(queue, ())
        self.answer(0)

    @some_talk(("ringing",))
    @rule(pick=ANY)
    def decline(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("ringing",), pick):
            self.do(self.floor.routing.decline(SITE, talk.agent, talk.cid))
            self.model.decline(talk)

    @rule(login=LOGINS, presence=st.sampled_from(["available", "available", "away", "break"]))
    def presence(self, login: str, presence: str) -> None:
        self.tick()
        self.do(self.floor.routing.presence(SITE, login, presence))
        self.model.presence(self.model.agents[login], presence)

    @rule(login=LOGINS)
    def join(self, login: str) -> None:
        self.tick()
        self.do(self.floor.routing.join(SITE, [(login, "s1")]))
        self.model.join(self.model.agents[login])

    @rule(login=LOGINS)
    def come_to_work(self, login: str) -> None:
        self.join(login)
        self.presence(login, "available")

    @precondition(lambda self: sum(agent.there for agent in self.model.agents.values()) > 1)
    @rule(login=LOGINS)
    def leave(self, login: str) -> None:
        self.tick()
        self.do(self.floor.routing.leave(SITE, login, "s1"))
        self.model.leave(self.model.agents[login])

    @some_talk(("waiting", "ringing", "active"), present=True)
    @rule(pick=ANY)
    def gone(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("waiting", "ringing", "active", "wrap-up", "closed"), pick):
            self.do(self.floor.routing.gone(SITE, talk.cid))
            self.model.gone(talk)

    @some_talk(("away", "active"), present=False)
    @rule(pick=ANY)
    def back(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("away", "active", "wrap-up", "closed"), pick):
            self.do(self.floor.routing.seen(SITE, [talk.cid]))
            self.model.back(talk)

    @some_talk(("active",))
    @rule(pick=ANY)
    def close(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("active",), pick):
            self.do(self.floor.routing.close(SITE, talk.agent, talk.cid, "sold", ""))
            self.model.close(talk)

    @some_talk(("waiting", "ringing", "away", "active"))
    @rule(pick=ANY)
    def ended(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("waiting", "ringing", "away", "active", "wrap-up", "closed"), pick):
            self.do(self.floor.routing.end(SITE, talk.cid))
            self.model.ended(talk)

    @rule(ms=st.sampled_from([1_000, REST_MS, RING_MS]))
    def advance(self, ms: int) -> None:
        self.wait(ms)

    @rule(times=st.integers(1, 6))
    @precondition(lambda self: self.model.due)
    def let_the_next_deadlines_come(self, times: int) -> None:
        for _ in range(times):
            self.wait(max(0, min(self.model.due.values(), default=0) - self.model.now))

    def wait(self, ms: int) -> None:
        self.floor.now += ms
        self.model.now += ms
        self.tick()
        self.do(self.floor.routing.sweep(SITE))

    # --- what has to be true ---

    @invariant()
    def agents_are_what_the_model_says(self) -> None:
        with_agents: list[str] = []
        for login, agent in self.model.agents.items():
            duty = self.run(self.floor.duty(login))
            busy = {talk.cid for talk in duty.talks}
            with_agents += busy
            assert len(busy) <= duty.capacity
            assert (duty.presence, busy) == (agent.presence, agent.busy)
        assert len(with_agents) == len(set(with_agents))

    @invariant()
    def conversations_are_what_the_model_says_and_none_waits_in_vain(self) -> None:
        talks = list(self.model.talks.values())
        records = self.run(self.floor.run(self.floor.routing.look(SITE, [talk.cid for talk in talks])))
        for expected, record in zip(talks, records, strict=True):
            talk = talk_of(record)
            assert (talk.state, talk.agent, talk.opened, talk.present, talk.end) == (
                expected.state, expected.agent, expected.opened, expected.present, expected.end
            )  # fmt: skip
            if talk.state == "waiting":
                able = [a.login for a in self.model.agents.values() if a.free and a.fits(expected)]
                assert all(f",{login}," in record["tried"] for login in able)

    @invariant()
    def deadlines_are_what_the_model_says(self) -> None:
        pairs = self.run(self.redis.zrange(keys.routing(SITE, "due"), 0, -1, withscores=True))
        assert {name.decode(): int(score) for name, score in pairs} == self.model.due

    @invariant()
    def the_indexes_hold_what_is_true(self) -> None:
        sigs = [sig.decode() for sig in self.run(self.redis.smembers(keys.routing(SITE, "sigs")))]
        pipe = self.redis.pipeline(transaction=False)
        for sig in sigs:
            pipe.zcard(keys.routing(SITE, f"free:{sig}"))
            pipe.zcard(keys.routing(SITE, f"line:{sig}"))
        counts = self.run(pipe.execute())
        for n, sig in enumerate(sigs):
            queue, _, skills = sig.partition("|")
            probe = Talk("", queue, tuple(skills.split(",")) if skills else (), 0, 0)
            fitting = [a for a in self.model.agents.values() if not sig or a.fits(probe)]
            alike = [t for t in self.model.talks.values() if (t.queue, t.skills) == (queue, probe.skills)]
            free = sum(a.capacity - len(a.busy) for a in fitting if a.free)
            assert counts[2 * n : 2 * n + 2] == [free, sum(talk.state == "waiting" for talk in alike)]


def test_the_scripts_do_what_the_model_does(valkey: Embedded) -> None:
    """Random lives of three agents and up to nine open conversations."""

    class Here(Machine):
        url = valkey.url

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
