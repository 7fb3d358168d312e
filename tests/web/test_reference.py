"""An OpenAPI document becomes rows and examples."""

from crossdock.web.reference import read_reference

DOCUMENT = {
    "info": {"title": "Toys", "version": "1"},
    "components": {"schemas": {"Toy": {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer", "minimum": 1, "description": "Its number."},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}}},
        "Part": {"type": "object", "properties": {"kind": {"enum": ["wheel", "axle"]}}}}},
    "paths": {"/toys": {"post": {
        "summary": "Make a toy",
        "parameters": [{"name": "X-Who", "in": "header", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Toy"}}}},
        "responses": {
            "201": {"description": "Made.", "content": {"application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Toy"}}}}},
            "409": {"description": "toy_exists, toy_broken"}}}}},
}  # fmt: skip


def test_nested_fields_come_in_order_with_their_depth():
    (operation,) = read_reference(DOCUMENT).operations

    assert [(f.name, f.depth, f.kind, f.required) for f in operation.body] == [
        ("id", 0, "integer", True),
        ("parts", 0, "array of object", False),
        ("kind", 1, "any", False),
    ]
    assert operation.body[0].rules == ("at least 1",)
    assert operation.body[2].rules == ('one of "wheel", "axle"',)


def test_parameters_say_where_they_go():
    (operation,) = read_reference(DOCUMENT).operations

    assert [(p.name, p.kind, p.required) for p in operation.parameters] == [
        ("X-Who", "header, string", True)
    ]


def test_a_list_of_objects_begins_with_its_element():
    (operation,) = read_reference(DOCUMENT).operations

    assert [(f.name, f.depth) for f in operation.replies[0].fields] == [
        ("[ ]", 0),
        ("id", 1),
        ("parts", 1),
        ("kind", 2),
    ]


def test_a_description_of_codes_becomes_codes():
    (operation,) = read_reference(DOCUMENT).operations

    assert operation.replies[0].codes == ()
    assert operation.replies[1].codes == ("toy_exists", "toy_broken")


def test_an_example_is_made_from_the_parts():
    (operation,) = read_reference(DOCUMENT).operations

    assert "wheel" in operation.body_example
