"""Goods that are not shipped..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    """A desk whose customer has a billing address only."""
    opened = await Desk.open(database, clock)
    async with database.begin() as tx:
        await tx.run(
            "update customers set shipping = '{}' where shop_id = %s and id = %s",
            (opened.shop.id, opened.made.customer_id),
        )
    return opened


async def virtual(desk: Desk) -> int:
    """A variant of a product that is not shipped."""
    variant_id = await desk.variant()
    async with desk.db.begin() as tx:
        await tx.run(
            "update products p set virtual = true from variants v"
            " where v.shop_id = %s and v.id = %s and p.shop_id = v.shop_id and p.id = v.product_id",
            (desk.shop.id, variant_id),
        )
    return variant_id


async def test_may_be_ordered_by_staff_for_who_has_no_shipping_address(desk: Desk) -> None:
    placed = await desk.on_account((await virtual(desk), 2))

    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.total_minor) == ("processing", 3998)


async def test_need_an_address_together_with_goods_that_are(desk: Desk) -> None:
    good, game = await desk.variant(), await virtual(desk)

    for wanted in ([(good, 1)], [(game, 1), (good, 1)]):
        with pytest.raises(Refused) as refused:
            await desk.on_account(*wanted)
        assert refused.value.code == "shipping_incomplete"
        assert "address_1" in refused.value.data["fields"]
    assert await desk.level(good) == (5, 0, 0, 5)
    assert await desk.level(game) == (5, 0, 0, 5)
