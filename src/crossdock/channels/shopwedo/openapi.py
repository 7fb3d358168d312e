"""The OpenAPI document's texts about the methods; the handlers parse raw requests themselves."""

from typing import Any

import msgspec

from crossdock.channels.shopwedo.answers import ANSWERS
from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY
from crossdock.channels.shopwedo.requests import REQUESTS, Auth
from crossdock.kit.schemas import schema_of

DESCRIPTION = (
    "Fulfilment API for web shops whose goods the warehouse holds. Every call is a POST whose body "
    "has `auth` and `data`: as JSON, or as form fields that contain JSON."
)

_WORDS = {
    "authTest": ("Test the token", "202 if the token is valid."),
    "createOrder": (
        "Create an order",
        "All invalid fields are reported at once. `release` releases the order if there is stock.",
    ),
    "getOrder": (
        "Read an order with its shipments",
        "With `order_id` a list of one order; with your `external_order_id` a list in a list.",
    ),
    "cancelOrder": ("Cancel an order", "Possible until its fulfilment starts."),
    "getStock": (
        "Read stock items",
        "A page of at most 50, or one item by `sku` or `reference`.",
    ),
    "getProducts": ("Read products", "Products and their variants, with texts in four languages."),
    "getCategories": ("Read categories", "The whole tree as a list, or categories by id."),
    "getBlogPosts": ("Read blog posts", "The newest first."),
    "pudo": ("Find pick-up points near an address", "At most 20, the nearest first."),
    "getRetourSettings": (
        "Read the shop's return settings",
        "The contents of its return page: reasons, days, colours, texts.",
    ),
    "createRetourAnnouncement": ("Announce a return", "Which items of an order are returned."),
}
_STATUSES = {"authTest": 202, "createOrder": 201}


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of one method."""

    summary: str
    description: str
    status: int
    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any]


def _operation(name: str) -> Operation:
    """The documentation of a method, from its types in requests.py and answers.py."""
    (summary, description), status = _WORDS[name], _STATUSES.get(name, 200)
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
        description=description,
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
