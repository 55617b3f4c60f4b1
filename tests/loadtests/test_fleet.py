"""Processes behind a balancer: how it is set up, and what is said where there is none."""

from __future__ import annotations

import pytest

from loadtests import fleet
from loadtests.contest import Pace


def test_processes_without_a_balancer_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert fleet.measure(Pace(1, 0.2, 8)) is None
    assert "not measured" in fleet.table(None)
    assert set(fleet.summary(None).values()) == {None}


def test_the_first_door_leads_to_one_process_the_second_to_all() -> None:
    text = fleet.config([1001, 1002], ["127.0.0.1:1", "127.0.0.1:2"])
    one, two = text.split("frontend door-two")
    assert "bind 127.0.0.1:1001" in one and "127.0.0.1:2" not in one.split("bind", 1)[1].split("server", 1)[1]
    assert two.count("server s0 127.0.0.1:1\n") == two.count("server s1 127.0.0.1:2\n") == 2
    assert text.count("balance hash path") == 2
