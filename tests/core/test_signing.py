"""router.core.signing: a token or request opens only for whom, and for what, it was signed."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core import signing
from router.errors import Refused

SECRET = b"a secret of this test"
SID = "AAAAAAAAAAAAAAAAAAAAAA"
NOW_S = 1_700_000_000


def test_a_session_token_opens_to_its_session() -> None:
    token = signing.sign_session(SECRET, "shop", SID)
    assert token.startswith(f"S.shop.{SID}.")
    assert len(token.rsplit(".", 1)[1]) == 22
    assert signing.open_session(SECRET, "shop", token) == SID


def test_a_visitor_token_opens_to_its_visitor() -> None:
    assert signing.open_visitor(SECRET, "shop", signing.sign_visitor(SECRET, "shop", SID)) == SID


@pytest.mark.parametrize(("sign", "letter"), [(signing.sign_session, "S"), (signing.sign_visitor, "V")])
def test_a_token_is_signed_as_documented(sign: Callable[[bytes, str, str], str], letter: str) -> None:
    """16 bytes of HMAC-SHA256 by the purpose's own key, in base64url, so that any process can open it."""
    key = hmac.new(SECRET, letter.encode(), hashlib.sha256).digest()
    digest = hmac.new(key, f"{letter}.shop.{SID}".encode(), hashlib.sha256).digest()
    assert sign(SECRET, "shop", SID).rsplit(".", 1)[1] == urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def test_a_signature_is_good_for_one_purpose_only() -> None:
    """A visitor token renamed to a session token does not open, even for the same id."""
    token = signing.sign_visitor(SECRET, "shop", SID)
    with pytest.raises(Refused, match="bad_token"):
        signing.open_session(SECRET, "shop", "S" + token[1:])


@pytest.mark.parametrize(
    ("secret", "site"), [(b"another secret", "shop"), (SECRET, "other"), (SECRET, "sho")]
)
def test_a_token_of_another_site_or_secret_does_not_open(secret: bytes, site: str) -> None:
    with pytest.raises(Refused, match="bad_token"):
        signing.open_session(secret, site, signing.sign_session(SECRET, "shop", SID))


def test_no_single_changed_character_opens() -> None:
    token = signing.sign_session(SECRET, "shop", SID)
    for place, letter in enumerate(token):
        changed = token[:place] + ("B" if letter != "B" else "C") + token[place + 1 :]
        with pytest.raises(Refused, match="bad_token"):
            signing.open_session(SECRET, "shop", changed)


@pytest.mark.parametrize("tail", ["", "x", ".", ".x", "=", "\n", "あ"])
def test_a_token_cut_or_lengthened_does_not_open(tail: str) -> None:
    token = signing.sign_session(SECRET, "shop", SID)
    with pytest.raises(Refused, match="bad_token"):
        signing.open_session(SECRET, "shop", token[:-1] + tail)


@given(st.text())
def test_any_text_is_refused_by_name(text: str) -> None:
    """Whatever comes as a token ends in `bad_token`, never in another exception."""
    for token in (text, f"S.shop.{text}", f"S.shop.{SID}.{text}"):
        with pytest.raises(Refused, match="bad_token"):
            signing.open_session(SECRET, "shop", token)


def test_site_keys_differ_by_site_and_hide_the_secret() -> None:
    key = signing.site_key(SECRET, "shop")
    assert len(key) == 64
    assert int(key, 16)
    assert key == signing.site_key(SECRET, "shop")
    assert key != signing.site_key(SECRET, "other")


def test_a_request_is_signed_as_documented() -> None:
    """Hex HMAC-SHA256(key, time + "." + body), spelled out as a shop would write it."""
    body = '{"order": "あ1"}'.encode()
    by_hand = hmac.new(b"key", str(NOW_S).encode() + b"." + body, hashlib.sha256).hexdigest()
    assert signing.sign_request("key", NOW_S, body) == by_hand
    signing.check_request("key", str(NOW_S), by_hand, body, NOW_S * 1000)
    signing.check_request("key", str(NOW_S), by_hand.upper(), body, NOW_S * 1000)


@pytest.mark.parametrize("off_s", [-300, 300])
def test_a_request_may_be_300_s_off(off_s: int) -> None:
    signing.check_request(
        "key", str(NOW_S), signing.sign_request("key", NOW_S, b"x"), b"x", (NOW_S + off_s) * 1000
    )


@pytest.mark.parametrize(
    ("time_s", "body", "now_s"),
    [
        (str(NOW_S), b"y", NOW_S),
        (str(NOW_S + 1), b"x", NOW_S),
        (str(NOW_S), b"x", NOW_S + 301),
        (str(NOW_S), b"x", NOW_S - 301),
        ("", b"x", NOW_S),
        ("-1", b"x", NOW_S),
        ("1e9", b"x", NOW_S),
        ("١٢٣", b"x", NOW_S),
        ("9" * 5000, b"x", NOW_S),
    ],
)
def test_a_wrong_old_or_unreadable_request_is_refused(time_s: str, body: bytes, now_s: int) -> None:
    signature = signing.sign_request("key", NOW_S, b"x")
    with pytest.raises(Refused, match="bad_signature"):
        signing.check_request("key", time_s, signature, body, now_s * 1000)


@pytest.mark.parametrize("signature", ["", "0" * 64, "あ", "\x00"])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    with pytest.raises(Refused, match="bad_signature"):
        signing.check_request("key", str(NOW_S), signature, b"x", NOW_S * 1000)


def test_a_customer_is_whom_the_shop_signed_within_a_day() -> None:
    key = signing.site_key(SECRET, "shop")
    customer = signing.Customer("C-1", NOW_S, "山田 花子")
    token = signing.sign_customer(key, customer)
    assert signing.open_customer(key, token, (NOW_S + 86_400) * 1000) == customer
    with pytest.raises(Refused, match="bad_signature"):
        signing.open_customer(key, token, (NOW_S + 86_401) * 1000)


@pytest.mark.parametrize("token", ["", ".", "e30.", "e30.00", "é.é", "\ud800.x"])
def test_what_nobody_signed_names_nobody(token: str) -> None:
    with pytest.raises(Refused, match="bad_signature"):
        signing.open_customer(signing.site_key(SECRET, "shop"), token, NOW_S * 1000)


@pytest.mark.parametrize("said", [b"{}", b"[]", b'{"id":"","at":1}', b'{"id":"x"}', b"\xff"])
def test_what_was_signed_has_to_be_a_customer(said: bytes) -> None:
    key = signing.site_key(SECRET, "shop")
    text = urlsafe_b64encode(said).decode().rstrip("=")
    signature = hmac.digest(key.encode(), text.encode(), hashlib.sha256).hex()
    with pytest.raises(Refused, match="bad_signature"):
        signing.open_customer(key, f"{text}.{signature}", NOW_S * 1000)
