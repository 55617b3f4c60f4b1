"""What rules cost: folding and deciding one event with 20 rules, with 1,000, and beside asking every rule.

In this process, without sockets or a store: the pure path of one event as the service walks it. Rounds of all variants
alternate, so that whatever else the machine does meets all of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from router.core import events as ev
from router.core.fold import fold
from router.core.rules.compile import Due, RuleSet
from router.core.rules.model import All, Compare, Condition, Entry, Not, RuleFile, ShowArticle, Silence
from router.core.session import Session, admit

PAGE: Final = "000000001loadtest"
START: Final = 1_700_000_000_000
STEP_MS: Final = 500
ITEMS: Final = tuple(ev.Item(f"piece-{n}", f"器 {n}", "cups", price=1800.0 + 20 * n) for n in range(20))

Decide = Callable[[RuleSet, Session, int, int, Due], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds for folding and deciding an event, one figure a round."""

    name: str
    us: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.us)


# --- rules that a shop could have written ----------------------------------------------------------------------


def _on_the_cart(chance: random.Random) -> Condition:
    """All read the cart; some the page, a dwell, a silence or the checkout besides."""
    value = float(chance.randrange(1_000, 60_000, 10))
    parts: list[Condition] = [Compare("cart.value", chance.choice(("gte", "gt", "lt")), value, "JPY")]
    match chance.randrange(5):
        case 0:
            parts.append(Compare("cart.lines", "gte", chance.randrange(1, 9)))
        case 1:
            parts.append(Silence("checkout", "cart_add", chance.randrange(10, 90) * 1000, "visible"))
        case 2:
            parts.append(Compare("dwell.page", "gte", chance.randrange(5, 120) * 1000))
        case 3:
            parts.append(Not(Compare("checkout.started", "eq", True)))
    if chance.random() < 0.5:
        parts.append(Compare("page.type", "eq", chance.choice(("cart", "product", "checkout", "list"))))
    return All(tuple(parts))


def _elsewhere(chance: random.Random) -> Condition:
    """Reads the product and a dwell, never the cart."""
    return All(
        (
            Compare("product.price", "gte", float(chance.randrange(1_000, 60_000, 10)), "JPY"),
            Compare("page.type", "eq", "product"),
            Compare("dwell.page", "gte", chance.randrange(5, 120) * 1000),
        )
    )


def ruleset(reading: int, others: int, seed: int = 1) -> RuleSet:
    """`reading` rules that read the cart and `others` that do not."""
    chance = random.Random(seed)
    conditions = [_on_the_cart(chance) for _ in range(reading)] + [_elsewhere(chance) for _ in range(others)]
    return RuleSet(
        RuleFile(1, tuple(Entry(f"r{n}", when, (ShowArticle("a"),)) for n, when in enumerate(conditions)))
    )


# --- measuring -------------------------------------------------------------------------------------------------


def _edits(count: int) -> Iterator[ev.Event]:
    """A shopper who adds and takes out again; the cart's value is a new one each time."""
    for n in range(count):
        item = ITEMS[n % len(ITEMS)]
        if n % 3 == 2:
            yield ev.CartRemove(0, ITEMS[(n - 1) % len(ITEMS)], currency="JPY")
        else:
            yield ev.CartAdd(0, item, currency="JPY")


def _indexed(rules: RuleSet, session: Session, kind: int, now: int, due: Due) -> object:
    return rules.edges(session, 1 << kind, now, due)


def _naive(rules: RuleSet, session: Session, kind: int, now: int, due: Due) -> object:
    """What one would write first: ask every rule at every event."""
    return [rule for rule in rules.rules if rule.test(session, now)]


def _round(rules: RuleSet, decide: Decide, count: int) -> float:
    """Microseconds an event."""
    session, due, now = Session("s", "demo", "v", "JPY", START, START), Due(), START
    admit(session, PAGE)
    fold(session, PAGE, ev.Page(0, "cart", "/cart"), now)
    fold(session, PAGE, ev.Dwell(0, 0, ev.FOCUSED), now)
    rules.adopt(session, now, due)
    events = list(_edits(count))
    begin = time.perf_counter()
    for event in events:
        now += STEP_MS
        decide(rules, session, fold(session, PAGE, event, now), now, due)
    return (time.perf_counter() - begin) / count * 1e6


def measure(rounds: int, count: int) -> list[Cost]:
    """All variants, `rounds` times in turn, `count` events each (the naive ones fewer)."""
    few, mixed, many = ruleset(20, 0), ruleset(20, 980), ruleset(1000, 0)
    variants: list[tuple[str, Callable[[], float]]] = [
        ("20 rules", lambda: _round(few, _indexed, count)),
        ("1,000 rules, 20 of them read the event", lambda: _round(mixed, _indexed, count)),
        ("1,000 rules, all of them read the event", lambda: _round(many, _indexed, count)),
        ("20 rules, each asked", lambda: _round(few, _naive, count)),
        ("1,000 rules, each asked", lambda: _round(many, _naive, max(1, count // 50))),
    ]
    found = [[run() for _, run in variants] for _ in range(rounds)]
    return [
        Cost(name, tuple(column))
        for (name, _), column in zip(variants, zip(*found, strict=True), strict=True)
    ]


def summary(costs: list[Cost]) -> dict[str, float]:
    """The figures for a machine."""
    few, mixed, many, _, naive = (cost.middle for cost in costs)
    return {
        "rules_20_us": round(few, 2),
        "rules_1000_same_over_20": round(mixed / few, 2),
        "rules_1000_over_20": round(many / few, 2),
        "rules_1000_naive_over_indexed": round(naive / many, 1),
    }


def table(costs: list[Cost]) -> str:
    """The figures for a reader."""
    lines = ["fold and decide one event                    us (smallest-largest)     to 20 rules"]
    for cost in costs:
        spread = f"{cost.middle:.2f} ({min(cost.us):.2f}-{max(cost.us):.2f})"
        lines.append(f"  {cost.name:42}{spread:>22}{cost.middle / costs[0].middle:>16.2f}")
    return "\n".join(lines)
