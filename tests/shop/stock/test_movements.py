"""A movement of stock..."""

from datetime import timedelta
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage
from crossdock.shop.stock import Movement, Posting, list_movements, post_stock
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop, make_variant

SECOND = timedelta(seconds=1)


async def listed(tx: Transaction, shop: ShopFixture, *variants: int, **page: Any) -> list[Movement]:
    wanted = PlacePage(**{"size": 20} | page)
    return await list_movements(tx, shop_id=shop.id, variant_ids=variants, page=wanted)


async def post(
    tx: Transaction, shop: ShopFixture, variant: int, kind: str, *, now=NOON, **values: Any
) -> None:
    posting = Posting(variant_id=variant, pool="own", kind=kind, **values)
    await post_stock(tx, shop_id=shop.id, postings=[posting], reason=f"by {kind}", now=now)


async def test_is_named_by_what_it_is_for(tx):
    shop = await make_shop(tx)
    variant = await make_variant(tx, shop=shop, own=None)
    for kind, values in [
        ("receive", {"on_hand": 20}), ("hold", {"held": 3}), ("release", {"held": -1}),
        ("expire", {"held": -1}), ("commit", {"committed": 4}), ("uncommit", {"committed": -1}),
        ("ship", {"on_hand": -2}), ("adjust", {"on_hand": 5}), ("transfer", {"on_hand": -6}),
        ("restock", {"on_hand": 1}),
    ]:  # fmt: skip
        await post(tx, shop, variant, kind, **values)

    found = await listed(tx, shop, variant)

    assert [(each.reason, each.kind, each.quantity) for each in reversed(found)] == [
        ("by receive", "restock", 20), ("by hold", "reservation", -3),
        ("by release", "reservation", 1), ("by expire", "reservation", 1),
        ("by commit", "sale", -4), ("by uncommit", "restock", 1), ("by ship", "sale", -2),
        ("by adjust", "adjustment", 5), ("by transfer", "transfer", -6),
        ("by restock", "restock", 1),
    ]  # fmt: skip


async def test_is_only_what_changed_what_can_be_sold(tx):
    shop = await make_shop(tx)
    variant = await make_variant(tx, shop=shop, own=None)
    await post(tx, shop, variant, "receive", on_hand=9)
    await post(tx, shop, variant, "commit", committed=4)
    await post(tx, shop, variant, "ship", on_hand=-4, committed=-4)
    await post(tx, shop, variant, "hold", held=2)
    await post(tx, shop, variant, "commit", held=-2, committed=2)

    found = await listed(tx, shop, variant)

    assert [each.quantity for each in found] == [-2, -4, 9]


async def test_is_of_the_variants_and_the_shop_that_are_asked_for(tx):
    shop, other = await make_shop(tx), await make_shop(tx)
    one, two, third = [await make_variant(tx, shop=shop, own=None) for _ in range(3)]
    for variant in (one, two, third):
        await post(tx, shop, variant, "receive", on_hand=1)

    assert [each.variant_id for each in await listed(tx, shop, one, two)] == [two, one]
    assert await listed(tx, other, one, two) == []


async def test_stands_between_two_places_the_newest_first(tx):
    shop = await make_shop(tx)
    variant = await make_variant(tx, shop=shop, own=None)
    for number, now in enumerate([NOON, NOON, NOON + SECOND, NOON - SECOND], start=1):
        await post(tx, shop, variant, "receive", on_hand=number, now=now)

    found = await listed(tx, shop, variant)
    places = [(each.created_at, each.id) for each in found]

    assert [each.quantity for each in found] == [3, 2, 1, 4]
    assert await listed(tx, shop, variant, after=places[1]) == found[2:]
    assert await listed(tx, shop, variant, before=places[1]) == found[:1]
    assert await listed(tx, shop, variant, after=places[0], before=places[3]) == found[1:3]
    assert await listed(tx, shop, variant, size=2) == found[:3]
