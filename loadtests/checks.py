"""What has to hold after a run: `python -m loadtests.checks LEDGER --redis URL`, and the end of `make load`.

| Check | Fails when |
|---|---|
| events | one was not acknowledged, is lost, or was folded twice |
| decisions | one was shown twice, or that nobody made; one that was due did not come; the journal does not know it |
| messages | a confirmed line is not stored once, or was not heard once; one that nobody said is there |
| assignment | a conversation was with two agents at a time, by their consoles or by the journal |
| capacity | a console showed more conversations at a time than its agent has slots |
| caps | a session or a visitor was shown more than the rules' caps allow |
| latency | an entry's p99 is over its limit |
| generator | the load generator was itself late or short of CPU: its latencies say nothing |

Exit status 0: all hold. 1: one does not. 2: nothing was lost or doubled, but the generator did not keep up, so that the
run is invalid; its latencies are not judged.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from loadtests.evidence import Evidence, gather
from loadtests.ledger import Held, Ledger, PageRecord
from router.core.site import Site, load_sites
from router.replay.driver import Display
from router.replay.report import exceeded
from router.web.demo_seed import SITE

HELD, FAILED, INVALID = 0, 1, 2
SHOWN: Final = 5
SLACK_S: Final = 0.05  # two sockets' frames may be read in another order than they were sent
DEMO: Final = Path(__file__).parents[1] / "router/demo/site.yaml"
# p99 in ms. Wide: they are to find a service that stumbles on any machine, not one that is a little slower.
LIMITS_MS: Final = {
    "page→ack": 500.0,
    "event→ack": 250.0,
    "trigger→invite": 250.0,
    "invite→ring": 250.0,
    "message": 250.0,
    "reconnect": 1000.0,
}


@dataclass(frozen=True)
class Limits:
    """What is promised: the site's caps, slots an agent, and the p99 (ms) of entries."""

    site: Site
    capacity: int
    ms: dict[str, float] = field(default_factory=lambda: dict(LIMITS_MS))


@dataclass(frozen=True)
class Check:
    """One thing that has to hold, and what does not."""

    name: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Nothing was found."""
        return not self.faults


# --- events ------------------------------------------------------------------------------------------------


def _events(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    if not ledger.events:
        yield "not one event was sent"
    by_session: defaultdict[str, list[PageRecord]] = defaultdict(list)
    for page in ledger.pages:
        by_session[page.sid].append(page)
        if page.sent != page.acked:
            yield f"page {page.page}: {page.sent} events were sent, {page.acked} acknowledged"
    for sid, pages in by_session.items():
        yield from _session(sid, pages, evidence)


def _session(sid: str, pages: list[PageRecord], evidence: Evidence) -> Iterator[str]:
    session = evidence.sessions.get(sid)
    if session is None:
        yield f"session {sid}: it is not in the store"
        return
    sent = sum(page.sent for page in pages)
    if session.events != sent:
        yield f"session {sid}: {sent} events were sent, {session.events} folded"
    for page in pages:
        held = session.pages.get(page.page)
        if held is not None and held.mark != page.sent:
            yield f"page {page.page}: {page.sent} events were sent, its mark is {held.mark}"


# --- decisions ---------------------------------------------------------------------------------------------


def _decisions(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    fresh = [seen for seen in ledger.seen if not seen.again]
    for (did, page, link), times in Counter((seen.did, seen.page, seen.link) for seen in fresh).items():
        if times > 1:
            yield f"decision {did}: page {page} was told {times} times on its socket {link} to show it"
    for did in {seen.did for seen in fresh}:
        if evidence.made[did] != 1:
            yield f"decision {did}: it was shown, and made {evidence.made[did]} times"
        if evidence.shown[did] > 1:
            yield f"decision {did}: the journal has it shown {evidence.shown[did]} times"
    yield from _missing(ledger, evidence, {seen.did for seen in fresh})


def _missing(ledger: Ledger, evidence: Evidence, came: set[str]) -> Iterator[str]:
    """A decision that was due: whoever waited for it got it, unless the journal says why not."""
    for awaited in ledger.awaited:
        decided = evidence.decided.get(awaited.sid, [])
        if not awaited.came and not decided:
            yield f"session {awaited.sid}: a rule was true, and nothing was decided"
        elif not awaited.came and (lost := [did for did in decided if did and did not in came]):
            yield f"session {awaited.sid}: decision {lost[0]} was made and did not come"
    answered = {end.cid for end in ledger.ends if not end.rang}
    for did in answered & came:
        if not evidence.shown[did]:
            yield f"decision {did}: it was shown and accepted, and the journal does not know"


# --- messages ----------------------------------------------------------------------------------------------


def _messages(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    heard = Counter((line.author, line.mid) for line in ledger.heard)
    for line in ledger.lines:
        stored = evidence.lines[line.cid][line.author, line.mid]
        if stored != 1:
            yield f"conversation {line.cid}: the {line.author}'s line {line.mid} is stored {stored} times"
        if not heard[line.author, line.mid]:
            yield f"conversation {line.cid}: the {line.author}'s line {line.mid} was not heard"
    for (author, mid), times in heard.items():
        if times > 1:
            yield f"the {author}'s line {mid} was heard {times} times"
    tried = set(ledger.tried)
    for cid, lines in evidence.lines.items():
        for author, mid in lines:
            if author != "system" and mid not in tried:
                yield f"conversation {cid}: the {author}'s line {mid} was said by nobody"


# --- agents ------------------------------------------------------------------------------------------------


def _assignment(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    by_conversation: defaultdict[str, list[Held]] = defaultdict(list)
    for held in ledger.held:
        by_conversation[held.cid].append(held)
    for cid, holds in by_conversation.items():
        for one, other in combinations(holds, 2):
            if one.login != other.login and _together_s(one, other) > SLACK_S:
                yield f"conversation {cid}: it was with {one.login} and with {other.login} at once"
    yield from _accepted_twice(evidence)


def _together_s(one: Held, other: Held) -> float:
    return min(one.until, other.until) - max(one.since, other.since)


def _accepted_twice(evidence: Evidence) -> Iterator[str]:
    holder: dict[str, str] = {}
    for record in evidence.routing:
        cid = record.get("cid", "")
        if record["kind"] == "accepted":
            before = holder.setdefault(cid, record["agent"])
            if before != record["agent"]:
                yield f"conversation {cid}: {record['agent']} accepted it while it was {before}'s"
        elif record.get("state") in ("waiting", "ringing", "closed"):
            holder.pop(cid, None)


def _capacity(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    by_login: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for held in ledger.held:
        if held.until - held.since > SLACK_S:
            by_login[held.login] += [(held.since, 1), (held.until - SLACK_S, -1)]
    for login, changes in by_login.items():
        most = now = 0
        for _, change in sorted(changes):
            now += change
            most = max(most, now)
        if most > limits.capacity:
            yield f"agent {login} had {most} conversations at once, and has {limits.capacity} slots"


# --- caps, latency, generator ------------------------------------------------------------------------------


def _caps(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    first: dict[str, Display] = {}
    for seen in sorted(ledger.seen, key=lambda seen: seen.at):
        display = Display(seen.sid, seen.visitor, seen.did, seen.kind, round(seen.at * 1000))
        first.setdefault(seen.did, display)
    yield from exceeded(limits.site, list(first.values()), evidence.rule_of)


def _latency(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    for row in ledger.rows:
        limit = limits.ms.get(row.name)
        if limit is not None and row.ms["p99"] > limit:
            yield f"{row.name}: p99 is {row.ms['p99']:.1f} ms of {row.count}, over {limit:g}"


def _generator(ledger: Ledger, evidence: Evidence, limits: Limits) -> Iterator[str]:
    if not ledger.health:
        yield "no generator told how it was"
    for report in ledger.health:
        yield from report.faults()


Find = Callable[[Ledger, Evidence, Limits], Iterable[str]]
CHECKS: Final[dict[str, Find]] = {
    "events": _events,
    "decisions": _decisions,
    "messages": _messages,
    "assignment": _assignment,
    "capacity": _capacity,
    "caps": _caps,
    "latency": _latency,
    "generator": _generator,
}


def judge(ledger: Ledger, evidence: Evidence, limits: Limits) -> list[Check]:
    """All checks, in their order."""
    return [Check(name, tuple(find(ledger, evidence, limits))) for name, find in CHECKS.items()]


def verdict(checks: Sequence[Check]) -> int:
    """`HELD`, `FAILED` or `INVALID`."""
    failed = {check.name for check in checks if not check.holds}
    if "generator" not in failed:
        return FAILED if failed else HELD
    return FAILED if failed - {"generator", "latency"} else INVALID


def tell(checks: Sequence[Check]) -> Iterator[str]:
    """The checks for a reader, a line each, and below it what was found."""
    invalid = verdict(checks) == INVALID
    for check in checks:
        skipped = invalid and check.name == "latency"
        yield f"{check.name}: {'not judged' if skipped else 'holds' if check.holds else 'FAILED'}"
        yield from (f"  {fault}" for fault in check.faults[:SHOWN])
        if len(check.faults) > SHOWN:
            yield f"  ... and {len(check.faults) - SHOWN} more"
    if invalid:
        yield "INVALID: the generator did not keep up; use fewer users, more workers or a quieter machine"


def site_of(file: Path, name: str) -> Site:
    """The site whose caps count."""
    return load_sites(str(file), lambda path: Path(path).read_text(encoding="utf-8"))[name]


async def check(ledger: Ledger, redis_url: str, limits: Limits) -> list[Check]:
    """Judge a run by its ledger and the store it was on."""
    redis: Redis = Redis.from_url(redis_url)
    try:
        return judge(ledger, await gather(ledger, redis), limits)
    finally:
        await redis.aclose()


def parse_limit(text: str) -> tuple[str, float]:
    """ENTRY=MS."""
    name, _, ms = text.rpartition("=")
    if name not in LIMITS_MS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(LIMITS_MS)}")
    return name, float(ms)


def main(words: list[str]) -> int:
    """Check what a run left."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.checks", description="Check what a run left.")
    parser.add_argument("ledger", type=Path, help="what Locust wrote with --ledger")
    parser.add_argument("--redis", required=True, help="URL of the store that the service used")
    parser.add_argument("--site-file", type=Path, default=DEMO, help="the site file with the caps that count")
    parser.add_argument("--capacity", type=int, default=3, help="slots of each agent (3, as the demo's)")
    parser.add_argument(
        "--limit", type=parse_limit, action="append", default=[], metavar="ENTRY=MS", help="p99"
    )
    asked = parser.parse_args(words)
    limits = Limits(site_of(asked.site_file, SITE), asked.capacity, LIMITS_MS | dict(asked.limit))
    found = asyncio.run(check(Ledger.read(asked.ledger), asked.redis, limits))
    print("\n".join(tell(found)))
    return verdict(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
