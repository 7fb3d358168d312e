"""Make, complete, void and expire invoices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import Refused
from crossdock.kit.ids import Ids
from crossdock.shop.alerts import isolated
from crossdock.shop.invoices.model import (
    Invoice,
    Purpose,
    VoidReason,
    lock_invoice,
    read_invoice,
)
from crossdock.shop.ledger import Account
from crossdock.shop.payments import record_transfer

TOKEN_LENGTH = 32
SALES = Account("sales", "invoices")
"""What an invoice is credited to if its maker names nothing else."""


async def create_invoice(
    tx: Transaction,
    *,
    shop_id: int,
    purpose: Purpose,
    subject_id: int | None,
    title: str,
    quantity: int,
    unit_minor: int,
    currency: str,
    email: str,
    expires_at: datetime | None,
    ids: Ids,
    now: datetime,
    proceeds: Account = SALES,
    return_url: str = "",
    cancel_url: str = "",
    metadata: Mapping[str, Any] | None = None,
    is_test: bool = False,
) -> Invoice:
    """Make a pending invoice; writes `invoice.created`.

    `proceeds` is credited with the total in the transaction that completes the invoice, whoever does, and
    once: a prepaid balance that is topped up needs nothing else. Nothing is posted before. Its makers
    see to it that there is one for a subject.
    """
    draft = {
        "token": ids.random_token(TOKEN_LENGTH),
        "purpose": purpose,
        "subject_id": subject_id,
        "title": title,
        "quantity": quantity,
        "unit_minor": unit_minor,
        "currency": currency,
        "email": email,
        "proceeds_kind": proceeds.kind,
        "proceeds_owner": proceeds.owner,
        "return_url": return_url,
        "cancel_url": cancel_url,
        "metadata": dict(metadata or {}),
        "is_test": is_test,
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    invoice_id = await tx.value("select create_invoice(%s, %s, %s)", (shop_id, Jsonb(draft), now))
    return await read_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)


async def complete_invoice(
    tx: Transaction, *, shop_id: int, invoice_id: int, now: datetime, note: str = ""
) -> Invoice:
    """Complete the invoice by hand: its money has come in outside, and is recorded as a transfer.

    It credits the proceeds and writes `invoice.paid`, once. Raises NotFound `not_found`, and Refused
    `invoice_state` for one that is completed or voided, has run out, or whose card is being charged.
    """
    invoice = await lock_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)
    if not invoice.is_open(now=now):
        raise Refused("invoice_state", data={"state": invoice.state})
    payment_id = None
    if invoice.total_minor:
        payment = await record_transfer(
            tx,
            shop_id=shop_id,
            invoice_id=invoice_id,
            payer=payer_of(invoice_id),
            amount_minor=invoice.total_minor,
            currency=invoice.currency,
            reference=f"invoice-{invoice_id}",
            now=now,
        )
        payment_id = payment.id
    await tx.run(
        "select complete_invoice(%s, %s, %s, %s, true, %s)",
        (shop_id, invoice_id, payment_id, note, now),
    )
    return await read_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)


async def void_invoice(
    tx: Transaction,
    *,
    shop_id: int,
    invoice_id: int,
    now: datetime,
    reason: VoidReason = "by_hand",
) -> Invoice:
    """Void the invoice; one that is voided stays as it is. Writes `invoice.voided`.

    A card that is authorised for it is let go of. What a provider has captured by then is recorded, an alert
    tells of it, and nothing follows. With the reason `expired` one that is being paid, or has not run out, stays
    as it is. Raises NotFound `not_found`, Refused `invoice_state` for one that was paid.
    """
    invoice = await lock_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)
    if invoice.state == "voided":
        return invoice
    if reason == "expired" and (invoice.state == "confirming" or invoice.is_open(now=now)):
        return invoice  # somebody pays it, or it was read before it was changed
    if invoice.state not in ("pending", "confirming"):
        raise Refused("invoice_state", data={"state": invoice.state})
    await tx.run("select void_invoice(%s, %s, %s, %s)", (shop_id, invoice_id, reason, now))
    return await read_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)


async def expire_invoices(db: Database, *, now: datetime) -> int:
    """Void the pending invoices that have run out, each in a transaction of its own; returns how many.

    One that somebody works on is left for the next run; one that fails raises an alert and keeps no other from
    being voided. Safe to run concurrently.
    """
    count = 0
    async for _, shop_id, invoice_id in walk_due(db, _DUE, values={"now": now}):
        async with isolated(
            db, job="expire_invoices", shop_id=shop_id, about=f"invoice {invoice_id}", now=now
        ):
            async with db.statement() as tx:
                voided = await tx.value(
                    "select expire_invoice(%s, %s, %s)", (shop_id, invoice_id, now)
                )
            count += voided
    return count


_DUE = """
    select i.expires_at, i.shop_id, i.id from invoices i
    where i.state = 'pending' and i.expires_at <= %(now)s
      and i.expires_at >= %(at)s and (i.expires_at, i.shop_id, i.id) > (%(at)s, %(shop)s, %(id)s)
    order by i.expires_at, i.shop_id, i.id limit %(limit)s
"""


def payer_of(invoice_id: int) -> str:
    """The owner of the receivable that the invoice's payments are credited to; as in moving.sql."""
    return f"invoice:{invoice_id}"
