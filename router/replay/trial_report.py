"""What a trial of rules says: per rule how often, when, where, with what else, and how many agents it wanted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from router.core.rules.compile import RuleSet
from router.core.units import HOUR
from router.replay.trial import Firing, Trial

TALK_MS: Final = 5 * 60_000
BARS: Final = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule. `outcomes` counts each outcome, with its reason; `after_s` is the median time into a session, `hours`
    counts what was made by hour of the day (UTC). `bought`: of the sessions that it acted in, how many bought later all
    the same. `with_others`: in how many of them other rules had acted. `agents`: how many would have talked at once if
    everybody had said yes, for five minutes each.
    """

    rule: str
    mode: str
    outcomes: dict[str, int]
    sessions: int
    after_s: float | None
    pages: dict[str, int]
    hours: tuple[int, ...]
    bought: int
    with_others: dict[str, int]
    agents: int


@dataclass(frozen=True, slots=True)
class Report:
    """All rules, in the file's order."""

    version: str
    sessions: int
    events: int
    buyers: int
    agents: int
    rules: tuple[RuleReport, ...]


def report(rules: RuleSet, trial: Trial) -> Report:
    """Count a trial."""
    by_rule: defaultdict[str, list[Firing]] = defaultdict(list)
    acted: defaultdict[str, set[str]] = defaultdict(set)
    for firing in trial.firings:
        by_rule[firing.rule].append(firing)
        if firing.outcome == "made":
            acted[firing.session].add(firing.rule)
    found = tuple(_rule(rule.id, rule.mode, by_rule[rule.id], acted, trial) for rule in rules.rules)
    made = [firing for firing in trial.firings if firing.outcome == "made"]
    return Report(rules.version, trial.sessions, trial.events, len(trial.bought), _peak(made), found)


def _rule(
    name: str, mode: str, firings: list[Firing], acted: dict[str, set[str]], trial: Trial
) -> RuleReport:
    made = [firing for firing in firings if firing.outcome == ("shadow" if mode == "shadow" else "made")]
    sessions = {firing.session for firing in made}
    first = {firing.session: firing.at for firing in reversed(made)}
    hours = Counter(firing.at // HOUR % 24 for firing in made)
    return RuleReport(
        rule=name,
        mode=mode,
        outcomes=_counted(_outcome(firing) for firing in firings),
        sessions=len(sessions),
        after_s=round(median(firing.after_ms for firing in made) / 1000, 1) if made else None,
        pages=_counted(firing.page or "unknown" for firing in made),
        hours=tuple(hours[hour] for hour in range(24)),
        bought=sum(any(at > first[session] for at in trial.bought.get(session, ())) for session in sessions),
        with_others=_counted(other for session in sessions for other in acted[session] - {name}),
        agents=_peak(made),
    )


def _outcome(firing: Firing) -> str:
    return f"{firing.outcome} ({firing.reason})" if firing.reason else firing.outcome


def _counted(things: Iterable[str]) -> dict[str, int]:
    """Most frequent first; equals by name, so that the same input is told in the same way."""
    return dict(sorted(Counter(things).items(), key=lambda pair: (-pair[1], pair[0])))


def _peak(made: list[Firing]) -> int:
    """The most invites whose talks would have gone on at once."""
    edges = [(firing.at, 1) for firing in made if firing.action == "invite"]
    edges += [(at + TALK_MS, -1) for at, _ in edges]
    most = now = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return most


# --- telling -------------------------------------------------------------------------------------------------


def as_json(found: Report) -> dict[str, Any]:
    """For a program."""
    return asdict(found)


def table(found: Report) -> str:
    """For a reader."""
    lines = [
        f"rules version {found.version}: {found.sessions:,} sessions, {found.events:,} events, "
        f"{found.buyers:,} sessions bought, at most {found.agents:,} agents wanted at once"
    ]
    for rule in found.rules:
        lines += ["", *_lines(rule)]
    return "\n".join(lines)


def _lines(rule: RuleReport) -> list[str]:
    lines = [f"{rule.rule} ({rule.mode})", f"  outcomes   {_list(rule.outcomes)}"]
    if not rule.sessions:
        return lines
    lines += [
        f"  when       {rule.after_s:,.1f} s into the session (median); on {_list(rule.pages)}",
        f"  by hour    |{_bars(rule.hours)}| 0 to 23 h UTC, most {max(rule.hours):,}",
        f"  bought     {rule.bought:,} of {rule.sessions:,} sessions bought later all the same "
        f"({rule.bought / rule.sessions:.1%})",
        f"  agents     at most {rule.agents:,} at once",
    ]
    if rule.with_others:
        lines.append(f"  overlap    {_list(rule.with_others)}")
    return lines


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "-"


def _bars(hours: tuple[int, ...]) -> str:
    most = max(hours)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] if most else " " for count in hours)


def changes(before: Report, after: Report) -> str:
    """What `after` changes: per rule what it makes more or less often."""
    old = {rule.rule: rule for rule in before.rules}
    new = {rule.rule: rule for rule in after.rules}
    lines = [f"from rules version {before.version} to {after.version}"]
    for name in [*old, *(name for name in new if name not in old)]:
        lines.append(f"  {name:24} {_change(old.get(name), new.get(name))}")
    lines.append(f"  {'agents at once':24} {_moved(before.agents, after.agents)}")
    return "\n".join(lines)


def _change(old: RuleReport | None, new: RuleReport | None) -> str:
    if old is None or new is None:
        there = old or new
        assert there is not None
        return (
            f"{'is gone' if new is None else 'is new'}: {_made(there):,} made in {there.sessions:,} sessions"
        )
    if old == new:
        return "the same"
    parts = [f"made {_moved(_made(old), _made(new))}", f"sessions {_moved(old.sessions, new.sessions)}"]
    if old.after_s is not None and new.after_s is not None and old.after_s != new.after_s:
        parts.append(f"at {old.after_s:,.1f} -> {new.after_s:,.1f} s")
    return ", ".join(parts)


def _made(rule: RuleReport) -> int:
    return rule.outcomes.get("shadow" if rule.mode == "shadow" else "made", 0)


def _moved(old: int, new: int) -> str:
    return f"{old:,}" if old == new else f"{old:,} -> {new:,} ({new - old:+,})"
