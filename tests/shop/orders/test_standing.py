"""How far a line of an order is..."""

from datetime import timedelta
from typing import Any

from crossdock.shop.events import DispatchAttemptFailed, DispatchSent, Payload, write_event
from crossdock.shop.orders import LineProgress, Route, Section, place, progress_of, read_order
from tests.conftest import NOON
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_merchant
from tests.support.warehousing import Warehouse

SECTIONS: tuple[Section, ...] = ("lines", "parts", "timeline")


async def _progress(warehouse: Warehouse, order_id: int) -> tuple[LineProgress, ...]:
    async with warehouse.db.statement() as tx:
        order = await read_order(tx, order_id=order_id, sections=SECTIONS)
    return progress_of(order)


async def _histories(warehouse: Warehouse, order_id: int) -> list[tuple[str, ...]]:
    return [line.history for line in await _progress(warehouse, order_id)]


async def _tell(warehouse: Warehouse, order_id: int, *events: Payload) -> None:
    async with warehouse.db.begin() as tx:
        for event in events:
            await write_event(
                tx, shop_id=warehouse.shop.id, event=event, subject_id=order_id, now=NOON
            )


def _failed(connector: str, *, final: bool) -> DispatchAttemptFailed:
    retry_in_s = None if final else 5
    return DispatchAttemptFailed(
        connector=connector, attempt=1, error="no", final=final, retry_in_s=retry_in_s
    )


async def test_follows_the_work_of_the_warehouse_on_that_line_alone(warehouse: Warehouse) -> None:
    first, second = await warehouse.variant(), await warehouse.variant()
    order_id = await warehouse.enter((first, 2), (second, 1))
    assert await _histories(warehouse, order_id) == [("placed",), ("placed",)]

    await warehouse.start(order_id)
    assert await _histories(warehouse, order_id) == [("placed",), ("placed",)]
    await warehouse.pick(order_id, {1: 1})
    await warehouse.unpick(order_id, {1: 1})
    await warehouse.pick(order_id, {1: 1})
    began = ("placed", "in_progress", "placed", "in_progress")
    assert await _histories(warehouse, order_id) == [began, ("placed",)]

    await warehouse.ship(await warehouse.pack(order_id, {1: 1}))
    await warehouse.pick(order_id, {1: 1, 2: 1})
    await warehouse.ship(await warehouse.pack(order_id, {1: 1, 2: 1}))
    assert await _histories(warehouse, order_id) == [
        (*began, "done"),
        ("placed", "in_progress", "done"),
    ]

    return_id = await warehouse.announce(order_id, {2: 1})
    await warehouse.take_in(return_id, {2: 1})
    assert [line.standing for line in await _progress(warehouse, order_id)] == ["done", "returned"]


async def test_is_over_when_the_order_is_cancelled(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))

    await warehouse.cancel(order_id)

    assert await _histories(warehouse, order_id) == [("placed", "cancelled")]


async def test_is_what_the_connector_of_its_own_merchant_says(warehouse: Warehouse) -> None:
    async with warehouse.db.begin() as tx:
        second = await make_merchant(tx, shop_id=warehouse.shop.id)
        for name, kind in (("house", "webhook"), ("theirs", "webhook")):
            await tx.run(
                "insert into connectors (shop_id, name, kind) values (%s, %s, %s)",
                (warehouse.shop.id, name, kind),
            )
    one, two = await warehouse.variant(), await warehouse.variant(merchant_id=second)
    values: dict[str, Any] = {
        "routes": {
            warehouse.shop.merchant_id: Route(name="house", kind="webhook"),
            second: Route(name="theirs", kind="webhook"),
        }
    }
    lines = (
        line_of(one, shop=warehouse.shop),
        line_of(two, shop=warehouse.shop, merchant_id=second),
    )
    async with warehouse.db.begin() as tx:
        draft = draft_of(*lines, shop=warehouse.shop, **values)
        order_id = (await place(tx, draft=draft, now=NOON)).id

    await _tell(warehouse, order_id, DispatchSent(connector="theirs", external_id="SO-9"))
    await _tell(warehouse, order_id, _failed("house", final=False))
    found = await _progress(warehouse, order_id)
    assert [(line.history, line.external_id) for line in found] == [
        (("placed",), ""),
        (("placed", "handed_over"), "SO-9"),
    ]

    await _tell(warehouse, order_id, _failed("house", final=True))
    assert await _histories(warehouse, order_id) == [
        ("placed", "stuck"),
        ("placed", "handed_over"),
    ]

    # Sent again by hand; "manual" says that nobody outside has it.
    await _tell(warehouse, order_id, DispatchSent(connector="house", external_id="SO-1"))
    await _tell(warehouse, order_id, DispatchSent(connector="theirs", external_id="manual"))
    found = await _progress(warehouse, order_id)
    assert [(line.history, line.external_id) for line in found] == [
        (("placed", "stuck", "handed_over"), "SO-1"),
        (("placed", "handed_over"), "SO-9"),
    ]


async def test_is_told_up_to_a_number_of_the_feed(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    async with warehouse.db.begin() as tx:
        await tx.run("select number_events(%s)", (warehouse.shop.id,))
        last = await tx.value("select last_sequence from shops where id = %s", (warehouse.shop.id,))
    warehouse.clock.move(timedelta(hours=1))
    await warehouse.cancel(order_id)

    async with warehouse.db.statement() as tx:
        order = await read_order(tx, order_id=order_id, sections=SECTIONS)

    assert [line.history for line in progress_of(order, upto=last)] == [("placed",)]
    assert [line.history for line in progress_of(order)] == [("placed", "cancelled")]
