"""Purchases of stock and their invoices: made, closed, voided (spec shoppex_reseller 6.9, 8.4).

An invoice is paid as any other, and its money is the reseller's credit at once; what follows for the purchase
is in following.py.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Refused
from crossdock.kit.ids import Ids
from crossdock.shop.invoices import (
    STOCK_TITLE,
    Invoice,
    complete_invoice,
    create_invoice,
    read_invoice,
    void_invoice,
)
from crossdock.shop.resellers.purchasing import (
    StockTransfer,
    credit_of,
    lock,
    not_now,
    read_transfer,
)
from crossdock.shop.resellers.reading import read_reseller

PURPOSE: Final = "stock_transfer"
OPEN_FOR: Final = timedelta(hours=24)


class Invoiced(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer with its invoice; `is_new`: it was made now."""

    transfer: StockTransfer
    invoice: Invoice
    is_new: bool


async def invoice_transfer(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    transfer_id: int,
    ids: Ids,
    now: datetime,
    coin: str = "",
) -> Invoiced:
    """The invoice of a transfer that is not paid yet: the one that there is, or a new one after one that was voided.

    A new one can be paid for OPEN_FOR; `coin` is kept with it as what the reseller would like to pay with.
    Raises NotFound `not_found`, Conflict `reseller_state` for a transfer that is paid or revoked.
    """
    transfer = await lock(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id)
    if transfer.state not in ("requested", "invoiced"):
        raise not_now(transfer)
    invoice = await _read(tx, transfer=transfer)
    if invoice is not None and await _is_good(tx, invoice=invoice, now=now):
        return Invoiced(transfer=transfer, invoice=invoice, is_new=False)
    reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)
    invoice = await create_invoice(
        tx,
        shop_id=shop_id,
        purpose=PURPOSE,
        subject_id=transfer_id,
        title=f"{STOCK_TITLE}{transfer.product_name}",
        quantity=transfer.quantity,
        unit_minor=transfer.unit_minor,
        currency=transfer.currency,
        email=reseller.email,
        expires_at=now + OPEN_FOR,
        ids=ids,
        now=now,
        proceeds=credit_of(reseller_id),
        metadata={"coin": coin} if coin else None,
    )
    await tx.run(
        "update reseller_transfers set state = 'invoiced', invoice_id = %s, updated_at = %s,"
        " invoiced_at = coalesce(invoiced_at, %s) where shop_id = %s and id = %s",
        (invoice.id, now, now, shop_id, transfer_id),
    )
    transfer = await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
    )
    return Invoiced(transfer=transfer, invoice=invoice, is_new=True)


async def close_invoice(
    tx: Transaction, *, transfer: StockTransfer, now: datetime
) -> Literal["none", "paid", "closed"]:
    """Complete the invoice of a locked transfer whose money came in elsewhere.

    `paid`: it was paid already, and `none`: there is none that asks for anything. Raises Conflict
    `reseller_state` while a card is being charged for it.
    """
    invoice = await _read(tx, transfer=transfer)
    if invoice is None or invoice.state == "voided":
        return "none"
    if invoice.paid_at is not None:
        return "paid"
    if invoice.state == "confirming":
        raise Conflict("reseller_state", "The invoice is being paid.", {"status": transfer.state})
    if not await _is_good(tx, invoice=invoice, now=now):
        return "none"
    await complete_invoice(
        tx,
        shop_id=transfer.shop_id,
        invoice_id=invoice.id,
        note="The stock transfer was marked as paid.",
        now=now,
    )
    return "closed"


async def drop_invoice(tx: Transaction, *, transfer: StockTransfer, now: datetime) -> bool:
    """Void the invoice of a locked transfer that is not paid; whether it was paid already."""
    invoice = await _read(tx, transfer=transfer)
    if invoice is None:
        return False
    if invoice.paid_at is not None:
        return True
    try:
        await void_invoice(tx, shop_id=transfer.shop_id, invoice_id=invoice.id, now=now)
    except Refused:  # it was paid since it was read, and is locked now
        return True
    return False


async def _read(tx: Transaction, *, transfer: StockTransfer) -> Invoice | None:
    if transfer.invoice_id is None:
        return None
    return await read_invoice(tx, shop_id=transfer.shop_id, invoice_id=transfer.invoice_id)


async def _is_good(tx: Transaction, *, invoice: Invoice, now: datetime) -> bool:
    """Whether it can be paid, or was; one that has run out is voided, in case nobody has done it yet."""
    if invoice.state == "pending" and not invoice.is_open(now=now):
        invoice = await void_invoice(
            tx, shop_id=invoice.shop_id, invoice_id=invoice.id, now=now, reason="expired"
        )
    return invoice.state != "voided"
