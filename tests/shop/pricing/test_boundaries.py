"""Prices that the clock alone changes..."""

from datetime import datetime, timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.pricing import boundaries, tell_prices
from tests.support.factories import ShopFixture, make_shop, make_variant
from tests.support.shopping import set_columns

HOUR = timedelta(hours=1)


@pytest.fixture
async def shop(database: Database, clock: FrozenClock) -> ShopFixture:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run("update shops set created_at = %s where id = %s", (clock.now(), shop.id))
    return shop


async def on_sale(db: Database, shop: ShopFixture, starts: datetime, ends: datetime) -> int:
    async with db.begin() as tx:
        variant = await make_variant(tx, shop=shop)
        await set_columns(
            tx, "variants", shop.id, variant, sale_minor=1, sale_starts_at=starts, sale_ends_at=ends
        )
    return variant


async def promoted(db: Database, shop: ShopFixture, starts: datetime, ends: datetime) -> int:
    async with db.begin() as tx:
        variant = await make_variant(tx, shop=shop)
        await tx.run(
            "insert into promotions (shop_id, variant_id, price_minor, starts_at, ends_at)"
            " values (%s, %s, 1, %s, %s)",
            (shop.id, variant, starts, ends),
        )
    return variant


async def told(db: Database, shop: ShopFixture) -> list[list[int]]:
    """The variants of each event about prices."""
    async with db.statement() as tx:
        rows = await tx.all(
            "select payload -> 'variant_ids' from events where shop_id = %s and kind = 'price.changed'"
            " order by id",
            (shop.id,),
        )
    return [row[0] for row in rows]


async def test_are_told_of_when_a_sale_or_a_promotion_begins_and_ends(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    start = clock.now()
    sale = await on_sale(database, shop, start + HOUR, start + 3 * HOUR)
    promotion = await promoted(database, shop, start + HOUR, start + 2 * HOUR)

    seen = []
    for _ in range(4):
        await tell_prices(database, now=clock.now())
        await tell_prices(database, now=clock.now())
        seen.append(await told(database, shop))
        clock.move(HOUR)

    both = sorted([sale, promotion])
    assert seen == [[], [both], [both, [promotion]], [both, [promotion], [sale]]]


async def test_are_told_of_once_whatever_the_clock_does(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    start = clock.now()
    sale = await on_sale(database, shop, start + HOUR, start + 9 * HOUR)
    await tell_prices(database, now=start + 2 * HOUR)
    await tell_prices(database, now=start)
    await tell_prices(database, now=start + 3 * HOUR)
    assert await told(database, shop) == [[sale]]


async def test_of_many_are_told_of_in_several_events(
    database: Database, shop: ShopFixture, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundaries, "VARIANTS_AT_ONCE", 2)
    start = clock.now()
    variants = [await on_sale(database, shop, start + HOUR, start + 9 * HOUR) for _ in range(3)]
    await tell_prices(database, now=start + HOUR)
    assert await told(database, shop) == [variants[:2], variants[2:]]
