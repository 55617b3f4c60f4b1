"""A small synthetic recording: enough shoppers who hesitate for every part of a replay to have work."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime
from pathlib import Path

HEADER = "session_id,visitor_id,ts,type,item_id,category,price,page,device,country,extra\n"
START_S = 1_780_000_000


def write(file: Path, sessions: int, seed: int = 3) -> Path:
    """Sessions that overlap, of half as many visitors: views, adds, checkouts, some purchases; some never return."""
    chance = random.Random(seed)
    lines: list[tuple[float, str]] = []
    for n in range(sessions):
        at = START_S + chance.uniform(0, sessions * 20)
        for kind in _session(chance):
            price = f"{chance.uniform(5, 120):.2f}" if kind != "purchase" else ""
            when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            item = f"item-{chance.randrange(6)}"
            lines.append((at, f"s{n},v{n // 2},{when},{kind},{item},cups,{price},,mobile,JP,\n"))
            at += chance.choice((2, 10, 40, 200))
    text = HEADER + "".join(line for _, line in sorted(lines))
    file.write_bytes(gzip.compress(text.encode()))
    return file


def _session(chance: random.Random) -> list[str]:
    kinds = ["product_view"] * chance.randrange(1, 5)
    if chance.random() < 0.7:
        kinds += ["add_to_cart", "product_view"]
    if chance.random() < 0.5:
        kinds += ["checkout_start"]
        if chance.random() < 0.5:
            kinds += ["purchase"]
    return kinds
