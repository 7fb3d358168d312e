"""List accounts and ledger entries."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction

PAGE_MAX = 1_000


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its balance (credits less debits); `floor_minor` is the least it may be."""

    id: int
    kind: str
    owner: str
    currency: str
    balance_minor: int
    floor_minor: int | None
    updated_at: datetime


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: a debit and a credit at once, with both balances after it."""

    id: int
    kind: str
    debit_kind: str
    debit_owner: str
    debit_balance_minor: int
    credit_kind: str
    credit_owner: str
    credit_balance_minor: int
    amount_minor: int
    currency: str
    reason: str
    order_id: int | None
    payment_id: int | None
    created_at: datetime


async def list_accounts(
    tx: Transaction, *, shop_id: int, kind: str | None = None, owner: str | None = None
) -> list[AccountView]:
    """The shop's accounts, optionally of one kind or owner, by kind, owner and currency."""
    rows = await tx.all(
        "select id, kind, owner, currency, balance_minor, floor_minor, updated_at from accounts"
        " where shop_id = %(shop)s and (%(kind)s::text is null or kind = %(kind)s)"
        " and (%(owner)s::text is null or owner = %(owner)s) order by kind, owner, currency",
        {"shop": shop_id, "kind": kind, "owner": owner},
    )
    return [
        AccountView(**dict(zip(AccountView.__struct_fields__, row, strict=True))) for row in rows
    ]


async def browse_accounts(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str | None = None,
    owner: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[AccountView]:
    """Accounts with a number below `before`, the newest first; optionally of one kind or owner."""
    rows = await tx.all(
        "select id, kind, owner, currency, balance_minor, floor_minor, updated_at from accounts"
        " where shop_id = %(shop)s and (%(kind)s::text is null or kind = %(kind)s)"
        " and (%(owner)s::text is null or owner = %(owner)s)"
        " and (%(before)s::bigint is null or id < %(before)s) order by id desc limit %(limit)s",
        {"shop": shop_id, "kind": kind, "owner": owner, "before": before, "limit": limit},
    )
    return [
        AccountView(**dict(zip(AccountView.__struct_fields__, row, strict=True))) for row in rows
    ]


async def list_entries(
    tx: Transaction,
    *,
    shop_id: int,
    account_id: int | None = None,
    order_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[LedgerEntry]:
    """At most `limit` (PAGE_MAX) rows, newest first: all, or those of one account or order.

    For the next page pass the last id as `before`.
    """
    rows = await tx.all(
        _ENTRIES,
        {
            "shop": shop_id,
            "account": account_id,
            "order": order_id,
            "before": before,
            "limit": min(limit, PAGE_MAX),
        },
    )
    return [
        LedgerEntry(**dict(zip(LedgerEntry.__struct_fields__, row, strict=True))) for row in rows
    ]


_ENTRIES = """
    with page as (
        (select * from ledger_entries e
         where %(account)s::bigint is null and e.shop_id = %(shop)s
           and (%(order)s::bigint is null or e.order_id = %(order)s)
           and (%(before)s::bigint is null or e.id < %(before)s)
         order by e.id desc limit %(limit)s)
        union all
        (select * from ledger_entries e
         where e.shop_id = %(shop)s and e.debit_account_id = %(account)s
           and (%(order)s::bigint is null or e.order_id = %(order)s)
           and (%(before)s::bigint is null or e.id < %(before)s)
         order by e.id desc limit %(limit)s)
        union all
        (select * from ledger_entries e
         where e.shop_id = %(shop)s and e.credit_account_id = %(account)s
           and (%(order)s::bigint is null or e.order_id = %(order)s)
           and (%(before)s::bigint is null or e.id < %(before)s)
         order by e.id desc limit %(limit)s)
    )
    select e.id, e.kind, d.kind, d.owner, e.debit_balance_minor, c.kind, c.owner, e.credit_balance_minor,
           e.amount_minor, e.currency, e.reason, e.order_id, e.payment_id, e.created_at
    from page e
    join accounts d on d.shop_id = e.shop_id and d.id = e.debit_account_id
    join accounts c on c.shop_id = e.shop_id and c.id = e.credit_account_id
    order by e.id desc limit %(limit)s
"""
