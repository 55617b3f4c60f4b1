"""From the accept to the ring, whichever of the two is told first, and by whichever process."""

from __future__ import annotations

import pytest

from loadtests.pairs import End, Pairs


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def pairs(waits: list[float]) -> Pairs:
    return Pairs(waits.append)


def test_each_conversation_is_measured_once(pairs: Pairs, waits: list[float]) -> None:
    pairs.saw(End("one", False, 1.0))
    pairs.saw(End("two", True, 3.0))
    pairs.saw(End("one", True, 1.5))
    pairs.saw(End("two", False, 2.75))
    assert waits == [0.5, 0.25]


def test_the_first_ring_counts(pairs: Pairs, waits: list[float]) -> None:
    pairs.saw(End("one", True, 2.0))
    pairs.saw(End("one", True, 9.0))
    pairs.saw(End("one", False, 1.0))
    pairs.saw(End("one", True, 20.0))
    pairs.saw(End("one", False, 20.0))
    assert waits == [1.0]


def test_moments_of_two_machines_are_not_compared(pairs: Pairs, waits: list[float]) -> None:
    pairs.saw(End("one", False, 1.0, "here"))
    pairs.saw(End("one", True, 2.0, "there"))
    assert waits == []
