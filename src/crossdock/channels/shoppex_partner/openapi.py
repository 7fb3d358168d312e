"""The OpenAPI document's texts about the two operations; the handlers parse raw requests themselves."""

from typing import Any

import msgspec

from crossdock.channels.shoppex_partner.auth import HEADER_NAMES
from crossdock.channels.shoppex_partner.errors import WIRE, WIRE_ONLY
from crossdock.channels.shoppex_partner.requests import OrderBody
from crossdock.channels.shoppex_partner.wire import WireCreated, WireProduct
from crossdock.kit.schemas import schema_of

DESCRIPTION = (
    "Server-to-server API for wholesale partners: read the catalogue, place orders. Every request "
    "is signed with HMAC-SHA256 over method, route, timestamp, nonce and the hash of the raw body."
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of one operation."""

    operation_id: str
    summary: str
    description: str
    status: int
    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any]


_HEADER_RULES = {
    "X-Shoppex-Key": (
        "^[A-Za-z0-9_-]{1,128}$",
        "pk_demo_4f7c2a",
        "Your public key.",
    ),
    "X-Shoppex-Timestamp": (
        "^[0-9]{10}$",
        "1767225600",
        "When the request was signed: Unix time in whole seconds.",
    ),
    "X-Shoppex-Nonce": (
        "^[!-~]{1,255}$",
        "5e0c7a52-8d1f-4f0e-9f4b-0a6d3c1b7e21",
        "A random value, new for every request.",
    ),
    "X-Shoppex-Signature": (
        "^[0-9A-Fa-f]{64}$",
        "4ee1a5dd44ab69ad4ec0e5fd0dd7c7fc7f48ff4ab0ce1b3cb5e0ca9f7bf0b1d6",
        "HMAC-SHA256 of the canonical message in hexadecimal; see the partner's guide.",
    ),
}


def _header(name: str) -> dict[str, Any]:
    pattern, example, description = _HEADER_RULES[name]
    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": schema,
    }


_HEADERS = [_header(name) for name in HEADER_NAMES.values()]

_PRODUCT = {
    **schema_of(WireProduct),
    "example": {
        "id": 1042,
        "name": "Trail coffee, whole bean, 1 kg",
        "price": "24.50",
        "stock_quantity": 36,
        "stock_sc": 36,
        "origen": "SC",
        "upc": "036000291452",
    },
}

_ORDER = {
    **schema_of(OrderBody),
    "example": {
        "items": [{"product_id": 1042, "quantity": 6}, {"product_id": 1057, "quantity": 1}],
        "id_order_partner": "PO-2026-0117",
        "comments": "Deliver to dock 4.",
    },
}

_CREATED = {
    **schema_of(WireCreated),
    "example": {
        "success": True,
        "order_id": 10482,
        "order_key": "wc_order_Vt3kQ9xLm2PaZ",
        "order_detail_url": (
            "https://shop.example/order-detail/?order_id=10482&key=wc_order_Vt3kQ9xLm2PaZ"
        ),
        "source": "partner_integration",
        "partner_order_id": "PO-2026-0117",
    },
}

# A GET has no order that could be wrong.
_READ_CODES = {"partner_permission_denied", "partner_payload_too_large", "partner_rate_limited"}
_NOT_READ = {"partner_order_state"}


def _errors(*, statuses: set[int], post: bool) -> dict[int | str, dict[str, Any]]:
    codes = _codes(post=post)
    return {
        status: {
            "description": ", ".join(code for code, s in codes if s == status),
            "content": {"application/json": {"schema": _error(status, codes, post=post)}},
        }
        for status in sorted(statuses)
    }


def _codes(*, post: bool) -> list[tuple[str, int]]:
    """(code, status) of every response of the operation, by name."""
    known = {code: status for status, code, _ in WIRE.values()}
    known |= {code: status for code, (status, _) in WIRE_ONLY.items()}
    return sorted(
        (code, status)
        for code, status in known.items()
        if code not in _NOT_READ
        and (post or code in _READ_CODES or status in {401, 500, 503} or code == "rest_no_route")
    )


def _error(status: int, codes: list[tuple[str, int]], *, post: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "code": {
            "type": "string",
            "enum": [code for code, s in codes if s == status],
            "description": "For programs.",
        },
        "message": {"type": "string", "description": "For people."},
        "data": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"const": status}},
            "description": "The HTTP status, and details of the error.",
        },
    }
    if post:
        properties = {"success": {"const": False}, **properties}
    return {"type": "object", "required": list(properties), "properties": properties}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


PRODUCTS = Operation(
    operation_id="listProducts",
    summary="List the products that you may buy",
    description=(
        "The whole list, ordered by id, with your prices and your available quantities. Accept gzip "
        "or zstd, and send the ETag of the last answer in If-None-Match: an unchanged list is 304."
    ),
    status=200,
    responses={
        200: {
            "description": "Every product that you may buy.",
            **_content({"type": "array", "items": _PRODUCT}),
        },
        304: {"description": "The list has not changed since your If-None-Match."},
        **_errors(statuses={401, 403, 413, 429, 503}, post=False),
    },
    extra={"parameters": _HEADERS},
)

CREATE = Operation(
    operation_id="createOrder",
    summary="Create an order",
    description=(
        "The order is for the customer that the shop configured for you: addresses and e-mail are not "
        "part of the request. Once you get the response, the order is committed and its stock is reserved."
    ),
    status=201,
    responses={
        201: {"description": "The order was created.", **_content(_CREATED)},
        **_errors(statuses={400, 401, 403, 404, 409, 413, 429, 503}, post=True),
    },
    extra={
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ORDER}}},
    },
)
