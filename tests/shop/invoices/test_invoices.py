"""An invoice..."""

import asyncio
from datetime import timedelta
from typing import Any, get_args

import psycopg
import pytest

from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.shop.alerts import list_alerts
from crossdock.shop.invoices import (
    MOVES,
    Invoice,
    InvoiceState,
    complete_invoice,
    expire_invoices,
    find_invoice,
    read_invoices,
    refund_invoice,
    settle_every_payment,
    void_invoice,
)
from crossdock.shop.ledger import Account
from crossdock.shop.orders import ORDER_FOLLOWS, settle_order_payments
from tests.support.invoicing import DAY, Invoicing
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import DECLINED, LOST_CAPTURE, LOST_QUESTION, REFUSED_CAPTURE

STATES: tuple[str, ...] = get_args(InvoiceState)


async def _alerts(desk: Invoicing) -> list[str]:
    async with desk.db.statement() as tx:
        return [alert.kind for alert in await list_alerts(tx, shop_id=desk.shop.id)]


async def _written(desk: Invoicing, invoice: Invoice) -> Any:
    """All that an operation on an invoice might write."""
    return (
        await desk.read(invoice),
        await desk.events(invoice),
        await desk.balances(),
        await desk.payments(),
    )


async def test_asks_for_its_units_and_posts_nothing(desk: Invoicing) -> None:
    invoice = await desk.create(
        subject_id=7, metadata={"cart": "c-1"}, return_url="https://shop.example/thanks"
    )

    assert (invoice.state, invoice.total_minor, invoice.currency) == ("pending", 2500, "EUR")
    assert (len(invoice.token), invoice.metadata, invoice.provider) == (32, {"cart": "c-1"}, "")
    assert invoice.token not in repr(invoice)
    assert await desk.read(invoice) == invoice
    assert await desk.events(invoice) == ["invoice.created"]
    assert await desk.balances() == {}


async def test_is_completed_by_hand_with_the_money_on_the_bank(desk: Invoicing) -> None:
    invoice = await desk.create()
    desk.clock.move(timedelta(hours=1))

    done = await desk.complete(invoice, note="cash")

    assert (done.state, done.paid_at, done.provider, done.note) == (
        "completed",
        desk.clock.now(),
        "transfer",
        "cash",
    )
    assert await desk.events(invoice) == ["invoice.created", "invoice.paid"]
    assert await desk.balances() == {
        "bank EUR": -2500,
        f"receivable invoice:{invoice.id} EUR": 0,
        "sales invoices EUR": 2500,
    }
    assert await desk.faults() == []


async def test_credits_the_account_that_its_maker_chose(desk: Invoicing) -> None:
    invoice = await desk.create(purpose="top_up", proceeds=Account("prepaid", "reseller:9"))
    await desk.pay(invoice)

    assert await desk.balances() == {
        "clearing sandbox EUR": -2500,
        "prepaid reseller:9 EUR": 2500,
        f"receivable invoice:{invoice.id} EUR": 0,
    }
    with pytest.raises(Refused, match="invoice_state"):
        await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)
    assert await desk.payments() == [("captured", 2500, 0)]


async def test_of_nothing_is_completed_without_a_payment(desk: Invoicing) -> None:
    invoice = await desk.create(unit_minor=0)
    with pytest.raises(Refused, match="invoice_state"):
        await desk.pay(invoice)
    done = await desk.complete(invoice)

    assert (done.state, done.payment_id) == ("completed", None)
    assert (await desk.payments(), await desk.balances()) == ([], {})
    assert await desk.faults() == []


async def test_is_paid_by_card_and_refunded_in_parts(desk: Invoicing) -> None:
    invoice = await desk.create()

    paid = await desk.pay(invoice)
    part = await refund_invoice(
        desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id, amount_minor=500
    )
    whole = await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)

    assert (paid.state, paid.provider) == ("completed", "sandbox")
    assert (part.state, whole.state) == ("partially_refunded", "refunded")
    assert await desk.events(invoice) == [
        "invoice.created",
        "invoice.paid",
        "invoice.refunded",
        "invoice.refunded",
    ]
    assert await desk.balances() == {
        "clearing sandbox EUR": 0,
        f"receivable invoice:{invoice.id} EUR": 0,
        "refunds EUR": -2500,
        "sales invoices EUR": 2500,
    }
    with pytest.raises(Refused, match="invoice_state"):
        await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)
    assert await desk.faults() == []


@pytest.mark.parametrize(
    ("amount", "code"), [(0, "invalid_input"), (2501, "refund_exceeds_capture")]
)
async def test_refunds_no_amount_that_is_none(desk: Invoicing, amount: int, code: str) -> None:
    invoice = await desk.create()
    await desk.pay(invoice)
    with pytest.raises((Invalid, Refused), match=code):
        await refund_invoice(
            desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id, amount_minor=amount
        )
    assert await desk.payments() == [("captured", 2500, 0)]


async def test_that_was_not_paid_is_not_refunded(desk: Invoicing) -> None:
    invoice = await desk.create()
    with pytest.raises(Refused, match="invoice_state"):
        await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)


async def test_stays_open_after_a_declined_card(desk: Invoicing) -> None:
    invoice = await desk.create()
    with pytest.raises(Refused) as refused:
        await desk.pay(invoice, number=DECLINED)
    assert (refused.value.code, refused.value.data["reason"]) == (
        "payment_declined",
        "card_declined",
    )
    assert await desk.read(invoice) == invoice
    assert (await desk.pay(invoice)).state == "completed"


async def test_is_open_again_after_a_refused_capture_and_lets_go_of_the_card(
    desk: Invoicing,
) -> None:
    invoice = await desk.create()
    with pytest.raises(Refused, match="payment_declined"):
        await desk.pay(invoice, number=REFUSED_CAPTURE)
    found = await desk.read(invoice)
    assert (found.state, found.payment_id) == ("pending", None)
    assert await desk.payments() == [("voided", 0, 0)]
    assert (await desk.pay(invoice)).state == "completed"
    assert await desk.faults() == []


@pytest.mark.parametrize("is_void", [False, True])
async def test_whose_capture_has_no_answer_is_completed_when_it_is_looked_up(
    desk: Invoicing, is_void: bool
) -> None:
    invoice = await desk.create()
    assert (await desk.pay(invoice, number=LOST_CAPTURE)).state == "confirming"
    with pytest.raises(Refused, match="invoice_state"):
        await desk.complete(invoice)
    if is_void:
        await desk.void(invoice)
    desk.clock.move(timedelta(minutes=2))
    await settle_every_payment(desk.paying)

    found = await desk.read(invoice)
    assert await desk.payments() == [("captured", 2500, 0)]
    if not is_void:
        assert (found.state, found.paid_late_at) == ("completed", None)
        return
    # Paid after it was voided: recorded and told, and nothing follows.
    assert (found.state, found.paid_at, found.paid_late_at) == ("voided", None, desk.clock.now())
    assert await desk.events(invoice) == ["invoice.created", "invoice.voided"]
    assert await _alerts(desk) == ["invoice_paid_late"]
    owed = {
        "clearing sandbox EUR": -2500,
        f"receivable invoice:{invoice.id} EUR": 2500,
    }
    assert await desk.balances() == owed
    await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)
    assert set((await desk.balances()).values()) == {0}
    assert await desk.faults() == []


async def test_whose_authorisation_has_no_answer_stays_open(desk: Invoicing) -> None:
    invoice = await desk.create()
    with pytest.raises(CrossdockError, match="payment_unsettled"):
        await desk.pay(invoice, number=LOST_QUESTION)
    assert await desk.read(invoice) == invoice


@pytest.mark.parametrize("end", ["complete", "void", "expire", "late"])
async def test_that_is_over_is_neither_paid_nor_completed(desk: Invoicing, end: str) -> None:
    invoice = await desk.create()
    if end == "complete":
        await desk.complete(invoice)
    elif end == "void":
        assert (await desk.void(invoice)).void_reason == "by_hand"
    else:
        desk.clock.move(DAY)
    if end == "expire":
        await expire_invoices(desk.db, now=desk.clock.now())
        assert (await desk.read(invoice)).void_reason == "expired"
    before = await _written(desk, invoice)

    for act in (desk.complete, desk.pay):
        with pytest.raises(Refused, match="invoice_state"):
            await act(invoice)
    assert await _written(desk, invoice) == before


async def test_is_voided_once_and_not_once_it_is_paid(desk: Invoicing) -> None:
    invoice, paid = await desk.create(), await desk.create()
    first = await desk.void(invoice)
    desk.clock.move(timedelta(minutes=1))
    assert await desk.void(invoice) == first
    assert await desk.events(invoice) == ["invoice.created", "invoice.voided"]
    await desk.complete(paid)
    before = await _written(desk, paid)
    with pytest.raises(Refused, match="invoice_state"):
        await desk.void(paid)
    assert await _written(desk, paid) == before


async def test_that_cannot_be_voided_keeps_no_other_from_it(desk: Invoicing) -> None:
    invoices = [await desk.create() for _ in range(3)]
    stuck = invoices[0]
    desk.clock.move(DAY)
    async with desk.db.begin() as tx:
        await tx.run(
            "create function refuse_void() returns trigger language plpgsql as"
            " $$ begin raise exception 'no'; end $$"
        )
        await tx.run(
            f"create trigger refuse_void before update on invoices for each row"
            f" when (old.id = {stuck.id}) execute function refuse_void()"
        )
    try:
        await expire_invoices(desk.db, now=desk.clock.now())
    finally:
        async with desk.db.begin() as tx:
            await tx.run("drop trigger refuse_void on invoices")
            await tx.run("drop function refuse_void")
    states = [(await desk.read(each)).state for each in invoices]
    assert states == ["pending", "voided", "voided"]
    async with desk.db.statement() as tx:
        alerts = await tx.all(
            "select kind, subject from alerts where shop_id = %s", (desk.shop.id,)
        )
    assert alerts == [("job_failed", f"expire_invoices invoice {stuck.id}")]
    await expire_invoices(desk.db, now=desk.clock.now())
    assert (await desk.read(stuck)).state == "voided"


async def test_runs_out_at_its_hour_and_not_before(desk: Invoicing) -> None:
    first, second = await desk.create(), await desk.create(expires_at=None)
    desk.clock.move(DAY - timedelta(seconds=1))
    await expire_invoices(desk.db, now=desk.clock.now())
    assert (await desk.read(first)).state == "pending"
    desk.clock.move(timedelta(seconds=1))
    await expire_invoices(desk.db, now=desk.clock.now())
    assert ((await desk.read(first)).state, (await desk.read(second)).state) == (
        "voided",
        "pending",
    )
    assert await desk.events(first) == ["invoice.created", "invoice.voided"]


async def test_is_completed_once_by_ten_at_the_same_time(desk: Invoicing) -> None:
    invoice = await desk.create()

    found = await asyncio.gather(
        *(desk.complete(invoice) for _ in range(5)),
        *(desk.pay(invoice) for _ in range(5)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, Invoice) for each in found) == 1
    refusals = {each.code for each in found if isinstance(each, CrossdockError)}
    assert refusals == {"invoice_state"}
    assert (await desk.events(invoice)).count("invoice.paid") == 1
    await settle_every_payment(desk.paying)
    captured = [each for each in await desk.payments() if each[1]]
    assert captured == [("captured", 2500, 0)]
    assert {state for state, *_ in await desk.payments()} <= {"captured", "voided"}
    assert await desk.faults() == []


async def test_whose_capture_has_no_answer_is_not_settled_as_an_order_s(desk: Invoicing) -> None:
    invoice = await desk.create()
    await desk.pay(invoice, number=LOST_CAPTURE)
    desk.clock.move(timedelta(minutes=2))

    await settle_order_payments(desk.paying, follow=ORDER_FOLLOWS)

    assert (await desk.read(invoice)).state == "confirming"
    assert await desk.payments() == [("authorised", 0, 0)]
    desk.clock.move(timedelta(minutes=2))
    await settle_every_payment(desk.paying)
    assert (await desk.read(invoice)).state == "completed"
    assert await desk.payments() == [("captured", 2500, 0)]


@pytest.mark.parametrize("first", ["void", "pay"])
async def test_that_is_voided_while_somebody_pays_has_one_winner(
    desk: Invoicing, first: str
) -> None:
    invoice = await desk.create()
    async with desk.db.begin() as tx:
        await tx.run("select 1 from invoices where id = %s for update", (invoice.id,))
        acts = {"void": desk.void, "pay": desk.pay}
        one = asyncio.create_task(acts.pop(first)(invoice))
        await waiting_for_a_lock(desk.db, behind=tx)
        other = asyncio.create_task(next(iter(acts.values()))(invoice))
        await waiting_for_a_lock(desk.db, behind=tx, count=2)
    await asyncio.gather(one, other, return_exceptions=True)

    await settle_every_payment(desk.paying)
    found = await desk.read(invoice)
    assert found.state in ("completed", "voided")
    if found.state == "completed":
        assert await desk.payments() == [("captured", 2500, 0)]
    elif found.paid_late_at is None:
        assert await desk.payments() == [("voided", 0, 0)]
        assert await _alerts(desk) == []
    else:
        assert await _alerts(desk) == ["invoice_paid_late"]
    if first == "void":
        assert (found.state, found.paid_late_at) == ("voided", None)
    assert await desk.faults() == []


async def test_is_found_by_its_subject_and_by_ids_of_its_shop_alone(desk: Invoicing) -> None:
    first = await desk.create(purpose="stock_transfer", subject_id=5)
    second = await desk.create(purpose="stock_transfer", subject_id=5)
    other = await Invoicing.open(desk.db, desk.clock)
    async with desk.db.statement() as tx:
        subject: dict[str, Any] = {"purpose": "stock_transfer", "subject_id": 5}
        assert await find_invoice(tx, shop_id=desk.shop.id, **subject) == second
        assert await find_invoice(tx, shop_id=other.shop.id, **subject) is None
        ids = [first.id, second.id]
        assert await read_invoices(tx, shop_id=desk.shop.id, invoice_ids=ids) == {
            first.id: first,
            second.id: second,
        }
        assert await read_invoices(tx, shop_id=other.shop.id, invoice_ids=ids) == {}
    for act in (other.read, other.complete, other.void, other.pay):
        with pytest.raises(NotFound, match="not_found"):
            await act(first)
    assert await desk.read(first) == first


@pytest.mark.parametrize("step", ["complete_invoice:moved", "post_transfers:balances"])
async def test_is_completed_as_a_whole_or_not_at_all(desk: Invoicing, step: str) -> None:
    invoice = await desk.create()
    before = await _written(desk, invoice)

    async def complete_and_break() -> None:
        async with desk.db.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (step,))
            await complete_invoice(
                tx, shop_id=desk.shop.id, invoice_id=invoice.id, now=desk.clock.now()
            )

    with pytest.raises(psycopg.Error) as broken:
        await complete_and_break()
    assert broken.value.sqlstate == "CD099"
    assert await _written(desk, invoice) == before


async def test_makes_the_listed_moves_and_no_other(desk: Invoicing) -> None:
    async with desk.db.statement() as tx:
        rows = await tx.all("select from_state, to_state from invoice_moves")
    assert set(rows) == MOVES
    invoice = await desk.create()
    await desk.complete(invoice)
    for state in STATES:
        if ("completed", state) in MOVES or state == "completed":
            continue
        with pytest.raises(psycopg.Error) as refused:
            async with desk.db.begin() as tx:
                await tx.run("update invoices set state = %s where id = %s", (state, invoice.id))
        assert refused.value.sqlstate == "CD010"


async def test_that_paid_a_resellers_stock_is_not_refunded(desk: Invoicing) -> None:
    invoice = await desk.create(purpose="stock_transfer", subject_id=1)
    await desk.pay(invoice)
    with pytest.raises(Refused, match="invoice_state"):
        await refund_invoice(desk.paying, shop_id=desk.shop.id, invoice_id=invoice.id)
    assert await desk.payments() == [("captured", 2500, 0)]


async def test_that_is_being_paid_or_has_time_left_does_not_run_out(desk: Invoicing) -> None:
    paying, later = await desk.create(), await desk.create()
    assert (await desk.pay(paying, number=LOST_CAPTURE)).state == "confirming"
    for invoice in (paying, later):
        before = await desk.read(invoice)
        async with desk.db.begin() as tx:
            after = await void_invoice(
                tx, shop_id=desk.shop.id, invoice_id=invoice.id, now=desk.clock.now(),
                reason="expired",
            )  # fmt: skip
        assert after == before
