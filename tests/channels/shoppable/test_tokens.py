"""A token..."""

import pytest

from tests.support.shoppable_client import CATALOGUE, PRODUCT, Publisher

ANYONE = {"Origin": "https://blog.example", "Access-Control-Request-Method": "GET"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_is_taken_under_its_scheme_in_any_case(mall_server, publisher, scheme):
    async with Publisher(mall_server.url, token=publisher.token, scheme=scheme) as caller:
        assert (await caller.browse(rows=1))["count"] == 5


@pytest.mark.parametrize("path", [CATALOGUE, PRODUCT, f"{PRODUCT}/1"])
@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "abcdefghijklmnop"])
async def test_that_is_missing_is_unauthorized_access(mall_server, mall, path, header):
    async with Publisher(mall_server.url, token="") as caller:
        reply = await caller.send("GET", path, headers={"Authorization": header} if header else {})
    assert (reply.status_code, reply.json()) == (
        401,
        {"error": "Unauthorized access.", "code": 30003},
    )
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "token", ["Kolu72V3T3eFplHNe66e8aef90aba019", "short", "'; select 1 --" * 3]
)
async def test_that_is_unknown_is_invalid(mall_server, mall, token):
    async with Publisher(mall_server.url, token=token) as caller:
        reply = await caller.get(CATALOGUE)
    assert (reply.status_code, reply.json()) == (401, {"error": "Invalid token.", "code": 30002})


async def test_without_the_right_is_refused(publishers):
    caller = await publishers(permissions=())
    assert await caller.refusal(CATALOGUE) == (403, 30003)
    assert await caller.refusal(PRODUCT, upcs="309972924759") == (403, 30003)


async def test_counts_its_calls(publishers):
    caller = await publishers(settings={"rate_limit_per_minute": 2})
    assert [(await caller.get(CATALOGUE)).status_code for _ in range(3)] == [200, 200, 429]
    reply = await caller.get(CATALOGUE)
    assert reply.json()["code"] == 429
    assert int(reply.headers["retry-after"]) > 0


async def test_is_not_asked_of_a_browser_that_asks_whether_it_may_call(mall_server, mall):
    async with Publisher(mall_server.url, token="") as caller:
        for path in (CATALOGUE, CATALOGUE[:-1], PRODUCT, f"{PRODUCT}/7"):
            reply = await caller.send("OPTIONS", path, headers=ANYONE)
            assert reply.status_code == 204
            assert reply.headers["access-control-allow-origin"] == "*"
            assert reply.headers["access-control-allow-methods"] == "GET, POST"
            allowed = reply.headers["access-control-allow-headers"].lower().split(", ")
            assert {"authorization", "content-type", "x-access-token", "cid"} <= set(allowed)


async def test_leaves_every_answer_readable_by_other_sites_refusals_too(publisher, publishers):
    nobody = await publishers(permissions=())
    for reply in (
        await publisher.get(CATALOGUE),
        await publisher.get(CATALOGUE, rows=-1),
        await nobody.get(CATALOGUE),
    ):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["content-type"] == "application/json; charset=utf-8"


async def test_allows_no_other_method(publisher):
    reply = await publisher.send("DELETE", CATALOGUE)
    assert (reply.status_code, reply.json()["code"]) == (405, 405)
    assert "GET" in reply.headers["allow"]
