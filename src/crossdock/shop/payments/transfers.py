"""Money that came in without a provider: bank transfers, and what partners collected."""

from datetime import datetime
from typing import Literal

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.payments.model import Payment, read_payment


async def record_transfer(
    tx: Transaction,
    *,
    shop_id: int,
    payer: str,
    amount_minor: int,
    currency: str,
    reference: str,
    now: datetime,
    order_id: int | None = None,
    invoice_id: int | None = None,
    provider: Literal["transfer", "partner"] = "transfer",
) -> Payment:
    """Record a bank transfer, or what a partner collected, for an order or an invoice: captured from the start.

    `reference` is the bank's, or names the partner and its charge; unique in the shop. Raises Refused
    `payment_state` if it is recorded already.
    """
    payment_id = await tx.value(
        "insert into payments (shop_id, provider, reference, order_id, invoice_id, payer, state, currency,"
        " amount_minor, captured_minor, created_at, updated_at)"
        " values (%s, %s, %s, %s, %s, %s, 'captured', %s, %s, %s, %s, %s)"
        " on conflict (shop_id, reference) do nothing returning id",
        (
            shop_id,
            provider,
            reference,
            order_id,
            invoice_id,
            payer,
            currency,
            amount_minor,
            amount_minor,
            now,
            now,
        ),
    )
    if payment_id is None:
        raise Refused("payment_state", f"A payment {reference!r} is recorded already.")
    await tx.run(
        "select post_payment(p.shop_id, p, 'capture', p.amount_minor, p.reference, %s)"
        " from payments p where p.shop_id = %s and p.id = %s",
        (now, shop_id, payment_id),
    )
    return await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
