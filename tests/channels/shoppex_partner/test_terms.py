"""A partner sees and orders at its own terms: merchants, prices, publication, and no other shop."""

from datetime import UTC, datetime, timedelta

import pytest

from crossdock.shop.partners import Terms, set_terms
from tests.support.factories import (
    make_merchant,
    make_shop,
    make_variant,
    moment,
)
from tests.support.partner_client import order_of

UNKNOWN = "partner_product_not_found"


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
