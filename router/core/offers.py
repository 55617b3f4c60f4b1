"""Discount codes: how they are spelled, and what they take off. Pure: the random bytes are an argument."""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from router.errors import Refused

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs; none of 0 O 1 I, which people mix up
SYMBOLS: Final = 10  # 5 bits each: 50 bits, so guessing one of a million live codes takes a billion tries
RANDOM_BYTES: Final = 7
_GROUP: Final = 5

_DECIMALS: Final = {  # ISO 4217: the currencies whose smallest unit is not a hundredth
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip


class Code(Struct, frozen=True):
    """A single-use code made for one decision: `percent` off until `expires_at` (ms since the epoch)."""

    code: str
    offer: str
    percent: float
    expires_at: int


class Redemption(Struct, frozen=True):
    """A code that an order has used: at which moment, and for which decision `did` it had been made."""

    offer: str
    percent: float
    at: int
    did: str


def new_code(random: bytes) -> str:
    """A code like `K7QXM-4HTPW` from at least 7 random bytes, of which 50 bits count, all equally likely."""
    if len(random) < RANDOM_BYTES:
        raise ValueError(f"a code needs {RANDOM_BYTES} random bytes, not {len(random)}")
    bits = int.from_bytes(random, "big")
    return _grouped("".join(ALPHABET[bits >> 5 * place & 31] for place in range(SYMBOLS)))


def normal_code(text: str) -> str:
    """The code that somebody meant: any case, full-width forms, spaces and hyphens are forgiven.

    Raises `Refused("unknown_code")` for a text that no code can be.
    """
    upper = unicodedata.normalize("NFKC", text[:100]).upper()
    symbols = "".join(sign for sign in upper if sign.isascii() and sign.isalnum())
    if len(symbols) != SYMBOLS or not set(symbols) <= set(ALPHABET):
        raise Refused("unknown_code")
    return _grouped(symbols)


def _grouped(symbols: str) -> str:
    return f"{symbols[:_GROUP]}-{symbols[_GROUP:]}"


# --- money -------------------------------------------------------------------------------------------------


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units of the currency (JPY: yen, USD: cents), halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-_DECIMALS.get(currency, 2)), rounding=ROUND_HALF_UP)


def discount(total: Decimal, percent: float, currency: str) -> tuple[Decimal, Decimal]:
    """What comes off a total, and what is left to pay; both in whole smallest units, and they add up."""
    before = rounded(total, currency)
    amount = rounded(before * Decimal(str(percent)) / 100, currency)
    return amount, before - amount
