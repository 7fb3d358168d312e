"""What follows when the invoice of a purchase of stock is paid: it is paid, and the goods are the reseller's.

Both are one transaction, with the cursor of the events: a crash undoes it, and it is done again, once.
"""

from datetime import datetime
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import Batch, Consumer, InvoicePaid
from crossdock.shop.resellers.invoicing import PURPOSE

CONSUMER: Final = "stock_transfers"


def create_transfer_consumer() -> Consumer:
    """The consumer of paid invoices."""
    return Consumer(name=CONSUMER, topics=("money",), take=_take)


async def _take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
    """Follow the first invoice of the batch; the others are for transactions of their own."""
    for event in batch.events:
        if event.kind != InvoicePaid.kind:
            continue
        paid = event.decode()
        assert isinstance(paid, InvoicePaid)
        if paid.purpose == PURPOSE and paid.subject_id is not None:
            await follow_payment(tx, shop_id=batch.shop_id, transfer_id=paid.subject_id, now=now)
            return event.sequence
    return None


async def follow_payment(tx: Transaction, *, shop_id: int, transfer_id: int, now: datetime) -> None:
    """Record that a transfer's invoice was paid, and allocate it unless it was marked as paid or revoked before.

    Where the pool has too few serials it stays paid, and the alert `stock_transfer_short` tells a person.
    """
    row = await tx.one(
        "select reseller_id, paid_at from reseller_transfers where shop_id = %s and id = %s"
        " for no key update",
        (shop_id, transfer_id),
    )
    if row is None:
        return
    reseller_id, paid_at = row
    if paid_at is None:
        await tx.run("select pay_transfer(%s, %s, 'invoice', %s)", (shop_id, transfer_id, now))
    is_due = await tx.value(
        "select state = 'paid' and payment_source = 'invoice' from reseller_transfers"
        " where shop_id = %s and id = %s",
        (shop_id, transfer_id),
    )
    if not is_due:
        return
    if await tx.value("select allocate_transfer(%s, %s, %s)", (shop_id, transfer_id, now)):
        return
    again = f"crossdock reseller transfers allocate {reseller_id} {transfer_id}"
    await raise_alert(
        tx,
        shop_id=shop_id,
        kind="stock_transfer_short",
        message=f"Stock transfer {transfer_id} is paid, and too few serials are left for it; add some, then: {again}",
        subject=f"transfer:{transfer_id}",
        now=now,
    )
