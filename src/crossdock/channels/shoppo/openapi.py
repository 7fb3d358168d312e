"""The OpenAPI document's texts: one path, whose operations the GraphQL schema describes."""

from typing import Any, Final

from fastapi import FastAPI

DESCRIPTION: Final = (
    "Drop-shipping over GraphQL: one address takes every operation. Introspection "
    "tells the schema; it is also the file [shoppo.graphql](/docs/reference/shoppo.graphql)."
)
OPERATION: Final = (
    "A GraphQL document with its variables. An operation that was run answers 200 with `data`, also "
    "where fields failed; a document that cannot be run answers 200 without `data`, or 400 to a client "
    "that prefers application/graphql-response+json."
)
_ERRORS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["message", "extensions"],
        "properties": {
            "message": {"type": "string", "description": "For people."},
            "locations": {
                "type": "array",
                "description": "Where in the document.",
                "items": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
            "path": {
                "type": "array",
                "description": "Which field of the answer.",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            },
            "extensions": {
                "type": "object",
                "required": ["code", "type", "displayToUser", "requestId"],
                "properties": {
                    "code": {"type": "string", "description": "For programs."},
                    "type": {"type": "string", "description": "The kind of the code."},
                    "displayToUser": {
                        "type": "boolean",
                        "description": "Whether the message is fit for the end user.",
                    },
                    "requestId": {"type": "string", "description": "For the operator."},
                },
            },
        },
    },
}
_ANSWER: Final = {
    "type": "object",
    "properties": {
        "data": {
            "description": "What was selected.",
            "anyOf": [{"type": "object"}, {"type": "null"}],
        },
        "errors": _ERRORS,
    },
}
_REFUSAL: Final = {"type": "object", "required": ["errors"], "properties": {"errors": _ERRORS}}
_STATUSES: Final = {
    400: "The request is no GraphQL request.",
    401: "accesstoken or viewerid is missing or wrong.",
    403: "The token belongs to another viewer, or lacks the right.",
    413: "The body is too large.",
    415: "The Content-Type is no JSON.",
    429: "Too many requests; Retry-After says when.",
    503: "Not now; Retry-After says when.",
}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: {"schema": schema}
        for kind in ("application/json", "application/graphql-response+json")
    }


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "What was selected.", "content": _content(_ANSWER)},
    **{
        status: {"description": text, "content": _content(_REFUSAL)}
        for status, text in _STATUSES.items()
    },
}
_UPLOAD: Final = {
    "type": "object",
    "description": "A file, by the GraphQL multipart request convention. Its part has the name in `map`.",
    "required": ["operations", "map"],
    "properties": {
        "operations": {
            "type": "string",
            "description": "The JSON body, with null where the file belongs.",
        },
        "map": {
            "type": "string",
            "description": 'The paths by part, such as {"0": ["variables.image"]}.',
        },
    },
    "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
}
EXTRA: Final[dict[str, Any]] = {
    "security": [{"accesstoken": [], "viewerid": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["query"],
                    "properties": {
                        "query": {
                            "type": "string",
                            "description": "The document.",
                            "examples": [
                                "{ productList(first: 3) { edges { node { id name } } } }"
                            ],
                        },
                        "variables": {
                            "description": "The variables by name.",
                            "anyOf": [{"type": "object"}, {"type": "null"}],
                        },
                        "operationName": {
                            "description": "Which operation of several.",
                            "anyOf": [{"type": "string"}, {"type": "null"}],
                        },
                    },
                }
            },
            "multipart/form-data": {"schema": _UPLOAD},
        },
    },
}


def secure(app: FastAPI) -> None:
    """Name the proof in the document, which the framework makes of routes alone."""
    made = app.openapi

    def document() -> dict[str, Any]:
        found = made()
        components = found.setdefault("components", {})
        components["securitySchemes"] = {
            name: {"type": "apiKey", "in": "header", "name": name}
            for name in ("accesstoken", "viewerid")
        }
        return found

    app.openapi = document  # type: ignore[method-assign]
