"""The demo shop's backend: it prices by itself, and reaches the service as any shop does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from router.errors import Refused
from router.web import demo

FOLDER = Path(__file__).parents[2] / "static" / "demo"


class Service:
    """What the shop asks of the service, and what it gets."""

    def __init__(self) -> None:
        self.redeemed: list[tuple[str, str, float]] = []
        self.orders: list[dict[str, Any]] = []
        self.refusal: Refused | None = None

    async def redeem(self, code: str, order: str, value: float) -> float:
        """Five percent."""
        if self.refusal is not None:
            raise self.refusal
        self.redeemed.append((code, order, value))
        return value // 20

    async def place_order(self, order: dict[str, Any]) -> None:
        """Note it."""
        self.orders.append(order)


@pytest.fixture
def service() -> Service:
    """The service's side."""
    return Service()


@pytest.fixture
def http(service: Service) -> httpx.AsyncClient:
    """A client of the shop."""
    app = Starlette(routes=demo.shop_routes(FOLDER, service.redeem, service.place_order))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


def body(**fields: Any) -> dict[str, Any]:
    """A checkout of two cups."""
    return {"items": [{"id": "cup-celadon", "quantity": 2}], **fields}


async def test_the_price_is_the_catalogues_and_the_code_comes_off(
    http: httpx.AsyncClient, service: Service
) -> None:
    """What the page shows is not asked; shipping is no part of the order's value."""
    answer = await http.post(
        "/demo/api/checkout", json=body(code="GOOD", attempt="a" * 10, session="S.demo.x.y")
    )
    number = "U-" + "A" * 10
    assert answer.json() == {"order": number, "total": 6930, "discount": 330, "shipping": 660}
    assert service.redeemed == [("GOOD", number, 6600)]
    (placed,) = service.orders
    assert placed == {
        **{"order": number, "state": "placed", "value": 6270, "currency": "JPY"},
        **{"code": "GOOD", "session": "S.demo.x.y"},
    }


async def test_orders_without_an_attempt_have_numbers_of_their_own(
    http: httpx.AsyncClient, service: Service
) -> None:
    """And without a code nothing is redeemed."""
    numbers = {(await http.post("/demo/api/checkout", json=body())).json()["order"] for _ in range(2)}
    assert len(numbers) == 2 and not service.redeemed


@pytest.mark.parametrize("name", ["unknown_code", "redeemed", "expired", "unavailable"])
async def test_a_refusal_keeps_its_name_and_places_no_order(
    http: httpx.AsyncClient, service: Service, name: str
) -> None:
    """With the table's status."""
    service.refusal = Refused(name)
    answer = await http.post("/demo/api/checkout", json=body(code="X"))
    assert (answer.status_code, answer.json()["error"]) == (Refused(name).meaning.status, name)
    assert answer.json()["retry"] is (name == "unavailable") and not service.orders


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 5000, json.dumps(body(attempt="../x")).encode(),
        json.dumps(body() | {"items": []}).encode(), json.dumps(body(price=1)).encode(),
        b'{"items": [{"id": "cup-celadon", "quantity": 0}]}', b'{"items": [{"id": "gold", "quantity": 1}]}',
        b'{"items": [{"id": "cup-celadon", "quantity": 1e400}]}',
    ],
)  # fmt: skip
async def test_a_malformed_checkout_is_refused_by_name(
    http: httpx.AsyncClient, service: Service, raw: bytes
) -> None:
    """And costs nobody anything."""
    answer = await http.post("/demo/api/checkout", content=raw)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert not service.orders


async def test_a_body_without_end_is_cut_off(http: httpx.AsyncClient) -> None:
    """At 16 KiB."""
    answer = await http.post("/demo/api/checkout", content=b" " * 20_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


@pytest.mark.parametrize(
    "path", ["/demo/", "/demo/cart", "/demo/p/donabe", "/demo/shop.css", "/demo/img/donabe.svg"]
)
async def test_every_file_carries_a_policy_without_inline(http: httpx.AsyncClient, path: str) -> None:
    """Pages and pictures alike."""
    answer = await http.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


async def test_every_product_has_a_picture_and_both_languages() -> None:
    """What the pages take for granted."""
    catalogue = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))
    assert len(catalogue["products"]) == 8
    for product in catalogue["products"]:
        assert (FOLDER / "img" / product["image"]).is_file()
        assert all(product[language].keys() == {"name", "maker", "text", "size"} for language in ("ja", "en"))
