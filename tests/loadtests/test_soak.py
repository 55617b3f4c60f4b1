"""What a soak would call a leak."""

from __future__ import annotations

import pytest

from loadtests.soak import MIB, Sample, Soaked


def sample(at_s: float = 0.0, *, mib: float = 100, tasks: int = 17, files: int = 300) -> Sample:
    """One look."""
    return Sample(at_s, int(mib * MIB), 5 * MIB, tasks, files)


NOBODY = sample(files=20)


def soaked(*samples: Sample, after: Sample = NOBODY, left: int = 0) -> list[str]:
    """What is found wrong with these."""
    return Soaked(200, NOBODY, samples, after, left).faults()


def test_what_stays_flat_is_fine() -> None:
    assert soaked(*(sample(at, mib=100 + at * 0.1) for at in range(20))) == []


@pytest.mark.parametrize(
    ("last", "word"),
    [
        (sample(mib=110), "memory grew by 10.0%"),
        (sample(tasks=40), "23 tasks more"),
        (sample(files=400), "100 files more"),
    ],
)
def test_what_grows_is_named(last: Sample, word: str) -> None:
    (fault,) = soaked(*[sample()] * 4, *[last] * 4)
    assert word in fault


@pytest.mark.parametrize(
    ("after", "left", "word"),
    [
        (NOBODY, 3, "counts 3 sockets"),
        (sample(files=20, tasks=60), 0, "60 tasks are left of 17"),
        (sample(files=90), 0, "90 files are open, 20 before"),
    ],
)
def test_what_is_left_is_named(after: Sample, left: int, word: str) -> None:
    (fault,) = soaked(*[sample()] * 8, after=after, left=left)
    assert word in fault
