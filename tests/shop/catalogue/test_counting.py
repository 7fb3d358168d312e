"""The number of products..."""

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    AssortmentCounts,
    AssortmentFilters,
    MerchantRecord,
    OwnedCounts,
    ProductRecord,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.partners import Terms, add_partner, read_partner
from crossdock.shop.shops import add_shop
from crossdock.shop.stock import StockRecord, set_stock
from tests.conftest import NOON

EVERYTHING = AssortmentFilters()
SOLD = AssortmentFilters(enabled=True)


@pytest.fixture
async def stand(tx):
    """A shop with a seller of its goods, and what writes them."""
    slug = f"counted-{RandomIds().random_token(8).lower()}"
    shop = await add_shop(tx, slug=slug, name="Counted", currency="USD")
    partner_id = await add_partner(
        tx, shop_id=shop.id, channel="any", name="Seller", terms=Terms(permissions=())
    )
    partner = await read_partner(tx, partner_id=partner_id)
    assert partner is not None

    async def write(name: str, **fields) -> None:
        variants = (VariantRecord(sku=name, retail_minor=fields.pop("price", 100)),)
        record = ProductRecord(
            handle=name,
            name=name,
            merchant="Acme",
            currency=shop.currency,
            variants=variants,
            **fields,
        )
        await upsert_merchants(tx, shop_id=shop.id, records=[MerchantRecord(name="Acme")], now=NOON)
        await upsert_products(tx, shop=shop, records=[record], now=NOON)

    return shop, partner, write


async def test_follows_every_event_of_the_catalogue(tx, stand):
    shop, partner, write = stand
    counts = AssortmentCounts()

    async def told() -> tuple[int, int]:
        state = await tx.value("select topic_version(%s, 'catalogue')", (shop.id,))
        return (
            await counts.count(tx, partner=partner, filters=EVERYTHING, state=state),
            await counts.count(tx, partner=partner, filters=SOLD, state=state),
        )

    assert await told() == (0, 0)
    await write("one")
    assert await told() == (1, 1)
    await write("two", enabled=False)
    assert await told() == (2, 1)
    await write("one", price=None)
    assert await told() == (1, 0)
    await write("two", enabled=True)
    assert await told() == (1, 1)
    off = MerchantRecord(name="Acme", enabled=False)
    await upsert_merchants(tx, shop_id=shop.id, records=[off], now=NOON)
    assert await told() == (1, 0)


async def test_is_kept_while_nothing_changes(tx, stand):
    _, partner, write = stand
    counts = AssortmentCounts()
    await write("one")
    assert await counts.count(tx, partner=partner, filters=EVERYTHING, state=1) == 1
    await tx.run("delete from variants where shop_id = %s", (partner.shop_id,))  # without its event
    assert await counts.count(tx, partner=partner, filters=EVERYTHING, state=1) == 1
    assert await counts.count(tx, partner=partner, filters=EVERYTHING, state=2) == 0


async def test_that_merchants_own_is_counted_again_only_when_goods_or_stock_changed(tx, stand):
    shop, _, write = stand
    counts = OwnedCounts()

    async def told() -> tuple[int, int, int, int]:
        found = await counts.count(tx, shop_id=shop.id, merchant_ids=None)
        return found.total, found.published, found.low_stock, found.out_of_stock

    assert await told() == (0, 0, 0, 0)
    await write("one")
    assert await told() == (1, 1, 0, 1)
    variant_id = await tx.value("select id from variants where shop_id = %s", (shop.id,))
    for on_hand in (3, 0):
        stock = [(variant_id, StockRecord(pool="own", on_hand=on_hand))]
        await set_stock(tx, shop_id=shop.id, new=[], existing=stock, reason="count", now=NOON)
        assert await told() == (1, 1, int(on_hand > 0), int(on_hand == 0))
    await tx.run("update products set enabled = false where shop_id = %s", (shop.id,))
    assert await told() == (1, 1, 0, 1)  # no event told of it
    assert (await counts.count(tx, shop_id=shop.id, merchant_ids=[0])).total == 0
    await write("two", enabled=False)
    assert await told() == (2, 0, 0, 2)
