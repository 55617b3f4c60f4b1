"""What rules can read. Plain facts stand in `FACTS` by name; those with parameters are built by functions."""

from __future__ import annotations

from typing import Final

from router.core.facts import cart, page, visit
from router.core.facts.cart import CART
from router.core.facts.fact import PROFILE, Elapsed, Fact, Kind, Read, Scope, Times, Value, Zero, reading
from router.core.facts.page import PAGE_TYPES
from router.core.facts.past import (
    DEEDS,
    SIGNS,
    category_times,
    page_times,
    product_times,
    sign_times,
    silence,
)
from router.core.facts.visit import DEVICES

FACTS: Final[dict[str, Fact]] = {fact.name: fact for fact in (*page.FACTS, *cart.FACTS, *visit.FACTS)}

__all__ = [
    "CART", "DEEDS", "DEVICES", "FACTS", "PAGE_TYPES", "PROFILE", "SIGNS", "Elapsed", "Fact", "Kind", "Read", "Scope",
    "Times", "Value", "Zero", "category_times", "page_times", "product_times", "reading", "sign_times", "silence",
]  # fmt: skip
