"""The invoice of a purchase of stock..."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.events import number_events
from crossdock.shop.invoices import (
    complete_invoice,
    find_payable,
    read_invoice,
    void_invoice,
)
from crossdock.shop.resellers import (
    Invoiced,
    allocate_transfer,
    create_transfer_consumer,
    invoice_transfer,
    mark_transfer_paid,
    revoke_transfer,
)
from crossdock.shop.resellers.following import follow_payment
from tests.support.bought_stock import Bought
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import Reselling


@pytest.fixture
async def bought(database: Database, clock: FrozenClock) -> Bought:
    selling = await Reselling.open(database, clock)
    return await Bought.of(selling, "K-1", "K-2", "K-3", quantity=2)


async def invoice(bought: Bought) -> Invoiced:
    async with bought.selling.database.begin() as tx:
        return await invoice_transfer(
            tx,
            **bought.names,
            transfer_id=bought.id,
            ids=RandomIds(),
            now=bought.selling.clock.now(),
            coin="BITCOIN",
        )


async def change(bought: Bought, act: Any, invoice_id: int) -> None:
    async with bought.selling.database.begin() as tx:
        await act(
            tx,
            shop_id=bought.selling.shop.id,
            invoice_id=invoice_id,
            now=bought.selling.clock.now(),
        )


async def follow(bought: Bought) -> int:
    """Let the consumer read what happened; how much it has read."""
    db = bought.selling.database
    async with db.begin() as tx:
        await number_events(tx, shop_id=bought.selling.shop.id)
    read = 0
    while taken := await run_consumers(
        db, consumers=[create_transfer_consumer()], now=bought.selling.clock.now()
    ):
        read += taken
    return read


async def alerts(bought: Bought) -> list[str]:
    async with bought.selling.database.statement() as tx:
        rows = await tx.all("select kind from alerts where shop_id = %s", (bought.selling.shop.id,))
    return [row[0] for row in rows]


async def test_is_made_once_while_it_can_be_paid(bought: Bought, clock: FrozenClock) -> None:
    first = await invoice(bought)
    again = await invoice(bought)

    assert (first.is_new, again.is_new, first.invoice) == (True, False, again.invoice)
    assert (first.transfer.state, first.transfer.invoice_id) == ("invoiced", first.invoice.id)
    made = first.invoice
    assert (made.total_minor, made.email, made.metadata) == (
        1300, "partner@example.com", {"coin": "BITCOIN"},
    )  # fmt: skip
    assert made.expires_at == clock.now() + timedelta(hours=24)
    async with bought.selling.database.statement() as tx:
        payable = await find_payable(tx, token=made.token, now=clock.now())
    [line] = payable.lines
    assert (made.title, line.purpose) == (f"Stock: {line.name}", "stock_transfer")
    clock.move(timedelta(hours=24))
    later = await invoice(bought)
    assert later.is_new
    await change(bought, void_invoice, later.invoice.id)
    assert (await invoice(bought)).is_new
    assert await bought.balances() == {}


async def test_that_is_paid_allocates_the_goods_once(bought: Bought) -> None:
    made = await invoice(bought)
    await change(bought, complete_invoice, made.invoice.id)
    assert await bought.faults() == []
    await follow(bought)
    await follow(bought)

    found = await bought.read()
    assert (found.state, found.payment_source, found.allocated_count) == ("allocated", "invoice", 2)
    assert await bought.events() == [
        "reseller.stock_requested", "reseller.stock_paid", "reseller.stock_allocated",
    ]  # fmt: skip
    assert await bought.balances() == {"bank": -1300, "sales": 1300}
    with pytest.raises(CrossdockError) as error:
        await invoice(bought)
    assert error.value.code == "reseller_state"
    assert await bought.faults() == []


@pytest.mark.parametrize(
    "point",
    ["pay_transfer:paid", "draw_serials:drawn", "allocate_transfer:moved", "post_stock:posted"],
)
async def test_that_is_followed_again_after_a_break_allocates_nothing_twice(
    bought: Bought, point: str
) -> None:
    made = await invoice(bought)
    await change(bought, complete_invoice, made.invoice.id)
    before = (await bought.read(), await bought.left())

    async def break_off() -> None:
        async with bought.selling.database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (point,))
            await follow_payment(
                tx,
                shop_id=bought.selling.shop.id,
                transfer_id=bought.id,
                now=bought.selling.clock.now(),
            )

    with pytest.raises(psycopg.Error) as broken:
        await break_off()
    assert broken.value.sqlstate == "CD099"
    assert (await bought.read(), await bought.left()) == before
    await follow(bought)
    for _ in range(2):  # the same event again, as after a lost cursor
        async with bought.selling.database.begin() as tx:
            await follow_payment(
                tx,
                shop_id=bought.selling.shop.id,
                transfer_id=bought.id,
                now=bought.selling.clock.now(),
            )
    assert (len(await bought.items()), await bought.left()) == (2, 1)
    assert (await bought.events()).count("reseller.stock_allocated") == 1
    assert await bought.faults() == []


async def test_that_is_paid_where_serials_are_too_few_raises_an_alert(bought: Bought) -> None:
    made = await invoice(bought)
    _, partner = await bought.selling.reseller("other@example.com", credit_minor=10_000)
    await bought.selling.fulfil(partner, bought.licence, quantity=2)
    await change(bought, complete_invoice, made.invoice.id)
    await follow(bought)

    found = await bought.read()
    assert (found.state, found.payment_source, found.allocated_count) == ("paid", "invoice", 0)
    assert await alerts(bought) == ["stock_transfer_short"]
    assert await bought.refused(allocate_transfer) == "stock_limit_exceeded"
    assert await bought.faults() == []


async def test_is_closed_by_marking_the_transfer_as_paid_which_allocates_nothing(
    bought: Bought,
) -> None:
    made = await invoice(bought)
    paid = await bought.do(mark_transfer_paid)
    await follow(bought)

    assert await bought.read() == paid
    assert (paid.state, paid.payment_source, paid.allocated_count) == ("paid", "manual", 0)
    async with bought.selling.database.statement() as tx:
        closed = await read_invoice(tx, shop_id=bought.selling.shop.id, invoice_id=made.invoice.id)
    assert closed.state == "completed"
    assert await bought.balances() == {"bank": -1300, "receivable": 1300}
    assert (await bought.do(allocate_transfer)).state == "allocated"
    assert await bought.faults() == []


async def test_that_is_paid_before_the_transfer_is_marked_stands_as_the_payment(
    bought: Bought,
) -> None:
    made = await invoice(bought)
    await change(bought, complete_invoice, made.invoice.id)
    assert (await bought.do(mark_transfer_paid)).payment_source == "invoice"
    assert await bought.balances() == {"bank": -1300, "receivable": 1300}
    await follow(bought)
    assert (await bought.read()).state == "allocated"
    assert await bought.faults() == []


async def test_is_voided_with_the_transfer(bought: Bought) -> None:
    made = await invoice(bought)
    await bought.do(revoke_transfer)
    with pytest.raises(CrossdockError):
        await change(bought, complete_invoice, made.invoice.id)
    async with bought.selling.database.statement() as tx:
        gone = await read_invoice(tx, shop_id=bought.selling.shop.id, invoice_id=made.invoice.id)
    assert gone.state == "voided"
    assert await bought.balances() == {}


async def test_that_is_paid_as_the_transfer_is_revoked_is_recorded_and_allocates_nothing(
    bought: Bought,
) -> None:
    made = await invoice(bought)
    db = bought.selling.database
    async with db.begin() as tx:
        await complete_invoice(
            tx,
            shop_id=bought.selling.shop.id,
            invoice_id=made.invoice.id,
            now=bought.selling.clock.now(),
        )
        revoking = asyncio.create_task(bought.do(revoke_transfer))
        await waiting_for_a_lock(db, behind=tx)
    gone = await revoking
    await follow(bought)
    assert (gone.state, gone.payment_source, gone.allocated_count) == ("revoked", "invoice", 0)
    assert await bought.read() == gone
    assert (await bought.items(), await bought.left()) == ([], 3)
    assert await bought.balances() == {"bank": -1300, "receivable": 1300}
    assert await bought.faults() == []
