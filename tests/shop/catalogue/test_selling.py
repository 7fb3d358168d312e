"""A merchant that staff add and change..."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict
from crossdock.shop.catalogue import (
    MerchantRecord,
    MerchantView,
    add_merchant,
    list_merchants,
    read_merchant,
    set_merchant,
)
from crossdock.shop.shops import Shop
from tests.conftest import NOON
from tests.support.locks import waiting_for_a_lock

WHO = "harbour-hats"


async def add(database: Database, shop: Shop, **more: object) -> MerchantView:
    record = MerchantRecord(name="Harbour Hats", **more)  # type: ignore[arg-type]
    async with database.begin() as tx:
        return await add_merchant(tx, shop_id=shop.id, record=record, now=NOON)


async def change(database: Database, shop: Shop, **changes: object) -> MerchantView:
    async with database.begin() as tx:
        return await set_merchant(tx, shop_id=shop.id, who=WHO, changes=changes, now=NOON)


async def test_is_there_once(database: Database, shop: Shop) -> None:
    added = await add(database, shop, commission_bp=500)
    with pytest.raises(Conflict, match="called 'harbour-hats' already"):
        await add(database, shop, commission_bp=900)
    async with database.statement() as tx:
        assert await list_merchants(tx, shop_id=shop.id) == [added]
        told = "select count(*) from events where shop_id = %s and kind = 'merchant.changed'"
        assert await tx.value(told, (shop.id,)) == 1


@pytest.mark.races
async def test_is_of_the_first_of_two_who_add_it_at_once(database: Database, shop: Shop) -> None:
    record = MerchantRecord(name="Harbour Hats", commission_bp=500)
    async with database.begin() as first:
        added = await add_merchant(first, shop_id=shop.id, record=record, now=NOON)
        second = asyncio.create_task(add(database, shop, commission_bp=900))
        await waiting_for_a_lock(database, behind=first)
    with pytest.raises(Conflict, match="exists"):
        await second
    async with database.statement() as tx:
        assert await read_merchant(tx, shop_id=shop.id, who=WHO) == added


@pytest.mark.races
async def test_keeps_what_another_changed_meanwhile(database: Database, shop: Shop) -> None:
    await add(database, shop)
    async with database.begin() as first:
        await set_merchant(
            first,
            shop_id=shop.id,
            who=WHO,
            changes={"commission_bp": 700, "email": "hats@harbour.example"},
            now=NOON,
        )
        second = asyncio.create_task(change(database, shop, shipping_flat_minor=450))
        await waiting_for_a_lock(database, behind=first)
    changed = await second
    assert (changed.terms.commission_bp, changed.terms.shipping_flat_minor) == (700, 450)
    assert changed.email == "hats@harbour.example"
