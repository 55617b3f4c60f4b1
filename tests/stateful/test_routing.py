"""The routing scripts against a small pure model: any sequence of what people do ends in the same state.

And, whatever the model says: no agent over capacity, no conversation with two agents, none that waits while
a fitting agent who was not just tried is free, and every conversation keeps its age.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
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

from router.core.left import Left
from router.core.lines import Terms, kept_skills, terms
from router.core.queue import Overflow, Relaxation
from router.core.room import BEST, level
from router.errors import Refused
from router.store import keys
from router.store.embedded import Embedded
from router.store.routing import talk_of
from tests.floor import AWAY_MS, LOST_MS, PARK_MS, REST_MS, RING_MS, SITE, SITES, START, WRAP_MS, Floor

FRONT = 10**12
CREW = {
    "ann": (("help", "style"), ("en:2", "ja:4", "gold:1"), 2),
    "bob": (("help",), ("ja:2", "gold:4"), 1),
    "cem": (("style",), ("gold",), 1),
}
_PLAIN = SITES[SITE].queues
RULES = {
    "help": msgspec.structs.replace(
        _PLAIN["help"], level=3, relax=(Relaxation(5_000, level=1),), priority_ms=7_000
    ),
    "style": msgspec.structs.replace(
        _PLAIN["style"], relax=(Relaxation(8_000, drop="gold"),), overflow=Overflow(15_000, ("help",))
    ),
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

    def level(self, sig: str) -> int:
        """As the core says it, for whom nothing asked for is no question."""
        return level(self.queues, self.skills, sig) if sig else BEST

    def fits(self, talk: Talk) -> bool:
        return self.level(talk.sig) > 0


@dataclass
class Talk:
    cid: str
    steps: tuple[tuple[int, str], ...]
    opened: int
    place: int
    step: int = 0
    to: str = ""
    state: str = "waiting"
    agent: str = ""
    tried: set[str] = field(default_factory=set)
    present: bool = True
    end: str = ""

    @property
    def sig(self) -> str:
        return self.steps[self.step][1]


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
            self.ring(talk, min(able, key=lambda a: (len(a.busy), -a.level(talk.sig), a.idle, a.login)))

    def serve(self, agent: Agent) -> None:
        if agent.presence == "last_chat" and not agent.busy:
            self.set_presence(agent, "away")
        while agent.free:
            able = [
                t for t in self.talks.values()
                if t.state == "waiting" and agent.fits(t) and agent.login not in t.tried
            ]  # fmt: skip
            if not able:
                return
            self.ring(min(able, key=lambda t: t.place), agent)

    def arm_step(self, talk: Talk) -> None:
        if talk.step + 1 < len(talk.steps):
            self.arm("step", talk.cid, talk.steps[talk.step + 1][0] - talk.steps[talk.step][0])

    def when_step(self, cid: str) -> None:
        talk = self.talks[cid]
        talk.step += 1
        self.arm_step(talk)
        if talk.state == "waiting":
            self.offer(talk)

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

    def miss(self, agent: Agent) -> None:
        agent.missed += 1
        if agent.missed >= 2:
            self.set_presence(agent, "away")

    def recall(self, talk: Talk, *, missed: bool = False) -> None:
        if talk.to:
            agent = self.agents[talk.to]
            talk.to = ""
            agent.busy.discard(talk.cid)
            self.disarm("pass", talk.cid)
            if missed:
                self.miss(agent)
            self.serve(agent)

    def give_back(self, agent: Agent) -> None:
        for talk in self.busy(agent):
            if talk.to == agent.login:
                self.recall(talk)
            elif talk.state == "ringing":
                self.pass_on(talk)

    def wait_again(self, talk: Talk) -> None:
        if talk.present:
            self.line_up(talk)
        else:
            talk.state, talk.agent = "away", ""

    def leave_agent(self, talk: Talk) -> Agent:
        self.recall(talk)
        agent = self.agents[talk.agent]
        agent.busy.discard(talk.cid)
        agent.idle, talk.agent = self.now, ""
        return agent

    def begin(self, talk: Talk, agent: Agent) -> None:
        for kind in ("ring", "step", "again", "close"):
            self.disarm(kind, talk.cid)
        agent.busy.add(talk.cid)
        agent.missed = 0
        talk.state, talk.agent = "active", agent.login
        talk.tried.clear()

    # transitions

    def set_presence(self, agent: Agent, presence: str) -> None:
        agent.presence, agent.missed, agent.idle = presence, 0, self.now

    def finish(self, talk: Talk, how: str) -> None:
        login = talk.agent
        self.recall(talk)
        for kind in ("again", "ring", "away", "wrap", "step", "close"):
            self.disarm(kind, talk.cid)
        talk.state, talk.end = "closed", how
        if login:
            agent = self.agents[login]
            agent.busy.discard(talk.cid)
            agent.idle = self.now
            self.serve(agent)

    def busy(self, agent: Agent) -> list[Talk]:
        return sorted((self.talks[cid] for cid in agent.busy), key=lambda t: (t.place, t.cid))

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
        self.miss(agent)
        self.line_up(talk)
        self.serve(agent)

    def when_pass(self, cid: str) -> None:
        self.recall(self.talks[cid], missed=True)

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
        for talk in self.busy(agent):
            if talk.state == "active":
                self.recall(talk)
                agent.busy.discard(talk.cid)
                talk.place = talk.opened - FRONT
                talk.tried.clear()
                self.arm_step(talk)
                self.wait_again(talk)

    def when_close(self, cid: str) -> None:
        self.give_up(self.talks[cid], "unanswered")

    def give_up(self, talk: Talk, how: str) -> None:
        agent = self.take_back(talk) if talk.state == "ringing" else None
        self.finish(talk, how)
        if agent:
            self.serve(agent)

    # what people do

    def open(self, cid: str, asked: Terms, closes_in_ms: int = 0) -> None:
        self.talks[cid] = Talk(cid, asked.steps, self.now, self.now - asked.priority_ms)
        self.arm_step(self.talks[cid])
        if closes_in_ms:
            self.arm("close", cid, closes_in_ms)
        self.line_up(self.talks[cid])

    def ask(self, cid: str, asked: Terms) -> None:
        self.talks[cid] = Talk(cid, asked.steps, self.now, self.now - asked.priority_ms, state="opened")

    def route(self, talk: Talk, steps: tuple[tuple[int, str], ...], place: int) -> None:
        if talk.state == "opened":
            talk.steps, talk.step, talk.place = steps, 0, place
            self.arm_step(talk)
            self.line_up(talk)

    def leave_message(self, talk: Talk) -> None:
        if talk.state in ("opened", "waiting", "ringing", "away"):
            self.give_up(talk, "message")

    def reopen(self, talk: Talk) -> None:
        if (talk.state, talk.end) != ("closed", "parked"):
            return
        before = self.agents[talk.agent]
        talk.end, talk.agent, talk.present, talk.place = "", "", True, talk.opened - FRONT
        talk.tried.clear()
        if before.free:
            self.ring(talk, before)
        else:
            self.line_up(talk)
        if talk.state == "waiting":
            self.arm_step(talk)

    def answer(self, talk: Talk) -> None:
        if talk.to:
            agent = self.agents[talk.to]
            talk.to = ""
            self.disarm("pass", talk.cid)
            sender = self.leave_agent(talk)
            self.begin(talk, agent)
            self.serve(sender)
        else:
            self.begin(talk, self.agents[talk.agent])

    def decline(self, talk: Talk) -> None:
        self.agents[talk.to or talk.agent].missed = 0
        if talk.to:
            self.recall(talk)
        else:
            self.pass_on(talk)

    def hand(self, talk: Talk, agent: Agent) -> None:
        self.recall(talk)
        talk.to = agent.login
        agent.busy.add(talk.cid)
        self.arm("pass", talk.cid, RING_MS)

    def transfer(self, talk: Talk, agent: Agent) -> None:
        if talk.to != agent.login and agent.login != talk.agent and agent.free:
            self.hand(talk, agent)

    def requeue(self, talk: Talk, asked: Terms) -> None:
        sender = self.leave_agent(talk)
        talk.steps, talk.step, talk.place = asked.steps, 0, talk.opened - asked.priority_ms
        talk.tried = {sender.login}
        self.disarm("close", talk.cid)
        self.arm_step(talk)
        self.wait_again(talk)
        self.serve(sender)

    def take(self, talk: Talk, agent: Agent, *, whatever: bool) -> None:
        ringing = talk.state == "ringing"
        own = ringing and talk.agent == agent.login
        if talk.state == "active" and talk.agent == agent.login:
            return
        if talk.to == agent.login:
            self.answer(talk)
            return
        allowed = own or ((whatever or agent.fits(talk)) and (whatever or talk.state == "waiting"))
        if not allowed or not agent.there or not (own or len(agent.busy) < agent.capacity):
            return
        was = None
        if talk.state == "active":
            was = self.leave_agent(talk)
        elif ringing:
            was = self.take_back(talk)
        self.begin(talk, agent)
        if was and was is not agent:
            self.serve(was)

    def assign(self, talk: Talk, agent: Agent) -> None:
        if agent.login in (talk.agent, talk.to) or not agent.free:
            return
        if talk.state == "active":
            self.hand(talk, agent)
            return
        was = self.take_back(talk) if talk.state == "ringing" else None
        self.ring(talk, agent)
        if was:
            self.serve(was)

    def presence(self, agent: Agent, presence: str) -> None:
        if agent.presence != presence:
            self.set_presence(agent, presence)
        if presence != "available":
            self.give_back(agent)
        self.serve(agent)

    def join(self, agent: Agent) -> None:
        if not agent.there:
            agent.there, agent.idle = True, self.now
            self.disarm("lost", agent.login)
            self.serve(agent)

    def leave(self, agent: Agent) -> None:
        if agent.there:
            agent.there = False
            self.arm("lost", agent.login, LOST_MS)
            self.give_back(agent)

    def gone(self, talk: Talk) -> None:
        if not talk.present or talk.state == "closed":
            return
        talk.present = False
        if talk.state == "opened":
            self.arm("away", talk.cid, AWAY_MS)
        elif talk.state == "active":
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
        self.recall(talk)
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
        elif talk.state in ("opened", "waiting", "away"):
            self.finish(talk, "ended")


# --- the machine -------------------------------------------------------------------------------------------

F = TypeVar("F", bound=Callable[..., Any])
LOGINS = st.sampled_from(sorted(CREW))
QUEUES = st.sampled_from(sorted(RULES))
SKILLS = st.sampled_from([(), ("ja",), ("en", "ja"), ("gold",), ("gold", "ja")])


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
            assert refused.name in ("too_late", "full", "forbidden")

    def some(self, states: tuple[str, ...], pick: int) -> Iterator[Talk]:
        """One conversation of the model in one of these states, if there is any."""
        able = [talk for talk in self.model.talks.values() if talk.state in states]
        if able:
            yield able[pick % len(able)]

    @rule(queue=QUEUES, skills=SKILLS)
    @precondition(lambda self: sum(talk.state != "closed" for talk in self.model.talks.values()) < 9)
    def open(self, queue: str, skills: tuple[str, ...]) -> None:
        cid = f"talk-{len(self.model.talks):04}"
        self.floor.now -= 1  # `Floor.open` lets one pass itself
        self.tick()
        self.model.open(cid, terms(queue, RULES[queue], skills, 0))
        self.run(self.floor.open(cid, queue=queue, skills=skills, rules=RULES[queue]))

    @rule(queue=QUEUES, ms=st.sampled_from([RING_MS // 2, 2 * RING_MS]))
    @precondition(lambda self: sum(talk.state != "closed" for talk in self.model.talks.values()) < 9)
    def open_before_closing(self, queue: str, ms: int) -> None:
        cid = f"talk-{len(self.model.talks):04}"
        self.floor.now -= 1
        self.tick()
        self.model.open(cid, terms(queue, RULES[queue], (), 0), ms)
        closes = self.model.now + ms
        self.run(self.floor.open(cid, queue=queue, rules=RULES[queue], closes=closes))

    @rule(queue=QUEUES)
    @precondition(lambda self: sum(talk.state != "closed" for talk in self.model.talks.values()) < 9)
    def ask(self, queue: str) -> None:
        cid = f"talk-{len(self.model.talks):04}"
        self.floor.now -= 1
        self.tick()
        self.model.ask(cid, terms(queue, RULES[queue], (), 0))
        self.run(self.floor.open(cid, queue=queue, rules=RULES[queue], later="any"))

    @some_talk(("opened",))
    @rule(pick=ANY, queue=QUEUES)
    def route(self, pick: int, queue: str) -> None:
        self.tick()
        for talk in self.some(("opened",), pick):
            asked = terms(queue, RULES[queue], (), 0)
            self.do(self.floor.routing.route(SITE, talk.cid, asked))
            self.model.route(talk, asked.steps, talk.opened - asked.priority_ms)

    @some_talk(("opened",))
    @rule(pick=ANY)
    def route_as_asked(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("opened", "waiting"), pick):
            self.do(self.floor.routing.typed(SITE, talk.cid))
            self.do(self.floor.routing.route(SITE, talk.cid))
            self.model.route(talk, talk.steps, talk.place)

    @some_talk(("opened", "waiting", "ringing", "away", "active"))
    @rule(pick=ANY)
    def leave_message(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("opened", "waiting", "ringing", "away", "active", "closed"), pick):
            left = Left(id=f"message-{talk.cid}", queue="help", at=0, due=self.floor.now, cid=talk.cid)
            first = not self.run(self.redis.exists(keys.routing(SITE, f"left:{left.id}")))
            self.do(self.floor.routing.leave_message(SITE, left, "sid", 10**6))
            if first:
                self.model.leave_message(talk)

    @precondition(lambda self: any(talk.end == "parked" for talk in self.model.talks.values()))
    @rule(pick=ANY)
    def write_again(self, pick: int) -> None:
        self.tick()
        ended = [talk for talk in self.model.talks.values() if talk.state == "closed"]
        for talk in ended[pick % len(ended) :][:1] if ended else ():
            self.do(self.floor.routing.reopen(SITE, talk.cid, 0))
            self.model.reopen(talk)

    @some_talk(("active",))
    @rule(pick=ANY, login=LOGINS)
    def stay_away_and_write_again(self, pick: int, login: str) -> None:
        """The shopper of a talk is away until it is parked, whatever else comes due meanwhile, and then writes."""
        for talk in self.some(("active",), pick):
            if not talk.present:
                continue
            self.tick()
            self.do(self.floor.routing.gone(SITE, talk.cid))
            self.model.gone(talk)
            while f"away|{talk.cid}" in self.model.due:
                self.let_the_next_deadlines_come(1)
            self.come_to_work(login)
            self.tick()
            self.do(self.floor.routing.reopen(SITE, talk.cid, 0))
            self.model.reopen(talk)

    @some_talk(("ringing",))
    @rule(pick=ANY)
    def answer(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("ringing",), pick):
            self.do(self.floor.routing.answer(SITE, talk.agent, talk.cid))
            self.model.answer(talk)

    @rule(queue=QUEUES)
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

    @some_talk(("active",))
    @rule(pick=ANY, login=LOGINS)
    def transfer(self, pick: int, login: str) -> None:
        self.tick()
        for talk in self.some(("active",), pick):
            self.do(self.floor.routing.transfer(SITE, talk.agent, talk.cid, login, "note"))
            self.model.transfer(talk, self.model.agents[login])

    @precondition(lambda self: any(talk.to for talk in self.model.talks.values()))
    @rule(pick=ANY, yes=st.booleans())
    def answer_a_transfer(self, pick: int, yes: bool) -> None:
        self.tick()
        handed = [talk for talk in self.model.talks.values() if talk.to]
        for talk in handed[pick % len(handed) :][:1] if handed else ():
            script = self.floor.routing.answer if yes else self.floor.routing.decline
            self.do(script(SITE, talk.to, talk.cid))
            (self.model.answer if yes else self.model.decline)(talk)

    @some_talk(("active",))
    @rule(pick=ANY, queue=QUEUES)
    def requeue(self, pick: int, queue: str) -> None:
        self.tick()
        for talk in self.some(("active",), pick):
            asked = terms(queue, RULES[queue], kept_skills(talk.sig), 0)
            self.do(self.floor.routing.requeue(SITE, talk.agent, talk.cid, asked, "note"))
            self.model.requeue(talk, asked)

    @some_talk(("waiting", "ringing", "active"))
    @rule(pick=ANY, login=LOGINS, whatever=st.booleans())
    def take(self, pick: int, login: str, whatever: bool) -> None:
        self.tick()
        for talk in self.some(("waiting", "ringing", "active"), pick):
            self.do(self.floor.routing.take(SITE, login, talk.cid, whatever=whatever))
            self.model.take(talk, self.model.agents[login], whatever=whatever)

    @some_talk(("waiting", "ringing", "active"))
    @rule(pick=ANY, login=LOGINS)
    def assign(self, pick: int, login: str) -> None:
        self.tick()
        for talk in self.some(("waiting", "ringing", "active"), pick):
            self.do(self.floor.routing.assign(SITE, "ann", talk.cid, login))
            self.model.assign(talk, self.model.agents[login])

    @rule(login=LOGINS, presence=st.sampled_from(["available", "available", "away", "break", "last_chat"]))
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

    @some_talk(("opened", "waiting", "ringing", "active"), present=True)
    @rule(pick=ANY)
    def gone(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("opened", "waiting", "ringing", "active", "wrap-up", "closed"), pick):
            self.do(self.floor.routing.gone(SITE, talk.cid))
            self.model.gone(talk)

    @some_talk(("opened", "away", "active"), present=False)
    @rule(pick=ANY)
    def back(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("opened", "away", "active", "wrap-up", "closed"), pick):
            self.do(self.floor.routing.seen(SITE, [talk.cid]))
            self.model.back(talk)

    @some_talk(("active",))
    @rule(pick=ANY)
    def close(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("active",), pick):
            self.do(self.floor.routing.close(SITE, talk.agent, talk.cid, "sold", ""))
            self.model.close(talk)

    @some_talk(("opened", "waiting", "ringing", "away", "active"))
    @rule(pick=ANY)
    def ended(self, pick: int) -> None:
        self.tick()
        for talk in self.some(("opened", "waiting", "ringing", "away", "active", "wrap-up", "closed"), pick):
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
            with_agents += [talk.cid for talk in duty.talks if talk.to != login]
            assert len(busy) <= duty.capacity
            assert (duty.presence, busy) == (agent.presence, agent.busy)
        assert len(with_agents) == len(set(with_agents))

    @invariant()
    def conversations_are_what_the_model_says_and_none_waits_in_vain(self) -> None:
        talks = list(self.model.talks.values())
        records = self.run(self.floor.run(self.floor.routing.look(SITE, [talk.cid for talk in talks])))
        for expected, record in zip(talks, records, strict=True):
            talk = talk_of(record)
            assert (
                talk.state, talk.agent, talk.to, talk.step, talk.opened, talk.present, talk.end
            ) == (
                expected.state, expected.agent, expected.to, expected.step, expected.opened,
                expected.present, expected.end,
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
            fitting = [a for a in self.model.agents.values() if a.level(sig)]
            alike = [t for t in self.model.talks.values() if t.sig == sig]
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
