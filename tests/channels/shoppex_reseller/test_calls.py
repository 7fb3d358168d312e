"""A call of this channel..."""

import re
from datetime import timedelta

import httpx2
import pytest

from crossdock.channels.shoppex_reseller.auth import SCOPES
from crossdock.channels.shoppex_reseller.errors import CODES
from crossdock.kit.clock import FrozenClock
from crossdock.shop.partners import disable_credential
from tests.conftest import NOON
from tests.support.clocked import clocked
from tests.support.factories import make_shop
from tests.support.reseller_client import KeyHolder, add_key_holder

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


async def test_tells_the_shop_of_the_key(merchant, desk):
    told = await merchant.data("GET", "/dev/v1/me")
    assert re.fullmatch(UUID4, told.pop("id"))
    assert told == {
        "name": "Test shop", "store_name": "Test shop", "slug": desk.slug,
        "currency": "USD", "email": None, "status": "ACTIVE",
    }  # fmt: skip


async def test_tells_what_the_key_may_do(keys):
    every, some = await keys(), await keys("resellers.read", "products.read")
    told = await every.data("GET", "/dev/v1/me/capabilities")
    me = await every.data("GET", "/dev/v1/me")
    assert told == {"auth_type": "api_key", "scopes": ["*"], "shop_id": me["id"]}
    told = await some.data("GET", "/dev/v1/me/capabilities")
    assert told["scopes"] == ["products.read", "resellers.read"]


@pytest.mark.parametrize(
    "path", ["/dev/v1/me/", "/dev/v1//me", "/dev/v1/me?page=7&nothing=%zz", "/dev/v1/me?limit=x"]
)
async def test_is_answered_at_every_spelling_of_its_path(merchant, path):
    reply = await merchant.send("GET", path)
    assert (reply.status_code, reply.history) == (200, [])


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({}, ""),
        ({"Authorization": "Bearer"}, ""),
        ({"Authorization": "Basic shx_abc"}, ""),
        ({}, "shx_" + "a" * 32),
        ({}, "shr_" + "a" * 32),
        ({}, "sk_" + "a" * 32),
    ],
)
async def test_without_a_good_key_is_refused_alike(desk_server, header, key):
    async with KeyHolder(desk_server.url, key=key) as caller:
        reply = await caller.send("GET", "/dev/v1/me", headers=header)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (401, "UNAUTHORIZED")
    assert error["message"].startswith("Missing or invalid API key.")
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_with_a_key_of_the_other_family_is_refused(desk_database, desk_server, desk):
    _, _, key = await add_key_holder(desk_database, shop_id=desk.id, prefix="shr_")
    async with KeyHolder(desk_server.url, key=key) as reseller:
        error = await reseller.refusal("GET", "/dev/v1/me", status=401)
    assert error["code"] == "UNAUTHORIZED"


async def test_with_a_key_that_was_disabled_is_refused(desk_database, desk_server, keys):
    merchant = await keys()
    await merchant.data("GET", "/dev/v1/me")
    async with desk_database.begin() as tx:
        await disable_credential(tx, key=merchant.public_key, now=desk_server.clock.now())
    await merchant.refusal("GET", "/dev/v1/me", status=401)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
async def test_with_another_method_is_told_the_right_ones(merchant, method):
    reply = await merchant.send(method, "/dev/v1/me")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path", ["/dev/v1", "/dev/v1/", "/dev/v1/none", "/dev/v1/me/a/b", "/reseller/v1/x"]
)
async def test_of_no_endpoint_is_not_found(merchant, path):
    assert (await merchant.refusal("GET", path, status=404))["code"] == "NOT_FOUND"


async def test_that_is_refused_leads_to_a_page_that_explains_it(merchant, desk_server):
    reply = await merchant.send("GET", "/dev/v1/none")
    page, _, code = reply.json()["error"]["doc_url"].partition("#")
    assert code == "NOT_FOUND"
    async with httpx2.AsyncClient(trust_env=False, verify=False) as browser:
        shown = await browser.get(page)
    assert page.startswith(desk_server.url)
    assert shown.status_code == 200
    assert all(f'id="{code}"' in shown.text for code in CODES)


async def test_has_a_request_id_whatever_the_answer(merchant):
    for path in ("/dev/v1/me", "/dev/v1/none"):
        first = await merchant.send("GET", path)
        again = await merchant.send("GET", path, headers={"X-Request-Id": "req_0123456789"})
        assert len(first.headers["x-request-id"]) >= 8
        assert again.headers["x-request-id"] == "req_0123456789"


async def test_beyond_the_limit_is_told_what_is_left(database_url, desk_database, tmp_path):
    async with desk_database.begin() as tx:
        shop = await make_shop(tx)
    _, _, key = await add_key_holder(desk_database, shop_id=shop.id)
    clock = FrozenClock(NOON)
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=clock,
            shoppex_reseller_calls_per_minute=120, shoppex_reseller_calls_at_once=3,
        ) as server,
        KeyHolder(server.url, key=key) as merchant,
    ):  # fmt: skip
        left = []
        for path in ("/dev/v1/me", "/dev/v1/me/", "/dev/v1/me/capabilities"):
            reply = await merchant.send("GET", path)
            assert (reply.status_code, reply.headers["x-ratelimit-limit"]) == (200, "120")
            left.append(reply.headers["x-ratelimit-remaining"])
        reply = await merchant.send("GET", "/dev/v1/me")
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "RATE_LIMITED")
        assert int(reply.headers["retry-after"]) == 1
        assert (left, reply.headers["x-ratelimit-remaining"]) == (["2", "1", "0"], "0")
        assert int(reply.headers["x-ratelimit-reset"]) == int(NOON.timestamp()) + 2
        clock.move(timedelta(seconds=1))
        reply = await merchant.send("GET", "/dev/v1/me")
        assert (reply.status_code, reply.headers["x-ratelimit-remaining"]) == (200, "1")


async def test_with_wrong_keys_makes_its_address_wait_but_not_who_was_known(
    database_url, desk_database, tmp_path
):
    async with desk_database.begin() as tx:
        shop = await make_shop(tx)
    _, _, known = await add_key_holder(desk_database, shop_id=shop.id)
    _, _, other = await add_key_holder(desk_database, shop_id=shop.id)
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=FrozenClock(NOON),
            failed_calls_per_minute=3, trusted_proxies=["127.0.0.1/32"],
        ) as server,
        KeyHolder(server.url, key=known) as merchant,
        KeyHolder(server.url, key=other) as new,
        KeyHolder(server.url, key="shx_" + "a" * 32) as guesser,
    ):  # fmt: skip
        await merchant.ask("GET", "/dev/v1/me")
        here = {"X-Forwarded-For": "203.0.113.7"}
        for path in ("/dev/v1/me", "/dev/v1/webhooks", "/reseller/v1/balance"):
            await guesser.refusal("GET", path, status=401, headers=here)
        reply = await guesser.send("GET", "/dev/v1/me", headers=here)
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "RATE_LIMITED")
        assert reply.headers["retry-after"] == "20"
        assert (await new.send("GET", "/dev/v1/me", headers=here)).status_code == 429
        assert (await merchant.send("GET", "/dev/v1/me", headers=here)).status_code == 200
        token = {"grant_type": "refresh_token", "client_id": "shoc_a", "client_secret": "b"}
        tokens = await guesser.send("POST", "/dev/v1/oauth/token", data=token, headers=here)
        assert (tokens.status_code, tokens.headers["retry-after"]) == (429, "20")
        there = {"X-Forwarded-For": "203.0.113.8"}
        assert (await new.send("GET", "/dev/v1/me", headers=there)).status_code == 200
        await guesser.refusal("GET", "/dev/v1/me", status=401, headers=there)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/dev/v1/none", 404), ("PUT", "/dev/v1/me", 405), ("GET", "/dev/v1/webhooks", 403)],
)
async def test_that_is_refused_tells_what_is_left_of_the_limit(keys, method, path, status):
    reply = await (await keys("orders.read")).send(method, path)
    assert (reply.status_code, reply.headers["x-ratelimit-limit"]) == (status, "120")


def test_needs_scopes_that_are_all_of_one_form():
    assert all(re.fullmatch(r"\*|[a-z_]+\.(read|write)", scope) for scope in SCOPES)
    assert len(SCOPES) == len(set(SCOPES))
