"""Money that came in without a provider: bank transfers, and what partners collected."""

from datetime import datetime
from typing import Literal

import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.payments.model import Payment, read_payment

RECORDED_BEFORE = "CD005"


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
    try:
        payment_id = await tx.value(
            "select record_transfer(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(shop_id, provider, reference, order_id, invoice_id),
                *(payer, currency, amount_minor, now),
            ),
        )
    except psycopg.Error as error:
        if error.sqlstate != RECORDED_BEFORE:
            raise
        message = f"A payment {reference!r} is recorded already."
        raise Refused("payment_state", message) from error
    return await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
