"""A roster: agents as a CSV file, one a line, as personnel departments and spreadsheets write it.

Columns: login, name, queues, skills, languages, capacity, role, password. Lists are separated by spaces, skills and
languages may have levels (`gold:4`). Only login, name and queues have to be there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from router.core.document import Fault, FileErrors

COLUMNS: Final = ("login", "name", "queues", "skills", "languages", "capacity", "role", "password")
NEEDED: Final = ("login", "name", "queues")
CAPACITY: Final = 3


class Line(Struct, frozen=True):
    """One agent as written, with the line of the file. An empty password is to be made up."""

    number: int
    login: str
    name: str
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    capacity: int
    role: str
    password: str


def read(file: str, text: str) -> list[Line]:
    """The lines of a roster. Raises FileErrors with every fault that the form has."""
    rows = csv.reader(text.removeprefix("\ufeff").splitlines())
    header = [name.strip().lower() for name in next(rows, [])]
    faults = [Fault(file, 1, 1, f"expected a column '{name}'") for name in NEEDED if name not in header]
    faults += [
        Fault(file, 1, 1, f"unknown column '{name}'; known: {', '.join(COLUMNS)}")
        for name in header
        if name not in COLUMNS
    ]
    if faults:
        raise FileErrors(faults)
    lines = list(_lines(file, header, rows, faults))
    if faults:
        raise FileErrors(faults)
    return lines


def _lines(file: str, header: list[str], rows: Iterator[list[str]], faults: list[Fault]) -> Iterator[Line]:
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(header):
            faults.append(Fault(file, number, 1, f"expected {len(header)} columns, found {len(row)}"))
            continue
        fields = {name: value.strip() for name, value in zip(header, row, strict=True)}
        capacity = fields.get("capacity") or str(CAPACITY)
        if not (capacity.isascii() and capacity.isdigit()):
            faults.append(Fault(file, number, 1, f"expected a capacity such as 3, found '{capacity}'"))
            continue
        if fields["login"] in seen:
            faults.append(Fault(file, number, 1, f"'{fields['login']}' stands twice"))
        seen.add(fields["login"])
        queues, skills, languages = (tuple(fields.get(name, "").split()) for name in COLUMNS[2:5])
        yield Line(
            number, fields["login"], fields["name"], queues, skills, languages, int(capacity),
            fields.get("role") or "agent", fields.get("password", ""),
        )  # fmt: skip
