"""What clients literally send..."""

import json
from urllib.parse import quote

import pytest

from tests.support.shoppo_client import DropShipper

TWO = "query One { productList(first: 0) { length } } query two { __typename }"
LENGTH = {"productList": {"length": 5}}


@pytest.mark.parametrize("name", [None, "", "Product", "product", "anything at all"])
async def test_runs_the_only_operation_whatever_its_name(shipper, name):
    reply = await shipper.post(
        "query product { productList(first: 0) { length } }", operationName=name
    )
    assert reply.json() == {"data": LENGTH}


@pytest.mark.parametrize(
    ("name", "data"),
    [("One", LENGTH), ("one", LENGTH), ("ONE", LENGTH), ("two", {"__typename": "RootQuery"})],
)
async def test_names_one_of_several_operations_in_any_case(shipper, name, data):
    assert (await shipper.post(TWO, operationName=name)).json() == {"data": data}


@pytest.mark.parametrize("name", [None, "", "three"])
async def test_is_refused_where_several_operations_could_be_meant(shipper, name):
    reply = await shipper.post(TWO, operationName=name)
    [error] = reply.json()["errors"]
    assert (reply.status_code, list(reply.json())) == (200, ["errors"])
    assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


async def test_prefers_the_operation_whose_case_fits(shipper):
    query = "query a { __typename } query A { productList(first: 0) { length } }"
    assert (await shipper.post(query, operationName="A")).json() == {"data": LENGTH}
    reply = await shipper.post(
        query.replace("query a", "query aB").replace("A ", "Ab "), operationName="AB"
    )
    assert reply.json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


async def test_has_commas_where_none_are_needed_and_variables_that_are_not_declared(shipper):
    query = "query p($first: Int,,) {, productList(first: $first,) { length, } }"
    assert await shipper.ask(query, first=0, mode="x", test_access_token="y") == LENGTH


async def test_has_a_second_name_of_a_type_in_fragments_too(shipper):
    query = """
      query c { productCategories(first: 1) { edges { node { ...f ... on ConsumerCategory { path } } } } }
      fragment f on ConsumerCategory { categoryId }
    """
    [edge] = (await shipper.ask(query))["productCategories"]["edges"]
    assert list(edge["node"]) == ["categoryId", "path"]


async def test_has_lists_that_php_made_objects_of(shipper):
    query = """query q($filters: OrderFilterInput) { orderList(first: 0, filters: $filters) { length } }"""
    for statuses in (["PAID"], {"1": "PAID"}, {"0": "OPEN", "2": "PAID"}):
        reply = await shipper.post(query, variables={"filters": {"statusIn": statuses}})
        assert reply.json() == {"data": {"orderList": {"length": 0}}}
    reply = await shipper.post(query, variables={"filters": {"statusIn": {"a": "PAID"}}})
    assert reply.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_is_read_when_it_was_encoded_twice(shipper):
    body = quote(json.dumps({"query": "{ __typename }"}))
    for sent in (body, "\ufeff" + body, quote(body)):
        reply = await shipper.send(
            content=sent.encode(), headers={"Content-Type": "application/json"}
        )
        assert reply.json() == {"data": {"__typename": "RootQuery"}}


@pytest.mark.parametrize(
    "query",
    [
        "{ productList { edges { node { coverImage } } } }",
        "query q($id: ID!) { node(id: $id) { ... on nothing { id } } }",
        "{ product(id: 1) { id } }",
        "query q($r: [Int, Int]) { productList(filters: {timeCreateRange: $r}) { length } }",
        "mutation { refundOrderItem(orderItemId: 1, refundShipping: true) { order { id } } }",
        "{ productList { } }",
        "{",
    ],
)
async def test_is_refused_where_it_was_never_legal(shipper, query):
    reply = await shipper.post(query, variables={"id": "1"})
    assert (reply.status_code, list(reply.json())) == (200, ["errors"])
    for error in reply.json()["errors"]:
        code = error["extensions"]["code"]
        assert code in {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}
        assert error["locations"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [({"n": "x"}, "Int"), ({"n": 2**31}, "32-bit"), ({"n": 1.5}, "Int"), ({}, "$n")],
)
async def test_has_variables_that_fit(shipper, variables, told):
    reply = await shipper.post(
        "query q($n: Int!) { productList(first: $n) { length } }", variables=variables
    )
    [error] = reply.json()["errors"]
    assert list(reply.json()) == ["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", "n")
    assert told in error["message"]


async def test_has_no_credentials_among_its_variables_unless_a_setting_says_so(
    hall_server, shipper
):
    async with DropShipper(hall_server.url, token="", viewer="") as caller:
        reply = await caller.post(
            "{ __typename }",
            variables={"test_access_token": shipper.token, "test_viewer_id": shipper.viewer},
        )
    assert reply.status_code == 401
