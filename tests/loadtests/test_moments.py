"""A message id says when its message was meant to be said."""

from __future__ import annotations

import pytest

from loadtests import moments
from router.core import protocol as wire


def test_an_id_carries_its_moment() -> None:
    mid = moments.stamped(1234.5)
    assert moments.age_s(mid, 1234.75) == pytest.approx(0.25)


def test_ids_of_one_moment_differ_and_are_ids_of_the_protocol() -> None:
    ids = {moments.stamped(at) for at in (0.0, 5.0, 5.0, 4e9)}
    assert len(ids) == 4
    for mid in ids:
        assert wire.decode(wire.encode(wire.Say("conversation-1", mid, "hello")))


@pytest.mark.parametrize("mid", ["ffffffff-0000000001-00", "page-1", "", f"{moments.HOST}-never-00"])
def test_an_id_of_another_machine_or_of_somebody_else_says_nothing(mid: str) -> None:
    assert moments.age_s(mid, 5.0) is None
