"""Move purchases of stock: paid, allocated, revoked (spec shoppex_reseller 6.9, 8.4).

| from | what happens | to |
|---|---|---|
| requested | it gets an invoice (invoicing.py) | invoiced |
| requested, invoiced | it is paid, here or by its invoice (following.py) | paid |
| paid | serials go to the reseller, the oldest first, all or none | allocated |
| any but revoked | it is revoked | revoked, for ever |

Each of them again changes nothing. What a reseller paid is its credit until the goods are its own; what comes
back by a revocation is its credit again, to be settled by a person (settling.py).
"""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.alerts import raise_alert
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers.invoicing import close_invoice, drop_invoice
from crossdock.shop.resellers.purchasing import (
    StockTransfer,
    credit_of,
    lock,
    not_now,
    read_transfer,
)
from crossdock.shop.resellers.settling import read_stock_credit


async def mark_transfer_paid(
    tx: Transaction, *, shop_id: int, reseller_id: int, transfer_id: int, now: datetime
) -> StockTransfer:
    """Record that the money has come in outside of the checkout; nothing is allocated by it.

    An invoice that is open is completed by hand; one that was paid a moment ago stands as the payment. Raises
    NotFound `not_found`, Conflict `reseller_state` for a revoked one, or while its invoice is being paid.
    """
    transfer = await lock(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id)
    if transfer.state == "revoked":
        raise not_now(transfer)
    if transfer.state in ("paid", "allocated"):
        return transfer
    invoice = await close_invoice(tx, transfer=transfer, now=now)
    source = "invoice" if invoice == "paid" else "manual"
    await tx.run("select pay_transfer(%s, %s, %s, %s)", (shop_id, transfer_id, source, now))
    if invoice == "none":
        await _post_payment(tx, transfer=transfer, now=now)
    return await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
    )


async def allocate_transfer(
    tx: Transaction, *, shop_id: int, reseller_id: int, transfer_id: int, now: datetime
) -> StockTransfer:
    """Give the reseller its serials, the oldest of the pool; one that is allocated stays as it is.

    Raises NotFound `not_found`, Conflict `reseller_state` unless it is paid, Refused
    `stock_limit_exceeded` where the pool has fewer; it stays paid then.
    """
    transfer = await lock(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id)
    if transfer.state == "allocated":
        return transfer
    if transfer.state != "paid":
        raise not_now(transfer)
    if not await tx.value("select allocate_transfer(%s, %s, %s)", (shop_id, transfer_id, now)):
        raise Refused("stock_limit_exceeded", data={"transfer_id": transfer_id})
    return await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
    )


async def revoke_transfer(
    tx: Transaction, *, shop_id: int, reseller_id: int, transfer_id: int, now: datetime
) -> StockTransfer:
    """Revoke a transfer: serials that nobody has got return to the pool, delivered ones stay with their buyers.

    Its open invoice is voided. Nothing is refunded: an alert says that something is left to be settled. Raises
    NotFound `not_found`.
    """
    transfer = await lock(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id)
    if transfer.state == "revoked":
        return transfer
    if transfer.paid_at is None and await drop_invoice(tx, transfer=transfer, now=now):
        await tx.run("select pay_transfer(%s, %s, 'invoice', %s)", (shop_id, transfer_id, now))
    await tx.run("select revoke_transfer(%s, %s, %s)", (shop_id, transfer_id, now))
    await _tell_of_credit(tx, shop_id=shop_id, reseller_id=reseller_id, now=now)
    return await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
    )


async def _tell_of_credit(
    tx: Transaction, *, shop_id: int, reseller_id: int, now: datetime
) -> None:
    credit = await read_stock_credit(tx, shop_id=shop_id, reseller_id=reseller_id)
    if credit.left_minor:
        await raise_alert(
            tx,
            shop_id=shop_id,
            kind="stock_credit_left",
            message=f"Reseller {reseller_id} paid for stock that was revoked; settle what is left of that.",
            subject=f"reseller:{reseller_id}",
            now=now,
        )


async def _post_payment(tx: Transaction, *, transfer: StockTransfer, now: datetime) -> None:
    payment = Transfer(
        debit=Account("bank"),
        credit=credit_of(transfer.reseller_id),
        amount_minor=transfer.total_minor,
        currency=transfer.currency,
        kind="stock_payment",
        reason=f"stock transfer {transfer.id}",
    )
    await post_transfers(tx, shop_id=transfer.shop_id, transfers=[payment], now=now)
