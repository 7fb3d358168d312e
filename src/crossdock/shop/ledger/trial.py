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


# From what the accounts have now, less what was posted since: as of today that is nothing. The days come first, by
# their index: asked for together, all entries of the shop may be read for them.
_TRIAL = """
    with posted as materialized (
        select shop_id, debit_account_id, credit_account_id, amount_minor
        from ledger_entries where created_at >= %(until)s),
    since as (
        select s.id, sum(s.debit)::bigint as debits, sum(s.credit)::bigint as credits
        from posted e
        cross join lateral (
            values (e.debit_account_id, e.amount_minor, 0), (e.credit_account_id, 0, e.amount_minor)
        ) s (id, debit, credit)
        where e.shop_id = %(shop)s
        group by s.id),
    sums as (
        select a.currency, a.kind, a.debited_minor - coalesce(s.debits, 0) as debits,
               a.debited_minor + a.balance_minor - coalesce(s.credits, 0) as credits
        from accounts a left join since s on s.id = a.id
        where a.shop_id = %(shop)s)
    select currency, kind, count(*), sum(debits)::bigint, sum(credits)::bigint,
           sum(greatest(debits - credits, 0))::bigint, sum(greatest(credits - debits, 0))::bigint
    from sums where debits > 0 or credits > 0
    group by currency, kind order by currency, kind
"""
