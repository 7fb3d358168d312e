"""The statement of a prepaid balance: every change with its cause, to be added up by anybody."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers.crediting import prepaid_owner


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the balance by `amount_minor`, to `balance_minor`; what was debited is negative.

    `kind` is `fulfilment`, or the kind of the ledger's entry: `top_up`, `adjustment`, or `sale_taken_back`.
    A fulfilment's line names its order and its number in the reseller's shop.
    """

    entry_id: int
    at: datetime
    kind: str
    amount_minor: int
    balance_minor: int
    currency: str
    order_id: int | None
    fulfilment_id: int | None
    external_order_id: str | None
    reason: str


async def read_statement(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 10_000,
) -> list[StatementLine]:
    """The changes from `since` to before `until`, the oldest first, as the ledger has them."""
    rows = await tx.all(
        _LINES,
        {
            "shop": shop_id,
            "owner": prepaid_owner(reseller_id),
            "since": since,
            "until": until,
            "limit": limit,
        },
    )
    names = StatementLine.__struct_fields__
    return [StatementLine(**dict(zip(names, row, strict=True))) for row in rows]


_LINES = """
    select e.id, e.created_at, case when f.id is not null and e.kind = 'sale' then 'fulfilment' else e.kind end,
           case when e.credit_account_id = a.id then e.amount_minor else -e.amount_minor end,
           case when e.credit_account_id = a.id then e.credit_balance_minor else e.debit_balance_minor end,
           e.currency, e.order_id, f.id, f.external_order_id, e.reason
    from accounts a
    join ledger_entries e
      on e.shop_id = a.shop_id and (e.debit_account_id = a.id or e.credit_account_id = a.id)
    left join reseller_fulfilments f on f.shop_id = e.shop_id and f.order_id = e.order_id
    where a.shop_id = %(shop)s and a.kind = 'prepaid' and a.owner = %(owner)s
      and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
      and (%(until)s::timestamptz is null or e.created_at < %(until)s)
    order by e.id limit %(limit)s
"""
