"""The board of a shop's orders..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import raise_alert
from crossdock.shop.orders import (
    BOARD_VIEWS,
    LATE_AFTER,
    REFUND_REASONS,
    BoardFilters,
    BoardSum,
    cancel_order,
    count_board,
    list_matching,
    move_order,
    pay_order,
    read_board,
    read_reason,
    sum_board,
)
from tests.support.staff import Desk
from tests.support.warehousing import Warehouse


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def ids(desk: Desk, *, at=None, before=None, limit=50, **filters) -> list[int]:
    async with desk.db.statement() as tx:
        rows, _more = await read_board(
            tx,
            shop_id=desk.shop.id,
            filters=BoardFilters(**filters),
            now=at or desk.clock.now(),
            before=before,
            limit=limit,
        )
    return [row.id for row in rows]


async def test_shows_an_order_as_staff_see_it(desk: Desk) -> None:
    good = await desk.variant()
    placed = await desk.on_account((good, 2))

    async with desk.db.statement() as tx:
        rows, has_more = await read_board(
            tx, shop_id=desk.shop.id, filters=BoardFilters(), now=desk.clock.now()
        )

    order = await desk.read(placed.id)
    (row,) = rows
    assert not has_more
    assert (row.id, row.channel, row.partner, row.fulfilment_state, row.payment_state) == (
        placed.id, "staff", "", "processing", "awaiting",
    )  # fmt: skip
    assert (row.lines, row.units, row.shipped, row.total_minor, row.is_late) == (
        1, 2, 0, placed.total_minor, False,
    )  # fmt: skip
    assert row.buyer == f"{order.shipping.first_name} {order.shipping.last_name}"
    assert row.country == order.shipping.country


async def test_sorts_orders_into_views_and_counts_them(desk: Desk) -> None:
    good = await desk.variant(own=50)
    unpaid, paid, gone, alerting = [(await desk.on_account((good, 1))).id for _ in range(4)]
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=paid, reference="PAID 1")
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=gone, now=now)
        await move_order(tx, shop_id=desk.shop.id, order_id=paid, to="waiting_for_release", now=now)
        for order_id in (alerting, None):
            await raise_alert(
                tx, shop_id=desk.shop.id, kind="dispatch_failed", message="x", order_id=order_id,
                now=now,
            )  # fmt: skip

    found = {view: await ids(desk, view=view) for view in BOARD_VIEWS}

    assert found == {
        "open": [alerting, paid, unpaid],
        "to_release": [paid],
        "to_fulfil": [alerting, unpaid],
        "to_deliver": [],
        "late": [],
        "unpaid": [alerting, unpaid],
        "failed": [alerting],
        "returned": [],
        "all": [alerting, gone, paid, unpaid],
    }
    later = now + LATE_AFTER + timedelta(seconds=1)
    assert await ids(desk, view="late", at=later) == [alerting, paid, unpaid]
    async with desk.db.statement() as tx:
        counts = await count_board(tx, shop_id=desk.shop.id, now=now)
    assert counts == {view: len(each) for view, each in found.items() if view != "all"}


async def test_has_what_comes_back(database: Database, clock: FrozenClock) -> None:
    warehouse = await Warehouse.open(database, clock)
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.ship_all(order_id, {1: 2})
    await warehouse.announce(order_id, {1: 1})

    async with database.statement() as tx:
        rows, _ = await read_board(
            tx,
            shop_id=warehouse.shop.id,
            filters=BoardFilters(view="returned"),
            now=clock.now(),
        )

    assert [(row.id, row.shipped) for row in rows] == [(order_id, 2)]


async def test_filters_by_channel_and_both_states(desk: Desk) -> None:
    good = await desk.variant(own=50)
    one, two = [(await desk.on_account((good, 1))).id for _ in range(2)]
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=one, reference="PAID 1")

    assert await ids(desk, view="all", channel="staff") == [two, one]
    assert await ids(desk, view="all", channel="shoppo") == []
    assert await ids(desk, view="all", payment_state="paid") == [one]
    assert await ids(desk, view="all", fulfilment_state="processing") == [two, one]
    assert await ids(desk, view="all", fulfilment_state="shipped") == []


async def test_pages_hold_what_was_there_before_them(desk: Desk) -> None:
    good = await desk.variant(own=50)
    placed = [(await desk.on_account((good, 1))).id for _ in range(5)][::-1]

    first = await ids(desk, limit=2)
    await desk.on_account((good, 1))
    second = await ids(desk, limit=2, before=first[-1])
    third = await ids(desk, limit=2, before=second[-1])

    assert first + second + third == placed


async def test_finds_an_order_by_what_people_have_in_hand(
    database: Database, clock: FrozenClock
) -> None:
    desk = await Desk.open(database, clock)
    other = await Desk.open(database, clock)
    good = await desk.variant(own=50, sku="LAMP-7")
    placed = await desk.on_account((good, 1), number="T-77")
    foreign = await other.on_account((await other.variant(sku="LAMP-7"), 1), number="T-77")
    await desk.on_account((await desk.variant(own=50), 1))
    view = {"view": "all"}

    for text in (str(placed.id), "T-77", " LAMP-7 "):
        assert await ids(desk, search=text, **view) == [placed.id], text
    for text in ("T-78", str(foreign.id), "9" * 30, "²", "lamp-7' or true --"):
        assert await ids(desk, search=text, **view) == [], text


async def test_finds_an_order_by_its_parcel_and_its_customer(
    database: Database, clock: FrozenClock
) -> None:
    desk, warehouse = await Desk.open(database, clock), await Warehouse.open(database, clock)
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    await warehouse.ship(await warehouse.pack(order_id, {1: 1}), "TRACK-1")
    placed = await desk.on_account((await desk.variant(), 1))
    async with database.statement() as tx:
        email = await tx.value(
            "select email from customers where id = %s", (desk.made.customer_id,)
        )

    async with database.statement() as tx:
        rows, _ = await read_board(
            tx,
            shop_id=warehouse.shop.id,
            filters=BoardFilters(view="all", search="TRACK-1"),
            now=clock.now(),
        )
    assert [row.id for row in rows] == [order_id]
    assert await ids(desk, view="all", search=email.upper()) == [placed.id]


async def test_sums_and_numbers_all_that_match_however_many(desk: Desk) -> None:
    good, free = await desk.variant(own=50), await desk.variant(own=50, price_minor=0)
    other = await Desk.open(desk.db, desk.clock)
    await other.on_account((await other.variant(), 1))
    placed = [(await desk.on_account((good, quantity))).id for quantity in (1, 2, 3)]
    dollars = (await desk.on_account((good, 5))).id
    nothing = (await desk.on_account((free, 1))).id
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        await tx.run("update orders set currency = 'USD' where id = %s", (dollars,))
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed[1], now=now)

    async def summed(**filters) -> BoardSum:
        async with desk.db.statement() as tx:
            return await sum_board(
                tx, shop_id=desk.shop.id, filters=BoardFilters(**filters), now=now
            )

    async def numbers(up_to: int, **filters) -> list[int]:
        async with desk.db.statement() as tx:
            return await list_matching(
                tx, shop_id=desk.shop.id, filters=BoardFilters(**filters), now=now, up_to=up_to
            )

    assert (await summed()).orders == 4
    assert await summed(view="all") == BoardSum(
        orders=5, newest=nothing, money={"EUR": 6 * 1_999, "USD": 5 * 1_999}
    )
    assert await summed(view="all", fulfilment_state="cancelled") == BoardSum(
        orders=1, newest=placed[1], money={"EUR": 2 * 1_999}
    )
    assert await summed(search=str(nothing)) == BoardSum(orders=1, newest=nothing, money={})
    assert await summed(channel="another") == BoardSum(orders=0, newest=0, money={})
    assert await numbers(nothing, view="all") == [*placed, dollars, nothing]
    assert await numbers(placed[2]) == [placed[0], placed[2]]
    assert await numbers(placed[2] - 1, view="all") == placed[:2]
    assert await numbers(nothing, view="all", fulfilment_state="cancelled") == [placed[1]]


@pytest.mark.parametrize("reason", REFUND_REASONS)
def test_knows_why_lines_are_refunded(reason: str) -> None:
    assert read_reason(reason) == reason


def test_names_the_reasons_where_one_is_none() -> None:
    with pytest.raises(Invalid) as refused:
        read_reason("fraudulent")
    assert refused.value.data == {"field": "reason"}
    assert refused.value.message == f"The reason is one of {', '.join(REFUND_REASONS)}."
