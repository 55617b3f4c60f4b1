"""What a replay saw, as a table, and the checks that have to hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from router.core.rules.compile import Rule
from router.core.rules.model import Condition, Entry
from router.core.site import Site
from router.replay.agents import CAPACITY, SimulatedAgent
from router.replay.driver import Display, Tally
from router.replay.recording import Recording
from router.store.journal import read

PERCENTILES: Final = (50.0, 99.0, 99.9)
# The recorded event kinds of which a fact needs at least one; "price" and "path" are columns.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "page.type": ("page",),
    "page.path": ("path",),
    "page.language": (),
    "dwell.page": ("page", "cart_add", "product"),
    "repeats.page": ("page",),
    "repeats.product": ("product",),
    "product.price": ("price",),
    "cart.value": ("price",),
    "dwell.site": ("page", "cart_add", "product"),
    "repeats.category": ("product",),
    "product.category": ("product",),
    "cart.edits": ("cart_add", "cart_remove"),
    "cart.removed": ("cart_remove",),
    "cart.age": ("cart_add", "cart"),
    "cart.last_added": ("cart_add",),
    "checkout.step": ("checkout_step",),
    "payment.failed": ("payment",),
    "struggle.time": ("struggle",),
    "struggle.edits": ("struggle",),
    "visit.number": (),
    "visit.landing": ("page",),
    "visit.referrer": ("page",),
    "visit.source": ("visit",),
    "visit.medium": ("visit",),
    "visit.campaign": ("visit",),
    "visit.device": ("visit",),
    "visit.country": ("visit",),
    "visitor.returning": (),
    "visitor.orders": (),
    "offers.seen": (),
    "cart.lines": ("cart_add", "cart"),
    "cart.quantity": ("cart_add", "cart"),
    "checkout.started": ("checkout",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to hold, and what was found."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Journalled:
    """What the service itself noted: outcomes and ends by rule."""

    outcomes: Counter[tuple[str, str]]
    ends: Counter[tuple[str, str]]
    rule_of: dict[str, str]


async def journalled(redis: Redis) -> Journalled:
    """Read the journal of the run."""
    outcomes: Counter[tuple[str, str]] = Counter()
    ends: Counter[tuple[str, str]] = Counter()
    rule_of: dict[str, str] = {}
    async for entry in read(redis):
        record = entry.record
        if entry.kind == "decision":
            reason = f" ({record['reason']})" if record.get("reason") else ""
            outcomes[record["rule"], record["outcome"] + reason] += 1
            if record["outcome"] == "made":
                rule_of[record["did"]] = record["rule"]
        elif entry.kind == "end":
            ends[record["rule"], record["end"]] += 1
    return Journalled(outcomes, ends, rule_of)


# --- checks ------------------------------------------------------------------------------------------------


async def checks(
    site: Site, tally: Tally, agents: list[SimulatedAgent], noted: Journalled, redis: Redis
) -> list[Check]:
    """All of them; a replay fails if one does."""
    busiest = max((agent.most_at_once for agent in agents), default=0)
    over = exceeded(site, tally.displays, noted.rule_of)
    owners = await _sessions_with_two_owners(redis)
    return [
        Check(
            "every event folded exactly once",
            tally.lost == 0 and tally.doubled == 0 and tally.stored == tally.sent == tally.acked,
            f"{tally.sent:,} sent, {tally.stored:,} stored, {tally.lost} lost, {tally.doubled} doubled",
        ),
        Check("no cap exceeded", not over, over[0] if over else f"{len(tally.displays):,} shown"),
        Check("no agent over capacity", busiest <= CAPACITY, f"at most {busiest} of {CAPACITY} at once"),
        Check("no session with two owners", owners == 0, f"{owners} sessions with more than one state"),
        Check("no error was sent to a page", not tally.errors, tally.errors[0] if tally.errors else "none"),
    ]


def exceeded(site: Site, displays: list[Display], rule_of: dict[str, str]) -> list[str]:
    """Every cap that was broken, counted independently of the service: by session, by visitor in its window."""
    broken = []
    defaults = site.rules.defaults.caps
    by_session: defaultdict[str, int] = defaultdict(int)
    by_visitor: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for display in sorted(displays, key=lambda display: display.at):
        by_session[display.session] += 1
        if defaults.per_session is not None and by_session[display.session] > defaults.per_session:
            broken.append(f"session {display.session} was shown {by_session[display.session]}")
        rule = site.rules.find(rule_of.get(display.decision, ""))
        for name, cap in (
            ("", defaults.per_visitor),
            (rule.id, rule.caps.per_visitor) if rule else ("", None),
        ):
            if cap is None:
                continue
            count, window = cap
            shown = by_visitor[display.visitor, name]
            shown.append(display.at)
            recent = sum(1 for at in shown if at > display.at - window)
            if recent > count:
                broken.append(
                    f"visitor {display.visitor} was shown {recent} of {name or 'all rules'} in the window"
                )
    return broken


async def _sessions_with_two_owners(redis: Redis) -> int:
    states: Counter[bytes] = Counter()
    async for key in redis.scan_iter("s:*", count=1000):
        states[key.split(b"}")[0]] += 1
    return sum(1 for count in states.values() if count > 1)


# --- what the recording lacks ------------------------------------------------------------------------------


def lacking(site: Site, entries: tuple[Entry, ...], recording: Recording) -> dict[str, str]:
    """Rules that could not fire, and the fact that the recording lacks for them."""
    has = set(recording.kinds)
    has |= {"price"} if recording.has_price else set()
    has |= {"path"} if recording.has_path else set()
    found = {}
    for entry in entries:
        for fact in sorted(facts_of(entry.when)):
            needs = NEEDS.get(fact, (fact,))
            if needs and not has.intersection(needs):
                found[entry.id] = fact
                break
    return found


def facts_of(condition: Condition) -> set[str]:
    """The facts that a condition cannot do without; of `any` and `not` nothing is certain."""
    data = msgspec.to_builtins(condition)
    match data["type"]:
        case "all":
            return set().union(*(facts_of(part) for part in condition.parts))  # type: ignore[union-attr]
        case "compare" | "known":
            return {data["fact"]}
        case "repeats":
            return {f"repeats.{data['of']}"}
        case "silence":
            return {data["since"]}
        case "signs":
            return {data["of"].partition(".")[0]}
        case "leaving":
            return {"exit"}
        case "shortfall":
            return {"cart.value"}
        case "sequence":
            return {step["kind"] for step in data["steps"]}
        case "attribute":
            return {"visitor.attribute"}
    return set()


# --- the table ---------------------------------------------------------------------------------------------


def show(
    console: Console,
    site: Site,
    recording: Recording,
    tally: Tally,
    agents: list[SimulatedAgent],
    noted: Journalled,
    lacks: dict[str, str],
    results: list[Check],
    seconds: float,
) -> None:
    """Print everything."""
    console.print(_numbers(recording, tally, seconds))
    console.print(_rules(site.rules.rules, noted, lacks))
    console.print(_assignments(agents))
    console.print(_checks(results))


def _numbers(recording: Recording, tally: Tally, seconds: float) -> Table:
    table = Table(title="Replay", show_header=False, title_justify="left")
    rows: list[tuple[str, str]] = [
        ("sessions, visitors", f"{tally.sessions:,}, {recording.visitors:,}"),
        ("recorded actions", f"{len(recording.actions):,} in {seconds:.1f} s"),
        ("events sent, acked, doubled", f"{tally.sent:,}, {tally.acked:,}, {tally.doubled:,}"),
        ("reconnects, conversations", f"{tally.reconnects:,}, {tally.talks:,}"),
        ("event or moment to decision", _delays(tally.delays_ms)),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _delays(delays: list[float]) -> str:
    if len(delays) < 2:
        return "no decision was shown" if not delays else f"{delays[0]:.2f} ms (one)"
    cuts = quantiles(delays, n=1000, method="inclusive")
    values = (f"p{p:g} {cuts[round(p * 10) - 1]:.2f}" for p in PERCENTILES)
    return f"{', '.join(values)} ms, real time, {len(delays):,} shown"


def _rules(rules: tuple[Rule, ...], noted: Journalled, lacks: dict[str, str]) -> Table:
    table = Table("rule", "mode", "outcomes", "ends", title="Decisions", title_justify="left")
    for rule in rules:
        outcomes = _counts(noted.outcomes, rule.id)
        if rule.id in lacks:
            outcomes = f"could not fire: the recording lacks {lacks[rule.id]}"
        table.add_row(rule.id, rule.mode, outcomes, _counts(noted.ends, rule.id))
    return table


def _counts(counter: Counter[tuple[str, str]], rule: str) -> str:
    found = sorted(((n, what) for (name, what), n in counter.items() if name == rule), reverse=True)
    return ", ".join(f"{what} {n:,}" for n, what in found) or "-"


def _assignments(agents: list[SimulatedAgent]) -> Table:
    table = Table(
        "agent", "accepted by queue", "missed", "most at once", title="Assignments", title_justify="left"
    )
    for agent in agents:
        by_queue = ", ".join(f"{queue} {n}" for queue, n in agent.accepted.items()) or "-"
        table.add_row(agent.login, by_queue, str(agent.missed), str(agent.most_at_once))
    return table


def _checks(results: list[Check]) -> Table:
    table = Table("check", "", "found", title="Checks", title_justify="left")
    for check in results:
        table.add_row(check.name, "[green]holds[/]" if check.holds else "[red]FAILS[/]", check.found)
    return table


def as_json(tally: Tally, results: list[Check]) -> dict[str, Any]:
    """The closing figures for a program."""
    return {
        "sent": tally.sent,
        "acked": tally.acked,
        "doubled": tally.doubled,
        "lost": tally.lost,
        "shown": len(tally.displays),
        "checks": {check.name: check.holds for check in results},
    }
