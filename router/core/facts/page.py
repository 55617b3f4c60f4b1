"""Facts about the page view that was looked at last, and about attention."""

from __future__ import annotations

from typing import Final

from router.core import events as ev
from router.core.facts.fact import VIEW, Fact, reading
from router.core.session import Page, Session, dwell_page, dwell_site

PAGE_TYPES: Final = ("home", "list", "product", "cart", "shipping", "checkout", "payment", "thanks", "other")


def _view(session: Session) -> Page | None:
    return session.pages.get(session.current)


def _type(session: Session, now: int) -> str | None:
    page = session.pages.get(session.current)
    return None if page is None else page.type or None


def _path(session: Session, now: int) -> str | None:
    page = session.pages.get(session.current)
    return None if page is None else page.path or None


def _language(session: Session, now: int) -> str | None:
    return session.language.partition("-")[0].lower() or None


def _dwell_page(session: Session, now: int) -> int | None:
    return dwell_page(session, now) if session.current in session.pages else None


def _dwell_page_zero(session: Session) -> int | None:
    page = session.pages.get(session.current)
    return None if page is None or page.state != ev.FOCUSED else page.since - page.focused_ms


def _dwell_site(session: Session, now: int) -> int | None:
    return dwell_site(session, now)


def _dwell_site_zero(session: Session) -> int | None:
    page = session.pages.get(session.current)
    return None if page is None or page.state != ev.FOCUSED else page.since - session.focused_ms


def _scroll(session: Session, now: int) -> float | None:
    page = _view(session)
    return None if page is None else page.scroll / 100


def _struggle_time(session: Session, now: int) -> int | None:
    page = _view(session)
    return None if page is None else page.struggle_ms


def _struggle_edits(session: Session, now: int) -> int | None:
    page = _view(session)
    return None if page is None else page.edits


def _idle(session: Session, now: int) -> int | None:
    return now - session.idle_since if session.idle_since else None


def _idle_zero(session: Session) -> int | None:
    return session.idle_since or None


FACTS: Final = (
    Fact("page.type", "page type", VIEW, _type, scope="page"),
    Fact("page.path", "path", VIEW, _path, scope="page"),
    Fact("page.language", "language", reading("page"), _language),
    Fact("dwell.page", "duration", VIEW, _dwell_page, _dwell_page_zero, scope="page"),
    Fact("dwell.site", "duration", VIEW, _dwell_site, _dwell_site_zero),
    Fact("scroll", "ratio", VIEW | reading("scroll"), _scroll, scope="page"),
    Fact("idle", "duration", reading("idle"), _idle, _idle_zero),
    Fact("struggle.time", "duration", VIEW | reading("struggle"), _struggle_time, scope="page"),
    Fact("struggle.edits", "count", VIEW | reading("struggle"), _struggle_edits, scope="page"),
)
