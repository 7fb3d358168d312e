"""A wire's types say which fields are read, and are its schemas."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from crossdock.kit.schemas import picked, schema_of


class Wheel(TypedDict):
    """A part."""

    size: Annotated[Any, Meta(description="In mm.", extra_json_schema={"type": ["integer"]})]
    colour: NotRequired[str | None]


class Toy(TypedDict):
    """What is sold."""

    name: str
    kind: Literal["toy"]
    wheels: NotRequired[list[Wheel]]
    spare: NotRequired[Wheel | None]


class Box(msgspec.Struct):
    """Around toys."""

    toys: list[Toy]
    weight: int | None = None


def test_a_schema_has_the_fields_in_their_order_and_refers_to_nothing():
    wheel = {
        "type": "object",
        "properties": {
            "size": {"description": "In mm.", "type": ["integer"]},
            "colour": {"type": ["string", "null"]},
        },
        "required": ["size"],
    }
    toy = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"const": "toy"},
            "wheels": {"type": "array", "items": wheel},
            "spare": {"anyOf": [wheel, {"type": "null"}]},
        },
        "required": ["name", "kind"],
    }

    assert schema_of(Toy) == toy
    assert list(schema_of(Toy)["properties"]) == ["name", "kind", "wheels", "spare"]
    assert schema_of(Box)["properties"]["toys"] == {"type": "array", "items": toy}


def test_a_field_that_is_not_declared_is_not_seen():
    sent = {
        "name": "Car",
        "wheels": [{"size": [1], "sise": 2}, 7, [{"tyre": 1}]],
        "spare": {"colour": None, "x": 1},
        "price": 3,
    }

    assert picked(sent, Toy) == {
        "name": "Car",
        "wheels": [{"size": [1]}, 7, [{}]],
        "spare": {"colour": None},
    }
    assert picked({"spare": [], "wheels": "x"}, Toy) == {"spare": [], "wheels": "x"}
    assert picked(None, Toy) is None
