"""What resellers sold, earned, bought and had delivered, in numbers (spec shoppex_reseller 6.5).

Everything is counted from the rows themselves, in one statement, of one relationship or of a whole shop. A period says
which sales, payouts, transfers and fulfilments count, by when they were made; how many resellers and campaigns there
are, and what is in the buckets, is as of now.
"""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers.commission.earning import Buckets

TOP = 5


class ResellerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many relationships are in each state."""

    total: int
    invited: int
    active: int
    suspended: int
    terminated: int


class SalesSums(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of which something is left, what they cost and earn less what was refunded of them."""

    count: int
    revenue_minor: int
    commission_minor: int


class PayoutSums(msgspec.Struct, frozen=True, kw_only=True):
    """Payouts that wait to be approved or paid, and those that were paid."""

    pending_count: int
    pending_minor: int
    completed_count: int
    completed_minor: int


class StockSums(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers that were asked for; units that were allocated, and delivered of them; what paid ones cost."""

    requested: int
    units_allocated: int
    units_delivered: int
    wholesale_minor: int


class FulfilmentSums(msgspec.Struct, frozen=True, kw_only=True):
    """What resellers' own shops had delivered, and what it cost them; each item of an order is one."""

    count: int
    units: int
    wholesale_minor: int


class CampaignCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many campaigns are in each state."""

    active: int
    paused: int
    revoked: int


class TopReseller(msgspec.Struct, frozen=True, kw_only=True):
    """One of those who sold most."""

    reseller_id: int
    email: str
    sales: SalesSums


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a shop or of a relationship. `top` are at most TOP, by revenue."""

    currency: str
    resellers: ResellerCounts
    sales: SalesSums
    commission: Buckets
    payouts: PayoutSums
    stock: StockSums
    fulfilments: FulfilmentSums
    campaigns: CampaignCounts
    prepaid_minor: int
    top: tuple[TopReseller, ...]


async def analyse(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Analysis:
    """The numbers of the whole shop, or of one relationship of it, which the caller has found."""
    values = {"shop": shop_id, "reseller": reseller_id, "since": since, "until": until, "top": TOP}
    return msgspec.convert(await tx.value(_ANALYSIS, values), Analysis)


_ANALYSIS = """
    with shop as (
        select id, currency from shops where id = %(shop)s
    ), period as (
        select coalesce(%(since)s::timestamptz, '-infinity') as since,
               coalesce(%(until)s::timestamptz, 'infinity') as until
    ), own as (
        select r.* from resellers r
        where r.shop_id = %(shop)s and (%(reseller)s::bigint is null or r.id = %(reseller)s)
    ), sold as (
        select s.reseller_id, count(*) as count, sum(s.base_minor - s.refunded_minor)::bigint as revenue_minor,
               sum(s.commission_minor - s.reversed_minor)::bigint as commission_minor
        from reseller_sales s, period p
        where s.shop_id = %(shop)s and (%(reseller)s::bigint is null or s.reseller_id = %(reseller)s)
          and s.status <> 'reversed' and s.created_at >= p.since and s.created_at < p.until
        group by s.reseller_id
    ), claimed as (
        select count(*) filter (where c.status in ('pending', 'approved')) as pending_count,
               coalesce(sum(c.amount_minor) filter (where c.status in ('pending', 'approved')), 0)::bigint
                   as pending_minor,
               count(*) filter (where c.status = 'completed') as completed_count,
               coalesce(sum(c.amount_minor) filter (where c.status = 'completed'), 0)::bigint as completed_minor
        from reseller_claims c, period p
        where c.shop_id = %(shop)s and (%(reseller)s::bigint is null or c.reseller_id = %(reseller)s)
          and c.created_at >= p.since and c.created_at < p.until
    ), bought as (
        select count(*) as requested,
               coalesce(sum(t.allocated_count), 0)::bigint as units_allocated,
               coalesce(sum(t.delivered_count), 0)::bigint as units_delivered,
               coalesce(sum(t.total_minor) filter (where t.paid_at is not null), 0)::bigint as wholesale_minor
        from reseller_transfers t, period p
        where t.shop_id = %(shop)s and (%(reseller)s::bigint is null or t.reseller_id = %(reseller)s)
          and t.requested_at >= p.since and t.requested_at < p.until
    ), fulfilled as (
        select count(*) as count, coalesce(sum(f.quantity), 0)::bigint as units,
               coalesce(sum(f.total_minor), 0)::bigint as wholesale_minor
        from (
            select f.quantity, f.total_minor, f.created_at from reseller_fulfilments f
            where f.shop_id = %(shop)s and (%(reseller)s::bigint is null or f.reseller_id = %(reseller)s)
            union all
            select l.quantity, l.total_minor, o.placed_at
            from own r
            join orders o on o.shop_id = r.shop_id and o.partner_id = r.partner_id and o.source = 'reseller_order'
            join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
        ) f, period p
        where f.created_at >= p.since and f.created_at < p.until
    ), running as (
        select count(*) filter (where c.status = 'active') as active,
               count(*) filter (where c.status = 'paused') as paused,
               count(*) filter (where c.status = 'revoked') as revoked
        from embed_campaigns c
        where c.shop_id = %(shop)s and (%(reseller)s::bigint is null or c.reseller_id = %(reseller)s)
    ), counted as (
        select count(*) as total, count(*) filter (where o.status = 'invited') as invited,
               count(*) filter (where o.status = 'active') as active,
               count(*) filter (where o.status = 'suspended') as suspended,
               count(*) filter (where o.status = 'terminated') as terminated
        from own o
    ), balances as (
        select coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_pending'), 0)::bigint as pending_minor,
               coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_available'), 0)::bigint
                   as available_minor,
               coalesce(sum(a.balance_minor) filter (where a.kind = 'reseller_reserved'), 0)::bigint
                   as reserved_minor,
               coalesce(sum(a.balance_minor) filter (where a.kind = 'prepaid'), 0)::bigint as prepaid_minor
        from shop s
        join own o on true
        join accounts a on a.shop_id = s.id and a.owner = 'reseller:' || o.id and a.currency = s.currency
          and a.kind in ('reseller_pending', 'reseller_available', 'reseller_reserved', 'prepaid')
    ), paid as (
        select coalesce(sum(c.amount_minor), 0)::bigint as paid_minor from reseller_claims c
        where c.shop_id = %(shop)s and (%(reseller)s::bigint is null or c.reseller_id = %(reseller)s)
          and c.status = 'completed'
    )
    select jsonb_build_object(
        'currency', s.currency,
        'resellers', (select to_jsonb(c) from counted c),
        'sales', (select jsonb_build_object(
                      'count', coalesce(sum(d.count), 0)::bigint,
                      'revenue_minor', coalesce(sum(d.revenue_minor), 0)::bigint,
                      'commission_minor', coalesce(sum(d.commission_minor), 0)::bigint) from sold d),
        'commission', (select jsonb_build_object(
                           'currency', s.currency, 'pending_minor', b.pending_minor,
                           'available_minor', b.available_minor, 'reserved_minor', b.reserved_minor,
                           'paid_minor', p.paid_minor) from balances b, paid p),
        'payouts', (select to_jsonb(c) from claimed c),
        'stock', (select to_jsonb(b) from bought b),
        'fulfilments', (select to_jsonb(f) from fulfilled f),
        'campaigns', (select to_jsonb(r) from running r),
        'prepaid_minor', (select b.prepaid_minor from balances b),
        'top', (select coalesce(jsonb_agg(jsonb_build_object(
                           'reseller_id', t.reseller_id, 'email', t.email, 'sales', jsonb_build_object(
                               'count', t.count, 'revenue_minor', t.revenue_minor,
                               'commission_minor', t.commission_minor))
                           order by t.revenue_minor desc, t.reseller_id), '[]')
                from (select d.*, o.email from sold d join own o on o.id = d.reseller_id
                      order by d.revenue_minor desc, d.reseller_id limit %(top)s) t))
    from shop s
"""
