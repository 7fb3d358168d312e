"""A line that is not shipped, of an order that a warehouse sends..."""

from typing import Any

import pytest
from msgspec.structs import replace

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import (
    BoardFilters,
    BoardView,
    Snapshot,
    cancel_line,
    deliver_order,
    place,
    read_board,
)
from crossdock.shop.stock import add_serials, read_sold_serials
from crossdock.shop.warehouse import left_to_pack, left_to_pick, pick_scanned
from tests.support.consuming import deliver_by_worker, make_virtual
from tests.support.drafts import draft_of, line_of
from tests.support.factories import box
from tests.support.warehousing import Warehouse, differences

MAILING = Mailing(box=box(), mailer=None, host="localhost")


class Desk(Warehouse):
    """A warehouse with a worker."""

    async def virtual(self, *, keys: int = 0, **columns: Any) -> int:
        """A variant that is not shipped; with `keys` it is sold by serials, of which there are so many."""
        variant_id = await self.variant(own=None, **{"stock_managed": bool(keys), **columns})
        await make_virtual(self.db, variant_id)
        async with self.db.begin() as tx:
            if keys:
                await add_serials(
                    tx,
                    shop_id=self.shop.id,
                    variant_id=variant_id,
                    serials=[f"KEY-{variant_id}-{n}" for n in range(keys)],
                    box=box(),
                    now=self.clock.now(),
                )
        return variant_id

    async def order(self, *variant_ids: int, quantity: int = 1) -> int:
        """An order that was made of offers, so that what is sold by serials is taken from its level."""
        async with self.db.begin() as tx:
            products = dict(
                await tx.all(
                    "select id, product_id from variants where shop_id = %s", (self.shop.id,)
                )
            )
            lines = []
            for each in variant_ids:
                line = line_of(each, shop=self.shop, quantity=quantity)
                assert isinstance(line.variant, Snapshot)
                variant = replace(line.variant, product_id=products[each])
                lines.append(replace(line, variant=variant))
            draft = draft_of(*lines, shop=self.shop, partner_id=self.partner.id, currency="EUR")
            return (await place(tx, draft=draft, now=self.clock.now())).id

    async def work(self) -> None:
        """What the worker does until it has nothing to do."""
        await deliver_by_worker(self.db, shop_id=self.shop.id, now=self.clock.now())

    async def lines(self, order_id: int) -> list[tuple[str, int, int]]:
        """State, picked and shipped of each line."""
        order = await self.read(order_id)
        return [(line.state, line.picked, line.shipped) for line in order.lines]

    async def board(self, view: BoardView) -> list[int]:
        async with self.db.statement() as tx:
            rows, _ = await read_board(
                tx, shop_id=self.shop.id, filters=BoardFilters(view=view), now=self.clock.now()
            )
        return [row.id for row in rows]

    async def mails(self) -> int:
        async with self.db.statement() as tx:
            query = "select count(*) from mails where shop_id = %s and template = 'order_delivery'"
            return int(await tx.value(query, (self.shop.id,)))

    async def deliver(self, order_id: int) -> str:
        async with self.db.begin() as tx:
            done = await deliver_order(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                mailing=MAILING,
                now=self.clock.now(),
            )
        return done.state

    async def dispatch(self, order_id: int, *, status: str) -> None:
        now = self.clock.now()
        async with self.db.begin() as tx:
            await tx.run(
                "insert into deliveries (shop_id, kind, target, subject_id, status, queued_at, updated_at,"
                " next_attempt_at, sent_at) values (%s, 'dispatch', 'erp', %s, %s, %s, %s, %s, %s)",
                (
                    *(self.shop.id, order_id, status, now, now),
                    now if status == "queued" else None,
                    now if status == "sent" else None,
                ),
            )

    async def is_sound(self) -> bool:
        async with self.db.statement() as tx:
            return await differences(tx, after_shop=self.shop.id - 1) == []


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    opened = await Desk.open(database, clock)
    assert isinstance(opened, Desk)
    return opened


async def test_is_delivered_at_once_where_nothing_else_was_ordered(desk: Desk) -> None:
    order_id = await desk.enter((await desk.virtual(), 2), (await desk.virtual(), 1))
    assert await desk.board("to_fulfil") == []
    await desk.work()

    assert await desk.state(order_id) == "completed"
    assert await desk.lines(order_id) == [("shipped", 2, 2), ("shipped", 1, 1)]
    assert (await desk.read(order_id)).packages == ()
    assert await desk.events(order_id) == [
        *("order.placed", "order.in_fulfilment", "order.lines_moved", "order.shipped", "order.completed"),
    ]  # fmt: skip
    assert await desk.mails() == 0
    assert await desk.is_sound()


async def test_is_delivered_when_the_order_is_released_not_before(desk: Desk) -> None:
    order_id = await desk.enter((await desk.virtual(), 1), release=False)
    await desk.work()
    assert await desk.lines(order_id) == [("open", 0, 0)]

    await desk.release(order_id)
    await desk.work()
    assert await desk.state(order_id) == "completed"


async def test_is_neither_picked_nor_packed(desk: Desk) -> None:
    mug, wrap = await desk.variant(), await desk.virtual(sku="WRAP")
    order_id = await desk.enter((mug, 2), (wrap, 1))
    await desk.work()

    async with desk.db.statement() as tx:
        asked = {"shop_id": desk.shop.id, "order_id": order_id}
        assert await left_to_pick(tx, **asked) == {1: 2}
    before = await desk.everything()
    with pytest.raises(Invalid) as refused:
        await desk.pick(order_id, {1: 2, 2: 1})
    assert refused.value.data == {"field": "lines.2"}
    assert await desk.everything() == before
    with pytest.raises(Invalid, match="No line of this order has the code"):
        async with desk.db.begin() as tx:
            await pick_scanned(tx, code="WRAP", now=desk.clock.now(), **asked)
    await desk.pick(order_id, {1: 2})
    async with desk.db.statement() as tx:
        assert await left_to_pack(tx, **asked) == {1: 2}
    with pytest.raises(Invalid):
        await desk.pack(order_id, {1: 2, 2: 1})


async def test_leaves_with_the_first_package(desk: Desk) -> None:
    order_id = await desk.enter((await desk.variant(), 2), (await desk.virtual(), 1))
    assert await desk.board("to_fulfil") == [order_id]
    await desk.pick(order_id, {1: 2})
    first = await desk.pack(order_id, {1: 1})
    second = await desk.pack(order_id, {1: 1})

    assert await desk.ship(first) == "partially_shipped"
    assert await desk.lines(order_id) == [("partially_shipped", 2, 1), ("shipped", 1, 1)]
    assert await desk.unpick(order_id) == {}
    assert await desk.ship(second) == "shipped"
    assert [package.lines for package in (await desk.read(order_id)).packages] == [{1: 1}, {1: 1}]
    await desk.see(first, "delivered")
    await desk.see(second, "delivered")
    assert await desk.state(order_id) == "completed"
    assert await desk.is_sound()


async def test_does_not_keep_the_goods_from_being_cancelled(desk: Desk) -> None:
    order_id = await desk.enter((await desk.variant(), 2), (await desk.virtual(), 1))
    await desk.work()
    await desk.cancel(order_id)
    await desk.work()

    assert await desk.state(order_id) == "cancelled"
    assert await desk.lines(order_id) == [("cancelled", 0, 0), ("cancelled", 0, 0)]


async def test_is_delivered_when_the_goods_beside_it_are_cancelled(desk: Desk) -> None:
    order_id = await desk.enter((await desk.variant(), 2), (await desk.virtual(), 1))
    async with desk.db.begin() as tx:
        await cancel_line(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            line_no=1,
            reason="out_of_stock",
            now=desk.clock.now(),
        )
    await desk.work()

    assert await desk.state(order_id) == "completed"
    assert await desk.lines(order_id) == [("cancelled", 0, 0), ("shipped", 1, 1)]
    assert await desk.is_sound()


async def test_of_serials_is_mailed_to_the_buyer(desk: Desk) -> None:
    key = await desk.virtual(keys=3)
    order_id = await desk.order(key, quantity=2)
    await desk.work()

    assert await desk.state(order_id) == "completed"
    async with desk.db.statement() as tx:
        sold = await read_sold_serials(tx, shop_id=desk.shop.id, order_id=order_id, box=box())
    assert sold == {1: [f"KEY-{key}-0", f"KEY-{key}-1"]}
    assert await desk.mails() == 1
    assert await desk.level(key) == (1, 0, 1)
    assert await desk.is_sound()


async def test_of_serials_follows_the_first_package(desk: Desk) -> None:
    order_id = await desk.order(await desk.variant(), await desk.virtual(keys=1))
    await desk.work()
    package_id = await desk.ship_all(order_id, {1: 1})
    assert await desk.state(order_id) == "partially_shipped"
    await desk.see(package_id, "delivered")
    await desk.work()

    assert await desk.state(order_id) == "completed"
    assert await desk.mails() == 1
    assert await desk.is_sound()


async def test_of_serials_that_are_gone_waits_with_an_alert_and_delays_no_package(
    desk: Desk,
) -> None:
    key = await desk.virtual(keys=1)
    order_id = await desk.order(await desk.variant(), key)
    async with desk.db.begin() as tx:
        await tx.run(
            "update serials set sold_at = now() where shop_id = %s and variant_id = %s",
            (desk.shop.id, key),
        )
    await desk.ship_all(order_id, {1: 1})
    await desk.work()

    assert await desk.lines(order_id) == [("shipped", 1, 1), ("open", 0, 0)]
    async with desk.db.statement() as tx:
        alerts = await list_alerts(tx, shop_id=desk.shop.id)
    assert [(alert.kind, alert.order_id) for alert in alerts] == [("serials_short", order_id)]
    with pytest.raises(Refused):
        await desk.deliver(order_id)
    async with desk.db.begin() as tx:
        await tx.run(
            "update serials set sold_at = null where shop_id = %s and variant_id = %s",
            (desk.shop.id, key),
        )
    assert await desk.deliver(order_id) == "shipped"
    assert await desk.mails() == 1


@pytest.mark.parametrize("status", ["queued", "sent"])
async def test_is_left_to_the_outside_system_that_has_the_order(desk: Desk, status: str) -> None:
    order_id = await desk.enter((await desk.virtual(), 1))
    await desk.dispatch(order_id, status=status)
    await desk.work()

    assert await desk.lines(order_id) == [("open", 0, 0)]
    with pytest.raises(Refused):
        await desk.deliver(order_id)


async def test_is_delivered_by_staff_where_its_dispatch_failed(desk: Desk) -> None:
    order_id = await desk.enter((await desk.virtual(), 1))
    await desk.dispatch(order_id, status="failed")
    await desk.work()
    assert await desk.state(order_id) == "processing"

    assert await desk.deliver(order_id) == "completed"
    async with desk.db.statement() as tx:
        query = "select status from deliveries where shop_id = %s and kind = 'dispatch'"
        assert await tx.value(query, (desk.shop.id,)) == "withdrawn"


async def test_is_delivered_by_staff_before_the_goods_where_they_want(desk: Desk) -> None:
    order_id = await desk.enter((await desk.variant(), 1), (await desk.virtual(), 1))
    assert await desk.deliver(order_id) == "partially_shipped"
    with pytest.raises(Refused):
        await desk.deliver(order_id)
    await desk.ship_all(order_id, {1: 1})

    assert await desk.state(order_id) == "shipped"
    assert await desk.lines(order_id) == [("shipped", 1, 1), ("shipped", 1, 1)]
    assert await desk.is_sound()


async def test_keeps_what_it_was_when_it_was_ordered(desk: Desk) -> None:
    mug = await desk.variant()
    order_id = await desk.enter((mug, 1))
    async with desk.db.begin() as tx:
        await tx.run("update products set virtual = true where shop_id = %s", (desk.shop.id,))
    await desk.work()

    assert await desk.lines(order_id) == [("open", 0, 0)]
    await desk.ship_all(order_id, {1: 1})
    assert await desk.state(order_id) == "shipped"
    assert await desk.level(mug) == (9, 0, 9)
