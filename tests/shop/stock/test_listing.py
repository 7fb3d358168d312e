"""Own stock, as a partner sees it..."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.partners import Partner
from crossdock.shop.stock import StockItem, list_stock
from tests.support.factories import ShopFixture, make_merchant, make_shop, make_variant


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


def partner(shop: ShopFixture, **changes: Any) -> Partner:
    values: dict[str, Any] = {
        "shop_id": shop.id, "id": 1, "channel": "shopwedo", "name": "Web shop",
        "permissions": frozenset(), "backorder": False, "currency": "USD", "min_amount_minor": None,
        "max_amount_minor": None, "visible_merchants": None, "price_list_id": None,
        "customer_id": None, "settings": {}, "revision": 1,
    }  # fmt: skip
    return Partner(**(values | changes))


def ids(items: Sequence[StockItem]) -> list[int]:
    return [item.variant_id for item in items]


async def test_is_what_the_own_pool_holds(tx: Transaction, shop: ShopFixture) -> None:
    counted = await make_variant(tx, shop=shop, own=7, supplier=100)
    bare = await make_variant(tx, shop=shop, own=None, supplier=50)
    await tx.run(
        "update stock_levels set held = 2, warning_level = 1, best_before = '2027-01-31',"
        " best_before_alert = 'soon' where shop_id = %s and variant_id = %s and pool = 'own'",
        (shop.id, counted),
    )

    first, second = await list_stock(tx, partner=partner(shop))

    assert (first.variant_id, first.on_hand, first.available) == (counted, 7, 4)
    assert (first.best_before, first.best_before_alert) == (date(2027, 1, 31), "soon")
    assert (second.variant_id, second.on_hand, second.available) == (bare, 0, 0)
    assert (second.best_before, second.best_before_alert) == (None, "")
    assert second.last_stock_change is None


async def test_was_changed_when_the_variant_or_its_level_last_was(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop)
    earlier, later = clock.now(), clock.now() + timedelta(hours=1)
    for changed, moved in ((earlier, later), (later, earlier)):
        await tx.run("update variants set updated_at = %s where id = %s", (changed, variant))
        await tx.run(
            "update stock_levels set updated_at = %s where variant_id = %s", (moved, variant)
        )
        (item,) = await list_stock(tx, partner=partner(shop))
        assert (item.updated_at, item.last_stock_change) == (later, moved)


async def test_is_of_the_partners_shop_and_merchants_alone(
    tx: Transaction, shop: ShopFixture
) -> None:
    merchant = await make_merchant(tx, shop_id=shop.id)
    mine = await make_variant(tx, shop=shop)
    theirs = await make_variant(tx, shop=shop, merchant_id=merchant)
    await make_variant(tx, shop=await make_shop(tx))

    assert ids(await list_stock(tx, partner=partner(shop))) == [mine, theirs]
    some = partner(shop, visible_merchants=(merchant,))
    assert ids(await list_stock(tx, partner=some)) == [theirs]
    assert ids(await list_stock(tx, partner=partner(shop, visible_merchants=()))) == []


async def test_is_found_by_id_or_by_either_reference(tx: Transaction, shop: ShopFixture) -> None:
    one = await make_variant(tx, shop=shop, sku="R-1", merchant_sku="M-1")
    two = await make_variant(tx, shop=shop, sku="R-2", merchant_sku="R-1")
    caller = partner(shop)

    assert ids(await list_stock(tx, partner=caller, variant_id=two)) == [two]
    assert ids(await list_stock(tx, partner=caller, reference="R-1")) == [one, two]
    assert ids(await list_stock(tx, partner=caller, reference="M-1")) == [one]
    assert ids(await list_stock(tx, partner=caller, reference="R-1", variant_id=two)) == [two]
    assert ids(await list_stock(tx, partner=caller, reference="")) == []


async def test_comes_in_pages_of_fifty_at_most(tx: Transaction, shop: ShopFixture) -> None:
    made = [await make_variant(tx, shop=shop, own=None) for _ in range(52)]
    caller = partner(shop)

    assert ids(await list_stock(tx, partner=caller, limit=200)) == made[:50]
    assert ids(await list_stock(tx, partner=caller, limit=3)) == made[:3]
    assert ids(await list_stock(tx, partner=caller, offset=50)) == made[50:]
