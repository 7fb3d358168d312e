"""The OpenAPI document says what is asked and what is answered, field by field."""

from typing import Any

import jsonschema_rs
import pytest

from crossdock.channels.shoppable.filters import LISTS, MORE_LISTS
from crossdock.channels.shoppable.parameters import read_parameters
from tests.support.shoppable_client import CATALOGUE, PRODUCT

PATHS = {CATALOGUE: "/v3/catalog", PRODUCT: PRODUCT, f"{PRODUCT}/x": f"{PRODUCT}/{{part_number}}"}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    (CATALOGUE, {}),
    (CATALOGUE, {"rows": 0, "navigation_type": "none"}),
    (CATALOGUE, {"navigation_type": "category_all", "search": "shirt"}),
    (CATALOGUE, {"rows": "x"}),
    (CATALOGUE, {"search": "a" * 600}),
    (PRODUCT, {"upcs": "309972924759"}),
    (PRODUCT, {"part_numbers": "1,2"}),
    (PRODUCT, {}),
    (PRODUCT, {"upcs": ",".join(map(str, range(200)))}),
    (f"{PRODUCT}/x", {}),
)


@pytest.fixture
def document(mall_server) -> dict[str, Any]:
    """What the server publishes."""
    [channel] = [each for each in mall_server.app.channels if each.name == "shoppable"]
    published: dict[str, Any] = channel.openapi()
    return published


def schema_of(document: dict[str, Any], path: str, status: int) -> dict[str, Any]:
    answers = document["paths"][PATHS[path]]["get"]["responses"]
    schema: dict[str, Any] = answers[str(status)]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize(("path", "parameters"), CALLS)
async def test_every_answer_is_one_that_is_described(publisher, document, path, parameters):
    reply = await publisher.get(path, **parameters)
    schema = schema_of(document, path, reply.status_code)
    jsonschema_rs.validator_for(schema).validate(reply.json())


async def test_refusals_of_callers_are_described(publishers, mall_server, document):
    nobody = await publishers(permissions=())
    for path in PATHS:
        reply = await nobody.get(path)
        assert reply.status_code == 403
        jsonschema_rs.validator_for(schema_of(document, path, 403)).validate(reply.json())
        assert "30002" in document["paths"][PATHS[path]]["get"]["responses"]["401"]["description"]


async def test_every_field_of_a_product_is_told_of_one_and_no_other(publisher, document):
    page = await publisher.browse()
    described = schema_of(document, CATALOGUE, 200)["properties"]["products"]["items"]

    def keys(schema: dict[str, Any], told: list[dict[str, Any]], at: str) -> None:
        said = set().union(*(each.keys() for each in told))
        assert said == set(schema["properties"]), at
        assert set(schema["required"]) <= set(told[0]).intersection(*told), at
        for name, inner in schema["properties"].items():
            if inner.get("type") == "array" and inner["items"].get("type") == "object":
                keys(inner["items"], [one for each in told for one in each[name]], name)

    keys(described, page["products"], "product")


def test_every_parameter_of_the_catalogue_is_described(document):
    parameters = document["paths"]["/v3/catalog"]["get"]["parameters"]
    lists = {each.name for each in (*LISTS, *MORE_LISTS)}
    others = {"rows", "offset", "search", "sort", "navigation_type", "discount_type"}
    assert {each["name"] for each in parameters} == lists | others | {"min_price", "max_price"}
    assert read_parameters(b"catagories=a&upcs=1&upc=2&rows=") == {"categories": "a", "upc": "1,2"}
