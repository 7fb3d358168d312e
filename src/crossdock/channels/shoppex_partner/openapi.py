"""What the OpenAPI document says of the two operations; the handlers read the raw request themselves."""

from typing import Any

import msgspec

from crossdock.channels.shoppex_partner.auth import HEADER_NAMES
from crossdock.channels.shoppex_partner.errors import WIRE, WIRE_ONLY

DESCRIPTION = (
    "Server-to-server API for wholesale partners: read the catalogue, place orders. Every request "
    "is signed with HMAC-SHA256 over method, route, timestamp, nonce and the hash of the raw body."
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of one operation."""

    operation_id: str
    summary: str
    status: int
    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any]


def _header(name: str) -> dict[str, Any]:
    patterns = {
        "X-Shoppex-Key": "^[A-Za-z0-9_-]{1,128}$",
        "X-Shoppex-Timestamp": "^[0-9]{10}$",
        "X-Shoppex-Nonce": "^[A-Za-z0-9._:~-]{1,128}$",
        "X-Shoppex-Signature": "^[0-9A-Fa-f]{64}$",
    }
    schema = {"type": "string", "pattern": patterns[name]}
    return {"name": name, "in": "header", "required": True, "schema": schema}


_HEADERS = [_header(name) for name in HEADER_NAMES.values()]

_PRODUCT = {
    "type": "object",
    "required": ["id", "name", "price", "stock_quantity", "stock_sc", "origen", "upc"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "price": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"},
        "stock_quantity": {"type": ["integer", "null"]},
        "stock_sc": {"type": "integer"},
        "origen": {"type": "string"},
        "upc": {"type": "string"},
    },
}

_DIGITS_OR_NUMBER = {"type": ["integer", "string"], "pattern": "^[0-9]{1,19}$"}

_ORDER = {
    "type": "object",
    "required": ["items", "id_order_partner"],
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["product_id", "quantity"],
                "properties": {
                    "product_id": {**_DIGITS_OR_NUMBER, "minimum": 1},
                    "quantity": {**_DIGITS_OR_NUMBER, "minimum": 1, "maximum": 1_000_000},
                },
            },
        },
        "id_order_partner": {"type": ["string", "number"], "maxLength": 191},
        "comments": {"type": ["string", "null"], "maxLength": 2000},
        "tax_id": {},
        "resale_tax": {},
    },
}

_CREATED = {
    "type": "object",
    "required": [
        "success",
        "order_id",
        "order_key",
        "order_detail_url",
        "source",
        "partner_order_id",
    ],
    "properties": {
        "success": {"const": True},
        "order_id": {"type": "integer"},
        "order_key": {"type": "string"},
        "order_detail_url": {"type": "string"},
        "source": {"const": "partner_integration"},
        "partner_order_id": {"type": "string"},
    },
}


def _errors(*, statuses: set[int], post: bool) -> dict[int | str, dict[str, Any]]:
    known = [(s, code) for s, code, _ in WIRE.values()]
    known += [(s, code) for code, (s, _) in WIRE_ONLY.items()]
    return {
        status: {
            "description": ", ".join(sorted({code for s, code in known if s == status})),
            "content": {"application/json": {"schema": _error(status, post=post)}},
        }
        for status in sorted(statuses)
    }


def _error(status: int, *, post: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"const": status}},
        },
    }
    if post:
        properties = {"success": {"const": False}, **properties}
    return {"type": "object", "required": list(properties), "properties": properties}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


PRODUCTS = Operation(
    operation_id="listProducts",
    summary="List the products that the partner may buy",
    status=200,
    responses={
        200: {"description": "The whole list.", **_content({"type": "array", "items": _PRODUCT})},
        304: {"description": "The list has not changed since the ETag in If-None-Match."},
        **_errors(statuses={401, 403, 413, 429, 503}, post=False),
    },
    extra={"parameters": _HEADERS},
)

CREATE = Operation(
    operation_id="createOrder",
    summary="Create an order for the partner's customer",
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
