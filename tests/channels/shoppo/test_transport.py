"""A request..."""

import json
from datetime import timedelta

import pytest

from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import disable_credential, enable_credential, rotate_secret
from tests.conftest import NOON
from tests.support.clocked import clocked
from tests.support.factories import box
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


@pytest.mark.parametrize("depth", range(100, 1_000, 100))
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
async def test_may_nest_what_it_does_not_use(shipper, opening, closing, depth):
    nested = opening * depth + '"\\u0041"' + closing * depth
    body = f'{{"query": "{{ __typename }}", "variables": {{"a": {nested}}}}}'
    reply = await shipper.send(content=body, headers={"Content-Type": "application/json"})
    if depth < 900:  # what is nested deeper may be refused as no JSON
        assert reply.json() == {"data": {"__typename": "RootQuery"}}
    assert reply.status_code in {200, 400}


GRAPHQL = "application/graphql-response+json"
PLAIN_TYPE = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "is_graphql"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        (GRAPHQL, True),
        (f"{GRAPHQL}, application/json", True),
        (f"application/json, {GRAPHQL}", False),
        (f"{GRAPHQL};q=0.5, application/json;q=0.9", False),
        (f"application/json;q=0.8, {GRAPHQL};q=0.9", True),
        (f"{GRAPHQL}, */*;q=0.1", True),
        (f"{GRAPHQL};q=0, */*", False),
        (f"{GRAPHQL};q=x", False),
        ("text/html", False),
    ],
)
async def test_is_answered_in_the_type_that_its_client_ranks_first(shipper, accept, is_graphql):
    kind = f"{GRAPHQL}; charset=utf-8" if is_graphql else PLAIN_TYPE
    headers = {"Accept": accept} if accept else {}
    for query, status in (
        (NAME, 200),
        ("{", 400),
        ("{ nothing }", 400),
        ("query q($a: Int!) { __typename }", 400),
    ):
        reply = await shipper.send(json={"query": query}, headers=headers)
        assert reply.headers["content-type"] == kind
        assert reply.status_code == (status if is_graphql else 200)
        assert ("data" in reply.json()) == (query == NAME)
    reply = await shipper.send(json={}, headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (400, kind)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=latin-1", 200),
        ("Application/JSON;charset=utf-8", 200),
        ("text/plain", 415),
        ("application/graphql", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_is_json(shipper, kind, status):
    body = json.dumps({"query": NAME}).encode()
    reply = await shipper.send(content=body, headers={"Content-Type": kind})
    assert reply.status_code == status
    assert ("data" in reply.json()) == (status == 200)


async def test_whose_field_fails_is_answered_with_200(shipper):
    reply = await shipper.post("{ a: __typename productList(first: -1) { length } }")
    [error] = reply.json()["errors"]
    assert (reply.status_code, reply.json()["data"]) == (200, None)
    assert (error["path"], error["locations"]) == (["productList"], [{"line": 1, "column": 17}])
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT", "type": "InvalidInput", "displayToUser": False,
        "requestId": reply.headers["x-request-id"], "field": "first",
    }  # fmt: skip


async def test_of_a_viewer_who_is_disabled_is_forbidden(hall_database, hall_server, shippers):
    caller = await shippers()
    assert (await caller.post(NAME)).status_code == 200
    async with hall_database.begin() as tx:
        await disable_credential(tx, key=caller.viewer, now=NOON)
    reply = await caller.post(NAME)
    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (
        403,
        "FORBIDDEN",
    )
    async with DropShipper(hall_server.url, token=caller.token[:-1] + "?", viewer="x") as guess:
        assert (await guess.post(NAME)).status_code == 401
    async with hall_database.begin() as tx:
        await enable_credential(tx, key=caller.viewer)
    assert (await caller.post(NAME)).status_code == 200


async def test_without_the_right_is_forbidden(shippers):
    caller = await shippers(permissions=())
    assert (await caller.post(NAME)).status_code == 403


async def test_may_carry_either_of_two_tokens(hall_database, hall_server, shippers):
    caller = await shippers()
    async with hall_database.begin() as tx:
        new = await rotate_secret(
            tx, key=caller.viewer, ids=RandomIds(), box=box(), now=NOON, overlap_s=60
        )
    for token in (caller.token, new.secret):
        async with DropShipper(hall_server.url, token=token, viewer=caller.viewer) as either:
            assert (await either.post(NAME)).status_code == 200


async def test_is_one_of_so_many_at_once(database_url, hall_database, hall, tmp_path, shippers):
    caller = await shippers()
    clock = FrozenClock(NOON)
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=clock,
            shoppo_rate_limit_per_second=2, shoppo_rate_limit_burst=3,
            shoppo_allow_variable_auth=True,
        ) as server,
        DropShipper(server.url, token=caller.token, viewer=caller.viewer) as limited,
        DropShipper(server.url, token="", viewer="") as console,
    ):  # fmt: skip
        told = [(await limited.post(NAME)).status_code for _ in range(4)]
        assert told == [200, 200, 200, 429]
        reply = await limited.post(NAME)
        assert reply.headers["retry-after"] == "1"
        assert reply.json()["errors"][0]["extensions"].items() >= {
            "code": "RATE_LIMITED", "type": "LimitExceeded", "retryAfter": 1,
        }.items()  # fmt: skip
        clock.move(timedelta(seconds=1))
        assert [(await limited.post(NAME)).status_code for _ in range(3)] == [200, 200, 429]

        clock.move(timedelta(seconds=60))
        known = {"test_access_token": caller.token, "test_viewer_id": caller.viewer}
        assert (await console.post(NAME, variables=known)).status_code == 200
        assert (await limited.post(NAME, variables={"test_viewer_id": "x"})).status_code == 200
        for wrong in ({}, {**known, "test_viewer_id": 7}, {**known, "test_access_token": "x" * 20}):
            assert (await console.post(NAME, variables=wrong)).status_code == 401
        assert (
            await console.post(NAME, variables={**known, "test_viewer_id": "x"})
        ).status_code == 403


TAKING = {
    "Int": "productList(first: $v) { length }",
    "String": "productList(after: $v) { length }",
    "Boolean": "productList(first: 0) @include(if: $v) { length }",
    "OrderStatus": "orderList(filters: {status_in: [$v]}) { length }",
    "ID": "node(id: $v) { id }",
}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("Int!", None, "Expected value of non-null type 'Int!' not to be null."),
        ("Int", True, "Int cannot represent non-integer value: true"),
        ("Int", "it's 1", "Int cannot represent non-integer value: \"it's 1\""),
        ("Int", 1.5, "Int cannot represent non-integer value: 1.5"),
        ("Int", {"a": [None, {}]}, "Int cannot represent non-integer value: { a: [null, {}] }"),
        ("Int", [[[1]], *range(12)],
         "Int cannot represent non-integer value: [[[Array]], 0, 1, 2, 3, 4, 5, 6, 7, 8, ... 3 more]"),
        ("String", {}, "String cannot represent a non string value: {}"),
        ("Boolean!", "é" * 241, 'Boolean cannot represent a non boolean value: "%s..."' % ("é" * 240)),
        ("OrderStatus", False, "Enum 'OrderStatus' cannot represent non-string value: false."),
        ("ID!", [], "ID cannot represent value: []"),
    ],
)  # fmt: skip
async def test_with_a_variable_that_cannot_be_used_is_told_in_the_words_of_graphql(
    shipper, kind, value, said
):
    query = f"query p($v: {kind}) {{ {TAKING[kind.removesuffix('!')]} }}"
    reply = await shipper.post(query, variables={"v": value})
    [error] = reply.json()["errors"]
    assert error["message"] == f"Variable '$v' has invalid value: {said}"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
