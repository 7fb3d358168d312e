"""Commission as it is earned, held, released and taken back (spec shoppex_reseller 6.6, 9.2, 9.3).

A consumer of the events books every order that was paid or refunded; a job releases what was held. Both call
`book_commission` in earning.sql, which does what is missing and nothing twice.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.kit.paging import PlacePage
from crossdock.settings import ResellersSection
from crossdock.shop.alerts import isolated
from crossdock.shop.events import Batch, Consumer

SaleStatus = Literal["pending", "approved", "reversed"]
CONSUMER: Final = "reseller_commission"
JOB: Final = "keep_commissions"
# An order's payments and refunds each post to the ledger, but for an order that costs nothing.
_FOLLOWED: Final = ("order.placed", "payment.paid", "ledger.posted")


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was sold. `gross_minor` is its price times its quantity, `base_minor` that less discounts.

    `variant_id` is None where the product has no variants. Refunds took `refunded_minor` of the base and
    `reversed_minor` of the commission back. Pending until `available_at`; reversed when nothing of the line is left.
    """

    id: int
    reseller_id: int
    order_id: int
    campaign_id: int | None
    product_id: int
    variant_id: int | None
    quantity: int
    gross_minor: int
    base_minor: int
    commission_bp: int
    commission_minor: int
    reversed_minor: int
    refunded_minor: int
    currency: str
    customer_email: str
    status: SaleStatus
    available_at: datetime
    created_at: datetime


class SaleFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sales: of a status, of a campaign, made `since` and before `until`; None is any."""

    status: SaleStatus | None = None
    campaign_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Buckets(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship's commission in the shop's currency; `available_minor` may be below 0 after a refund."""

    currency: str
    pending_minor: int
    available_minor: int
    reserved_minor: int
    paid_minor: int


def hold_of(section: ResellersSection) -> timedelta:
    """How long commission is held before it may be claimed."""
    return timedelta(days=section.commission_hold_days)


def commission_consumer(*, hold: timedelta) -> Consumer:
    """Books the commission of orders as they are paid and refunded; it is held for so long."""

    async def take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        orders = {event.subject_id or 0 for event in batch.events if event.kind in _FOLLOWED}
        if orders:
            await _book(tx, shop_id=batch.shop_id, order_ids=sorted(orders), hold=hold, now=now)
        return None

    return Consumer(name=CONSUMER, topics=("orders", "money"), take=take)


async def release_commissions(db: Database, *, hold: timedelta, now: datetime) -> int:
    """Make available what was held long enough, the longest first; how many orders."""
    released = 0
    async for _, shop_id, order_id in walk_due(db, _DUE, values={"now": now}):
        async with isolated(db, job=JOB, shop_id=shop_id, order_id=order_id, now=now):
            async with db.begin() as tx:
                await _book(tx, shop_id=shop_id, order_ids=[order_id], hold=hold, now=now)
            released += 1
    return released


async def list_sales(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    page: PlacePage,
    chosen: SaleFilter,
) -> list[Sale]:
    """A page of the relationship's sales, newest first; one more if there are more."""
    values = {"shop": shop_id, "reseller": reseller_id, **msgspec.structs.asdict(chosen)}
    rows = await tx.all(_PAGE, page.bounds() | values)
    names = Sale.__struct_fields__
    return [msgspec.convert(dict(zip(names, row, strict=True)), Sale) for row in rows]


async def read_buckets(tx: Transaction, *, shop_id: int, reseller_id: int) -> Buckets:
    """What a relationship earned, by where it is; all 0 where it earned nothing."""
    row = await tx.one(
        _BUCKETS, {"shop": shop_id, "owner": commission_owner(reseller_id), "reseller": reseller_id}
    )
    assert row is not None  # the shop is there
    return Buckets(**dict(zip(Buckets.__struct_fields__, row, strict=True)))


def commission_owner(reseller_id: int) -> str:
    """The owner of the relationship's accounts of commission."""
    return f"reseller:{reseller_id}"


async def _book(
    tx: Transaction, *, shop_id: int, order_ids: list[int], hold: timedelta, now: datetime
) -> int:
    written: int = await tx.value(
        "select book_commission(%s, %s::bigint[], %s, %s)", (shop_id, order_ids, hold, now)
    )
    return written


_DUE = """
    select s.available_at, s.shop_id, s.order_id from (
        select min(d.available_at) as available_at, d.shop_id, d.order_id from reseller_sales d
        where d.status = 'pending' and d.available_at <= %(now)s group by d.shop_id, d.order_id
    ) s
    where (s.available_at, s.shop_id, s.order_id) > (%(at)s, %(shop)s, %(id)s)
    order by s.available_at, s.shop_id, s.order_id limit %(limit)s
"""
_PAGE = """
    select s.id, s.reseller_id, s.order_id, s.campaign_id, s.product_id, (
               select s.variant_id from products p
               where p.shop_id = s.shop_id and p.id = s.product_id and has_variants(p)), s.quantity, s.gross_minor,
           s.base_minor, s.commission_bp, s.commission_minor, s.reversed_minor, s.refunded_minor,
           s.currency, s.customer_email, s.status,
           s.available_at, s.created_at
    from reseller_sales s
    where s.shop_id = %(shop)s and s.reseller_id = %(reseller)s
      and (%(status)s::text is null or s.status = %(status)s)
      and (%(campaign_id)s::bigint is null or s.campaign_id = %(campaign_id)s)
      and (%(since)s::timestamptz is null or s.created_at >= %(since)s)
      and (%(until)s::timestamptz is null or s.created_at < %(until)s)
      and (s.created_at, s.id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by s.created_at desc, s.id desc limit %(size)s
"""
_BUCKETS = """
    select s.currency,
           coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_pending'), 0)::bigint,
           coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_available'), 0)::bigint,
           coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_reserved'), 0)::bigint,
           (select coalesce(sum(c.amount_minor), 0)::bigint from reseller_claims c
            where c.shop_id = s.id and c.reseller_id = %(reseller)s and c.currency = s.currency
              and c.status = 'completed')
    from shops s
    left join accounts a on a.shop_id = s.id and a.owner = %(owner)s and a.currency = s.currency
      and a.kind in ('reseller_pending', 'reseller_available', 'reseller_reserved')
    where s.id = %(shop)s group by s.id, s.currency
"""
