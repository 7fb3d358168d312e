"""A created order is answered as published, and written whole."""

from tests.channels.shoppex_partner.ordering import (
    stored,
)
from tests.support.clocked import clocked
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient, order_of


async def test_the_answer_has_the_published_fields_in_their_order(partner, variant, server):
    reply = await partner.order(await variant(), number="PARTNER-ORDER-12345")
    assert reply.status_code == 201
    document = reply.json()
    assert list(document) == [
        "success", "order_id", "order_key", "order_detail_url", "source", "partner_order_id",
    ]  # fmt: skip
    assert document["success"] is True
    assert isinstance(document["order_id"], int)
    key = document["order_key"]
    assert key.startswith("wc_order_")
    assert len(key) == 22
    assert key[9:].isascii()
    assert key[9:].isalnum()
    assert (
        document["order_detail_url"]
        == f"{server.url}/order-detail/?order_id={document['order_id']}&key={key}"
    )
    assert document["source"] == "partner_integration"
    assert document["partner_order_id"] == "PARTNER-ORDER-12345"


async def test_order_keys_do_not_repeat(partner, variant):
    product = await variant(own=100)
    keys = {(await partner.order(product)).json()["order_key"] for _ in range(20)}
    assert len(keys) == 20


async def test_the_order_its_lines_stock_and_events_are_written_together(
    partner, variant, server_database, shop
):
    product, other = await variant(price_minor=1999), await variant(price_minor=500)
    order = await stored(
        server_database,
        await partner.create(
            order_of((product, 2), (other, 1), (product, 1), tax_id="T", resale_tax="R")
        ),
    )
    assert (order["subtotal_minor"], order["total_minor"]) == (6497, 6497)
    assert (order["fulfilment_state"], order["source"]) == ("processing", "partner_integration")
    assert [(line["variant_id"], line["quantity"]) for line in order["lines"]] == [
        (product, 2),
        (other, 1),
        (product, 1),
    ]
    async with server_database.statement() as tx:
        entries = await tx.all(
            "select variant_id, kind, committed_delta from stock_entries where order_id = %s order by variant_id",
            (order["id"],),
        )
        kinds = await tx.all(
            "select kind from events where subject_id = %s and shop_id = %s order by id",
            (order["id"], shop.id),
        )
    assert entries == [(product, "commit", 3), (other, "commit", 1)]
    assert kinds == [("order.placed",), ("stock.changed",)]


async def test_the_status_of_a_created_order_is_the_shops_choice(
    database, database_url, tmp_path, clock
):
    async with database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop)
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=clock,
            create_status=200, catalogue_cache_mb=0, order_note_template="PO {partner_order_id}",
        ) as server,
        PartnerClient.of(server.url, partner, now=int(clock.now().timestamp())) as client,
    ):  # fmt: skip
        reply = await client.order(product, number="N-1", comments="soon")
        assert (reply.status_code, reply.json()["success"]) == (200, True)
        assert len(await client.listed()) == 1
        assert len(await client.listed(accept_encoding="gzip")) == 1
    async with database.statement() as tx:
        note = await tx.value(
            "select note from order_lines where order_id = %s", (reply.json()["order_id"],)
        )
    assert note == "PO N-1 | soon"
