"""Reading a recording: what a page would have sent, and a clear sentence for what is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.core import events as ev
from router.errors import StartError
from router.replay.recording import load
from tests.replay.recordings import HEADER, write

LINE = "s1,v1,2020-11-01T00:27:14.000Z,{kind},cup,{category},{price},{page},mobile,US,\n"


def recording(folder: Path, *lines: str) -> Path:
    file = folder / "events.csv"
    file.write_text(HEADER + "".join(lines))
    return file


def line(kind: str, price: str = "", page: str = "", category: str = "") -> str:
    return LINE.format(kind=kind, price=price, page=page, category=category)


@pytest.mark.parametrize(("kind", "events"), [
    ("page_view", (ev.Page(0, "other", "/"),)),
    ("product_view", (ev.Page(0, "product", "/item/cup"), ev.Product(0, ev.Item("cup", price=3.5), 3.5, "USD"))),
    ("cart_view", (ev.Page(0, "cart", "/cart"),)),
    ("add_to_cart", (ev.CartAdd(0, ev.Item("cup", price=3.5), 3.5, "USD"),)),
    ("remove_from_cart", (ev.CartRemove(0, ev.Item("cup", price=3.5), 3.5, "USD"),)),
    ("checkout_start", (ev.Checkout(0),)),
    ("wishlist_add", (ev.Wishlist(0, ev.Item("cup", price=3.5)),)),
])  # fmt: skip
def test_an_action_becomes_what_a_page_would_have_sent(
    tmp_path: Path, kind: str, events: tuple[ev.Event, ...]
) -> None:
    (action,) = load(recording(tmp_path, line(kind, "3.5")), "USD").actions
    assert action.events == events and action.at == 1_604_190_434_000


def test_what_the_recording_lacks_is_known(tmp_path: Path) -> None:
    bare = load(recording(tmp_path, line("product_view")), "USD")
    assert (bare.has_price, bare.has_path, bare.kinds) == (False, False, {"page": 1, "product": 1})
    rich = load(recording(tmp_path, line("product_view", "3", "/p/cup")), "USD")
    assert rich.has_price and rich.has_path


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("dance")], "events.csv:2: not a recorded action: unknown type 'dance'"),
        ([line("page_view"), line("add_to_cart", "cheap")], "events.csv:3: not a recorded action"),
        ([line("page_view").replace("2020-11-01", "someday")], "events.csv:2: not a recorded action"),
        ([], "no recorded action"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, lines: list[str], expected: str) -> None:
    with pytest.raises(StartError, match=r"events\.csv") as error:
        load(recording(tmp_path, *lines), "USD")
    assert expected in str(error.value)


def test_a_missing_column_and_a_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(StartError, match="the column 'session_id' is missing"):
        load(file, "USD")
    with pytest.raises(StartError, match="cannot be read"):
        load(tmp_path / "nothing.csv.gz", "USD")
    broken = write(tmp_path / "broken.csv.gz", 3)
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(StartError, match="cannot be read"):
        load(broken, "USD")
