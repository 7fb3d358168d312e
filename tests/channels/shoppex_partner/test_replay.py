"""A nonce is spent once: in parallel, over all workers, after a restart, and only by a proven request."""

import asyncio
import base64
from datetime import timedelta

from tests.channels.shoppex_partner.conftest import SIGNED_AT
from tests.support.factories import MASTER_KEY
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, PartnerClient, order_of
from tests.support.processes import serving

NOW = int(SIGNED_AT.timestamp())
REUSED = "partner_auth_reused_nonce"


def code(reply) -> str:
    return "" if reply.status_code < 300 else reply.json()["code"]


async def test_the_same_request_twice_is_refused_the_second_time(partner):
    headers = partner.signed("GET")
    first = await partner.send("GET", PREFIX + PRODUCTS, headers=headers)
    second = await partner.send("GET", PREFIX + PRODUCTS, headers=headers)
    assert (first.status_code, second.status_code) == (200, 401)
    assert code(second) == REUSED


async def test_a_fresh_signature_over_a_spent_nonce_is_refused(partner):
    assert code(await partner.products(nonce="n-1")) == ""
    assert code(await partner.products(nonce="n-1")) == REUSED
    assert code(await partner.create(order_of((1, 1)), nonce="n-1")) == REUSED


async def test_a_nonce_is_case_sensitive(partner):
    assert code(await partner.products(nonce="Aa")) == ""
    assert code(await partner.products(nonce="aA")) == ""


async def test_twenty_equal_requests_at_once_are_one(server, partner):
    """Twenty connections, so that both web processes answer some of them."""
    headers = partner.signed("GET")
    clients = [PartnerClient(server.url, key="", secret="") for _ in range(20)]
    replies = await asyncio.gather(
        *(client.send("GET", PREFIX + PRODUCTS, headers=headers) for client in clients)
    )
    for client in clients:
        await client._http.aclose()
    assert sorted(map(code, replies)) == ["", *[REUSED] * 19]


async def test_twenty_equal_orders_at_once_are_one_order(
    server, partner, variant, server_database, shop
):
    body = b'{"items":[{"product_id":%d,"quantity":1}],"id_order_partner":"X"}' % await variant()
    headers = partner.signed("POST", body=body)
    clients = [PartnerClient(server.url, key="", secret="") for _ in range(20)]
    replies = await asyncio.gather(
        *(client.send("POST", PREFIX + CREATE, headers=headers, body=body) for client in clients)
    )
    for client in clients:
        await client._http.aclose()
    assert sorted(map(code, replies)) == ["", *[REUSED] * 19]
    async with server_database.statement() as tx:
        assert await tx.value("select count(*) from orders where shop_id = %s", (shop.id,)) == 1


async def test_a_nonce_stays_spent_after_a_restart(server, partner, tmp_path):
    """A second server on the same database knows what the first one saw."""
    headers = partner.signed("GET")
    assert code(await partner.send("GET", PREFIX + PRODUCTS, headers=headers)) == ""
    with serving(
        tmp_path,
        "--no-jobs",
        database_url=server.database_url,
        workers=1,
        master_key=base64.b64encode(MASTER_KEY).decode(),
    ) as later:
        async with PartnerClient(later.url, key=partner.key, secret=partner.secret) as client:
            assert code(await client.send("GET", PREFIX + PRODUCTS, headers=headers)) == REUSED
            assert code(await client.products()) == ""


async def test_the_same_nonce_with_another_key_passes(clients, partner):
    other = await clients()
    assert code(await partner.products(nonce="req-demo-001")) == ""
    assert code(await other.products(nonce="req-demo-001")) == ""


async def test_only_a_proven_request_spends_its_nonce(clocked_partner):
    client, _, _ = clocked_partner
    for falsified in (
        {"signature": "0" * 64},
        {"key": "pk_nobody"},
        {"timestamp": str(NOW - 301)},
        {"timestamp": "x"},
    ):
        assert (await client.products(nonce="wanted", **falsified)).status_code == 401
    assert code(await client.products(nonce="wanted")) == ""


async def test_a_refused_request_keeps_its_nonce_spent(clients, partner):
    nobody = await clients(permissions=())
    assert code(await nobody.products(nonce="n")) == "partner_permission_denied"
    assert code(await nobody.products(nonce="n")) == REUSED
    assert code(await partner.create(raw=b"{", nonce="n")) == "partner_invalid_payload"
    assert code(await partner.create(raw=b"{", nonce="n")) == REUSED
    assert code(await partner.create(order_of((1, 1)), nonce="m")) == "partner_product_not_found"
    assert code(await partner.create(order_of((1, 1)), nonce="m")) == REUSED


async def test_a_request_stamped_ahead_is_refused_again_for_as_long_as_it_is_valid(
    clocked_partner, clocked_server
):
    client, _, _ = clocked_partner
    headers = client.signed("GET", timestamp=str(NOW + 300))
    assert code(await client.send("GET", PREFIX + PRODUCTS, headers=headers)) == ""
    clocked_server.clock.move(timedelta(seconds=600))
    assert code(await client.send("GET", PREFIX + PRODUCTS, headers=headers)) == REUSED
    clocked_server.clock.move(timedelta(seconds=1))
    reply = await client.send("GET", PREFIX + PRODUCTS, headers=headers)
    assert code(reply) == "partner_auth_expired_timestamp"


async def test_a_nonce_may_come_again_after_its_time(clocked_partner, clocked_server):
    client, _, _ = clocked_partner
    assert code(await client.products(nonce="n")) == ""
    clocked_server.clock.move(timedelta(seconds=900))
    assert code(await client.products(nonce="n", timestamp=str(NOW + 900))) == REUSED
    clocked_server.clock.move(timedelta(seconds=1))
    assert code(await client.products(nonce="n", timestamp=str(NOW + 901))) == ""


async def test_two_partners_may_use_the_same_nonces_at_the_same_time(clients, partner):
    other = await clients()
    replies = await asyncio.gather(
        *(client.products(nonce=str(n)) for client in (partner, other) for n in range(10))
    )
    assert [reply.status_code for reply in replies] == [200] * 20
