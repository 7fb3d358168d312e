"""A transfer of stock..."""

import asyncio
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.kit.paging import PlacePage
from crossdock.shop.doctor import CHECKS
from crossdock.shop.resellers import (
    SettledTo,
    StockCredit,
    allocate_transfer,
    deliver_item,
    mark_transfer_paid,
    move_reseller,
    revoke_transfer,
    settle_stock_credit,
)
from crossdock.shop.stock import list_movements
from tests.support.bought_stock import MAILING, Bought
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import Reselling


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock)


async def test_is_paid_then_allocated_from_the_oldest_serials(selling: Reselling) -> None:
    bought = await Bought.of(selling, *(f"KEY-{n:03}" for n in range(26)), quantity=25)
    assert await bought.refused(allocate_transfer) == "reseller_state"

    paid = await bought.do(mark_transfer_paid)
    assert (paid.state, paid.payment_source, paid.allocated_count) == ("paid", "manual", 0)
    assert await bought.items() == []
    assert await bought.balances() == {"bank": -16_250, "receivable": 16_250}
    got = await bought.do(allocate_transfer)

    assert (got.state, got.allocated_count, got.delivered_count) == ("allocated", 25, 0)
    items = await bought.items()
    assert [each.serial_preview for each in items] == [f"••••{n:03}" for n in range(25)]
    assert await bought.left() == 1
    assert await bought.balances() == {"bank": -16_250, "sales": 16_250}
    assert await bought.events() == [
        "reseller.stock_requested", "reseller.stock_paid", "reseller.stock_allocated",
    ]  # fmt: skip
    assert await bought.do(mark_transfer_paid) == await bought.do(allocate_transfer) == got
    assert len(await bought.items()) == 25
    assert await bought.faults() == []


async def test_is_a_movement_that_names_it(selling: Reselling) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    for act in (mark_transfer_paid, allocate_transfer, revoke_transfer):
        await bought.do(act)
    async with selling.database.statement() as tx:
        found = await list_movements(
            tx,
            shop_id=selling.shop.id,
            variant_ids=[bought.licence.variant_id],
            page=PlacePage(size=9),
        )
    assert [(each.kind, each.quantity, each.transfer_id) for each in found] == [
        ("restock", 2, bought.id), ("transfer", -2, bought.id), ("restock", 2, None),
    ]  # fmt: skip


async def test_that_ten_allocate_at_once_is_allocated_once(selling: Reselling) -> None:
    bought = await Bought.of(selling, *(f"K-{n}" for n in range(50)), quantity=25)
    await bought.do(mark_transfer_paid)
    async with selling.database.begin() as tx:
        await bought.within(tx, allocate_transfer)
        others = [asyncio.create_task(bought.do(allocate_transfer)) for _ in range(3)]
        await waiting_for_a_lock(selling.database, behind=tx)
    done = await asyncio.gather(*others, *(bought.do(allocate_transfer) for _ in range(6)))

    assert {each.allocated_count for each in done} == {25}
    assert len(await bought.items()) == 25
    assert await bought.left() == 25
    assert (await bought.events()).count("reseller.stock_allocated") == 1
    assert await bought.faults() == []


async def test_that_finds_too_few_serials_stays_paid_and_is_allocated_later(
    selling: Reselling,
) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    await bought.do(mark_transfer_paid)
    _, partner = await selling.reseller("other@example.com", credit_minor=10_000)
    await selling.fulfil(partner, bought.licence)

    assert await bought.refused(allocate_transfer) == "stock_limit_exceeded"
    assert (await bought.items(), await bought.left()) == ([], 1)


async def test_that_is_revoked_gives_back_what_nobody_got(selling: Reselling) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", "K-3", quantity=3)
    async with selling.database.begin() as tx:
        await tx.run("update merchants set commission_bp = 1000 where shop_id = %s",
                     (selling.shop.id,))  # fmt: skip
    await bought.do(mark_transfer_paid)
    await bought.do(allocate_transfer)
    assert await bought.balances() == {"bank": -1950, "commission": 195, "sales": 1755}
    first = (await bought.items())[0]
    await bought.deliver(first.id)

    gone = await bought.do(revoke_transfer)

    assert (gone.state, gone.allocated_count, gone.delivered_count) == ("revoked", 3, 1)
    assert [each.state for each in await bought.items()] == ["delivered", "revoked", "revoked"]
    assert await bought.left() == 2
    assert await bought.balances() == {
        "bank": -1950, "commission": 65, "receivable": 1300, "sales": 585,
    }  # fmt: skip
    assert await bought.do(revoke_transfer) == gone
    assert await bought.refused(mark_transfer_paid) == "reseller_state"
    assert await bought.refused(allocate_transfer) == "reseller_state"
    _, partner = await selling.reseller("other@example.com", credit_minor=10_000)
    assert (await selling.fulfil(partner, bought.licence)).fulfilment.serials == ("K-2",)
    assert await bought.faults() == []


async def test_that_is_revoked_before_it_is_allocated_keeps_the_payment(
    selling: Reselling,
) -> None:
    bought = await Bought.of(selling, "K-1", quantity=1)
    await bought.do(mark_transfer_paid)
    assert (await bought.do(revoke_transfer)).state == "revoked"
    assert await bought.balances() == {"bank": -650, "receivable": 650}
    assert (await bought.items(), await bought.left()) == ([], 1)
    assert await bought.faults() == []


@pytest.mark.parametrize(
    ("act", "point"),
    [
        (mark_transfer_paid, "pay_transfer:paid"),
        (mark_transfer_paid, "post_transfers:entry"),
        (allocate_transfer, "draw_serials:drawn"),
        (allocate_transfer, "allocate_transfer:drawn"),
        (allocate_transfer, "allocate_transfer:moved"),
        (allocate_transfer, "post_transfers:entry"),
        (revoke_transfer, "revoke_transfer:emptied"),
        (revoke_transfer, "return_serials:returned"),
        (revoke_transfer, "post_transfers:entry"),
    ],
)
async def test_that_breaks_off_is_as_before(selling: Reselling, act: Any, point: str) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    steps = [mark_transfer_paid, allocate_transfer, revoke_transfer]
    for step in steps[: steps.index(act)]:
        await bought.do(step)
    before = (await bought.read(), await bought.items(), await bought.left())
    balances, events = await bought.balances(), await bought.events()

    async def break_off() -> None:
        async with selling.database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (point,))
            await bought.within(tx, act)

    with pytest.raises(psycopg.Error) as broken:
        await break_off()
    assert broken.value.sqlstate == "CD099"
    assert (await bought.read(), await bought.items(), await bought.left()) == before
    assert (await bought.balances(), await bought.events()) == (balances, events)
    await bought.do(act)
    assert await bought.faults() == []


async def test_delivers_an_item_to_one_address_once(selling: Reselling) -> None:
    bought = await Bought.of(selling, "SECRET-KEY-1", quantity=1)
    await bought.do(mark_transfer_paid)
    await bought.do(allocate_transfer)
    (item,) = await bought.items()
    assert (item.state, item.serial_preview) == ("available", "••••EY-1")

    done = await bought.deliver(item.id)
    again = await bought.deliver(item.id)

    assert (done.serial, done.item.state, done.item.delivered_to) == (
        "SECRET-KEY-1", "delivered", "c@d.example",
    )  # fmt: skip
    assert again == done
    assert "SECRET" not in repr(done)
    with pytest.raises(CrossdockError) as error:
        await bought.deliver(item.id, "e@f.example")
    assert error.value.code == "reseller_state"
    assert await bought.mails() == 1
    assert (await bought.events()).count("reseller.stock_item_delivered") == 1
    assert (await bought.read()).delivered_count == 1
    async with selling.database.statement() as tx:
        told = await tx.value(
            "select count(*) from events where shop_id = %s and payload::text like '%%SECRET%%'",
            (selling.shop.id,),
        )
    assert told == 0
    assert await bought.faults() == []


async def test_delivers_nothing_of_a_revoked_transfer_or_an_inactive_reseller(
    selling: Reselling,
) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    await bought.do(mark_transfer_paid)
    await bought.do(allocate_transfer)
    first, second = await bought.items()
    await bought.deliver(first.id)
    async with selling.database.begin() as tx:
        await move_reseller(tx, **bought.names, action="suspend", now=selling.clock.now())

    async def refused(item_id: int) -> str:
        with pytest.raises(CrossdockError) as error:
            await bought.deliver(item_id)
        return error.value.code

    assert await refused(second.id) == "reseller_state"
    assert (await bought.deliver(first.id)).serial == "K-1"
    await bought.do(revoke_transfer)
    assert await refused(second.id) == "reseller_state"
    assert await refused(2**40) == "not_found"
    assert await bought.mails() == 1
    assert (await bought.items(state="revoked"))[0].serial_preview == "••••"


async def test_that_is_revoked_while_an_item_is_delivered_leaves_it_delivered(
    selling: Reselling,
) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    await bought.do(mark_transfer_paid)
    await bought.do(allocate_transfer)
    first, _ = await bought.items()
    async with selling.database.begin() as tx:
        await deliver_item(
            tx, **bought.names, item_id=first.id, email="c@d.example", mailing=MAILING,
            now=selling.clock.now(),
        )  # fmt: skip
        revoked = asyncio.create_task(bought.do(revoke_transfer))
        await waiting_for_a_lock(selling.database, behind=tx)
    assert (await revoked).delivered_count == 1
    assert [each.state for each in await bought.items()] == ["delivered", "revoked"]
    assert await bought.left() == 1
    assert await bought.faults() == []


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("resellers have the items that they were given",
         "update reseller_transfers set quantity = 1, allocated_count = 1, total_minor = 650 where shop_id = %s"),
        ("resellers have the items that they were given",
         "update reseller_transfers set delivered_count = 1 where shop_id = %s"),
        ("resellers have the items that they were given",
         "update reseller_transfers set state = 'revoked', revoked_at = now() where shop_id = %s"),
        ("resellers' credit is what they paid and did not get",
         "update reseller_transfers set state = 'revoked', revoked_at = now() where shop_id = %s"),
        ("sold serials have a buyer",
         "update reseller_items set state = 'revoked', serial_id = null where shop_id = %s"),
        ("resellers' credit is what they paid and did not get",
         "update reseller_transfers set unit_minor = 900, total_minor = 1800 where shop_id = %s"),
    ],
)  # fmt: skip
async def test_that_is_not_as_it_says_is_found_by_the_doctor(
    selling: Reselling, check: str, damage: str
) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", quantity=2)
    await bought.do(mark_transfer_paid)
    await bought.do(allocate_transfer)
    query = CHECKS[check]
    async with (
        selling.database.begin() as tx,
        tx.connection.transaction(force_rollback=True),
    ):
        await tx.run(damage, (selling.shop.id,))
        rows = await tx.all(f"{query}")
        found = [row for row in rows if row[3] and f"shop {selling.shop.id} " in row[0]]
    assert found


@pytest.mark.parametrize(("to", "account"), [("balance", "prepaid"), ("payout", "bank")])
async def test_that_is_revoked_leaves_what_a_person_settles_once(
    selling: Reselling, to: SettledTo, account: str
) -> None:
    bought = await Bought.of(selling, "K-1", "K-2", "K-3", quantity=3)

    async def settle(amount_minor: int | None = None, reference: str = "R-1") -> StockCredit:
        async with selling.database.begin() as tx:
            return await settle_stock_credit(
                tx,
                **bought.names,
                to=to,
                reference=reference,
                amount_minor=amount_minor,
                now=selling.clock.now(),
            )

    async def refused(amount_minor: int | None = None, reference: str = "R-1") -> str:
        with pytest.raises(CrossdockError) as error:
            await settle(amount_minor, reference)
        return error.value.code

    await bought.do(mark_transfer_paid)
    assert await refused() == "balance_insufficient"  # the goods are still to come
    await bought.do(allocate_transfer)
    await bought.deliver((await bought.items())[0].id)
    await bought.do(revoke_transfer)
    async with selling.database.statement() as tx:
        kinds = await tx.all("select kind from alerts where shop_id = %s", (selling.shop.id,))
    assert kinds == [("stock_credit_left",)]
    before = await bought.balances()
    assert before["receivable"] == 1300

    for amount_minor, code in (
        (0, "invalid_input"),
        (-1, "invalid_input"),
        (1301, "balance_insufficient"),
    ):
        assert await refused(amount_minor) == code
    assert await bought.balances() == before
    assert await settle(300) == StockCredit(left_minor=1000, settled_minor=300, currency="USD")
    assert await refused(300) == "invalid_input"  # it is repeated
    assert await refused(300, "") == "invalid_input"
    assert await settle(None, "R-2") == StockCredit(
        left_minor=0, settled_minor=1000, currency="USD"
    )
    assert await refused(None, "R-3") == "balance_insufficient"
    after = await bought.balances()
    assert "receivable" not in after
    assert after.get(account, 0) - before.get(account, 0) == 1300
    assert await bought.faults() == []


async def test_that_is_revoked_is_settled_once_by_two_at_once(selling: Reselling) -> None:
    bought = await Bought.of(selling, "K-1", quantity=1)
    await bought.do(mark_transfer_paid)
    await bought.do(revoke_transfer)

    async def settle(reference: str) -> bool:
        try:
            async with selling.database.begin() as tx:
                await settle_stock_credit(
                    tx,
                    **bought.names,
                    to="balance",
                    reference=reference,
                    now=selling.clock.now(),
                )
        except Refused:
            return False
        return True

    assert sorted(await asyncio.gather(*(settle(f"R-{n}") for n in range(4)))) == [
        False,
        False,
        False,
        True,
    ]
    assert (await bought.balances())["prepaid"] == 650
    assert await bought.faults() == []
