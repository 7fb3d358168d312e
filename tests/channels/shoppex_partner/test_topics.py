"""A rendered list stays while only parcels and orders move, and goes when what it shows changes."""

import pytest

from crossdock.channels.shoppex_partner.catalogue import CatalogueAnswers, etag, is_known
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import MerchantRecord, upsert_merchants
from crossdock.shop.partners import Partner
from crossdock.shop.pricing import PriceRow, add_price_list, set_prices
from tests.support.factories import make_partner
from tests.support.ordering import read_partner
from tests.support.warehousing import Warehouse


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(database, clock)


@pytest.fixture
async def reader(warehouse: Warehouse) -> Partner:
    """A wholesale partner of the warehouse's shop, who sees its goods."""
    async with warehouse.db.begin() as tx:
        made = await make_partner(tx, shop=warehouse.shop)
    return await read_partner(warehouse.db, made)


@pytest.fixture
async def answers(database: Database, clock: FrozenClock, tmp_path) -> CatalogueAnswers:
    return CatalogueAnswers(
        database,
        clock=clock,
        folder=str(tmp_path),
        own_requires_stock=False,
        memory_bytes=1_000_000,
    )


async def test_a_shipped_parcel_leaves_the_rendered_list_as_it_is(warehouse, reader, answers):
    mug = await warehouse.variant(own=10, price_minor=1999, currency="EUR")
    order = await warehouse.enter((mug, 4))
    rendered = await answers.get(reader)
    tag = etag(rendered, "")

    await warehouse.start(order)
    await warehouse.pick(order, {1: 4})
    package = await warehouse.pack(order, {1: 4})
    await warehouse.ship(package)

    assert await warehouse.level(mug) == (6, 0, 6)
    assert await answers.get(reader) is rendered
    assert is_known(tag, rendered)


async def test_a_released_order_makes_it_anew(warehouse, reader, answers):
    mug = await warehouse.variant(own=10, price_minor=1999, currency="EUR")
    rendered = await answers.get(reader)

    await warehouse.enter((mug, 4))

    fresh = await answers.get(reader)
    assert fresh is not rendered
    assert not is_known(etag(rendered, ""), fresh)


async def test_each_change_of_product_price_and_stock_makes_it_anew(
    warehouse, reader, answers, clock
):
    mug = await warehouse.variant(own=10, price_minor=1999, currency="EUR", sku="MUG")
    shop_id = warehouse.shop.id
    seen = [await answers.get(reader)]

    async with warehouse.db.begin() as tx:
        list_id = await add_price_list(tx, shop_id=shop_id, name="Agreed")
    assert await answers.get(reader) is seen[-1]
    async with warehouse.db.begin() as tx:
        rows = [PriceRow(sku="MUG", price_minor=1500)]
        await set_prices(tx, shop_id=shop_id, price_list_id=list_id, rows=rows, now=clock.now())
    seen.append(await answers.get(reader))
    await warehouse.receive(mug, 5)
    seen.append(await answers.get(reader))
    async with warehouse.db.begin() as tx:
        merchant = MerchantRecord(name="Main", enabled=False)
        await upsert_merchants(tx, shop_id=shop_id, records=[merchant], now=clock.now())
    seen.append(await answers.get(reader))

    assert len({id(answer) for answer in seen}) == 4
    assert await answers.get(reader) is seen[-1]
