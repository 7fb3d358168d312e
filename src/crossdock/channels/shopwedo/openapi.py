"""What the OpenAPI document says of the methods; the handlers read the raw request themselves."""

from typing import Any

import msgspec

from crossdock.channels.shopwedo.answers import ANSWERS
from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY
from crossdock.channels.shopwedo.requests import REQUESTS, Auth
from crossdock.kit.schemas import schema_of

DESCRIPTION = (
    "Fulfilment API for web shops whose goods the warehouse holds. Every call is a POST whose body "
    "has `auth` and `data`: as JSON, or as form fields that hold JSON text."
)

_SUMMARIES = {
    "authTest": "Test the token",
    "createOrder": "Create an order",
    "getOrder": "Read an order with its shipments",
    "cancelOrder": "Cancel an order that nobody works on yet",
    "getStock": "Read stock items",
    "getProducts": "Read products",
    "getCategories": "Read categories",
    "getBlogPosts": "Read blog posts",
    "pudo": "Find pick-up points near an address",
    "getRetourSettings": "Read the shop's return settings",
    "createRetourAnnouncement": "Announce a return",
}
_STATUSES = {"authTest": 202, "createOrder": 201}


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of one method."""

    summary: str
    status: int
    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any]


def _operation(name: str) -> Operation:
    """The method as its types in requests.py and answers.py say it."""
    summary, status = _SUMMARIES[name], _STATUSES.get(name, 200)
    body = {
        "type": "object",
        "required": ["auth"],
        "properties": {"auth": schema_of(Auth), "data": schema_of(REQUESTS[name])},
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
    answer = {"application/json": {"schema": ANSWERS[name]}}
    return Operation(
        summary=summary,
        status=status,
        responses={status: {"description": summary, "content": answer}, **_errors()},
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


OPERATIONS: dict[str, Operation] = {name: _operation(name) for name in REQUESTS}
