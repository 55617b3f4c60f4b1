"""Recorded behaviour as events: gzip CSV, one action a line, in the order of time.

Columns: session_id, visitor_id, ts (ISO 8601, UTC), type, item_id, category, price, page; others are ignored.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from router.core import events as ev
from router.errors import StartError

COLUMNS: Final = ("session_id", "visitor_id", "ts", "type", "item_id", "category", "price", "page")
TYPES: Final = frozenset(
    [
        "page_view",
        "product_view",
        "cart_view",
        "checkout_view",
        "add_to_cart",
        "remove_from_cart",
        "wishlist_add",
        "checkout_start",
        "purchase",
    ]
)


@dataclass(frozen=True, slots=True)
class Action:
    """One recorded line: `at` in ms since the epoch, and the events that a page would have sent for it."""

    session: str
    visitor: str
    at: int
    events: tuple[ev.AnyEvent, ...]


@dataclass(slots=True)
class Recording:
    """A whole file. `kinds` counts event kinds by name; `has_price`, `has_path`: does any line carry one?"""

    actions: list[Action] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    has_price: bool = False
    has_path: bool = False
    sessions: int = 0
    visitors: int = 0


def load(file: Path, currency: str) -> Recording:
    """Read a recording. Raises StartError with file, line and what was expected."""
    recording = Recording()
    sessions: dict[str, int] = {}
    for number, row in _rows(file):
        try:
            action = _action(row, currency)
        except (KeyError, ValueError) as error:
            raise StartError(f"{file}:{number}: not a recorded action: {error}") from None
        recording.actions.append(action)
        sessions[action.session] = sessions.get(action.session, 0) + 1
        recording.has_price = recording.has_price or bool(row["price"])
        recording.has_path = recording.has_path or bool(row["page"])
        for event in action.events:
            kind = ev.NAMES[ev.NUMBERS[type(event)]]
            recording.kinds[kind] = recording.kinds.get(kind, 0) + 1
    if not recording.actions:
        raise StartError(f"{file}: no recorded action in it.")
    recording.actions.sort(key=lambda action: action.at)
    recording.sessions = len(sessions)
    recording.visitors = len({action.visitor for action in recording.actions})
    return recording


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        opener = gzip.open if file.suffix == ".gz" else open
        with opener(file, "rt", encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise StartError(
                    f"{file}:1: the column {missing[0]!r} is missing; expected {', '.join(COLUMNS)}."
                )
            for row in reader:
                yield reader.line_num, row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"{file} cannot be read as a recording: {error}") from None


def _action(row: dict[str, str], currency: str) -> Action:
    if row["type"] not in TYPES:
        raise ValueError(f"unknown type {row['type']!r}")
    at = int(datetime.fromisoformat(row["ts"]).timestamp() * 1000)
    return Action(row["session_id"], row["visitor_id"], at, tuple(_events(row, currency)))


def _events(row: dict[str, str], currency: str) -> Iterator[ev.AnyEvent]:
    price = float(row["price"]) if row["price"] else None
    money = currency if price is not None else None
    item = ev.Item(row["item_id"][:80] or "unknown", category=row["category"][:200] or None, price=price)
    path = row["page"][:300]
    match row["type"]:
        case "page_view":
            yield ev.Page(0, "other", path or "/")
        case "product_view":
            yield ev.Page(0, "product", path or f"/item/{item.id}")
            yield ev.Product(0, item, price, money)
        case "cart_view":
            yield ev.Page(0, "cart", path or "/cart")
        case "checkout_view":
            yield ev.Page(0, "checkout", path or "/checkout")
        case "add_to_cart":
            yield ev.CartAdd(0, item, price, money)
        case "remove_from_cart":
            yield ev.CartRemove(0, item, price, money)
        case "wishlist_add":
            yield ev.Wishlist(0, item)
        case "checkout_start":
            yield ev.Checkout(0)
        case "purchase":
            yield ev.Purchase(0, f"{row['session_id']}.{row['ts']}"[-80:], price, money)
