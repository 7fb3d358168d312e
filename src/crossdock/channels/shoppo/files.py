"""Files that come with a request, and the scalar `File` that takes them (spec section 10)."""

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, ValueNode

SCALAR = "File"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A part of a multipart request. Of one that is too large only the size is kept."""

    body: bytes
    is_too_large: bool = False


class NoFile:
    """What stands for a literal where a file belongs: the field refuses it, as it does a string."""


def take_files(schema: GraphQLSchema) -> None:
    """Let the scalar take files, and nothing else."""
    kind = schema.type_map.get(SCALAR)
    if not isinstance(kind, GraphQLScalarType):
        return
    readings: dict[str, Any] = {
        "parse_value": _taken,
        "coerce_input_value": _taken,
        "parse_literal": _literal,
        "serialize": _never,
        "coerce_output_value": _never,
    }
    for name, reading in readings.items():
        setattr(kind, name, reading)


def _taken(value: Any) -> UploadedFile:
    if isinstance(value, UploadedFile):
        return value
    raise GraphQLError("A File is a part of a multipart request.")


def _literal(_node: ValueNode, _variables: Any = None) -> NoFile:
    return NoFile()


def _never(_value: Any) -> Any:
    raise GraphQLError("A File is never in an answer.")
