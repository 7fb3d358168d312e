"""The author of what happens to an order..."""

import pytest

from crossdock.errors import Invalid, NotFound
from crossdock.kit.acting import act_as
from crossdock.shop.orders import note_order
from tests.support.warehousing import Warehouse


async def authors(warehouse: Warehouse, order_id: int) -> list[tuple[str, str]]:
    async with warehouse.db.statement() as tx:
        rows = await tx.all(
            "select kind, coalesce(author, '') from events where subject_id = %s and shop_id = %s"
            " and topic = 'orders' order by id",
            (order_id, warehouse.shop.id),
        )
    return [(kind, author) for kind, author in rows]


async def test_is_whoever_acts_and_nobody_where_nobody_does(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    before = await authors(warehouse, order_id)

    act_as("Wim")
    await warehouse.pick(order_id, {1: 1})
    act_as("")
    await warehouse.pick(order_id, {1: 1})

    assert {author for _, author in before} == {""}
    assert (await authors(warehouse, order_id))[len(before) :] == [
        ("order.in_fulfilment", "Wim"),
        ("order.picked", "Wim"),
        ("order.picked", ""),
    ]


async def test_does_not_stay_with_the_connection(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    act_as("Wim")
    async with warehouse.db.begin() as tx:
        assert await tx.value("select current_setting('crossdock.author', true)") == "Wim"
    act_as("")

    async with warehouse.db.statement() as tx:
        assert not await tx.value("select current_setting('crossdock.author', true)")
    await warehouse.pick(order_id, {1: 1})

    assert ("order.picked", "") in await authors(warehouse, order_id)


async def test_writes_notes_of_some_length_about_orders_of_the_shop(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    before = await authors(warehouse, order_id)
    refusals: list[tuple[type[Exception], int, str]] = [
        (NotFound, order_id + 1_000_000, "x"),
        (Invalid, order_id, " \u2800 "),
        (Invalid, order_id, "a" * 2001),
    ]

    for error, wanted, text in refusals:
        with pytest.raises(error):
            async with warehouse.db.begin() as tx:
                await note_order(
                    tx, shop_id=warehouse.shop.id, order_id=wanted, text=text,
                    now=warehouse.clock.now(),
                )  # fmt: skip

    assert await authors(warehouse, order_id) == before
