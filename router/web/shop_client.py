"""A shop's backend as a client of the signed API: what any shop does, in the few lines it takes."""

from __future__ import annotations

import asyncio
import json
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from router.core.signing import sign_request
from router.errors import ERRORS, Refused

TIMEOUT_S: Final = 8.0  # longer than the API gives itself to answer
CURRENCY: Final = "JPY"


class ShopClient:
    """Calls the service at `address` for `site` with the site's API `key`. A named error comes back as
    Refused; an answer that does not come, or is no answer of the API, as Refused("unavailable").
    """

    def __init__(self, address: str, site: str, key: str) -> None:
        self._address = urlsplit(address)
        self._site = site
        self._key = key

    async def redeem(self, code: str, order: str, total: float) -> float:
        """What the code takes off this order's total; the same order again gets the same answer."""
        body = {"code": code, "order": order, "total": total, "currency": CURRENCY}
        answer = await self._call("/api/offers/redeem", body)
        return float(answer["amount"])

    async def place_order(self, order: dict[str, Any]) -> None:
        """Report a state of an order: the body of `POST /api/orders`."""
        await self._call("/api/orders", order)

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._post, path, json.dumps(body).encode())

    def _post(self, path: str, body: bytes) -> dict[str, Any]:
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Router-Site": self._site,
            "X-Router-Time": now,
            "X-Router-Signature": sign_request(self._key, now, body),
        }
        kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        connection = kind(self._address.hostname or "", self._address.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise Refused("unavailable", f"The service gave no answer: {type(error).__name__}.") from None
        finally:
            connection.close()
        if response.status == 200 and isinstance(answer, dict):
            return answer
        name = answer.get("error") if isinstance(answer, dict) else None
        raise Refused(*(name, answer.get("text", "")) if name in ERRORS else ("unavailable",))
