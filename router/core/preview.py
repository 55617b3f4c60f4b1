"""A link on which the shop's own page shows a draft: what it shows, signed, for a quarter of an hour.

The token is `P.<base64url of JSON>.<sig>` below the service's secret; it holds the content itself, so nothing is kept.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec
from msgspec import Struct

from router.core.signing import SIGNATURE_BYTES, purpose_key
from router.errors import Refused

VALID_MS: Final = 15 * 60_000
MAX_CHARS: Final = 8_000


class Preview(Struct, frozen=True):
    """What is shown on whose pages (`content` as in a `show`), in which language, until when (ms)."""

    site: str
    kind: str
    content: dict[str, Any]
    language: str
    until: int


def sign_preview(secret: bytes, preview: Preview) -> str:
    """The token that the link carries."""
    return _signed(secret, _text(msgspec.json.encode(preview)))


def open_preview(secret: bytes, token: str, now: int) -> Preview:
    """What a token shows. Raises `Refused`: bad_token (not signed here), expired."""
    letter, _, rest = token.partition(".")
    payload, dot, _ = rest.partition(".")
    if letter != "P" or not dot or not token.isascii() or len(token) > MAX_CHARS:
        raise Refused("bad_token")
    if not hmac.compare_digest(_signed(secret, payload), token):
        raise Refused("bad_token")
    preview = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Preview)
    if now > preview.until:
        raise Refused("expired", "The preview has ended; make a new link.")
    return preview


def _signed(secret: bytes, payload: str) -> str:
    digest = hmac.digest(purpose_key(secret, "preview"), payload.encode(), "sha256")
    return f"P.{payload}.{_text(digest[:SIGNATURE_BYTES])}"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
