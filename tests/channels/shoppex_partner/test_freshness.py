"""The product list is fresh after every change, and not sent twice to a caller who has it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from crossdock.shop.catalogue import (
    MerchantRecord,
    ProductRecord,
    Promotion,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.orders import cancel_order
from crossdock.shop.partners import Terms, set_terms
from crossdock.shop.shops import read_shop
from tests.support.factories import make_variant, receive


async def test_each_coding_has_a_tag_of_its_own_and_each_tag_is_known(partner, variant):
    await variant()
    tags = {}
    for coding in ("identity", "gzip", "zstd"):
        tags[coding] = (await partner.products(accept_encoding=coding)).headers["etag"]
    assert len(set(tags.values())) == 3
    for tag in tags.values():
        reply = await partner.products(if_none_match=tag)
        assert (reply.status_code, reply.content) == (304, b"")
        assert reply.headers["etag"]
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ('"a","b",W/{tag} , "c"', 304),
        ("*", 304),
        ('"other"', 200),
        ('W/"other"', 200),
        ("", 200),
        ('"*"', 200),
        ("garbage", 200),
        (",", 200),
    ],
)
async def test_if_none_match_is_read_as_the_list_that_it_is(partner, variant, form, status):
    await variant()
    tag = (await partner.products()).headers["etag"]
    reply = await partner.products(if_none_match=form.format(tag=tag))
    assert reply.status_code == status


async def test_equal_lists_have_equal_tags_in_every_worker(partner, variant):
    await variant()
    replies = await asyncio.gather(*(partner.products() for _ in range(12)))
    assert len({reply.headers["etag"] for reply in replies}) == 1


async def test_a_refused_caller_learns_no_tag(clients, partner, variant):
    await variant()
    tag = (await partner.products()).headers["etag"]
    nobody = await clients(permissions=())
    assert (await nobody.products(if_none_match=tag)).status_code == 403
    reply = await partner.products(if_none_match=tag, signature="0" * 64)
    assert reply.status_code == 401
    assert "etag" not in reply.headers


async def test_the_tag_changes_with_every_change_and_only_then(
    clients, partner, variant, shop, server_database
):
    product = await variant(origin="*", own=10, supplier=5)
    seen = [(await partner.products()).headers["etag"]]

    async def changed(reply_ok: bool = True) -> None:
        tags = {(await partner.products()).headers["etag"] for _ in range(4)}
        assert len(tags) == 1
        assert tags.isdisjoint(seen)
        seen.extend(tags)

    reply = await partner.order(product, 2)
    await changed()
    async with server_database.begin() as tx:
        await cancel_order(
            tx, shop_id=shop.id, order_id=reply.json()["order_id"], now=datetime.now(UTC)
        )
    assert (await partner.products()).headers["etag"] == seen[0]
    async with server_database.begin() as tx:
        await receive(tx, shop=shop, variant_id=product, quantity=7)
    await changed()
    async with server_database.begin() as tx:
        hold = {"variant_id": product, "pool": "own", "kind": "hold", "held": 1}
        await tx.run("select post_stock(%s, %s, 'test', null, now())", (shop.id, Jsonb([hold])))
    await changed()
    await variant()
    await changed()
    client = await clients(backorder=True)
    assert (await client.products()).headers["etag"] not in seen  # 98 and 8 instead of 8 and 8
    assert (await partner.products()).headers["etag"] == seen[-1]


async def test_the_tag_changes_with_the_catalogue(partner, shop, server_database):
    async with server_database.begin() as tx:
        found = await read_shop(tx, slug=shop.slug)
    tags = []

    async def write(**changes) -> None:
        record = ProductRecord(
            merchant="main",
            handle="mug",
            name=changes.pop("name", "Mug"),
            currency="USD",
            variants=(VariantRecord(sku="MUG", **({"retail_minor": 1000} | changes)),),
        )
        async with server_database.begin() as tx:
            await upsert_products(tx, shop=found, records=[record], now=datetime.now(UTC))
        tags.append((await partner.products()).headers["etag"])

    await write()
    await write(retail_minor=1100)
    await write(retail_minor=1100, name="Big mug")
    await write(retail_minor=1100, name="Big mug", sale_minor=900)
    await write(retail_minor=1100, name="Big mug", upc="4006381333931")
    now = datetime.now(UTC)
    promotion = Promotion(
        price_minor=800, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
    )
    await write(retail_minor=1100, name="Big mug", upc="4006381333931", promotions=(promotion,))
    await write(retail_minor=1100, enabled=False)
    assert len(set(tags)) == len(tags) == 7


async def test_the_goods_of_a_closed_merchant_leave_the_list_at_once(
    partner, shop, server_database
):
    async with server_database.begin() as tx:
        found = await read_shop(tx, slug=shop.slug)
        record = ProductRecord(
            merchant="Harbour Goods",
            handle="mug",
            name="Mug",
            currency="USD",
            variants=(VariantRecord(sku="MUG", retail_minor=1000),),
        )
        await upsert_products(tx, shop=found, records=[record], now=datetime.now(UTC))
    for enabled in (True, False, True):
        async with server_database.begin() as tx:
            merchant = MerchantRecord(name="Harbour Goods", enabled=enabled)
            await upsert_merchants(tx, shop_id=shop.id, records=[merchant], now=datetime.now(UTC))
        assert len(await partner.listed()) == enabled


async def test_the_tag_changes_with_the_partners_terms(clients, variant, shop, server_database):
    product = await variant(origin="*", own=8, supplier=90)
    client = await clients()
    async with server_database.begin() as tx:
        partner_id = await tx.value(
            "select partner_id from credentials where public_key = %s", (client.key,)
        )
        prices = await tx.value(
            "insert into price_lists (shop_id, name, currency) values (%s, 'p', 'USD') returning id",
            (shop.id,),
        )
        await tx.run(
            "insert into price_list_items values (%s, %s, %s, 5)", (shop.id, prices, product)
        )
    tags = [(await client.products()).headers["etag"]]
    for terms in (
        Terms(backorder=True),
        Terms(backorder=True, price_list_id=prices),
        Terms(visible_merchants=()),
    ):
        async with server_database.begin() as tx:
            await set_terms(tx, partner_id=partner_id, terms=terms)
        tags.append((await client.products()).headers["etag"])
    assert len(set(tags)) == 4


async def test_the_list_changes_by_itself_when_a_sale_starts_and_ends(
    database, clocked_partner, clocked_server
):
    client, _, shop = clocked_partner
    now = clocked_server.clock.now()
    start, end = now + timedelta(seconds=10), now + timedelta(seconds=20)
    async with database.begin() as tx:
        product = await make_variant(
            tx, shop=shop, sale_minor=1500, sale_starts_at=start, sale_ends_at=end
        )
    seen = []
    for step in (0, 9, 1, 9, 1):
        clocked_server.clock.move(timedelta(seconds=step))
        reply = await client.products()
        seen.append((reply.json()[0]["price"], reply.headers["etag"]))
    prices = [price for price, _ in seen]
    assert prices == ["19.99", "19.99", "15.00", "15.00", "19.99"]
    tags = [tag for _, tag in seen]
    assert tags[0] == tags[1] == tags[4] != tags[2] == tags[3]
    assert product
