"""Rules tried on a recording without a service: the same fold, the same rules and the same order of a decision, on a
clock of the recording's own.

Sockets, stores and people are left out: an agent is always free, a budget never spent, whatever is shown is drawn at
once and nobody answers it. What a visitor was shown and bought counts over sessions. The same input gives the same
output.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
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
from router.replay.recording import Action, Recording

LINGER_MS: Final = 150_000
DWELL: Final = 1 << ev.number("dwell")
PAGE: Final = "000000001-trial"


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


def run(recording: Recording, site: Site, rules: RuleSet) -> Trial:
    """Try the rules on the recording."""
    return _Run(site, rules).run(recording.actions)


def run_until(
    actions: list[Action], end: int, site: Site, rules: RuleSet
) -> tuple[Trial, dict[str, Session]]:
    """Try the rules on a few actions, and no longer than until `end`; also the sessions as they are then."""
    trying = _Run(site, rules)
    trying.act(actions)
    trying.pass_until(end)
    return trying.trial, trying.sessions()


@dataclass(slots=True)
class _Visit:
    """A recorded session while it goes on. `wake` is the moment that stands in the heap (0: none)."""

    name: str
    session: Session
    due: Due
    here: bool = True
    last_at: int = 0
    wake: int = 0
    open_until: int = 0
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

    def run(self, actions: list[Action]) -> Trial:
        """All of it, and what it leaves to come."""
        self.act(actions)
        self.pass_until(None)
        return self.trial

    def act(self, actions: list[Action]) -> None:
        """One after another, and what time brings about between them."""
        for action in actions:
            self.pass_until(action.at)
            self._act(action)

    def sessions(self) -> dict[str, Session]:
        """The sessions by name as they are now."""
        return {name: visit.session for name, visit in self._visits.items()}

    # --- time ------------------------------------------------------------------------------------------------

    def pass_until(self, moment: int | None) -> None:
        """Everything that time alone brings about before this moment; with None, all that is still to come."""
        heap = self._heap
        while heap and (moment is None or heap[0][0] <= moment):
            at, _, visit = heapq.heappop(heap)
            if visit.wake == at and visit.here:
                visit.wake = 0
                self._wake(visit, at)

    def _plan(self, visit: _Visit) -> None:
        moments = [*visit.due.values(), *visit.patient.values(), visit.last_at + LINGER_MS]
        if visit.open_until:
            moments.append(visit.open_until)
        moment = min(moments)
        if not visit.wake or moment < visit.wake:
            visit.wake = moment
            heapq.heappush(self._heap, (moment, next(self._order), visit))

    def _wake(self, visit: _Visit, now: int) -> None:
        if visit.open_until and visit.open_until <= now:
            visit.session.decision, visit.open_until = None, 0
        self._consider(visit, self._on_time(visit, now), now)
        waited = [name for name, moment in visit.patient.items() if moment <= now]
        for name in waited:
            del visit.patient[name]
        again = [rule for name in waited if (rule := self.rules.find(name)) and rule.test(visit.session, now)]
        self._consider(visit, again, now)
        if now >= visit.last_at + LINGER_MS:
            self._leave(visit, now)
        else:
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

    def _act(self, action: Action) -> None:
        visit, now = self._visit(action), action.at
        events: tuple[ev.AnyEvent, ...] = action.events
        if not visit.here or not visit.session.events:
            visit.here = True
            events = (*events, ev.Dwell(0, 0, ev.FOCUSED))
        session, mask = visit.session, 0
        admit(session, PAGE)
        for event in events:
            mask |= 1 << fold(session, PAGE, event, now)
            if type(event) is ev.Purchase:
                self.trial.bought[visit.name].append(now)
                self._orders[session.visitor] += 1
        self.trial.events += len(events)
        visit.last_at = now
        fired = self.rules.edges(session, mask, now, visit.due)
        if session.decision is not None and suppressed(session, now) in ("payment", "bought"):
            session.decision, visit.open_until = None, 0
        self._consider(visit, fired, now)
        self._plan(visit)

    def _visit(self, action: Action) -> _Visit:
        visit = self._visits.get(action.session)
        if visit is None or expired(visit.session, action.at):
            visit = self._visits[action.session] = self._begin(action)
        elif not visit.here:
            self.rules.adopt(visit.session, action.at, visit.due)
            self._consider(visit, self._on_time(visit, action.at), action.at)
        return visit

    def _begin(self, action: Action) -> _Visit:
        self.trial.sessions += 1
        self._visited[action.visitor] += 1
        session = Session(
            action.session, self.site.id, action.visitor, self.site.currency, action.at, action.at, "en",
            self._visited[action.visitor],
        )  # fmt: skip
        session.profile = Profile(self._orders[action.visitor])
        visit = _Visit(action.session, session, Due(), last_at=action.at)
        self.rules.adopt(session, action.at, visit.due)
        return visit

    def _leave(self, visit: _Visit, now: int) -> None:
        """The page is closed: nothing is decided until the shopper comes back."""
        session = visit.session
        session.newest = max(session.newest, now)
        hide(session, PAGE, now)
        self._consider(visit, self.rules.edges(session, DWELL, now, visit.due), now)
        visit.here = False
        visit.due.clear()
        visit.patient.clear()

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
            PAGE, visit.session.cart.version, {}, state="shown", shown_at=now,
        )  # fmt: skip
        visit.open_until = now + self._open_ms(action)
        self._note(visit, rule, "made", "", now)

    def _open_ms(self, action: RuleAction) -> int:
        return self.site.offers[action.offer].expires_ms if isinstance(action, GiveOffer) else OPEN_MS

    def _note(self, visit: _Visit, rule: Rule, outcome: str, reason: str, now: int) -> None:
        view = visit.session.view
        page, after_ms = view.type if view else "", now - visit.session.started
        firing = Firing(rule.id, outcome, reason, visit.name, now, after_ms, page, rule.then[0].kind)
        self.trial.firings.append(firing)
