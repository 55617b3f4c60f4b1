"""Facts about the visit, the visitor, and what they were shown."""

from __future__ import annotations

from typing import Final

from router.core.facts.fact import PROFILE, Fact, Read, reading
from router.core.session import Session

DEVICES: Final = ("phone", "tablet", "desktop")
_TOLD: Final = reading("page", "visit")
_BACKEND: Final = 1 << PROFILE


def _origin(name: str) -> Read:
    def read(session: Session, now: int) -> str | None:
        return getattr(session.origin, name) or None

    return read


def _number(session: Session, now: int) -> int:
    return session.visits


def _returning(session: Session, now: int) -> bool:
    return session.visits > 1


def _orders(session: Session, now: int) -> int | None:
    return session.profile.orders


def _tier(session: Session, now: int) -> str | None:
    return session.profile.tier or None


def _score(session: Session, now: int) -> float | None:
    return session.profile.score


def _seen(session: Session, now: int) -> int:
    return sum(session.shown.values())


FACTS: Final = (
    Fact("visit.number", "count", reading("page"), _number),
    Fact("visit.referrer", "word", _TOLD, _origin("referrer")),
    Fact("visit.landing", "path", _TOLD, _origin("landing")),
    Fact("visit.source", "word", _TOLD, _origin("source")),
    Fact("visit.medium", "word", _TOLD, _origin("medium")),
    Fact("visit.campaign", "word", _TOLD, _origin("campaign")),
    Fact("visit.device", "device", _TOLD, _origin("device")),
    Fact("visit.country", "word", _TOLD, _origin("country")),
    Fact("visitor.returning", "flag", reading("page"), _returning),
    Fact("visitor.orders", "count", _BACKEND | reading("page"), _orders),
    Fact("visitor.tier", "word", _BACKEND | reading("page"), _tier),
    Fact("score", "ratio", _BACKEND | reading("page"), _score),
    Fact("offers.seen", "count", reading("shown"), _seen),
)
