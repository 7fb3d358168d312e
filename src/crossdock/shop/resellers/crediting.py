"""The prepaid balance of a relationship: what its shop's fulfilments are paid from (spec shoppex_reseller 9.3)."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.ledger import Account, Transfer, list_accounts, post_transfers


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A balance in minor units, never below 0; `updated_at` None if nothing was ever posted."""

    balance_minor: int
    currency: str
    updated_at: datetime | None


def prepaid_owner(reseller_id: int) -> str:
    """The owner of the relationship's prepaid account; `reseller_owner` in fulfilling.sql is its twin."""
    return f"reseller:{reseller_id}"


async def read_balance(tx: Transaction, *, shop_id: int, reseller_id: int) -> Balance:
    """The balance in the shop's currency. Raises NotFound `not_found` for a relationship of another shop."""
    currency = await tx.value(
        "select s.currency from resellers r join shops s on s.id = r.shop_id"
        " where r.shop_id = %s and r.id = %s",
        (shop_id, reseller_id),
    )
    if currency is None:
        raise NotFound("not_found", "There is no such reseller.")
    accounts = await list_accounts(
        tx, shop_id=shop_id, kind="prepaid", owner=prepaid_owner(reseller_id)
    )
    for account in accounts:
        if account.currency == currency:
            return Balance(
                balance_minor=account.balance_minor,
                currency=currency,
                updated_at=account.updated_at,
            )
    return Balance(balance_minor=0, currency=currency, updated_at=None)


async def credit(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    amount_minor: int,
    now: datetime,
    reference: str = "",
) -> Balance:
    """Add money that has come in to the balance, or take some back with a negative amount; returns the balance.

    A `reference` is what the ledger says about it, and credits once for the reseller. Raises Invalid `invalid_input`
    for 0 and for a reference that was used, NotFound `not_found`, and Refused `balance_insufficient` where it would
    end below 0.
    """
    if amount_minor == 0:
        raise Invalid("invalid_input", "A credit of 0 changes nothing.", {"field": "amount"})
    await tx.value(
        "select 1 from resellers where shop_id = %s and id = %s for no key update",
        (shop_id, reseller_id),
    )
    before = await read_balance(tx, shop_id=shop_id, reseller_id=reseller_id)
    if reference and await tx.value(_IS_USED, (shop_id, prepaid_owner(reseller_id), reference)):
        message = f"{reference} was credited before."
        raise Invalid("invalid_input", message, {"field": "reference"})
    bank, prepaid = Account("bank"), Account("prepaid", prepaid_owner(reseller_id))
    debit, to = (bank, prepaid) if amount_minor > 0 else (prepaid, bank)
    transfer = Transfer(
        debit=debit,
        credit=to,
        amount_minor=abs(amount_minor),
        currency=before.currency,
        kind="top_up" if amount_minor > 0 else "adjustment",
        reason=reference,
    )
    await post_transfers(tx, shop_id=shop_id, transfers=[transfer], now=now)
    return await read_balance(tx, shop_id=shop_id, reseller_id=reseller_id)


_IS_USED = """
    select exists (
        select 1 from accounts a
        join ledger_entries l on l.shop_id = a.shop_id and a.id in (l.debit_account_id, l.credit_account_id)
        where a.shop_id = %s and a.kind = 'prepaid' and a.owner = %s and l.kind in ('top_up', 'adjustment')
          and l.reason = %s)
"""
