"""Statements of a reseller's purses: every change with its cause, to be added up by anybody.

A statement of a period begins with the balance before it and ends with that after it; each line has an
entry of the ledger, in the order of posting, and the balance that it left.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, Literal

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import NotFound
from crossdock.shop.resellers.crediting import prepaid_owner

PAGE = 1_000
Purse = Literal["prepaid", "commission"]
"""What was paid in advance; or what was earned and not paid out, whether it is held, available or reserved."""
_KINDS: Final[dict[Purse, tuple[str, ...]]] = {
    "prepaid": ("prepaid",),
    "commission": ("reseller_pending", "reseller_available", "reseller_reserved"),
}


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the balance by `amount_minor`, to `balance_minor`; what was debited is negative.

    Of the prepaid balance `kind` is `fulfilment`, or the kind of the ledger's entry: `top_up`, also of an invoice
    that was paid, `adjustment`, `sale_taken_back`, or `stock_refund`. A fulfilment's line names its order and its
    number in the reseller's shop. Of commission it is `commission_earned`, `commission_reversed` or `payout`; what
    moves from one of its accounts to another is no line, as nothing of it changes. `entry_id` is the entry's number
    in the ledger, which the event of its posting names as well.
    """

    entry_id: int
    at: datetime
    kind: str
    amount_minor: int
    balance_minor: int
    currency: str
    order_id: int | None
    payment_id: int | None
    fulfilment_id: int | None
    external_order_id: str | None
    reason: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a statement of a purse from `since` (None: from the beginning) to before `until`.

    `closing_minor` is the balance after all of its lines, of which there are `lines`.
    """

    purse: Purse = "prepaid"
    shop_id: int
    reseller_id: int
    shop: str
    email: str
    currency: str
    since: datetime | None
    until: datetime
    opening_minor: int
    closing_minor: int
    lines: int


async def read_statement(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    until: datetime,
    since: datetime | None = None,
    purse: Purse = "prepaid",
) -> Statement:
    """The head of the purse's statement. Raises NotFound `not_found`."""
    row = await tx.one(
        _HEAD,
        {
            "shop": shop_id,
            "reseller": reseller_id,
            "owner": prepaid_owner(reseller_id),
            "kinds": list(_KINDS[purse]),
            "since": since,
            "until": until,
        },
    )
    if row is None:
        raise NotFound("not_found", "There is no such reseller.")
    shop, email, currency, opening, change, lines = row
    return Statement(
        purse=purse,
        shop_id=shop_id,
        reseller_id=reseller_id,
        shop=shop,
        email=email,
        currency=currency,
        since=since,
        until=until,
        opening_minor=opening,
        closing_minor=opening + change,
        lines=lines,
    )


async def read_lines(
    tx: Transaction,
    *,
    statement: Statement,
    after_id: int = 0,
    before_minor: int | None = None,
    limit: int = PAGE,
) -> list[StatementLine]:
    """The lines after the entry with this number, the first from 0 on; none after the last.

    `before_minor` is the balance that this entry left, where it is known.
    """
    if before_minor is None:
        passed = await _read_passed(tx, statement=statement, after_id=after_id) if after_id else 0
        before_minor = statement.opening_minor + passed
    rows = await tx.all(
        _LINES,
        {
            "shop": statement.shop_id,
            "owner": prepaid_owner(statement.reseller_id),
            "kinds": list(_KINDS[statement.purse]),
            "currency": statement.currency,
            "since": statement.since,
            "until": statement.until,
            "after": after_id,
            "before": before_minor,
            "limit": limit,
        },
    )
    names = StatementLine.__struct_fields__
    return [StatementLine(**dict(zip(names, row, strict=True))) for row in rows]


async def stream_lines(db: Database, *, statement: Statement) -> AsyncIterator[StatementLine]:
    """All lines of a statement, read page by page, each in a statement of its own."""
    after_id, balance, left = 0, statement.opening_minor, statement.lines
    while left > 0:
        async with db.statement() as tx:
            lines = await read_lines(
                tx,
                statement=statement,
                after_id=after_id,
                before_minor=balance,
                limit=min(PAGE, left),
            )
        if not lines:
            return
        for line in lines:
            yield line
        after_id, balance = lines[-1].entry_id, lines[-1].balance_minor
        left -= len(lines)


async def _read_passed(tx: Transaction, *, statement: Statement, after_id: int) -> int:
    """How much the lines up to this entry changed the balance."""
    found: int = await tx.value(
        _PASSED,
        {
            "shop": statement.shop_id,
            "owner": prepaid_owner(statement.reseller_id),
            "kinds": list(_KINDS[statement.purse]),
            "currency": statement.currency,
            "since": statement.since,
            "until": statement.until,
            "after": after_id,
        },
    )
    return found


_HEAD = """
    select s.name, r.email, s.currency, coalesce(e.opening, 0)::bigint, coalesce(e.change, 0)::bigint,
           coalesce(e.lines, 0)
    from resellers r
    join shops s on s.id = r.shop_id
    left join lateral (
        select sum(x.amount) filter (where x.created_at < %(since)s::timestamptz) as opening,
               sum(x.amount) filter (where %(since)s::timestamptz is null or x.created_at >= %(since)s) as change,
               count(*) filter (where %(since)s::timestamptz is null or x.created_at >= %(since)s) as lines
        from (
            select array_agg(a.id) as ids from accounts a
            where a.shop_id = r.shop_id and a.kind = any(%(kinds)s) and a.owner = %(owner)s and a.currency = s.currency
        ) own
        cross join lateral (
            select c.amount_minor as amount, c.created_at from ledger_entries c
            where c.shop_id = r.shop_id and c.credit_account_id = any(own.ids) and c.debit_account_id <> all(own.ids)
            union all
            select -d.amount_minor, d.created_at from ledger_entries d
            where d.shop_id = r.shop_id and d.debit_account_id = any(own.ids) and d.credit_account_id <> all(own.ids)) x
        where x.created_at < %(until)s
    ) e on true
    where r.shop_id = %(shop)s and r.id = %(reseller)s
"""

_PASSED = """
    select coalesce(sum(case when e.credit_account_id = a.id then e.amount_minor else -e.amount_minor end), 0)::bigint
    from accounts a
    join ledger_entries e
      on e.shop_id = a.shop_id and (e.debit_account_id = a.id or e.credit_account_id = a.id)
    where a.shop_id = %(shop)s and a.kind = any(%(kinds)s) and a.owner = %(owner)s and a.currency = %(currency)s
      and e.id <= %(after)s and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
      and e.created_at < %(until)s
"""

# Each side of the ledger has an index by account and number, so that a page costs what it shows.
_LINES = """
    select x.id, x.created_at,
           case when f.id is not null and x.kind = 'sale' then 'fulfilment' when x.kind = 'invoice' then 'top_up'
                else x.kind end,
           x.amount, %(before)s + (sum(x.amount) over (order by x.id))::bigint, x.currency, x.order_id, x.payment_id,
           f.id, f.external_order_id, x.reason
    from (
        select x.* from accounts a
        cross join lateral (
            (select e.id, e.created_at, e.kind, e.amount_minor as amount, e.currency, e.order_id, e.payment_id,
                    e.reason
             from ledger_entries e
             where e.shop_id = a.shop_id and e.credit_account_id = a.id and e.id > %(after)s
               and (cardinality(%(kinds)s::text[]) = 1 or not exists (
                   select 1 from accounts b
                   where b.shop_id = e.shop_id and b.id = e.debit_account_id and b.kind = any(%(kinds)s)))
               and (%(since)s::timestamptz is null or e.created_at >= %(since)s) and e.created_at < %(until)s
             order by e.id limit %(limit)s)
            union all
            (select e.id, e.created_at, e.kind, -e.amount_minor, e.currency, e.order_id, e.payment_id, e.reason
             from ledger_entries e
             where e.shop_id = a.shop_id and e.debit_account_id = a.id and e.id > %(after)s
               and (cardinality(%(kinds)s::text[]) = 1 or not exists (
                   select 1 from accounts b
                   where b.shop_id = e.shop_id and b.id = e.credit_account_id and b.kind = any(%(kinds)s)))
               and (%(since)s::timestamptz is null or e.created_at >= %(since)s) and e.created_at < %(until)s
             order by e.id limit %(limit)s)) x
        where a.shop_id = %(shop)s and a.kind = any(%(kinds)s) and a.owner = %(owner)s and a.currency = %(currency)s
        order by x.id limit %(limit)s
    ) x
    left join reseller_fulfilments f on f.shop_id = %(shop)s and f.order_id = x.order_id
    order by x.id
"""
