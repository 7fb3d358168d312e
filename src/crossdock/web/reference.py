"""A channel's OpenAPI document as rows and examples that a template can print."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from crossdock.web.guides import highlighted, slug

Document = Mapping[str, Any]
_VERBS = ("get", "post", "put", "patch", "delete")
_DEPTH_MAX = 6


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a body or one parameter; `depth` is how far it is nested."""

    name: str
    kind: str
    depth: int
    required: bool
    description: str = ""
    rules: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One status that an operation answers with."""

    status: str
    description: str
    codes: tuple[str, ...]
    fields: tuple[Field, ...]
    example: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path."""

    anchor: str
    method: str
    path: str
    title: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_example: str
    replies: tuple[Reply, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    title: str
    version: str
    description: str
    operations: tuple[Operation, ...]


def read_reference(document: Document) -> Reference:
    """The page of an OpenAPI 3.1 document."""
    info = document["info"]
    return Reference(
        title=info["title"],
        version=info["version"],
        description=info.get("description", ""),
        operations=tuple(
            _operation(document, path, method, spec)
            for path, methods in document.get("paths", {}).items()
            for method, spec in methods.items()
            if method in _VERBS
        ),
    )


def _operation(document: Document, path: str, method: str, spec: Document) -> Operation:
    title = spec.get("summary") or spec.get("operationId") or path
    body = _schema(document, spec.get("requestBody", {}))
    return Operation(
        anchor=slug(spec.get("operationId") or title),
        method=method.upper(),
        path=path,
        title=title,
        description=spec.get("description", ""),
        parameters=tuple(_parameter(document, p) for p in spec.get("parameters", ())),
        body=tuple(_fields(document, body)) if body else (),
        body_example=_shown(_example(document, body)) if body else "",
        replies=tuple(
            _reply(document, status, reply) for status, reply in spec.get("responses", {}).items()
        ),
    )


def _parameter(document: Document, parameter: Document) -> Field:
    schema = _resolved(document, parameter.get("schema", {}))
    return Field(
        name=parameter["name"],
        kind=f"{parameter['in']}, {_kind(document, schema)}",
        depth=0,
        required=bool(parameter.get("required")),
        description=parameter.get("description") or schema.get("description", ""),
        rules=tuple(_rules(schema)),
    )


def _reply(document: Document, status: str, reply: Document) -> Reply:
    schema = _schema(document, reply)
    text = reply.get("description", "")
    words = tuple(word.strip() for word in text.split(","))
    are_codes = all("_" in word and " " not in word for word in words)
    return Reply(
        status=status,
        description="" if are_codes else text,
        codes=words if are_codes else (),
        fields=tuple(_fields(document, schema)) if schema else (),
        example=_shown(_example(document, schema)) if schema else "",
    )


def _schema(document: Document, holder: Document) -> Document | None:
    """The schema of a body's first content type, its example carried along."""
    for content in holder.get("content", {}).values():
        schema = dict(_resolved(document, content.get("schema", {})))
        if "example" in content:
            schema["example"] = content["example"]
        return schema
    return None


def _fields(document: Document, schema: Document, depth: int = 0) -> Iterator[Field]:
    if depth > _DEPTH_MAX:
        return
    schema = _resolved(document, schema)
    if "items" in schema:
        if not depth:
            yield Field(name="[ ]", kind=_kind(document, schema), depth=0, required=True)
        yield from _fields(document, schema["items"], depth + (not depth))
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        resolved = _resolved(document, child)
        yield Field(
            name=name,
            kind=_kind(document, resolved),
            depth=depth,
            required=name in required,
            description=resolved.get("description", ""),
            rules=tuple(_rules(resolved)),
        )
        yield from _fields(document, resolved, depth + 1)


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _kind(document: Document, schema: Document) -> str:
    if "const" in schema:
        return "constant"
    kinds = schema.get("type", "any")
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    if "items" in schema:
        inner = _kind(document, _resolved(document, schema["items"]))
        names = [f"array of {inner}" if name == "array" else name for name in names]
    return " or ".join(names)


def _rules(schema: Document) -> Iterator[str]:
    words = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {} in the list",
        "maxItems": "at most {} in the list",
        "pattern": "matches {}",
    }
    for key, text in words.items():
        if key in schema:
            value = schema[key]
            yield text.format(f"{value:,}" if isinstance(value, int) else value)
    if "const" in schema:
        yield f"always {json.dumps(schema['const'])}"
    if "enum" in schema:
        yield "one of " + ", ".join(json.dumps(value) for value in schema["enum"])


def _example(document: Document, schema: Document, depth: int = 0) -> Any:
    """The schema's example, or one made from its parts."""
    schema = _resolved(document, schema)
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if depth > _DEPTH_MAX:
        return None
    if "properties" in schema:
        return {
            name: _example(document, child, depth + 1)
            for name, child in schema["properties"].items()
        }
    if "items" in schema:
        return [_example(document, schema["items"], depth + 1)]
    kinds = schema.get("type", "null")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    return {
        "integer": schema.get("minimum", 0),
        "number": 0,
        "string": "text",
        "boolean": True,
    }.get(kind)


def _shown(example: Any) -> str:
    return highlighted(json.dumps(example, indent=2, ensure_ascii=False), "json")
