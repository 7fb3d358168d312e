"""A credential counts as it is now: permissions, rotation and disabling hold from the next call on."""

import asyncio
from datetime import datetime, timedelta

import pytest

from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import (
    Terms,
    disable_credential,
    revoke_old_secrets,
    rotate_secret,
    set_terms,
)
from tests.channels.shoppex_partner.conftest import SIGNED_AT
from tests.support.factories import box
from tests.support.partner_client import PartnerClient, order_of

NOW = int(SIGNED_AT.timestamp())
PERMISSIONS = ("products.read", "orders.create")


@pytest.mark.parametrize(
    ("permissions", "reads", "creates"),
    [
        (PERMISSIONS, True, True),
        (("products.read",), True, False),
        (("orders.create",), False, True),
        ((), False, False),
        (("products.write", "orders.read", "*"), False, False),
    ],
)
async def test_each_permission_opens_its_own_endpoint(
    clients, variant, permissions, reads, creates, nothing_written
):
    product = await variant()
    client = await clients(permissions=permissions)
    listed = await client.products()
    assert listed.status_code == (200 if reads else 403)
    if not reads:
        assert_denied(listed, "products.read")
        assert "success" not in listed.json()
    if creates:
        assert (await client.order(product)).status_code == 201
        return
    async with nothing_written():
        refused = await client.order(product)
    assert_denied(refused, "orders.create")
    assert refused.json()["success"] is False


async def test_a_withdrawn_permission_counts_from_the_next_call_in_every_worker(
    clients, server, server_database
):
    client = await clients()
    assert await statuses(client, server) == {200}
    await change(server_database, client, permissions=("orders.create",))
    assert await statuses(client, server) == {403}
    await change(server_database, client, permissions=PERMISSIONS)
    assert await statuses(client, server) == {200}


async def test_a_disabled_key_counts_from_the_next_call_in_every_worker(
    clients, server, server_database
):
    client = await clients()
    assert await statuses(client, server) == {200}
    async with server_database.begin() as tx:
        await disable_credential(tx, key=client.key, now=SystemClock().now())
    assert await statuses(client, server) == {401}
    reply = await client.products()
    assert reply.json()["code"] == "partner_auth_invalid_key"


async def test_an_inactive_partner_is_as_unknown_as_a_disabled_key(
    clients, server, server_database
):
    client = await clients()
    assert await statuses(client, server) == {200}
    await change(server_database, client, active=False)
    assert await statuses(client, server) == {401}
    assert (await client.products()).json()["code"] == "partner_auth_invalid_key"
    await change(server_database, client, active=True)
    assert await statuses(client, server) == {200}


async def test_two_secrets_live_during_a_rotation_and_one_after_it(
    database, clocked_partner, clocked_server
):
    client, partner, _ = clocked_partner
    assert (await client.products()).status_code == 200
    async with database.begin() as tx:
        fresh = await rotate_secret(
            tx, key=partner.key, ids=RandomIds(), box=box(), now=SIGNED_AT, overlap_s=100
        )
    assert fresh.secret != partner.secret
    for secret in (partner.secret, fresh.secret, partner.secret):
        assert (await client.products(secret=secret)).status_code == 200
    clocked_server.clock.move(timedelta(seconds=100))
    old = await client.products(secret=partner.secret)
    assert (old.status_code, old.json()["code"]) == (401, "partner_auth_invalid_signature")
    assert (await client.products(secret=fresh.secret)).status_code == 200


async def test_a_revoked_secret_is_refused_at_once_by_workers_that_know_it(
    clients, server, server_database
):
    client = await clients()
    assert await statuses(client, server) == {200}
    now = SystemClock().now()
    async with server_database.begin() as tx:
        fresh = await rotate_secret(
            tx, key=client.key, ids=RandomIds(), box=box(), now=now, overlap_s=3600
        )
    assert await statuses(client, server) == {200}
    assert await statuses(client, server, secret=fresh.secret) == {200}
    async with server_database.begin() as tx:
        assert await revoke_old_secrets(tx, key=client.key, now=now) == 1
    assert await statuses(client, server) == {401}
    assert await statuses(client, server, secret=fresh.secret) == {200}


async def test_the_last_use_of_a_secret_is_stored(clients, server_database):
    client = await clients()
    assert await last_used(server_database, client) is None
    assert (await client.products(signature="0" * 64)).status_code == 401
    assert await last_used(server_database, client) is None
    assert (await client.products()).status_code == 200
    used = await last_used(server_database, client)
    assert used is not None
    assert abs(SystemClock().now() - used) < timedelta(seconds=30)


async def test_the_last_use_tells_which_of_two_secrets_was_used(
    database, clocked_partner, clocked_server
):
    client, partner, _ = clocked_partner
    async with database.begin() as tx:
        fresh = await rotate_secret(
            tx, key=partner.key, ids=RandomIds(), box=box(), now=SIGNED_AT, overlap_s=100
        )
    assert (await client.products(secret=fresh.secret)).status_code == 200
    async with database.statement() as tx:
        rows = await tx.all(_SECRETS, (partner.key,))
    assert [row[0] for row in rows] == [None, SIGNED_AT]


async def test_a_test_credential_marks_its_orders(clients, variant, server_database):
    product = await variant()
    marked = []
    for is_test in (True, False):
        client = await clients(is_test=is_test)
        reply = await client.create(order_of((product, 1)))
        async with server_database.statement() as tx:
            marked.append(
                await tx.value(
                    "select is_test from orders where id = %s", (reply.json()["order_id"],)
                )
            )
    assert marked == [True, False]


async def test_calls_above_the_limit_are_told_when_to_come_back(clients, variant, nothing_written):
    product = await variant()
    client = await clients(settings={"rate_limit_per_minute": 3})
    other = await clients(settings={"rate_limit_per_minute": 3})
    replies = [await client.products() for _ in range(8)]
    statuses = [reply.status_code for reply in replies]
    assert statuses.count(200) in {3, 6}  # a minute of the clock may have begun in between
    limited = next(reply for reply in replies if reply.status_code == 429)
    assert limited.json()["code"] == "partner_rate_limited"
    assert limited.json()["data"]["status"] == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    if statuses[-1] == 429:
        async with nothing_written():
            refused = await client.order(product)
        if refused.status_code == 429:
            assert refused.json()["success"] is False
    assert (await other.products()).status_code == 200


async def test_the_limit_counts_over_a_minute_and_then_anew(
    database, clocked_partner, clocked_server
):
    client, partner, _ = clocked_partner
    async with database.begin() as tx:
        await set_terms(
            tx, partner_id=partner.id, terms=Terms(settings={"rate_limit_per_minute": 2})
        )
    assert [(await client.products()).status_code for _ in range(4)] == [200, 200, 429, 429]
    clocked_server.clock.move(timedelta(seconds=59))
    assert (await client.products()).status_code == 429
    clocked_server.clock.move(timedelta(seconds=1))
    assert [(await client.products()).status_code for _ in range(3)] == [200, 200, 429]


async def test_parallel_calls_get_exactly_the_limit(database, clocked_partner):
    client, partner, _ = clocked_partner
    async with database.begin() as tx:
        await set_terms(
            tx, partner_id=partner.id, terms=Terms(settings={"rate_limit_per_minute": 10})
        )
    replies = await asyncio.gather(*(client.products() for _ in range(30)))
    assert sorted(reply.status_code for reply in replies) == [200] * 10 + [429] * 20


async def test_unproven_requests_use_up_nobodys_limit(database, clocked_partner):
    client, partner, _ = clocked_partner
    async with database.begin() as tx:
        await set_terms(
            tx, partner_id=partner.id, terms=Terms(settings={"rate_limit_per_minute": 1})
        )
    for _ in range(5):
        assert (await client.products(signature="0" * 64)).status_code == 401
    assert (await client.products()).status_code == 200


async def statuses(client: PartnerClient, server, *, secret: str | None = None) -> set[int]:
    """What eight calls on connections of their own are told: both web processes answer some."""
    callers = [PartnerClient(server.url, key=client.key, secret=client.secret) for _ in range(8)]
    replies = await asyncio.gather(*(caller.products(secret=secret) for caller in callers))
    for caller in callers:
        await caller._http.aclose()
    return {reply.status_code for reply in replies}


async def change(database, client: PartnerClient, **terms) -> None:
    async with database.begin() as tx:
        partner_id = await tx.value(
            "select partner_id from credentials where public_key = %s", (client.key,)
        )
        await set_terms(tx, partner_id=partner_id, terms=Terms(**terms))


async def last_used(database, client: PartnerClient) -> datetime | None:
    async with database.statement() as tx:
        rows = await tx.all(_SECRETS, (client.key,))
    return rows[-1][0]


def assert_denied(reply, permission: str) -> None:
    assert reply.status_code == 403
    assert reply.json()["code"] == "partner_permission_denied"
    assert permission in reply.json()["message"]
    assert reply.json()["data"]["status"] == 403


_SECRETS = """
    select k.last_used_at from credential_secrets k join credentials c on c.id = k.credential_id
    where c.public_key = %s order by k.id
"""
