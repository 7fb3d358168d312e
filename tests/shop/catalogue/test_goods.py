"""Goods as a shopper sees them..."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue import Goods, ShippingTerm, products_with_barcodes, read_goods
from crossdock.shop.pricing import CouponTerms, add_coupon
from tests.support.factories import ShopFixture, make_merchant, make_shop, make_variant
from tests.support.shopping import partner_of, set_columns

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def product_of(tx: Transaction, variant_id: int) -> int:
    return int(await tx.value("select product_id from variants where id = %s", (variant_id,)))


async def read(tx: Transaction, shop: ShopFixture, *ids: int, **terms: Any) -> list[Goods]:
    return await read_goods(tx, partner=partner_of(shop, **terms), product_ids=ids, now=NOW)


async def test_stand_in_the_order_that_is_asked_and_what_is_unknown_is_left_out(tx, shop):
    first, second = [await product_of(tx, await make_variant(tx, shop=shop)) for _ in range(2)]
    assert [each.id for each in await read(tx, shop, second, 10**9, first)] == [second, first]
    assert await read(tx, shop) == []


async def test_are_those_of_the_callers_shop_merchants_and_currency(tx, shop):
    other_shop = await make_shop(tx)
    foreign = await product_of(tx, await make_variant(tx, shop=other_shop))
    merchant_id = await make_merchant(tx, shop_id=shop.id)
    hidden = await product_of(tx, await make_variant(tx, shop=shop, merchant_id=merchant_id))
    in_euro = await product_of(tx, await make_variant(tx, shop=shop, currency="EUR"))
    unlisted = await product_of(tx, await make_variant(tx, shop=shop, listed=False))
    ids = (foreign, hidden, in_euro, unlisted)
    assert await read(tx, shop, *ids, visible_merchants=(shop.merchant_id,)) == []
    assert [each.id for each in await read(tx, shop, *ids)] == [hidden]
    assert [each.id for each in await read(tx, shop, *ids, currency="EUR")] == [in_euro]


async def test_have_the_variants_in_their_order_and_say_which_can_be_bought(tx, shop):
    last = await make_variant(tx, shop=shop, own=0, position=2)
    product_id = await product_of(tx, last)
    first = await make_variant(tx, shop=shop, own=1, position=1)
    await set_columns(tx, "variants", shop.id, first, product_id=product_id)
    gone = await make_variant(tx, shop=shop, listed=False)
    await set_columns(tx, "variants", shop.id, gone, product_id=product_id)
    (goods,) = await read(tx, shop, product_id)
    assert [(each.id, each.can_buy) for each in goods.variants] == [(first, True), (last, False)]


async def test_cost_what_sales_coupons_and_an_agreed_price_make_of_it(tx, shop):
    variant_id = await make_variant(tx, shop=shop, price_minor=5000, sale_minor=4000)
    product_id = await product_of(tx, variant_id)
    await add_coupon(
        tx,
        shop_id=shop.id,
        terms=CouponTerms(code="TEN", kind="percent_off", percent_bp=1000),
        now=NOW,
    )
    (goods,) = await read(tx, shop, product_id)
    (variant,) = goods.variants
    lowest = variant.lowest
    assert variant.retail_minor == 5000
    assert (lowest.sale_minor, lowest.discount_minor, lowest.price_minor) == (4000, 3600, 3600)
    assert [each.code for each in lowest.coupons] == ["TEN"]

    list_id = await tx.value(
        "insert into price_lists (shop_id, name, currency) values (%s, 'l', 'USD') returning id",
        (shop.id,),
    )
    await tx.run("insert into price_list_items values (%s, %s, %s, 3000)",
                 (shop.id, list_id, variant_id))  # fmt: skip
    (goods,) = await read(tx, shop, product_id, price_list_id=list_id)
    assert goods.variants[0].lowest.price_minor == 3000
    assert goods.variants[0].lowest.coupons == ()


async def test_follow_promotions_by_the_moment(tx, shop):
    variant_id = await make_variant(tx, shop=shop, price_minor=5000)
    product_id = await product_of(tx, variant_id)
    await tx.run(
        "insert into promotions (shop_id, variant_id, price_minor, starts_at, ends_at)"
        " values (%s, %s, 2500, %s, %s)",
        (shop.id, variant_id, NOW, NOW + timedelta(hours=1)),
    )
    for now, price in (
        (NOW - timedelta(seconds=1), 5000),
        (NOW, 2500),
        (NOW.replace(hour=13), 5000),
    ):
        (goods,) = await read_goods(
            tx, partner=partner_of(shop), product_ids=[product_id], now=now
        )  # fmt: skip
        assert goods.variants[0].lowest.price_minor == price


async def test_tell_their_merchants_terms_their_pages_and_pictures(tx, shop):
    variant_id = await make_variant(tx, shop=shop, sku="A/1", image="own.jpg")
    product_id = await product_of(tx, variant_id)
    other = await make_variant(tx, shop=shop, sku="B 2")
    await set_columns(tx, "variants", shop.id, other, product_id=product_id, position=1)
    images = [
        {"url": "all.jpg"},
        {"url": "b.jpg", "alt": "B", "variant_sku": "B 2"},
        {"url": "own.jpg", "variant_sku": "A/1"},
    ]
    await set_columns(
        tx,
        "products",
        shop.id,
        product_id,
        images=Jsonb(images),
        handle="a b",
        shipping_minor=75,
        shipping_days=[3, 10],
        shipping_terms=Jsonb([{"courier": "IN19A04", "price_minor": 9}]),
        ships_to=["IN", "US"],
        target_users="women",
        features=["light"],
    )
    await set_columns(
        tx, "merchants", shop.id, shop.merchant_id,
        shipping_flat_minor=500, free_shipping_from_minor=9000, return_policy_url="https://r.example",
    )  # fmt: skip
    await tx.run(
        "update shops set product_url = 'https://s.example/{handle}?v={sku}' where id = %s",
        (shop.id,),
    )
    (goods,) = await read(tx, shop, product_id)
    first, second = goods.variants
    assert goods.pictures(first) == ["own.jpg", "all.jpg"]
    assert goods.pictures(second) == ["b.jpg", "all.jpg"]
    assert goods.page(first) == "https://s.example/a%20b?v=A%2F1"
    assert goods.shipping_each_minor == 75
    terms = goods.terms
    assert (terms.shipping_flat_minor, terms.free_shipping_from_minor) == (500, 9000)
    assert (goods.shipping_days, goods.ships_to) == ((3, 10), ("IN", "US"))
    assert goods.shipping_terms == (ShippingTerm(courier="IN19A04", price_minor=9),)
    assert (goods.target_users, goods.features) == ("women", ("light",))
    assert terms.return_policy_url == "https://r.example"


async def test_tell_the_deepest_category_first(tx, shop):
    product_id = await product_of(tx, await make_variant(tx, shop=shop))
    ids: list[int] = []
    for depth, name in enumerate(("Home", "Light", "Lamps"), start=1):
        made = await tx.value(
            "insert into categories (shop_id, parent_id, slug, path, id_path, depth, name)"
            " values (%s, %s, %s, %s, '{}', %s, %s) returning id",
            (shop.id, ids[-1] if ids else None, name, f"c/{name}", depth, name),
        )
        ids.append(made)
        await set_columns(tx, "categories", shop.id, made, id_path=list(ids))
    for category_id in (ids[0], ids[2]):
        await tx.run("insert into product_categories values (%s, %s, %s)",
                     (shop.id, product_id, category_id))  # fmt: skip
    (goods,) = await read(tx, shop, product_id)
    assert [(each.id, each.path) for each in goods.categories] == [
        (ids[2], ("Home", "Light", "Lamps")),
        (ids[0], ("Home",)),
    ]


async def test_are_found_by_their_numbers_however_many_zeros_stand_in_front(tx, shop):
    merchant_id = await make_merchant(tx, shop_id=shop.id)
    listed: dict[str, Any] = {"upc": "4006381333931", "gtin14": "04006381333931"}
    first = await product_of(tx, await make_variant(tx, shop=shop, **listed))
    second = await product_of(
        tx, await make_variant(tx, shop=shop, merchant_id=merchant_id, **listed)
    )
    odd = await product_of(tx, await make_variant(tx, shop=shop, upc="0077"))
    await make_variant(tx, shop=shop, listed=False, **listed)
    await make_variant(tx, shop=await make_shop(tx), **listed)

    async def found(*barcodes: str, **terms: Any) -> list[int]:
        return await products_with_barcodes(
            tx, partner=partner_of(shop, **terms), barcodes=barcodes
        )  # fmt: skip

    assert await found("4006381333931") == [first, second]
    assert await found("04006381333931") == [first, second]
    assert await found("77", "4006381333931", "000077") == [odd, first, second]
    assert await found("4006381333931", visible_merchants=(merchant_id,)) == [second]
    assert await found("", "x", "0", "\u0664", "4" * 400, "006381333931") == []
