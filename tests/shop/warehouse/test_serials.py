"""Serial numbers..."""

import io

import pytest
import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, NotFound, SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.kit.logging import configure_logging
from crossdock.shop.warehouse import find_serial, read_serials
from tests.support.factories import box
from tests.support.warehousing import Warehouse


@pytest.fixture
async def order_id(warehouse: Warehouse) -> int:
    """Three of one good picked, and one of another."""
    good, other = await warehouse.variant(own=5), await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), (other, 1))
    await warehouse.pick(order_id, {1: 3, 2: 1})
    return order_id


async def test_are_read_with_their_line_in_the_order_they_were_noted(
    warehouse: Warehouse, order_id: int
) -> None:
    await warehouse.scan(order_id, 1, "SN-B", " SN-A ")
    await warehouse.scan(order_id, 2, "東-1")

    noted = await warehouse.serials(order_id)

    assert noted == {1: ["SN-B", "SN-A"], 2: ["東-1"]}


async def test_may_occur_twice(warehouse: Warehouse, order_id: int) -> None:
    await warehouse.scan(order_id, 1, "SAME", "SAME")

    assert (await warehouse.serials(order_id))[1] == ["SAME", "SAME"]


async def test_beyond_what_was_picked_are_refused(warehouse: Warehouse, order_id: int) -> None:
    await warehouse.scan(order_id, 1, "A", "B")
    before = await warehouse.everything()

    with pytest.raises(Invalid) as refusal:
        await warehouse.scan(order_id, 1, "C", "D")

    assert refusal.value.code == "invalid_input"
    assert refusal.value.message == "2 are too many: line 1 has 3 picked, 2 noted."
    assert await warehouse.everything() == before


@pytest.mark.parametrize("serial", ["", "  ", "a\nb", "a\x00b", "x" * 129])
async def test_that_cannot_be_one_are_refused(
    warehouse: Warehouse, order_id: int, serial: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await warehouse.scan(order_id, 1, "GOOD", serial)

    assert serial.strip() == "" or serial not in str(refusal.value)
    assert await warehouse.serials(order_id) == {}


async def test_of_a_line_that_is_not_there_are_refused(warehouse: Warehouse, order_id: int) -> None:
    with pytest.raises(Invalid):
        await warehouse.scan(order_id, 3, "A")


async def test_of_another_shop_look_like_unknown_ones(warehouse: Warehouse, order_id: int) -> None:
    await warehouse.scan(order_id, 1, "SECRET-1")
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.scan(unknown, 1, "A")
        assert refusal.value.code == "order_not_found"
    async with warehouse.db.statement() as tx:
        assert await read_serials(tx, shop_id=other.shop.id, order_id=order_id, box=box()) == {}
        assert await find_serial(tx, shop_id=other.shop.id, serial="SECRET-1", box=box()) == []


async def test_are_found_by_what_they_are(warehouse: Warehouse, order_id: int) -> None:
    await warehouse.scan(order_id, 1, "FIND-ME", "OTHER")
    await warehouse.scan(order_id, 2, "FIND-ME")

    async with warehouse.db.statement() as tx:
        places = await find_serial(tx, shop_id=warehouse.shop.id, serial="FIND-ME", box=box())

    assert places == [(order_id, 1), (order_id, 2)]


async def test_are_sealed_for_their_order_and_their_key(
    database: Database, warehouse: Warehouse, order_id: int
) -> None:
    await warehouse.scan(order_id, 1, "SECRET-SERIAL")
    good = await warehouse.variant(own=5)
    thief = await warehouse.enter((good, 1))
    async with database.begin() as tx:
        row = await tx.one(
            "select sealed, fingerprint from captured_serials where order_id = %s", (order_id,)
        )
        assert row is not None
        assert b"SECRET" not in bytes(row[0])
        assert b"SECRET" not in bytes(row[1])
        with pytest.raises(SealBroken):
            await read_serials(
                tx, shop_id=warehouse.shop.id, order_id=order_id, box=SecretBox(bytes(32))
            )
        await tx.run(
            "update captured_serials set order_id = %s where order_id = %s", (thief, order_id)
        )

    with pytest.raises(SealBroken):
        await warehouse.serials(thief)


async def test_are_in_no_event_no_log_and_no_error(warehouse: Warehouse, order_id: int) -> None:
    logs = io.StringIO()
    configure_logging(level="debug", format="json", stream=logs)
    try:
        await warehouse.scan(order_id, 1, "TELLTALE-1")
        with pytest.raises(CrossdockError) as refusal:
            await warehouse.scan(order_id, 1, "TELLTALE-2", "TELLTALE-3", "TELLTALE-4")
        structlog.get_logger("x").warning("noted", serials=["TELLTALE-5"], serial="TELLTALE-6")
    finally:
        structlog.reset_defaults()

    assert "TELLTALE" not in logs.getvalue()
    assert "TELLTALE" not in repr((refusal.value, refusal.value.data))
    async with warehouse.db.statement() as tx:
        told = await tx.all(
            "select payload::text from events where shop_id = %s", (warehouse.shop.id,)
        )
    assert "TELLTALE" not in str(told)
