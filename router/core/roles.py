"""Who may do what: one table of frames, one of addresses. Whatever is not on them is nobody's.

Each role may do what the one before it may. PUBLIC addresses ask for no login; what else they ask for is their own.
"""

from __future__ import annotations

from typing import Any, Final

from router.errors import Refused

ROLES: Final = ("agent", "supervisor", "admin")
PUBLIC: Final = ""

FRAMES: Final = {
    "presence": "agent", "accept": "agent", "decline": "agent", "say": "agent", "card": "agent", "typing": "agent",
    "history": "agent", "note": "agent", "close": "agent", "ping": "agent", "transfer": "agent",
    "take": "agent", "assign": "supervisor", "set_presence": "supervisor", "look": "supervisor",
    "tag": "agent", "before": "agent", "left_take": "agent", "left_done": "agent", "left_lines": "agent",
    "warn": "agent", "block": "agent", "blocks": "supervisor", "unblock": "supervisor",
}  # fmt: skip

ROUTES: Final = {
    "/agent/api/login": PUBLIC,
    "/agent/api/demo": PUBLIC, "/agent/api/me": "agent", "/agent/api/ticket": "agent",
    "/agent/api/logout": "agent",
    "/agent/api/ops/overview": "supervisor", "/agent/api/ops/funnel": "supervisor",
    "/agent/api/ops/rules": "supervisor", "/agent/api/ops/check": "supervisor",
    "/agent/api/ops/edit": "supervisor", "/agent/api/ops/try": "supervisor", "/agent/api/ops/preview": "supervisor",
    "/agent/api/ops/publish": "supervisor",
    "/agent/api/ops/roll-back": "supervisor", "/agent/api/ops/kill": "supervisor",
    "/agent/api/ops/explain": "supervisor",
}  # fmt: skip


def at_least(role: str, needed: str) -> bool:
    """Whether the role may do what `needed` may. An unknown role may nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


def check_frame(role: str, frame: Any) -> None:
    """Raise `Refused("forbidden")` if the role may not send this frame."""
    needed = FRAMES.get(frame.__struct_config__.tag)
    if needed is None or not at_least(role, needed):
        raise Refused("forbidden")


def check_route(role: str, path: str) -> None:
    """Raise `Refused("forbidden")` if the role may not ask this address."""
    needed = ROUTES.get(path)
    if needed is None or (needed and not at_least(role, needed)):
        raise Refused("forbidden", "This page is for supervisors. Ask one to give you the role.")
