"""Why a rule became true: the fact, what it was, and what was asked for. Words for people are made at the edges."""

from __future__ import annotations

from msgspec import Struct


class Reason(Struct, array_like=True, frozen=True):
    """One condition that held: `fact` `op` `threshold`, and the fact's `value` at that moment.

    Durations are milliseconds, money major units with `unit` the currency; `about` narrows the fact (a path, an
    event kind, a product id).
    """

    fact: str
    op: str
    value: str | float | int | bool | None
    threshold: str | float | int | bool | None
    unit: str = ""
    about: str = ""
