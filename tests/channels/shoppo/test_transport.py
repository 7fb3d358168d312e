"""A request..."""

import json

import pytest

from tests.support.shoppo_client import PATH, DropShipper

NAME = "{ productList(first: 1) { edges { node { name } } } }"
# The request of the seed, as its shell sends it.
CURL = (
    b'{"query":"query product($id: ID!) {\\n node(id: $id) {\\n ... on Product {\\n id\\n name\\n }'
    b'\\n }\\n}\\n","variables":{"id": "%s"},"operationName":"Product"}'
)


async def test_of_the_seed_is_answered_though_it_misspells_its_operation(shipper):
    listed = await shipper.ask("{ productList(first: 1) { edges { node { id name } } } }")
    [edge] = listed["productList"]["edges"]
    reply = await shipper.send(
        content=CURL % edge["node"]["id"].encode(), headers={"Content-Type": "application/json"}
    )
    assert (reply.status_code, reply.json()) == (200, {"data": {"node": edge["node"]}})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


async def test_of_the_seed_with_its_own_id_finds_nothing(shipper):
    reply = await shipper.send(
        content=CURL % b"21421713751366966949588", headers={"Content-Type": "application/json"}
    )
    assert reply.json() == {"data": {"node": None}}


@pytest.mark.parametrize("left_out", ["token", "viewer", "both"])
async def test_without_its_headers_is_unauthorized(hall_server, shipper, left_out):
    token = "" if left_out in {"token", "both"} else shipper.token
    viewer = "" if left_out in {"viewer", "both"} else shipper.viewer
    async with DropShipper(hall_server.url, token=token, viewer=viewer) as caller:
        for query in (NAME, "{ __schema { queryType { name } } }"):
            reply = await caller.post(query)
            [error] = reply.json()["errors"]
            assert (reply.status_code, list(reply.json())) == (401, ["errors"])
            assert error["message"] == "Unauthorized request"
            assert error["extensions"] == {
                "code": "UNAUTHENTICATED", "type": "AccessDenied", "displayToUser": False,
                "requestId": reply.headers["x-request-id"],
            }  # fmt: skip


async def test_with_the_viewer_id_of_another_is_forbidden(hall_server, shipper, shippers):
    other = await shippers()
    async with DropShipper(hall_server.url, token=shipper.token, viewer=other.viewer) as caller:
        reply = await caller.post(NAME)
    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (
        403,
        "FORBIDDEN",
    )


async def test_by_another_method_is_refused(shipper):
    reply = await shipper.send("GET", PATH)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert reply.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"7", b"{}", b'{"query": 7}', b'{"query": "{ a }", "variables": []}',
     b'{"query": "{ a }", "operationName": 7}', b'{"query": NaN}', b"\xff",
     b'{"query": "{ a }", "variables": {"a": "\\ud800"}}', b"[" * 5000,
     json.dumps([{"query": NAME}]).encode()],
)  # fmt: skip
async def test_that_is_no_graphql_request_is_refused(shipper, body):
    reply = await shipper.send(content=body, headers={"Content-Type": "application/json"})
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
