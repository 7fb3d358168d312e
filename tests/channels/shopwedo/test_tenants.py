"""P14: whatever a stranger asks for answers like what does not exist, and changes nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    upsert_blog_posts,
    upsert_categories,
)
from tests.support.factories import make_merchant, make_shop, make_variant
from tests.support.shopwedo_client import SHAPES, ShopClient, order_of

UNKNOWN = 987_654_321


@pytest.fixture
async def owner(clients, variant, server_database, shop, warehouse):
    """A web shop with goods of its own merchant and a shipped order; what it has, by field."""
    async with server_database.begin() as tx:
        merchant_id = await make_merchant(tx, shop_id=shop.id)
        await upsert_categories(
            tx,
            shop_id=shop.id,
            records=[CategoryRecord(path=("Ours",))],
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
        post = BlogPostRecord(
            slug="ours",
            title="Ours",
            content="",
            language="en",
            published_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await upsert_blog_posts(tx, shop_id=shop.id, records=[post])
    client = await clients(visible_merchants=(merchant_id,))
    sku = await variant(
        merchant_id=merchant_id, sku="OURS", upc="054491000996", gtin14="00054491000996"
    )
    shipped = await client.create(order_of((sku, 1), release=1, number="ours-shipped"))
    waiting = await client.create(order_of((sku, 1), number="ours-waiting"))
    await warehouse.ship_all(shipped, {1: 1})
    (product,) = await client.read("getProducts")
    (category,), (blog_post,) = (
        await client.read("getCategories"),
        await client.read("getBlogPosts"),
    )
    return client, {
        "sku": sku, "shipped": shipped, "waiting": waiting, "product": product["product_id"],
        "category": category["category_id"], "post": blog_post["post_id"],
    }  # fmt: skip


@pytest.fixture
async def strangers(clients, server_database, shop) -> dict[str, ShopClient]:
    """A web shop of the same shop with another merchant, and one of another shop."""
    async with server_database.begin() as tx:
        merchant_id = await make_merchant(tx, shop_id=shop.id)
        foreign = await make_shop(tx, currency="EUR")
        await make_variant(tx, shop=foreign, currency="EUR")
    return {
        "same shop": await clients(visible_merchants=(merchant_id,)),
        "other shop": await clients(of=foreign),
    }


def questions(has: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every operation that names something, about what these ids name."""
    item = {"sku": has["sku"], "amount": 1}
    return [
        *(("getOrder", {"order_id": has[name]}) for name in ("shipped", "waiting")),
        ("getOrder", {"order_id": f"ORD_{has['shipped']}"}),
        *(("getOrder", {"external_order_id": has[f"{name}_number"]}) for name in ("shipped", "waiting")),
        *(("cancelOrder", {"order_id": has[name]}) for name in ("waiting", "shipped")),
        ("createRetourAnnouncement", {"order_id": has["shipped"], "items": [item]}),
        ("getStock", {"sku": has["sku"]}),
        ("getStock", {"reference": has["reference"]}),
        ("getProducts", {"product_id": has["product"]}),
        ("getProducts", {"product_id": [has["product"], has["sku"]]}),
        ("createOrder", order_of((has["sku"], 1), number="fixed")),
        ("createOrder", order_of(number="fixed") | {
            "items": [{"sku": has["reference"], "skuType": "reference", "amount": 1}]}),
        ("createOrder", order_of(number="fixed") | {
            "items": [{"sku": has["barcode"], "skuType": "barcode", "amount": 1}]}),
    ]  # fmt: skip


OURS = {
    "shipped_number": "ours-shipped",
    "waiting_number": "ours-waiting",
    "reference": "OURS",
    "barcode": "054491000996",
}
NOBODYS = {
    "sku": UNKNOWN, "shipped": UNKNOWN, "waiting": UNKNOWN, "product": UNKNOWN, "category": UNKNOWN,
    "post": UNKNOWN, "shipped_number": "no-1", "waiting_number": "no-2", "reference": "NONE",
    "barcode": "054491000997",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("who", ["same shop", "other shop"])
async def test_a_stranger_learns_nothing(owner, strangers, nothing_written, who, shape):
    _, has = owner
    stranger = strangers[who].shaped(shape)
    async with nothing_written():
        for (method, about_theirs), (_, about_nothing) in zip(
            questions(has | OURS), questions(NOBODYS), strict=True
        ):
            theirs, nothing = (
                await stranger.call(method, about_theirs),
                await stranger.call(method, about_nothing),
            )
            assert theirs.status_code == nothing.status_code, (method, about_theirs)
            assert theirs.content == nothing.content, (method, about_theirs)


async def test_a_stranger_of_another_shop_sees_no_categories_and_posts(owner, strangers):
    _, has = owner
    stranger = strangers["other shop"]
    for data in ({}, {"category_id": has["category"]}, {"offset": 0}):
        assert await stranger.read("getCategories", **data) == []
    for data in ({}, {"post_id": has["post"]}, {"offset": 0}):
        assert await stranger.read("getBlogPosts", **data) == []


async def test_the_owner_sees_all_of_it(owner):
    client, has = owner
    for method, data in questions(has | OURS):
        if method in {"getOrder", "getStock", "getProducts"}:
            assert await client.read(method, **data)


async def test_a_strangers_token_with_the_owners_number(owner, strangers):
    client, _ = owner
    for stranger in strangers.values():
        mixed = ShopClient(client.base_url, shop_id=client.shop_id, key=stranger.key)
        mixed._http = client._http
        reply = await mixed.call("authTest")
        assert (reply.status_code, reply.json()["error"]) == (401, "auth_token_mismatch")


async def test_a_setting_counts_from_the_next_call_on(client, variant, server_database):
    """In both workers, which know the partner already."""
    await variant()
    for _ in range(6):
        assert isinstance(await client.read("getStock"), dict)
    async with server_database.begin() as tx:
        await tx.run(
            "update partners set settings = '{\"stock_as_list\": true}', visible_merchants = '{}' where id ="
            " (select partner_id from credentials where channel = 'shopwedo' and public_key = %s)",
            (client.shop_id,),
        )
    for _ in range(6):
        assert await client.read("getStock") == []
