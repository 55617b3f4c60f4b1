"""Facts about the product seen last, the cart and the checkout."""

from __future__ import annotations

from typing import Final

from router.core import events as ev
from router.core.facts.fact import Fact, reading
from router.core.session import Session

_CHECKOUT: Final = ev.number("checkout")
_PURCHASE: Final = ev.number("purchase")
CART: Final = reading("cart_add", "cart_remove", "cart", "purchase")


def _product_price(session: Session, now: int) -> float | None:
    return None if session.product is None else session.product.price


def _product_category(session: Session, now: int) -> str | None:
    return None if session.product is None else session.product.category


def _value(session: Session, now: int) -> float | None:
    return session.cart.value


def _lines(session: Session, now: int) -> int:
    return session.cart.count


def _quantity(session: Session, now: int) -> int:
    return session.cart.quantity


def _edits(session: Session, now: int) -> int:
    return session.cart.edits


def _removed(session: Session, now: int) -> int:
    return session.cart.removed


def _age(session: Session, now: int) -> int | None:
    return now - session.cart.since if session.cart.since else None


def _age_zero(session: Session) -> int | None:
    return session.cart.since or None


def _last_added(session: Session, now: int) -> int | None:
    return now - session.cart.added if session.cart.added else None


def _last_added_zero(session: Session) -> int | None:
    return session.cart.added or None


def _started(session: Session, now: int) -> bool:
    begun = session.last.get(_CHECKOUT)
    if begun is None:
        return False
    bought = session.last.get(_PURCHASE)
    return bought is None or bought[0] < begun[0]


def _step(session: Session, now: int) -> int:
    return session.step


def _failed(session: Session, now: int) -> bool:
    return session.payment == "failed"


FACTS: Final = (
    Fact("product.price", "money", reading("product"), _product_price),
    Fact("product.category", "word", reading("product"), _product_category),
    Fact("cart.value", "money", CART, _value, scope="cart"),
    Fact("cart.lines", "count", CART, _lines, scope="cart"),
    Fact("cart.quantity", "count", CART, _quantity, scope="cart"),
    Fact("cart.edits", "count", CART, _edits, scope="cart"),
    Fact("cart.removed", "count", CART, _removed, scope="cart"),
    Fact("cart.age", "duration", CART, _age, _age_zero, scope="cart"),
    Fact("cart.last_added", "duration", CART, _last_added, _last_added_zero, scope="cart"),
    Fact("checkout.started", "flag", reading("checkout", "purchase"), _started),
    Fact("checkout.step", "count", reading("checkout_step", "purchase"), _step),
    Fact("payment.failed", "flag", reading("payment", "purchase"), _failed),
)
