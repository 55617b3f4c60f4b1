"""The funnel of each rule, from the journal: eligible, held out, shown, accepted, answered, bought; and its lift.

Sessions are counted, each once a rule. A session bought if an order that was not cancelled names it and came after the
rule had its turn. Pure: records in, figures out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Final

Z: Final = 1.96  # 95 %
ENOUGH: Final = (
    30  # sessions in the smaller group, and five that bought in each: below that nothing can be told
)
FEW_BUYERS: Final = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions, how many of them bought, and for how much (in the site's currency)."""

    sessions: int = 0
    bought: int = 0
    value: float = 0.0

    @property
    def rate(self) -> float:
        """The share that bought."""
        return self.bought / self.sessions if self.sessions else 0.0


@dataclass(frozen=True, slots=True)
class Lift:
    """How much more often the treated bought than the held out: a difference of shares with its 95 % interval
    (Newcombe's, from two Wilson intervals).
    """

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, or the whole programme. `treated` are the sessions in which the rule acted, `held_out` those in which
    it would have. `lost` counts why it had its turn and did not act; `lift` is None where there are too few to tell.
    """

    rule: str
    treated: Group
    held_out: Group
    shown: int
    accepted: int
    answered: int
    lost: dict[str, int]
    lift: Lift | None

    @property
    def eligible(self) -> int:
        """Sessions in which the rule acted or would have."""
        return self.treated.sessions + self.held_out.sessions


@dataclass(frozen=True, slots=True)
class Funnel:
    """All rules by what they made, most first; `programme` sets all sessions in which any rule acted beside the site's
    own holdout.
    """

    rules: tuple[Row, ...]
    programme: Row


@dataclass(slots=True)
class _Rule:
    made: dict[str, int] = field(default_factory=dict)  # session -> when
    held: dict[str, int] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    lost: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(slots=True)
class _Order:
    sid: str
    at: int
    value: float
    cancelled: bool


class Reading:
    """Records of one site's journal, in their order, become a funnel."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._rules: defaultdict[str, _Rule] = defaultdict(_Rule)
        self._programme = _Rule()
        self._decisions: dict[str, tuple[str, str]] = {}
        self._orders: dict[str, _Order] = {}

    def add(self, kind: str, record: dict[str, Any]) -> None:
        """One record. What is of another site, or says nothing to a funnel, is passed over."""
        take = {
            "decision": self._decision, "shown": self._shown, "end": self._end, "routing": self._routing,
            "order": self._order,
        }.get(kind)  # fmt: skip
        if take is not None and record.get("site", self._site) == self._site:
            take(record)

    def _decision(self, record: dict[str, Any]) -> None:
        rule, sid, at = self._rules[record["rule"]], record["sid"], record["at"]
        match record["outcome"]:
            case "made":
                self._decisions[record["did"]] = record["rule"], sid
                rule.made.setdefault(sid, at)
                self._programme.made.setdefault(sid, at)
            case "held_out":
                rule.held.setdefault(sid, at)
            case "site_holdout":
                self._programme.held.setdefault(sid, at)
            case outcome:
                rule.lost[record.get("reason") or outcome].add(sid)

    def _shown(self, record: dict[str, Any]) -> None:
        self._mark(record["did"], "shown")

    def _end(self, record: dict[str, Any]) -> None:
        if record["end"] == "accepted":
            self._mark(record["did"], "accepted")

    def _routing(self, record: dict[str, Any]) -> None:
        if record.get("kind") == "accepted":
            self._mark(record.get("cid", ""), "answered")

    def _mark(self, did: str, step: str) -> None:
        if did in self._decisions:
            rule, sid = self._decisions[did]
            getattr(self._rules[rule], step).add(sid)
            getattr(self._programme, step).add(sid)

    def _order(self, record: dict[str, Any]) -> None:
        sid, gone = record.get("sid"), record["state"] in ("cancelled", "returned")
        known = self._orders.get(record["order"])
        if known is not None:
            known.cancelled = known.cancelled or gone
        elif sid:
            self._orders[record["order"]] = _Order(sid, record["at"], float(record["value"]), gone)

    def funnel(self) -> Funnel:
        """What was read so far."""
        bought = self._bought()
        rows = [_row(name, rule, bought) for name, rule in self._rules.items()]
        rows.sort(key=lambda row: (-row.treated.sessions, row.rule))
        return Funnel(tuple(rows), _row("", self._programme, bought))

    def _bought(self) -> dict[str, list[_Order]]:
        found: dict[str, list[_Order]] = defaultdict(list)
        for order in self._orders.values():
            if not order.cancelled:
                found[order.sid].append(order)
        return found


def _row(name: str, rule: _Rule, bought: dict[str, list[_Order]]) -> Row:
    treated, held = _group(rule.made, bought), _group(rule.held, bought)
    lost = {
        reason: len(sids)
        for reason, sids in sorted(rule.lost.items(), key=lambda item: (-len(item[1]), item[0]))
    }
    return Row(
        name,
        treated,
        held,
        len(rule.shown),
        len(rule.accepted),
        len(rule.answered),
        lost,
        lift(treated, held),
    )


def _group(sessions: dict[str, int], bought: dict[str, list[_Order]]) -> Group:
    count, value = 0, 0.0
    for sid, since in sessions.items():
        orders = [order for order in bought.get(sid, ()) if order.at >= since]
        count += bool(orders)
        value += sum(order.value for order in orders)
    return Group(len(sessions), count, round(value, 4))


# --- lift ----------------------------------------------------------------------------------------------------


def lift(treated: Group, held: Group) -> Lift | None:
    """The difference of the shares that bought, if there are enough of both to say anything."""
    if min(treated.sessions, held.sessions) < ENOUGH or min(treated.bought, held.bought) < FEW_BUYERS:
        return None
    difference = treated.rate - held.rate
    low_t, high_t = wilson(treated.bought, treated.sessions)
    low_h, high_h = wilson(held.bought, held.sessions)
    low = difference - sqrt((treated.rate - low_t) ** 2 + (high_h - held.rate) ** 2)
    high = difference + sqrt((high_t - treated.rate) ** 2 + (held.rate - low_h) ** 2)
    return Lift(difference, low, high)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    rate, spread = hits / count, Z * Z / count
    middle = (rate + spread / 2) / (1 + spread)
    half = Z * sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    return middle - half, middle + half
