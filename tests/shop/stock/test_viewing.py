"""Levels and entries, looked at..."""

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import Entry, Level, adjust_stock, find_variant, read_entries, read_levels
from tests.support.factories import ShopFixture, make_shop, make_variant, receive


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def test_find_a_variant_by_sku_before_number_and_in_its_shop_alone(
    tx: Transaction, shop: ShopFixture
) -> None:
    plain = await make_variant(tx, shop=shop, sku="PLAIN")
    twin = await make_variant(tx, shop=shop, sku=str(plain))
    other = await make_shop(tx)

    assert await find_variant(tx, shop_id=shop.id, who="PLAIN") == plain
    assert await find_variant(tx, shop_id=shop.id, who=str(twin)) == twin
    assert await find_variant(tx, shop_id=shop.id, who=str(plain)) == twin
    for shop_id, who in ((other.id, "PLAIN"), (other.id, str(twin)), (shop.id, "plain")):
        with pytest.raises(NotFound) as refusal:
            await find_variant(tx, shop_id=shop_id, who=who)
        assert refusal.value.code == "variant_not_found"
        assert who in refusal.value.message


def told(levels: list[Level]) -> list[tuple[object, ...]]:
    return [(w.variant_id, w.sku, w.pool, w.on_hand, w.held, w.available) for w in levels]


async def test_tell_the_levels_of_one_variant_own_first(tx: Transaction, shop: ShopFixture) -> None:
    variant = await make_variant(tx, shop=shop, own=None, supplier=3, sku="BOTH")
    await make_variant(tx, shop=shop, own=9)
    await receive(tx, shop=shop, variant_id=variant, quantity=5)

    levels = await read_levels(tx, shop_id=shop.id, variant_id=variant)

    assert told(levels) == [
        (variant, "BOTH", "own", 5, 0, 5),
        (variant, "BOTH", "supplier", 3, 0, 3),
    ]
    other = await make_shop(tx)
    assert await read_levels(tx, shop_id=other.id, variant_id=variant) == []


async def test_tell_the_newest_entries_of_one_variant_first(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)
    await make_variant(tx, shop=shop, own=9)
    for difference in (-1, 2):
        await adjust_stock(
            tx, shop_id=shop.id, variant_id=variant, difference=difference, now=clock.now()
        )

    def changes(entries: list[Entry]) -> list[tuple[str, int, str]]:
        return [(entry.kind, entry.on_hand, entry.reason) for entry in entries]

    entries = await read_entries(tx, shop_id=shop.id, variant_id=variant)
    assert changes(entries) == [
        ("adjust", 2, "counted"),
        ("adjust", -1, "counted"),
        ("receive", 5, "factory"),
    ]
    newest = await read_entries(tx, shop_id=shop.id, variant_id=variant, limit=1)
    assert newest == entries[:1]
    other = await make_shop(tx)
    assert await read_entries(tx, shop_id=other.id, variant_id=variant) == []
