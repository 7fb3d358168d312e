"""What the OpenAPI document says of the methods; the handlers read the raw request themselves."""

from typing import Any

import msgspec

from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY

DESCRIPTION = (
    "Fulfilment API for web shops whose goods the warehouse holds. Every call is a POST whose body "
    "has `auth` and `data`: as JSON, or as form fields that hold JSON text."
)

_AUTH = {
    "type": "object",
    "required": ["shopid", "timestamp", "salt", "token"],
    "properties": {
        "shopid": {"type": ["integer", "string"]},
        "timestamp": {"type": ["number", "string"]},
        "salt": {"type": "string", "minLength": 1, "maxLength": 256},
        "token": {"type": "string", "pattern": "^[0-9A-Fa-f]{128}$"},
    },
}
_INTEGER = {"type": ["integer", "string"]}
_INTEGERS = {"anyOf": [_INTEGER, {"type": "array", "items": _INTEGER}]}
_TEXT = {"type": ["string", "number", "null"]}

_ADDRESS = {
    "type": "object",
    "required": ["street", "number", "zip", "city", "country_iso2", "email", "phone"],
    "properties": dict.fromkeys(
        (
            "firstname",
            "lastname",
            "company",
            "vat",
            "street",
            "number",
            "box",
            "zip",
            "city",
            "country_iso2",
            "email",
            "phone",
        ),
        _TEXT,
    ),
}
_ITEM = {
    "type": "object",
    "required": ["sku", "amount"],
    "properties": {
        "sku": _INTEGER,
        "amount": _INTEGER,
        "name": _TEXT,
        "comment": _TEXT,
        "skuType": {"enum": ["reference", "barcode", "", None]},
        "price": _TEXT,
        "external_orderline_id": _TEXT,
    },
}
_ORDER = {
    "external_order_id": {"type": ["string", "integer"], "maxLength": 191},
    "external_order_reference": _TEXT,
    "release": {},
    "created_at": {"type": ["string", "integer"]},
    "updated_at": {"type": ["string", "integer", "null"]},
    "comment": _TEXT,
    "comment_packing": _TEXT,
    "billing_address": _ADDRESS,
    "shipping_address": _ADDRESS,
    "items": {"type": "array", "minItems": 1, "items": _ITEM},
}


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of one method."""

    summary: str
    status: int
    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any]


def _operation(
    summary: str,
    *,
    answer: dict[str, Any],
    status: int = 200,
    data: dict[str, Any] | None = None,
    required: tuple[str, ...] = (),
) -> Operation:
    schema = {"type": "object", "properties": data or {}, "required": list(required)}
    body = {
        "type": "object",
        "required": ["auth"],
        "properties": {"auth": _AUTH, "data": schema},
    }
    text = {
        "type": "object",
        "required": ["auth"],
        "properties": {"auth": {"type": "string"}, "data": {"type": "string"}},
    }
    content = {
        "application/json": {"schema": body},
        "application/x-www-form-urlencoded": {"schema": text},
        "multipart/form-data": {"schema": text},
    }
    return Operation(
        summary=summary,
        status=status,
        responses={
            status: {"description": summary, "content": {"application/json": {"schema": answer}}},
            **_errors(),
        },
        extra={"requestBody": {"required": True, "content": content}},
    )


def _errors() -> dict[int | str, dict[str, Any]]:
    known = [*WIRE.values(), *((status, word) for word, status in WIRE_ONLY.items())]
    schema = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
    }
    return {
        status: {
            "description": ", ".join(sorted({word for s, word in known if s == status})),
            "content": {"application/json": {"schema": schema}},
        }
        for status in (400, 401, 413, 429, 503)
    }


_LIST = {"type": "array", "items": {"type": "object"}}
_OBJECT = {"type": "object"}
_OFFSET = {"offset": _INTEGER}

OPERATIONS: dict[str, Operation] = {
    "authTest": _operation("Test the token", status=202, answer=_OBJECT),
    "createOrder": _operation(
        "Create an order",
        status=201,
        data=_ORDER,
        required=("external_order_id", "created_at", "shipping_address", "items"),
        answer={
            "type": "object",
            "required": ["order_id"],
            "properties": {"order_id": {"type": "integer"}},
        },
    ),
    "getOrder": _operation(
        "Read an order with its shipments",
        data={"order_id": _INTEGER, "external_order_id": _TEXT},
        answer={"type": "array"},
    ),
    "cancelOrder": _operation(
        "Cancel an order that nobody works on yet", data={"order_id": _INTEGER}, answer=_OBJECT
    ),
    "getStock": _operation(
        "Read stock items",
        data={"sku": _INTEGER, "limit": _INTEGER, "offset": _INTEGER, "reference": _TEXT},
        answer={"type": ["object", "array"]},
    ),
    "getProducts": _operation(
        "Read products",
        data={"product_id": _INTEGERS, "category_id": _INTEGERS, **_OFFSET},
        answer=_LIST,
    ),
    "getCategories": _operation(
        "Read categories", data={"category_id": _INTEGERS, **_OFFSET}, answer=_LIST
    ),
    "getBlogPosts": _operation(
        "Read blog posts", data={"post_id": _INTEGERS, **_OFFSET}, answer=_LIST
    ),
    "pudo": _operation(
        "Find pick-up points near an address", data={"address": _OBJECT}, answer=_OBJECT
    ),
    "getRetourSettings": _operation(
        "Read the shop's return settings", data={"shop_id": _INTEGER}, answer=_OBJECT
    ),
    "createRetourAnnouncement": _operation(
        "Announce a return",
        data={"shop_id": _INTEGER, "order_id": _INTEGER, "items": {"type": "array"}},
        answer=_OBJECT,
    ),
}
