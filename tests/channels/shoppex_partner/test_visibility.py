"""What a partner sees is what it may order, for every row of the rule and every term it has."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from crossdock.shop.partners import Terms, set_terms
from tests.support.clocked import clocked
from tests.support.factories import (
    level,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
    moment,
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


# ---------------------------------------------------------------- merchants, prices, publication


async def test_a_partner_sees_only_its_merchants(
    clients, variant, shop, server_database, nothing_written
):
    async with server_database.begin() as tx:
        other = await make_merchant(tx, shop_id=shop.id)
    mine, theirs = await variant(), await variant(merchant_id=other)
    everything = await clients()
    client = await clients(visible_merchants=(shop.merchant_id,))
    nothing = await clients(visible_merchants=())
    assert set(await everything.listed()) == {mine, theirs}
    assert set(await client.listed()) == {mine}
    assert await nothing.listed() == {}
    async with nothing_written():
        refused = await client.create(order_of((mine, 1), (theirs, 1)))
    assert (refused.status_code, refused.json()["code"]) == (404, UNKNOWN)
    assert refused.json()["data"]["product_ids"] == [theirs]


@pytest.mark.parametrize("columns", [{"listed": False}, {"price_minor": None}, {"currency": "EUR"}])
async def test_a_product_that_is_not_sold_here_is_as_unknown_as_none(
    clients, variant, nothing_written, columns
):
    product = await variant(**columns)
    sold = await variant()
    for backorder in (False, True):
        client = await clients(backorder=backorder)
        assert set(await client.listed()) == {sold}
        async with nothing_written():
            refused = await client.create(order_of((product, 1), (sold, 1)))
        assert (refused.status_code, refused.json()["code"]) == (404, UNKNOWN)
        assert refused.json()["data"]["product_ids"] == [product]


async def test_a_product_that_only_a_sale_prices_is_sold_while_the_sale_runs(partner, variant):
    future = datetime.now(UTC) + timedelta(days=1)
    running = await variant(price_minor=None, sale_minor=700)
    later = await variant(price_minor=None, sale_minor=700, sale_starts_at=future)
    rows = await partner.listed()
    assert rows[running]["price"] == "7.00"
    assert later not in rows
    assert (await partner.order(later)).status_code == 404


async def test_the_parent_of_variants_is_neither_listed_nor_ordered(
    partner, variant, server_database, nothing_written
):
    product = await variant()
    async with server_database.statement() as tx:
        parent = await tx.value("select product_id from variants where id = %s", (product,))
    assert set(await partner.listed()) == {product}
    async with nothing_written():
        refused = await partner.order(parent)
    assert (refused.status_code, refused.json()["code"]) == (404, UNKNOWN)


async def test_the_price_list_is_listed_checked_and_charged(
    clients, variant, shop, server_database, nothing_written
):
    cheap, plain = await variant(price_minor=1999), await variant(price_minor=1000)
    async with server_database.begin() as tx:
        prices = await tx.value(
            "insert into price_lists (shop_id, name, currency) values (%s, 'wholesale', 'USD') returning id",
            (shop.id,),
        )
        await tx.run(
            "insert into price_list_items (shop_id, price_list_id, variant_id, price_minor)"
            " values (%s, %s, %s, 1205)",
            (shop.id, prices, cheap),
        )
    client = await clients(price_list_id=prices, max_amount_minor=3410)
    rows = await client.listed()
    assert (rows[cheap]["price"], rows[plain]["price"]) == ("12.05", "10.00")
    async with nothing_written():
        assert (await client.create(order_of((cheap, 2), (plain, 2)))).status_code == 403
    reply = await client.create(order_of((cheap, 2), (plain, 1)))
    assert reply.status_code == 201
    async with server_database.statement() as tx:
        lines = await tx.all(
            "select unit_price_minor, total_minor from order_lines where order_id = %s order by line_no",
            (reply.json()["order_id"],),
        )
        total = await tx.value(
            "select total_minor from orders where id = %s", (reply.json()["order_id"],)
        )
    assert lines == [(1205, 2410), (1000, 1000)]
    assert total == 3410


async def test_a_price_list_of_one_partner_is_not_anothers(clients, variant, shop, server_database):
    product = await variant(price_minor=1999)
    async with server_database.begin() as tx:
        prices = await tx.value(
            "insert into price_lists (shop_id, name, currency) values (%s, 'a', 'USD') returning id",
            (shop.id,),
        )
        await tx.run(
            "insert into price_list_items values (%s, %s, %s, 1)", (shop.id, prices, product)
        )
    listed, other = await clients(price_list_id=prices), await clients()
    assert (await listed.listed())[product]["price"] == "0.01"
    assert (await other.listed())[product]["price"] == "19.99"


async def test_promotions_and_sales_hold_at_their_edges(database, clocked_partner, clocked_server):
    client, _, shop = clocked_partner
    start = moment("2026-04-09T10:00:00+00:00")
    end = start + timedelta(hours=1)
    async with database.begin() as tx:
        product = await make_variant(
            tx, shop=shop, sale_minor=1500, sale_starts_at=start, sale_ends_at=end
        )
        promoted = await make_variant(tx, shop=shop, sale_minor=1500)
        for price, begins in ((1700, start), (1600, start + timedelta(microseconds=1))):
            await tx.run(
                "insert into promotions (shop_id, variant_id, price_minor, starts_at, ends_at)"
                " values (%s, %s, %s, %s, %s)",
                (shop.id, promoted, price, begins, end),
            )

    async def prices() -> tuple[str, str]:
        now = str(int(clocked_server.clock.now().timestamp()))
        rows = await client.listed(timestamp=now)
        reply = await client.create(order_of((product, 1), (promoted, 1)), timestamp=now)
        async with database.statement() as tx:
            charged = await tx.all(
                "select unit_price_minor from order_lines where order_id = %s order by line_no",
                (reply.json()["order_id"],),
            )
        told = rows[product]["price"], rows[promoted]["price"]
        assert [f"{row[0] / 100:.2f}" for row in charged] == list(told)
        return told

    tick = timedelta(microseconds=1)
    clock = clocked_server.clock
    assert await prices() == ("19.99", "15.00")
    clock.move(start - tick - clock.now())
    assert await prices() == ("19.99", "15.00")
    clock.move(tick)
    assert await prices() == ("15.00", "17.00")
    clock.move(tick)
    assert await prices() == ("15.00", "16.00")
    clock.move(end - tick - clock.now())
    assert await prices() == ("15.00", "16.00")
    clock.move(tick)
    assert await prices() == ("19.99", "15.00")


@pytest.mark.parametrize(
    ("currency", "price_minor", "told"),
    [
        ("JPY", 1999, "1999"),
        ("KWD", 1999, "1.999"),
        ("EUR", 5, "0.05"),
        ("USD", 0, "0.00"),
        ("USD", 10**15, "10000000000000.00"),
    ],
)
async def test_a_price_is_text_with_the_decimals_of_its_currency(
    clients, variant, server_database, currency, price_minor, told
):
    async with server_database.begin() as tx:
        shop = await make_shop(tx, currency=currency)
    client = await clients(of=shop)
    product = await variant(of=shop, currency=currency, price_minor=price_minor)
    assert (await client.listed())[product]["price"] == told


# ---------------------------------------------------------------- tenants


async def test_another_shops_products_answer_exactly_as_unknown_ones(
    clients, partner, variant, server_database, nothing_written
):
    async with server_database.begin() as tx:
        foreign = await make_shop(tx)
    theirs = await variant(of=foreign)
    mine = await variant()
    unknown = 2**62
    bodies = []
    async with nothing_written():
        for product in (theirs, unknown):
            reply = await partner.order(product)
            assert reply.status_code == 404
            bodies.append(reply.text.replace(str(product), "ID"))
    assert bodies[0] == bodies[1]
    assert set(await partner.listed()) == {mine}
    stranger = await clients(of=foreign)
    assert set(await stranger.listed()) == {theirs}


async def test_a_customer_of_another_shop_is_as_missing_as_none(
    clients, variant, server_database, nothing_written, shop
):
    product = await variant()
    async with server_database.begin() as tx:
        foreign = await make_shop(tx)
    answers = []
    for customer in (foreign.customer_id, 2**60):
        client = await clients(customer_id=customer)
        async with nothing_written():
            reply = await client.order(product)
        answers.append((reply.status_code, reply.json()))
    assert answers[0] == answers[1]
    assert answers[0][1]["code"] == "partner_customer_not_found"


async def test_terms_that_name_another_shops_merchants_show_nothing(
    clients, variant, server_database
):
    await variant()
    async with server_database.begin() as tx:
        foreign = await make_shop(tx)
    await variant(of=foreign)
    client = await clients(visible_merchants=(foreign.merchant_id,))
    assert await client.listed() == {}


async def test_changed_terms_are_seen_at_the_next_call(clients, variant, server_database):
    client = await clients()
    product = await variant(origin="Supplier", own=None, supplier=5)
    assert product not in await client.listed()
    async with server_database.begin() as tx:
        partner_id = await tx.value(
            "select partner_id from credentials where public_key = %s", (client.key,)
        )
        await set_terms(tx, partner_id=partner_id, terms=Terms(backorder=True))
    assert product in await client.listed()
