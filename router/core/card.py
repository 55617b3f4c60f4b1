"""What an agent sees of a shopper before accepting: built from the session, and never more than it knows."""

from __future__ import annotations

from typing import Any

from router.core.events import NAMES
from router.core.rules.words import sentences
from router.core.session import Decision, Session


def card(
    session: Session, decision: Decision | None, opening: dict[str, str] | None, now: int
) -> dict[str, Any]:
    """The card of `docs/agents.md`; unknown values are None."""
    view = session.view
    return {
        "who": {
            "returning": session.visits > 1,
            "visits": session.visits,
            "language": session.language or None,
            "visitor": session.visitor[:6],
            "zone": session.origin.zone,
            "customer": session.customer[0] or None,
            "name": session.customer[1] or None,
        },
        "where": None
        if view is None
        else {"type": view.type, "path": view.path, "title": view.title or None, "since_ms": view.viewed},
        "product": _product(session),
        "cart": _cart(session),
        "journey": [
            {"kind": NAMES[step.kind], "at_ms": step.at, "label": step.label} for step in session.journey
        ],
        "why": None if decision is None else {"rule": decision.rule, **sentences(decision.why)},
        "tags": list(session.tags),
        "offered": [{"kind": o.kind, "title": o.title, "at_ms": o.at} for o in session.offered],
        "opening": opening,
        "language": session.language or None,
        "at_ms": now,
    }


def _product(session: Session) -> dict[str, Any] | None:
    product = session.product
    if product is None:
        return None
    return {"id": product.id, "name": product.name, "price": product.price}


def _cart(session: Session) -> dict[str, Any]:
    cart = session.cart
    return {
        "value": cart.value,
        "currency": session.currency,
        "count": cart.count,
        "quantity": cart.quantity,
        "lines": [
            {"id": item, "name": line.name, "quantity": line.quantity, "price": line.price}
            for item, line in cart.lines.items()
        ],
    }
