"""Move purchases of stock: paid, allocated, revoked (spec shoppex_reseller 6.9, 8.4).

| from | what happens | to |
|---|---|---|
| requested | it gets an invoice (invoicing.py) | invoiced |
| requested, invoiced | it is paid, here or by its invoice (following.py) | paid |
| paid | serials go to the reseller, the oldest first, all or none | allocated |
| any but revoked | it is revoked | revoked, for ever |

Each of them again changes nothing. What a reseller paid is its credit until the goods are its own; what comes
back by a revocation is its credit again, to be given back by a person.
"""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers.invoicing import close_invoice, drop_invoice
from crossdock.shop.resellers.purchasing import (
    StockTransfer,
    credit_of,
    lock,
    not_now,
    read_transfer,
)


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

    Its open invoice is voided. Nothing is refunded. Raises NotFound `not_found`.
    """
    transfer = await lock(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id)
    if transfer.state == "revoked":
        return transfer
    if transfer.paid_at is None and await drop_invoice(tx, transfer=transfer, now=now):
        await tx.run("select pay_transfer(%s, %s, 'invoice', %s)", (shop_id, transfer_id, now))
    await tx.run("select revoke_transfer(%s, %s, %s)", (shop_id, transfer_id, now))
    return await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
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
