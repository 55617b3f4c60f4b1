"""Visits from recordings, in the order and at the distances in which they happened; and without any recording."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import pytest

from loadtests import model, recorded, shapes
from router.core import events as ev
from router.core import protocol as wire
from router.errors import StartError
from router.replay.recording import Action

HEAD = "session_id,visitor_id,ts,type,item_id,category,price,page,device,country,extra\n"
LINES = (
    "a,va,2017-11-24T16:00:00.000Z,product_view,1,9,,,,,",
    "b,vb,2017-11-24T16:00:05.000Z,product_view,7,9,,,,,",
    "a,va,2017-11-24T16:00:10.000Z,add_to_cart,1,9,,,,,",
    "a,va,2017-11-24T16:00:40.000Z,product_view,2,9,,,,,",
)
SHARED = recorded.folder()


def write(folder: Path, name: Path, *lines: str) -> Path:
    file = folder / name
    file.parent.mkdir()
    file.write_bytes(gzip.compress((HEAD + "\n".join(lines)).encode()))
    return file


@pytest.fixture
def users(tmp_path: Path) -> Path:
    return write(tmp_path, recorded.USERS, *LINES)


def test_a_visit_is_what_was_recorded(users: Path) -> None:
    """Sessions of a single action are left out; an add happens on the page that is open."""
    visit = recorded.Recorded(users).visit(Random(1))
    first, add, second = visit.steps[:3]
    assert (first.opens, add.opens, second.opens) == (True, False, True)
    assert (first.after_s, add.after_s, second.after_s) == (0, 10, 30)
    assert isinstance(first.events[0], ev.Page) and isinstance(first.events[2], ev.Product)
    assert isinstance(add.events[0], ev.CartAdd)


def test_a_price_is_made_up_and_always_the_same(users: Path) -> None:
    visit = recorded.Recorded(users).visit(Random(1))
    seen, added = visit.steps[0].events[2], visit.steps[1].events[0]
    assert isinstance(seen, ev.Product) and isinstance(added, ev.CartAdd)
    assert seen.item.price == added.item.price == seen.value
    assert 3000 <= (seen.value or 0) <= 6900 and seen.currency == "JPY"


def test_who_waits_has_in_the_cart_what_was_added(users: Path) -> None:
    chance, found = Random(1), recorded.Recorded(users)
    waiting = [visit for visit in (found.visit(chance) for _ in range(50)) if visit.ending == "cart"]
    assert waiting
    for visit in waiting:
        cart = visit.steps[-1].events[-1]
        assert isinstance(cart, ev.Cart) and [item.id for item in cart.items or ()] == ["1"]


def test_an_action_without_a_page_gets_one() -> None:
    action = Action("a", "va", 0, (ev.CartAdd(0, model.item(1)),))
    (step,) = recorded.steps_of([action])
    assert step.opens and isinstance(step.events[0], ev.Page)
    assert wire.decode(wire.encode(wire.Batch("000000001-testing", 1, list(step.events))))


def test_auto_takes_the_recording_where_there_is_one(users: Path, tmp_path: Path) -> None:
    assert isinstance(recorded.behaviour("auto", tmp_path), recorded.Recorded)
    assert isinstance(recorded.behaviour("auto", tmp_path / "none"), model.Synthetic)
    assert isinstance(recorded.behaviour("synthetic", tmp_path), model.Synthetic)
    with pytest.raises(StartError, match="cannot be read"):
        recorded.behaviour("recorded", tmp_path / "none")


def test_a_recording_of_glances_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no session of 2 actions"):
        recorded.Recorded(write(tmp_path, recorded.USERS, LINES[1]))


def test_a_rush_counts_each_visitor_once_when_they_come(tmp_path: Path) -> None:
    lines = [f"{n},v{n},2017-11-26T01:00:0{n}.000Z,product_view,1,9,,,,," for n in (0, 0, 0, 5)]
    write(tmp_path, recorded.BURST, *lines, "x,v9,2017-11-26T01:00:05.000Z,product_view,1,9,,,,,")
    curve = recorded.rush(tmp_path)
    assert (len(curve), curve[0], curve[-1], sum(curve)) == (recorded.CURVE_STEPS, 1, 2, 3)
    assert recorded.rush(tmp_path / "none") == ()


@pytest.mark.data
@pytest.mark.skipif(not (SHARED / recorded.USERS).exists(), reason="../shared/data is not there")
def test_real_recordings_are_valid_visits() -> None:
    chance, found = Random(2), recorded.Recorded(SHARED / recorded.USERS)
    for visit in (found.visit(chance) for _ in range(300)):
        assert visit.steps[0].opens
        for step in visit.steps:
            batch = wire.Batch("000000001-testing", 1, list(step.events))
            assert wire.decode(wire.encode(batch)) == batch
    assert 3 < model.mean_s(found, 30) < 300
    assert shapes.flash_sale(recorded.rush(SHARED / recorded.BURST)).curve[-1] > 0.5
