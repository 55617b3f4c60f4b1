"""Signatures: tokens of sessions and visitors, a site's API key, and requests of a shop's backend.

Everything is HMAC-SHA256 (RFC 2104) below one secret. Each purpose has a key of its own,
HMAC(secret, purpose), so that a signature made for one purpose never opens another. Comparisons take the same
time whatever differs.

A token is `S.<site>.<sid>.<sig>` (session) or `V.<site>.<vid>.<sig>` (visitor): the signature covers all
that stands before it, is cut to 16 bytes and written in base64url without padding. Ids of sites and
sessions have no dot.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from router.errors import Refused

SIGNATURE_BYTES: Final = 16
IDENTIFIED_WITHIN_S: Final = 24 * 3600  # a page may have been open for a while
SIGNED_WITHIN_S: Final = (
    300  # how far a request's time may be off: a shop's clock drifts, a recorded request ages
)


@lru_cache(maxsize=16)
def purpose_key(secret: bytes, purpose: str) -> bytes:
    """The 32-byte key of one purpose; remembered, because every connect asks for two of them."""
    return hmac.digest(secret, purpose.encode(), "sha256")


def sign_session(secret: bytes, site: str, sid: str) -> str:
    """The session token that a `welcome` carries."""
    return _sign(secret, "S", site, sid)


def open_session(secret: bytes, site: str, token: str) -> str:
    """The session id of a token signed here for this site. Raises `Refused("bad_token")`."""
    return _open(secret, "S", site, token)


def sign_visitor(secret: bytes, site: str, vid: str) -> str:
    """The visitor token that a `welcome` carries."""
    return _sign(secret, "V", site, vid)


def open_visitor(secret: bytes, site: str, token: str) -> str:
    """The visitor id of a token signed here for this site. Raises `Refused("bad_token")`."""
    return _open(secret, "V", site, token)


def _sign(secret: bytes, letter: str, site: str, who: str) -> str:
    signed = f"{letter}.{site}.{who}"
    digest = hmac.digest(purpose_key(secret, letter), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode().rstrip('=')}"


def _open(secret: bytes, letter: str, site: str, token: str) -> str:
    prefix = f"{letter}.{site}."
    who, dot, _ = token[len(prefix) :].partition(".")
    if not dot or not token.startswith(prefix) or not token.isascii():
        raise Refused("bad_token")
    if not hmac.compare_digest(_sign(secret, letter, site, who), token):
        raise Refused("bad_token")
    return who


# --- a shop's backend --------------------------------------------------------------------------------------


def site_key(secret: bytes, site: str) -> str:
    """A site's API key, 64 hex digits, which the shop's backend signs with; it follows from the secret."""
    return hmac.digest(purpose_key(secret, "site key"), site.encode(), "sha256").hex()


class Customer(Struct, frozen=True):
    """Who a shopper is to the shop: its own `id`, a `name` for agents, `at` (unix seconds) when it was said."""

    id: Annotated[str, Meta(min_length=1, max_length=80)]
    at: int
    name: Annotated[str, Meta(max_length=100)] = ""


_customer: Final = msgspec.json.Decoder(Customer)


def sign_customer(key: str, customer: Customer) -> str:
    """What a shop's backend makes for `router.identify`: base64url(JSON) + "." + hex HMAC-SHA256(site key, that)."""
    said = urlsafe_b64encode(msgspec.json.encode(customer)).decode().rstrip("=")
    return f"{said}.{hmac.digest(key.encode(), said.encode(), 'sha256').hex()}"


def open_customer(key: str, token: str, now_ms: int) -> Customer:
    """Whom the shop signed for, at most a day ago. Raises `Refused("bad_signature")`."""
    said, _, signature = token.partition(".")
    made = hmac.digest(key.encode(), said.encode("utf-8", "replace"), "sha256").hex()
    if not hmac.compare_digest(made.encode(), signature.lower().encode("utf-8", "replace")):
        raise Refused("bad_signature")
    try:
        customer = _customer.decode(urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    except (msgspec.MsgspecError, ValueError) as error:
        raise Refused("bad_signature", f"Not a customer: {error}") from None
    if abs(customer.at * 1000 - now_ms) > IDENTIFIED_WITHIN_S * 1000:
        raise Refused("bad_signature", "It was signed more than a day ago.")
    return customer


def sign_request(key: str, time_s: int | str, body: bytes) -> str:
    """`X-Router-Signature`: hex HMAC-SHA256(key, time + "." + raw body); the key is taken as text."""
    return hmac.digest(key.encode(), f"{time_s}.".encode() + body, "sha256").hex()


def check_request(key: str, time_s: str, signature: str, body: bytes, now_ms: int) -> None:
    """Raise `Refused("bad_signature")` unless the body was signed with this key, at most 300 s from now."""
    if not (time_s.isascii() and time_s.isdigit() and len(time_s) <= 12):
        raise Refused("bad_signature", "X-Router-Time has to be unix seconds.")
    if not hmac.compare_digest(sign_request(key, time_s, body).encode(), signature.lower().encode()):
        raise Refused("bad_signature")
    if abs(int(time_s) * 1000 - now_ms) > SIGNED_WITHIN_S * 1000:
        raise Refused(
            "bad_signature", f"X-Router-Time is more than {SIGNED_WITHIN_S} s from the service's clock."
        )
