"""Rules tried on what shoppers did, without a service: the same fold, the same rules and the same order of a decision,
on a clock of its own.

Sockets, stores and people are left out: an agent is always free, a budget never spent, whatever is shown is drawn at
once and nobody answers it. What a visitor was shown and bought counts over sessions. The same input gives the same
output.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from router.core import events as ev
from router.core.decision import LATE_MS, OPEN_MS, capped, draw, not_before_left, suppressed
from router.core.fold import fold
from router.core.rules.compile import Due, Rule, RuleSet
from router.core.rules.model import Action as RuleAction
from router.core.rules.model import GiveOffer
from router.core.session import Decision, Profile, Session, admit, expired, hide
from router.core.site import Site
from router.errors import Refused
from router.store.behaviour import Batch

DWELL: Final = 1 << ev.number("dwell")
FEEDBACK: Final = (ev.Shown, ev.Accepted, ev.Dismissed, ev.Copied, ev.Deferred)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule became true: what came of it (`outcome`, `reason`), in which session and how long after it began, on which
    type of page, and with which action.
    """

    rule: str
    outcome: str
    reason: str
    session: str
    at: int
    after_ms: int
    page: str
    action: str


@dataclass(slots=True)
class Trial:
    """What happened: every firing in order, and when each session bought."""

    firings: list[Firing] = field(default_factory=list)
    bought: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    sessions: int = 0
    events: int = 0


def run(batches: Iterable[Batch], site: Site, rules: RuleSet) -> Trial:
    """Try the rules on batches in the order of time."""
    trying = _Run(site, rules)
    for batch in batches:
        trying.take(batch)
    trying.pass_until(None)
    return trying.trial


def run_until(
    batches: Iterable[Batch], end: int, site: Site, rules: RuleSet
) -> tuple[Trial, dict[str, Session]]:
    """Try the rules no longer than until `end`; also the sessions as they are then."""
    trying = _Run(site, rules)
    for batch in batches:
        if batch.at > end:
            break
        trying.take(batch)
    trying.pass_until(end)
    return trying.trial, trying.sessions()


@dataclass(slots=True)
class _Visit:
    """A session while it goes on. `open` are its pages with a socket, `wake` is the moment in the heap (0: none)."""

    name: str
    session: Session
    due: Due
    open: set[str] = field(default_factory=set)
    wake: int = 0
    shown_until: int = 0
    patient: dict[str, int] = field(default_factory=dict)


class _Run:
    def __init__(self, site: Site, rules: RuleSet) -> None:
        self.site = site
        self.rules = rules
        self.trial = Trial()
        self._visits: dict[str, _Visit] = {}
        self._shown: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._visited: defaultdict[str, int] = defaultdict(int)
        self._orders: defaultdict[str, int] = defaultdict(int)
        self._heap: list[tuple[int, int, _Visit]] = []
        self._order = itertools.count()

    def take(self, batch: Batch) -> None:
        """What time brought about until then, and then the batch."""
        self.pass_until(batch.at)
        self._act(batch)

    def sessions(self) -> dict[str, Session]:
        """The sessions by name as they are now."""
        return {name: visit.session for name, visit in self._visits.items()}

    # --- time ------------------------------------------------------------------------------------------------

    def pass_until(self, moment: int | None) -> None:
        """Everything that time alone brings about before this moment; with None, all that is still to come."""
        heap = self._heap
        while heap and (moment is None or heap[0][0] <= moment):
            at, _, visit = heapq.heappop(heap)
            if visit.wake == at and visit.open:
                visit.wake = 0
                self._wake(visit, at)

    def _plan(self, visit: _Visit) -> None:
        moments = [*visit.due.values(), *visit.patient.values()]
        if visit.shown_until:
            moments.append(visit.shown_until)
        moment = min(moments, default=0)
        if moment and (not visit.wake or moment < visit.wake):
            visit.wake = moment
            heapq.heappush(self._heap, (moment, next(self._order), visit))

    def _wake(self, visit: _Visit, now: int) -> None:
        if visit.shown_until and visit.shown_until <= now:
            visit.session.decision, visit.shown_until = None, 0
        self._consider(visit, self._on_time(visit, now), now)
        waited = [name for name, moment in visit.patient.items() if moment <= now]
        for name in waited:
            del visit.patient[name]
        again = [rule for name in waited if (rule := self.rules.find(name)) and rule.test(visit.session, now)]
        self._consider(visit, again, now)
        self._plan(visit)

    def _on_time(self, visit: _Visit, now: int) -> list[Rule]:
        """What turned true by time; what did so too long ago, while nobody looked, is late."""
        session = visit.session
        fired = self.rules.wake(session, now, visit.due)
        late = [rule for rule in fired if rule.test(session, now - LATE_MS)]
        for rule in late:
            self._note(visit, rule, "late", "", now)
        return [rule for rule in fired if rule not in late]

    # --- a visit ---------------------------------------------------------------------------------------------

    def _act(self, batch: Batch) -> None:
        visit, now = self._visit(batch), batch.at
        if batch.open:
            visit.open.add(batch.page)
        else:
            visit.open.discard(batch.page)
        mask = self._fold(visit, batch)
        fired = self.rules.edges(visit.session, mask, now, visit.due) if batch.events or visit.open else []
        if visit.session.decision is not None and suppressed(visit.session, now) in ("payment", "bought"):
            visit.session.decision, visit.shown_until = None, 0
        self._consider(visit, fired, now)
        if visit.open:
            self._plan(visit)
        else:  # nothing is decided until the shopper comes back
            visit.due.clear()
            visit.patient.clear()

    def _fold(self, visit: _Visit, batch: Batch) -> int:
        """The kinds that came. What was done about decisions that these rules did not make is left out."""
        session, mask = visit.session, 0
        try:
            page = admit(session, batch.page)
        except Refused:
            return 0
        for event in batch.events:
            if not isinstance(event, FEEDBACK):
                mask |= 1 << fold(session, batch.page, event, batch.at)
            if type(event) is ev.Purchase:
                self.trial.bought[visit.name].append(batch.at)
                self._orders[session.visitor] += 1
        self.trial.events += len(batch.events)
        if not batch.events:
            session.newest = max(session.newest, batch.at)
            mask |= DWELL
        if not batch.open:
            hide(session, batch.page, page.last if batch.events else batch.at)
        return mask

    def _visit(self, batch: Batch) -> _Visit:
        visit = self._visits.get(batch.session)
        if visit is None or expired(visit.session, batch.at, open_now=bool(visit.open)):
            visit = self._visits[batch.session] = self._begin(batch)
        elif not visit.open:
            self.rules.adopt(visit.session, batch.at, visit.due)
            self._consider(visit, self._on_time(visit, batch.at), batch.at)
        return visit

    def _begin(self, batch: Batch) -> _Visit:
        self.trial.sessions += 1
        self._visited[batch.visitor] += 1
        session = Session(
            batch.session, self.site.id, batch.visitor, self.site.currency, batch.at, batch.at, batch.language,
            batch.visits or self._visited[batch.visitor],
        )  # fmt: skip
        session.profile = Profile(self._orders[batch.visitor])
        visit = _Visit(batch.session, session, Due())
        self.rules.adopt(session, batch.at, visit.due)
        return visit

    # --- a decision ------------------------------------------------------------------------------------------

    def _consider(self, visit: _Visit, fired: list[Rule], now: int) -> None:
        for rule in fired:
            if self._try(visit, rule, now):
                return

    def _try(self, visit: _Visit, rule: Rule, now: int) -> bool:
        """In the order in which the service decides; whether the turn ends here."""
        session, common = visit.session, self.rules.defaults.caps
        if rule.rollout < 1 and draw(session.visitor, "rollout " + rule.id) >= rule.rollout:
            return False
        reason = suppressed(session, now) or capped(session, rule.id, rule.caps, common, now)
        if reason == "not_before":
            opens = now + not_before_left(session, rule.caps, common, now)
            if rule.patience_ms:
                visit.patient.setdefault(rule.id, opens)
            return False
        if reason is not None:
            self._note(visit, rule, "suppressed", reason, now)
            return False
        if rule.mode == "shadow":
            self._note(visit, rule, "shadow", "", now)
            return False
        if self.rules.site_holdout and draw(session.visitor, "site") < self.rules.site_holdout:
            self._note(visit, rule, "site_holdout", "", now)
            return True
        if not self._cap_left(session.visitor, rule, now):
            self._note(visit, rule, "capped", "", now)
            return False
        self._shown[session.visitor].append((now, rule.id))
        session.shown[rule.id] = session.shown.get(rule.id, 0) + 1
        if rule.holdout > 0 and draw(session.visitor, rule.id) < rule.holdout:
            self._note(visit, rule, "held_out", "", now)
            return True
        self._show(visit, rule, now)
        return True

    def _cap_left(self, visitor: str, rule: Rule, now: int) -> bool:
        shown = self._shown[visitor]
        for cap, name in ((rule.caps.per_visitor, rule.id), (self.rules.defaults.caps.per_visitor, "")):
            if cap is not None:
                count, window = cap
                if sum(at > now - window and name in ("", which) for at, which in shown) >= count:
                    return False
        return True

    def _show(self, visit: _Visit, rule: Rule, now: int) -> None:
        action = rule.then[0]
        visit.session.decision = Decision(
            f"{visit.name}-{now}"[:40], rule.id, self.rules.version, action.kind, "", (), now, now + rule.valid_ms,
            visit.session.current, visit.session.cart.version, {}, state="shown", shown_at=now,
        )  # fmt: skip
        visit.shown_until = now + self._open_ms(action)
        self._note(visit, rule, "made", "", now)

    def _open_ms(self, action: RuleAction) -> int:
        return self.site.offers[action.offer].expires_ms if isinstance(action, GiveOffer) else OPEN_MS

    def _note(self, visit: _Visit, rule: Rule, outcome: str, reason: str, now: int) -> None:
        view = visit.session.view
        page, after_ms = view.type if view else "", now - visit.session.started
        firing = Firing(rule.id, outcome, reason, visit.name, now, after_ms, page, rule.then[0].kind)
        self.trial.firings.append(firing)
