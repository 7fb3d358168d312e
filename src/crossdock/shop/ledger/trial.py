"""The trial balance: every kind of account with its debits and credits up to a moment, which must be equal."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction


class TrialLine(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts of one kind and currency: what was posted, and the sums of their balances by side.

    `debit_balance_minor` adds the accounts with more debits than credits, `credit_balance_minor` the others.
    """

    currency: str
    kind: str
    accounts: int
    debits_minor: int
    credits_minor: int
    debit_balance_minor: int
    credit_balance_minor: int


async def trial_balance(tx: Transaction, *, shop_id: int, until: datetime) -> list[TrialLine]:
    """The trial balance of what was posted before `until`, by currency and kind.

    In each currency the debits of all kinds are their credits, and the debit balances the credit balances.
    """
    rows = await tx.all(_TRIAL, {"shop": shop_id, "until": until})
    names = TrialLine.__struct_fields__
    return [TrialLine(**dict(zip(names, row, strict=True))) for row in rows]


_TRIAL = """
    with sides as (
        select debit_account_id as id, amount_minor as debit, 0 as credit from ledger_entries
        where shop_id = %(shop)s and created_at < %(until)s
        union all
        select credit_account_id, 0, amount_minor from ledger_entries
        where shop_id = %(shop)s and created_at < %(until)s),
    sums as (select id, sum(debit)::bigint as debits, sum(credit)::bigint as credits from sides group by id)
    select a.currency, a.kind, count(*), sum(s.debits)::bigint, sum(s.credits)::bigint,
           sum(greatest(s.debits - s.credits, 0))::bigint, sum(greatest(s.credits - s.debits, 0))::bigint
    from sums s join accounts a on a.shop_id = %(shop)s and a.id = s.id
    group by a.currency, a.kind order by a.currency, a.kind
"""
