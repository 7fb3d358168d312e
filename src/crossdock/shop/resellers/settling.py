"""Settle what a reseller paid for stock that was revoked: to its balance, or paid out (spec shoppex_reseller 8.4).

Nothing is refunded by a revocation itself: a person settles the credit that it leaves.
"""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers.crediting import prepaid_owner
from crossdock.shop.resellers.purchasing import credit_of

SettledTo = Literal["balance", "payout"]


class StockCredit(msgspec.Struct, frozen=True, kw_only=True):
    """What revoked transfers left of the reseller's payments, and what was settled by this; in minor units.

    What was paid for goods that the reseller still gets is no part of it.
    """

    left_minor: int
    settled_minor: int
    currency: str


async def read_stock_credit(tx: Transaction, *, shop_id: int, reseller_id: int) -> StockCredit:
    """What is to be settled. Raises NotFound `not_found`."""
    row = await tx.one("select * from stock_credit(%s, %s)", (shop_id, reseller_id))
    if row is None or row[1] is None:
        raise NotFound("not_found", "There is no such reseller.")
    return StockCredit(left_minor=row[0], settled_minor=0, currency=row[1])


async def settle_stock_credit(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    to: SettledTo,
    reference: str,
    now: datetime,
    amount_minor: int | None = None,
) -> StockCredit:
    """Settle an amount of the credit, or all of it: to the prepaid balance, or as paid out of the shop's bank.

    It is told once the shop has paid, for a payout. The `reference` is what the ledger says about it, and settles once
    for the reseller. Raises NotFound `not_found`, Invalid `invalid_input` for an amount that is not above 0, without
    a reference or for one that was used, and Refused `balance_insufficient` for more than is left, or where nothing is.
    """
    await tx.value(
        "select 1 from resellers where shop_id = %s and id = %s for no key update",
        (shop_id, reseller_id),
    )
    before = await read_stock_credit(tx, shop_id=shop_id, reseller_id=reseller_id)
    if not reference:
        message = "Say what names this settlement, so that it is noted once."
        raise Invalid("invalid_input", message, {"field": "reference"})
    if await tx.value(_IS_USED, (shop_id, credit_of(reseller_id).owner, reference)):
        message = f"{reference} was settled before."
        raise Invalid("invalid_input", message, {"field": "reference"})
    wanted = before.left_minor if amount_minor is None else amount_minor
    if amount_minor is not None and amount_minor < 1:
        raise Invalid("invalid_input", "Settle more than nothing.", {"field": "amount"})
    if wanted < 1 or wanted > before.left_minor:
        raise Refused("balance_insufficient", "No more is settled than revoked stock has left.")
    account = Account("prepaid", prepaid_owner(reseller_id)) if to == "balance" else Account("bank")
    settled = Transfer(
        debit=credit_of(reseller_id),
        credit=account,
        amount_minor=wanted,
        currency=before.currency,
        kind="stock_refund",
        reason=reference,
    )
    await post_transfers(tx, shop_id=shop_id, transfers=[settled], now=now)
    return StockCredit(
        left_minor=before.left_minor - wanted, settled_minor=wanted, currency=before.currency
    )


_IS_USED = """
    select exists (
        select 1 from accounts a join ledger_entries l on l.shop_id = a.shop_id and l.debit_account_id = a.id
        where a.shop_id = %s and a.kind = 'receivable' and a.owner = %s and l.kind = 'stock_refund' and l.reason = %s)
"""
