"""What a partner sees is what it may order, for every row of the rule and every term it has."""

import pytest
from psycopg.types.json import Jsonb

from tests.support.clocked import clocked
from tests.support.factories import (
    level,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.partner_client import PartnerClient, order_of

LIMIT, BACKORDER = "partner_stock_limit_exceeded", "partner_backorder_not_allowed"
UNKNOWN = "partner_product_not_found"

# origin, goods, then: listed?, shown stock_quantity, stock_sc, most that can be ordered
WITHOUT = [
    ("SC", {"own": 24}, True, 24, 24, 24),
    ("SC", {"own": 1}, True, 1, 1, 1),
    ("SC", {"own": 0}, True, 0, 0, 0),
    ("SC", {"own": None}, True, 0, 0, 0),
    ("SC", {"own": 3, "supplier": 90}, True, 3, 3, 3),
    ("SC", {"own": 2, "stock_status": "outofstock"}, True, 2, 2, 2),
    ("*", {"own": 8}, True, 8, 8, 8),
    ("*", {"own": 8, "supplier": 90}, True, 8, 8, 8),
    ("*", {"own": 2, "stock_status": "instock"}, True, 2, 2, 2),
    ("*", {"own": 2, "stock_managed": False}, True, 2, 2, 2),
]
HIDDEN = [
    ("*", {"own": 0, "supplier": 90}),
    ("*", {"own": None, "supplier": 90}),
    ("*", {"own": 8, "stock_status": "outofstock"}),
    ("*", {"own": 8, "stock_status": "onbackorder"}),
    ("*", {"own": None, "supplier": None}),
    ("*", {"own": None, "stock_managed": False}),
    ("Supplier", {"own": None, "supplier": 90}),
    ("Supplier", {"own": 90, "stock_status": "instock"}),
    ("dropship", {"own": 90}),
    ("", {"own": 90}),
]
WITH = [
    ("SC", {"own": 24}, 24, 24, "SC"),
    ("SC", {"own": 0}, 0, 0, "SC"),
    ("SC", {"own": 4, "stock_managed": False}, None, 4, "SC"),
    ("*", {"own": 8, "supplier": 90}, 98, 8, "*"),
    ("*", {"own": 0, "supplier": 0, "stock_status": "outofstock"}, 0, 0, "*"),
    ("Supplier", {"own": None, "supplier": 90}, 90, 0, "Supplier"),
    ("dropship", {"own": None, "supplier": 5}, 5, 0, "dropship"),
    ("", {"own": None, "supplier": 5}, 5, 0, "Supplier"),
]


@pytest.mark.parametrize(("origin", "goods", "listed", "shown", "own", "most"), WITHOUT)
async def test_without_backorder_a_listed_product_sells_up_to_its_limit(
    partner, variant, nothing_written, origin, goods, listed, shown, own, most
):
    product = await variant(origin=origin, **goods)
    row = (await partner.listed())[product]
    assert (row["stock_quantity"], row["stock_sc"], row["origen"]) == (shown, own, origin)
    async with nothing_written():
        above = await partner.order(product, most + 1)
        assert (above.status_code, above.json()["code"]) == (403, LIMIT)
        assert above.json()["data"]["product_ids"] == [product]
        split = await partner.create(
            order_of((product, most), (product, 1))
            if most
            else order_of((product, 1), (product, 1))
        )
        assert (split.status_code, split.json()["code"]) == (403, LIMIT)
    if most:
        assert (await partner.order(product, most)).status_code == 201
        assert (await partner.order(product, 1)).status_code == 403


@pytest.mark.parametrize(("origin", "goods"), HIDDEN)
async def test_without_backorder_what_is_not_listed_cannot_be_ordered(
    partner, variant, nothing_written, origin, goods
):
    product = await variant(origin=origin, **goods)
    assert product not in await partner.listed()
    async with nothing_written():
        refused = await partner.order(product, 1)
    assert (refused.status_code, refused.json()["code"]) == (403, BACKORDER)
    assert refused.json()["data"]["product_ids"] == [product]


@pytest.mark.parametrize(("origin", "goods", "shown", "own", "told"), WITH)
async def test_with_backorder_everything_is_listed_and_sells_without_a_limit(
    clients, variant, origin, goods, shown, own, told
):
    client = await clients(backorder=True)
    product = await variant(origin=origin, **goods)
    row = (await client.listed())[product]
    assert (row["stock_quantity"], row["stock_sc"], row["origen"]) == (shown, own, told)
    assert (await client.order(product, 1000)).status_code == 201


async def test_without_backorder_an_unmanaged_own_product_has_no_limit(partner, variant):
    product = await variant(origin="SC", own=None, stock_managed=False)
    row = (await partner.listed())[product]
    assert (row["stock_quantity"], row["stock_sc"]) == (None, 0)
    assert (await partner.order(product, 999_999)).status_code == 201


async def test_the_split_of_exactly_the_limit_over_two_lines_passes(
    partner, variant, shop, server_database
):
    product = await variant(origin="*", own=8, supplier=90)
    reply = await partner.create(order_of((product, 5), (product, 3)))
    assert reply.status_code == 201
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (8, 0, 8, 0)
        assert (await level(tx, shop_id=shop.id, variant_id=product, pool="supplier"))[2] == 0


async def test_all_offending_products_are_named_and_the_first_rule_is_told(
    partner, variant, nothing_written
):
    supplier = [await variant(origin="Supplier", own=None, supplier=9) for _ in range(2)]
    short = await variant(own=1)
    good, other = await variant(), await variant(own=0)
    async with nothing_written():
        reply = await partner.create(
            order_of((short, 2), (supplier[1], 1), (good, 1), (supplier[0], 1))
        )
        assert reply.json()["code"] == BACKORDER
        assert reply.json()["data"]["product_ids"] == sorted(supplier)
        reply = await partner.create(order_of((other, 1), (good, 1), (short, 2)))
        assert reply.json()["code"] == LIMIT
        assert reply.json()["data"]["product_ids"] == sorted([short, other])


async def test_with_backorder_own_goods_go_first_and_the_supplier_below_zero(
    clients, variant, shop, server_database
):
    client = await clients(backorder=True)
    both = await variant(origin="*", own=3, supplier=2)
    own = await variant(origin="SC", own=1)
    assert (await client.create(order_of((both, 2), (both, 5), (own, 4)))).status_code == 201
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=both) == (3, 0, 3, 0)
        assert await level(tx, shop_id=shop.id, variant_id=both, pool="supplier") == (2, 0, 4, -2)
        assert await level(tx, shop_id=shop.id, variant_id=own) == (1, 0, 4, -3)
    rows = await client.listed()
    assert (rows[both]["stock_quantity"], rows[both]["stock_sc"]) == (-2, 0)
    assert (rows[own]["stock_quantity"], rows[own]["stock_sc"]) == (-3, -3)


async def test_held_goods_and_the_warning_level_cannot_be_promised(
    partner, variant, shop, server_database
):
    product = await variant(own=10)
    async with server_database.begin() as tx:
        hold = {"variant_id": product, "pool": "own", "kind": "hold", "held": 4}
        await tx.run("select post_stock(%s, %s, 'test', null, now())", (shop.id, Jsonb([hold])))
        await tx.run(
            "update stock_levels set warning_level = 1 where shop_id = %s and variant_id = %s",
            (shop.id, product),
        )
    assert (await partner.listed())[product]["stock_quantity"] == 5
    assert (await partner.order(product, 6)).status_code == 403
    assert (await partner.order(product, 5)).status_code == 201


# ---------------------------------------------------------------- SC_REQUIRES_STOCK


async def test_the_setting_hides_own_goods_that_are_out(database, database_url, tmp_path, clock):
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=clock, sc_requires_stock=True
    ) as server:
        async with database.begin() as tx:
            shop = await make_shop(tx)
            out = await make_variant(tx, shop=shop, own=0)
            one = await make_variant(tx, shop=shop, own=1)
            unmanaged = await make_variant(tx, shop=shop, own=None, stock_managed=False)
            partner = await make_partner(tx, shop=shop)
        now = int(clock.now().timestamp())
        async with PartnerClient.of(server.url, partner, now=now) as client:
            assert set(await client.listed()) == {one, unmanaged}
            refused = await client.order(out, 1)
            assert (refused.status_code, refused.json()["code"]) == (403, LIMIT)
