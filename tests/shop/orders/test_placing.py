"""Placing an order: what the rules decide is written whole, as a snapshot, and once."""

import asyncio

import psycopg
import pytest

from crossdock.channels.shoppex_partner.app import RULES
from crossdock.errors import CrossdockError
from crossdock.shop.orders import (
    OrderItem,
    OrderRequest,
    cancel_order,
    place_for_customer,
    read_order,
)
from tests.conftest import NOON
from tests.support.factories import level, make_partner, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.ordering import order, placing, read_partner


@pytest.fixture
async def world(database, clock):
    """(shop, partner of the core, the service)."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        fixture = await make_partner(tx, shop=shop)
    return shop, await read_partner(database, fixture), placing(database, clock)


async def refusal(coroutine) -> CrossdockError:
    with pytest.raises(CrossdockError) as refused:
        await coroutine
    return refused.value


async def test_a_line_keeps_what_was_sold_whatever_becomes_of_the_product(database, world):
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(
            tx, shop=shop, name="Mug", sku=f"MUG-{shop.id}", price_minor=1999, vat_bp=2100
        )
    placed = await order(service, partner=partner, number="1", **{f"v{mug}": 2})
    async with database.begin() as tx:
        await tx.run(
            "update variants set name = 'X', sku = 'X', retail_minor = 1, origin = '*' where shop_id = %s and id = %s",
            (shop.id, mug),
        )
        await tx.run(
            "update customers set billing = '{}', shipping = '{}' where shop_id = %s", (shop.id,)
        )
        found = await read_order(tx, order_id=placed.id, shop_id=shop.id)
    [line] = found.lines
    assert (line.name, line.sku, line.quantity) == ("Mug", f"MUG-{shop.id}", 2)
    assert (line.unit_price_minor, line.total_minor) == (1999, 3998)
    assert found.billing.first_name == found.shipping.first_name == "Ada"
    assert (found.total_minor, found.currency, found.placed_at) == (3998, "USD", NOON)


async def test_a_number_stays_used_after_its_order_was_cancelled(database, world):
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(tx, shop=shop)
    placed = await order(service, partner=partner, number="PO", **{f"v{mug}": 1})
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=placed.id, now=NOON)
    refused = await refusal(order(service, partner=partner, number="PO", **{f"v{mug}": 1}))
    assert refused.code == "partner_order_exists"
    assert refused.data == {"order_id": placed.id, "order_key": placed.order_key}


async def test_an_illegal_move_is_refused_by_the_database_itself(database, world):
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(tx, shop=shop)
    placed = await order(service, partner=partner, number="PO", **{f"v{mug}": 1})
    for state in ("completed", "shipped", "nonsense"):
        with pytest.raises(psycopg.Error) as refused:
            async with database.begin() as tx:
                await tx.run(
                    "update orders set fulfilment_state = %s where id = %s", (state, placed.id)
                )
        assert refused.value.sqlstate == "CD010"
    with pytest.raises(psycopg.Error) as refused:
        async with database.begin() as tx:
            await tx.run("delete from stock_entries where order_id = %s", (placed.id,))
    assert refused.value.sqlstate == "CD011"


@pytest.mark.parametrize(
    ("kind", "status"), [(None, None), ("manual", "sent"), ("webhook", "queued")]
)
async def test_the_dispatch_comes_with_the_order_and_needs_no_job(database, world, kind, status):
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(tx, shop=shop)
        if kind:
            await tx.run(
                "insert into connectors (shop_id, name, kind, is_default) values (%s, 'out', %s, true)",
                (shop.id, kind),
            )
    placed = await order(service, partner=partner, number="PO", **{f"v{mug}": 1})
    async with database.statement() as tx:
        assert status == await tx.value(
            "select status from deliveries where subject_id = %s", (placed.id,)
        )
        assert (
            await tx.value(
                "select count(*) from procrastinate_jobs where args ->> 'order_id' = %s",
                (str(placed.id),),
            )
            == 0
        )


@pytest.mark.races
async def test_stock_that_goes_between_looking_and_taking_is_refused_by_the_rule(database, world):
    """The refusal is the rule's, with what is left, not the wall's behind it."""
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(tx, shop=shop, own=2)
    async with database.begin() as tx:
        await tx.run(
            "select 1 from stock_levels where shop_id = %s and variant_id = %s for update",
            (shop.id, mug),
        )
        waiting = asyncio.create_task(
            refusal(order(service, partner=partner, number="PO", **{f"v{mug}": 2}))
        )
        await waiting_for_a_lock(database, behind=tx)
        await tx.run(
            "update stock_levels set on_hand = 1 where shop_id = %s and variant_id = %s",
            (shop.id, mug),
        )
    refused = await waiting
    assert refused.code == "stock_limit_exceeded"
    assert refused.data["variant_ids"] == [mug]
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=mug) == (1, 0, 0, 1)
        assert await tx.value("select count(*) from orders where shop_id = %s", (shop.id,)) == 0


async def test_ids_that_no_database_can_hold_are_unknown_variants(world):
    _, partner, service = world
    for variant_id in (2**63, 10**40):
        request = OrderRequest(
            partner_order_id="PO",
            items=(OrderItem(variant_id=variant_id, quantity=1),),
            source="test",
        )
        refused = await refusal(
            place_for_customer(service, partner=partner, request=request, rules=RULES)
        )
        assert refused.code == "variant_not_found"
        assert refused.data["variant_ids"] == [variant_id]


async def test_an_order_of_another_shop_is_not_found(database, world):
    shop, partner, service = world
    async with database.begin() as tx:
        mug = await make_variant(tx, shop=shop)
        other = await make_shop(tx)
    placed = await order(service, partner=partner, number="PO", **{f"v{mug}": 1})
    async with database.statement() as tx:
        for shop_id, order_id in ((other.id, placed.id), (shop.id, 2**60)):
            refused = await refusal(read_order(tx, order_id=order_id, shop_id=shop_id))
            assert (refused.code, refused.data) == ("order_not_found", {})


async def test_is_for_no_customer_who_is_forgotten(tx):
    shop = await make_shop(tx)
    known = (
        "select (order_context(%s, '', '', %s, '{}', null, null, 'USD', %s)::jsonb) -> 'customer'"
    )
    values = (shop.id, shop.customer_id, NOON)

    assert (await tx.value(known, values))["id"] == shop.customer_id
    await tx.run("update customers set deleted_at = %s where id = %s", (NOON, shop.customer_id))
    assert await tx.value(known, values) is None
