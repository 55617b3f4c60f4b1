"""A small shop to try the service in: real pages with real navigation, and a backend for its checkout.

The backend behaves as a foreign shop's would: it prices from its own catalogue, never from what the page
says, and reaches this service only through the two functions that it is given.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from router.core.signing import site_key
from router.errors import Refused
from router.web.shop_client import ShopClient

Redeem = Callable[[str, str, float], Awaitable[float]]
PlaceOrder = Callable[[dict[str, Any]], Awaitable[object]]

SITE: Final = "demo"
HOME: Final = "/demo/"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'; require-trusted-types-for 'script'"
)
HEADERS: Final = {"content-security-policy": CSP, "cache-control": "no-cache"}
PAGES: Final = {
    "/demo/": "index",
    "/demo/cart": "cart",
    "/demo/shipping": "shipping",
    "/demo/checkout": "checkout",
    "/demo/thanks": "thanks",
}
MAX_BODY_BYTES: Final = 16 * 1024


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """A cart line as the page sends it: no price, that is the shop's to know."""

    id: Annotated[str, Meta(min_length=1, max_length=80)]
    quantity: Annotated[int, Meta(ge=1, le=99)]


class Checkout(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /demo/api/checkout`. `attempt` names one try: the page repeats it if no answer
    came, and gets the same order. `session` is the session token, which joins the order with the visit.
    """

    items: Annotated[list[Line], Meta(min_length=1, max_length=50)]
    code: Annotated[str, Meta(max_length=40)] = ""
    attempt: Annotated[str, Meta(pattern="^[a-z0-9]{10}$")] | None = None
    session: Annotated[str, Meta(max_length=200)] | None = None


_decode = msgspec.json.Decoder(Checkout).decode


class Catalogue:
    """What the shop sells, and for how much."""

    def __init__(self, file: Path) -> None:
        data = json.loads(file.read_text("utf-8"))
        self.currency: str = data["currency"]
        self._prices: Mapping[str, int] = {product["id"]: product["price"] for product in data["products"]}
        self._flat: int = data["shipping"]["flat"]
        self._free_from: int = data["shipping"]["free_from"]

    def __contains__(self, product: str) -> bool:
        return product in self._prices

    def value(self, lines: list[Line]) -> int:
        """The lines' worth. Raises Refused("bad_request") for something that is not sold here."""
        unknown = [line.id for line in lines if line.id not in self]
        if unknown:
            raise Refused("bad_request", "items: one of them is not sold here.")
        return sum(self._prices[line.id] * line.quantity for line in lines)

    def shipping(self, value: int) -> int:
        """What sending goods of this worth costs."""
        return 0 if value >= self._free_from else self._flat


def routes(folder: Path, address: str, secret: bytes) -> list[BaseRoute]:
    """The shop below `/demo/`, its backend calling the signed API of the service at `address`."""
    client = ShopClient(address, SITE, site_key(secret, SITE))
    return shop_routes(folder, client.redeem, client.place_order)


def shop_routes(folder: Path, redeem: Redeem, place_order: PlaceOrder) -> list[BaseRoute]:
    """The shop below `/demo/`, whose pages are in `folder`.

    `redeem(code, order, value)` answers the amount off or raises Refused (unknown_code, redeemed,
    expired), and the same for the same order again; `place_order` takes the body of `POST /api/orders`.
    """
    catalogue = Catalogue(folder / "catalogue.json")

    def page(name: str, status: int = 200) -> Response:
        return FileResponse(folder / f"{name}.html", status_code=status, headers=HEADERS)

    async def named(request: Request) -> Response:
        return page(PAGES[request.url.path])

    async def product(request: Request) -> Response:
        return page("product") if request.path_params["id"] in catalogue else page("404", 404)

    async def checkout(request: Request) -> Response:
        try:
            return JSONResponse(await _order(await _body(request), catalogue, redeem, place_order))
        except Refused as refused:
            error = {"error": refused.name, "text": refused.detail, "retry": refused.meaning.retry}
            return JSONResponse(error, refused.meaning.status)

    return [
        *(Route(path, named) for path in PAGES),
        Route("/demo", _home),
        Route("/demo/p/{id}", product),
        Route("/demo/api/checkout", checkout, methods=["POST"]),
        Mount("/demo", _Files(directory=folder)),
    ]


async def _home(request: Request) -> Response:
    return Response(status_code=308, headers={"location": "/demo/"})


class _Files(StaticFiles):
    """The shop's scripts, styles and pictures; whatever else is asked for gets the shop's own 404 page."""

    async def get_response(self, path: str, scope: Any) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException:
            return FileResponse(Path(str(self.directory)) / "404.html", status_code=404, headers=HEADERS)
        response.headers.update(HEADERS)
        return response


async def _body(request: Request) -> Checkout:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise Refused("too_large")
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad_request", str(error)) from None


async def _order(
    body: Checkout, catalogue: Catalogue, redeem: Redeem, place_order: PlaceOrder
) -> dict[str, Any]:
    """Price it, take the code, place it. An attempt that comes again ends in the same order."""
    value = catalogue.value(body.items)
    number = f"U-{(body.attempt or secrets.token_hex(5)).upper()}"
    discount = await redeem(body.code, number, value) if body.code else 0
    placed = {"order": number, "state": "placed", "value": value - discount, "currency": catalogue.currency}
    if body.code:
        placed["code"] = body.code
    if body.session:
        placed["session"] = body.session
    await place_order(placed)
    shipping = catalogue.shipping(value)
    return {"order": number, "total": value - discount + shipping, "discount": discount, "shipping": shipping}
