"""router.core.roles: every frame is on the table, and each role may do exactly what it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import get_args

import pytest

from router.core import console, roles
from router.errors import Refused

SUPERVISORS_ONLY = {"assign", "set_presence", "look", "blocks", "unblock"}


def may(role: str, tag: str) -> bool:
    frame = SimpleNamespace(__struct_config__=SimpleNamespace(tag=tag))
    try:
        roles.check_frame(role, frame)
    except Refused as refused:
        assert refused.name == "forbidden"
        return False
    return True


def test_the_table_names_exactly_the_frames_there_are() -> None:
    assert {frame.__struct_config__.tag for frame in get_args(console.Frame)} == set(roles.FRAMES)


@pytest.mark.parametrize("role", ["", "nobody", *roles.ROLES])
@pytest.mark.parametrize("tag", sorted(roles.FRAMES))
def test_each_role_may_send_what_it_may(role: str, tag: str) -> None:
    least = 1 if tag in SUPERVISORS_ONLY else 0
    assert may(role, tag) == (role in roles.ROLES and roles.ROLES.index(role) >= least)


def test_what_is_not_on_the_table_is_nobodys() -> None:
    assert not may("admin", "something-new")
    with pytest.raises(Refused, match="forbidden"):
        roles.check_route("admin", "/agent/api/something-new")
