"""When many orders meet, each unit is sold once and each number makes one order."""

import asyncio
from collections import Counter

import pytest

from crossdock.shop.stock import Posting, post_stock
from tests.conftest import NOON
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.ordering import order, placing, read_partner
from tests.support.partner_client import order_of

pytestmark = pytest.mark.races

EXISTS = (409, "partner_order_already_exists")
LIMIT = (403, "partner_stock_limit_exceeded")
BACKORDER = (403, "partner_backorder_not_allowed")
CREATED = (201, None)


def outcomes(replies) -> Counter:
    return Counter((reply.status_code, reply.json().get("code")) for reply in replies)


async def count_orders(database, shop: ShopFixture) -> int:
    async with database.statement() as tx:
        return await tx.value("select count(*) from orders where shop_id = %s", (shop.id,))


async def test_twenty_equal_orders_make_one_and_tell_the_others_which(
    at_once, shop, server_database
):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop, own=100)
    replies = await at_once([(partner, order_of((product, 2), number="PO-1"))] * 20)
    assert outcomes(replies) == {CREATED: 1, EXISTS: 19}
    created = next(reply.json() for reply in replies if reply.status_code == 201)
    for reply in replies:
        if reply.status_code == 409:
            for name in ("order_id", "order_key", "order_detail_url"):
                assert reply.json()["data"][name] == created[name]
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (100, 0, 2, 98)
    assert await count_orders(server_database, shop) == 1


async def test_one_number_of_two_partners_makes_two_orders(at_once, shop, server_database):
    async with server_database.begin() as tx:
        partners = [await make_partner(tx, shop=shop) for _ in range(2)]
        product = await make_variant(tx, shop=shop, own=100)
    document = order_of((product, 1), number="PO-1")
    replies = await at_once([(partner, document) for partner in partners for _ in range(8)])
    assert outcomes(replies) == {CREATED: 2, EXISTS: 14}
    ids = {reply.json()["order_id"] for reply in replies if reply.status_code == 201}
    assert len(ids) == 2


@pytest.mark.parametrize("origin", ["SC", "*"])
async def test_the_last_unit_is_sold_once(at_once, shop, server_database, origin):
    async with server_database.begin() as tx:
        partners = [await make_partner(tx, shop=shop) for _ in range(4)]
        product = await make_variant(tx, shop=shop, own=1, supplier=50, origin=origin)
    replies = await at_once([(partners[n % 4], order_of((product, 1))) for n in range(24)])
    refusal = LIMIT if origin == "SC" else BACKORDER
    found = outcomes(replies)
    assert found[CREATED] == 1
    assert found[refusal] + found[LIMIT] >= 23
    assert sum(found.values()) == 24
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (1, 0, 1, 0)
        assert (await level(tx, shop_id=shop.id, variant_id=product, pool="supplier"))[2] == 0
    assert await count_orders(server_database, shop) == 1


async def test_stock_is_sold_to_the_last_unit_and_not_beyond(at_once, shop, server_database):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop, own=10)
    replies = await at_once([(partner, order_of((product, 1), (product, 1))) for _ in range(16)])
    assert outcomes(replies) == {CREATED: 5, LIMIT: 11}
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (10, 0, 10, 0)
        entries = await tx.value(
            "select sum(committed_delta) from stock_entries where shop_id = %s", (shop.id,)
        )
    assert entries == 10


async def test_orders_of_the_same_products_in_opposite_order_do_not_lock_each_other_out(
    at_once, shop, server_database
):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
        a, b, c = [await make_variant(tx, shop=shop, own=1000) for _ in range(3)]
    ways = [(a, b, c), (c, b, a), (b, a, c)]
    orders = [(partner, order_of(*((p, 1) for p in ways[n % 3]))) for n in range(24)]
    assert outcomes(await at_once(orders)) == {CREATED: 24}
    async with server_database.statement() as tx:
        for product in (a, b, c):
            assert (await level(tx, shop_id=shop.id, variant_id=product))[2] == 24


async def test_an_order_of_two_products_takes_both_or_neither(at_once, shop, server_database):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
        scarce = await make_variant(tx, shop=shop, own=3)
        plenty = await make_variant(tx, shop=shop, own=100)
    replies = await at_once([(partner, order_of((plenty, 1), (scarce, 1))) for _ in range(12)])
    assert outcomes(replies) == {CREATED: 3, LIMIT: 9}
    async with server_database.statement() as tx:
        assert (await level(tx, shop_id=shop.id, variant_id=scarce))[2] == 3
        assert (await level(tx, shop_id=shop.id, variant_id=plenty))[2] == 3


async def test_with_backorder_every_order_passes_and_own_goods_go_first(
    at_once, shop, server_database
):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop, backorder=True)
        product = await make_variant(tx, shop=shop, own=5, supplier=3, origin="*")
    replies = await at_once([(partner, order_of((product, 1))) for _ in range(20)])
    assert outcomes(replies) == {CREATED: 20}
    async with server_database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (5, 0, 5, 0)
        assert await level(tx, shop_id=shop.id, variant_id=product, pool="supplier") == (
            3,
            0,
            15,
            -12,
        )


async def test_partners_with_and_without_backorder_share_the_last_units(
    at_once, shop, server_database
):
    async with server_database.begin() as tx:
        strict = await make_partner(tx, shop=shop)
        free = await make_partner(tx, shop=shop, backorder=True)
        product = await make_variant(tx, shop=shop, own=6)
    replies = await at_once(
        [(strict if n % 2 else free, order_of((product, 1))) for n in range(20)]
    )
    by_partner = Counter((n % 2, reply.status_code) for n, reply in enumerate(replies))
    assert by_partner[0, 201] == 10
    sold_strictly = by_partner[1, 201]
    assert sold_strictly <= 6
    async with server_database.statement() as tx:
        on_hand, _, committed, available = await level(tx, shop_id=shop.id, variant_id=product)
    assert (on_hand, committed, available) == (6, 10 + sold_strictly, -4 - sold_strictly)


async def test_two_shops_do_not_meet(at_once, server_database):
    orders, products = [], []
    async with server_database.begin() as tx:
        for _ in range(2):
            shop = await make_shop(tx)
            partner = await make_partner(tx, shop=shop)
            product = await make_variant(tx, shop=shop, own=4)
            orders += [(partner, order_of((product, 1))) for _ in range(8)]
            products.append((shop, product))
    assert outcomes(await at_once(orders)) == {CREATED: 8, LIMIT: 8}
    async with server_database.statement() as tx:
        for shop, product in products:
            assert (await level(tx, shop_id=shop.id, variant_id=product))[2] == 4


async def test_backorders_and_orders_of_the_same_goods_never_wait_in_a_circle(database, clock):
    """Goods without a level yet, wanted by both, before goods whose level one of them locks early."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        fixture = await make_partner(tx, shop=shop, backorder=True)
        new = await make_variant(tx, shop=shop, own=None, origin="SC")
        split = await make_variant(tx, shop=shop, own=5, supplier=5, origin="*")
    partner = await read_partner(database, fixture)

    def wanted(variant_id: int) -> Posting:
        return Posting(variant_id=variant_id, pool="own", kind="receive", on_hand=1)

    async with database.begin() as tx:
        await post_stock(tx, shop_id=shop.id, postings=[wanted(new)], reason="first", now=NOON)
        placing_it = asyncio.create_task(
            order(
                placing(database, clock),
                partner=partner,
                number="1",
                **{f"v{new}": 1, f"v{split}": 7},
            )
        )
        await waiting_for_a_lock(database, behind=tx)
        await post_stock(tx, shop_id=shop.id, postings=[wanted(split)], reason="then", now=NOON)
    await placing_it
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=new) == (1, 0, 1, 0)
        assert await level(tx, shop_id=shop.id, variant_id=split) == (6, 0, 6, 0)
        assert await level(tx, shop_id=shop.id, variant_id=split, pool="supplier") == (5, 0, 1, 4)
