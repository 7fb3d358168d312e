"""The OpenAPI document, made of the routes."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crossdock.channels.shoppex_reseller.auth import Surface
from crossdock.channels.shoppex_reseller.errors import CODES
from crossdock.channels.shoppex_reseller.paging import LIMIT_MAX
from crossdock.channels.shoppex_reseller.routes import Route
from crossdock.kit.schemas import schema_of_numbers

TITLE: Final = "Shoppex Developer API and Reseller API"
DESCRIPTION: Final = (
    "A merchant's shop under `/dev/v1` with a key that begins with `shx_`, a reseller's side of its "
    "relationship under `/reseller/v1` with a key that begins with `shr_`, and what resellers do for "
    "themselves under `/portal/v1` with a session. Paths may end in a slash."
)
TEXT: Final = {"type": "string"}
WHOLE: Final = {"type": "integer"}
FLAG: Final = {"type": "boolean"}
AMOUNT: Final = {"type": "number", "description": "In major units."}
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "doc_url"],
            "properties": {
                "code": {"type": "string", "enum": list(CODES)},
                "message": TEXT,
                "doc_url": TEXT,
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {"field": TEXT, "message": TEXT},
                    },
                },
            },
        }
    },
}
_PAGINATION: Final[dict[str, dict[str, Any]]] = {
    "cursor": {
        "type": "object",
        "required": ["next_cursor", "has_more"],
        "properties": {
            "next_cursor": {"anyOf": [TEXT, {"type": "null"}]},
            "has_more": FLAG,
        },
    },
    "page": {
        "type": "object",
        "required": ["total", "page", "limit", "total_pages", "has_more"],
        "properties": {
            **dict.fromkeys(("total", "page", "limit", "total_pages"), WHOLE),
            "has_more": FLAG,
        },
    },
}
_SCHEMES: Final[dict[Surface, str]] = {
    "dev": "merchant",
    "reseller": "reseller",
    "portal": "portal",
}
_ASKED: Final[dict[Surface, str]] = {
    "dev": "Any active key.",
    "reseller": "Any active key.",
    "portal": "For whoever is signed in.",
}
_CHOICE: Final = {
    "type": "string",
    "description": "Which relationship, for somebody who has several.",
}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}
_LISTED: Final[dict[str, Mapping[str, dict[str, Any]]]] = {
    "": {},
    "cursor": {"cursor": TEXT, "limit": _LIMIT},
    "page": {"page": {"type": "integer", "minimum": 1}, "limit": _LIMIT},
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "merchant": {"type": "http", "scheme": "bearer", "description": "shx_..."},
                "reseller": {"type": "http", "scheme": "bearer", "description": "shr_..."},
                "portal": {"type": "http", "scheme": "bearer", "description": "A session's token."},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    scope = f"Scope: `{route.scope}`." if route.scope else _ASKED[route.surface]
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": " ".join([scope, *_notes(route)]),
        "parameters": _parameters(route),
        "security": [] if route.for_guests else [{_SCHEMES[route.surface]: []}],
        "responses": {
            str(route.status): _answer(route),
            "default": {
                "description": "An error.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if route.body is not None:
        schema = {"type": "object", "properties": dict(route.body)}
        if route.required:
            schema["required"] = list(route.required)
        found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return found


def _notes(route: Route) -> list[str]:
    """What a caller has to know besides the scope."""
    notes = []
    if route.covers == "shop":
        notes.append("Not for a key of some merchants alone.")
    if route.told_once:
        fields = ", ".join(f"`{name}`" for name in route.told_once)
        notes.append(f"A repeat with the same Idempotency-Key has null for {fields}.")
    return notes


def _parameters(route: Route) -> list[dict[str, Any]]:
    named = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    found = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in named]
    query = {**route.query, **_LISTED[route.listed]}
    if route.surface == "portal" and route.serves is None:
        query["relationship_id"] = _CHOICE
    found += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in query.items()
    ]
    if route.method != "GET" and route.serves is None:
        schema = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}
        )
    return found


def _answer(route: Route) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "Done."}
    data: Any = {} if route.answer is None else schema_of_numbers(route.answer)
    properties: dict[str, Any] = {"data": data}
    if route.listed:
        properties = {
            "data": {"type": "array", "items": data},
            "pagination": _PAGINATION[route.listed],
        }
    if route.stats is not None:
        properties["stats"] = schema_of_numbers(route.stats)
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}
