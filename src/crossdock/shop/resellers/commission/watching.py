"""Alerts about money of resellers that nobody moves on."""

from datetime import datetime, timedelta
from typing import Final

from crossdock.db.unit_of_work import Database
from crossdock.db.walking import walk_due
from crossdock.kit.money import format_minor
from crossdock.kit.numbers import counted
from crossdock.settings import ResellersSection
from crossdock.shop.alerts import isolated, raise_alert
from crossdock.shop.resellers.commission.earning import JOB

UNRELEASED_AFTER: Final = timedelta(hours=1)
"""How long commission may be due to be released before somebody is told that nothing does."""


def overdue_of(section: ResellersSection) -> timedelta:
    """After what time an open payout is overdue."""
    return timedelta(days=section.payout_overdue_days)


async def watch_commissions(db: Database, *, payout_overdue: timedelta, now: datetime) -> int:
    """Raise `payout_overdue` for each claim that is open for longer, and `commission_unreleased` for each relationship
    whose commission was due UNRELEASED_AFTER ago; returns how many are new."""
    late = await _watch_payouts(db, before=now - payout_overdue, now=now)
    return late + await _watch_releases(db, before=now - UNRELEASED_AFTER, now=now)


async def _watch_payouts(db: Database, *, before: datetime, now: datetime) -> int:
    raised = 0
    async for row in walk_due(db, _OVERDUE, values={"before": before}):
        _, shop_id, claim_id, status, amount_minor, currency, email = row
        money = f"{format_minor(amount_minor, currency)} {currency}"
        subject = f"claim:{claim_id}"
        async with isolated(db, job=JOB, shop_id=shop_id, about=subject, now=now), db.begin() as tx:
            raised += await raise_alert(
                tx,
                shop_id=shop_id,
                kind="payout_overdue",
                message=f"Payout {claim_id} of {money} to {email} is {status} for too long.",
                subject=subject,
                now=now,
            )
    return raised


async def _watch_releases(db: Database, *, before: datetime, now: datetime) -> int:
    raised = 0
    async for row in walk_due(db, _UNRELEASED, values={"before": before}):
        _, shop_id, reseller_id, email, orders = row
        subject = f"reseller:{reseller_id}"
        async with isolated(db, job=JOB, shop_id=shop_id, about=subject, now=now), db.begin() as tx:
            raised += await raise_alert(
                tx,
                shop_id=shop_id,
                kind="commission_unreleased",
                message=f"Commission of {email} for {counted(orders, 'order')} is due and was not released;"
                " see the log.",
                subject=subject,
                now=now,
            )
    return raised


_OVERDUE = """
    select c.created_at, c.shop_id, c.id, c.status, c.amount_minor, c.currency, r.email
    from reseller_claims c join resellers r on r.shop_id = c.shop_id and r.id = c.reseller_id
    where c.status in ('pending', 'approved') and c.created_at <= %(before)s
      and (c.created_at, c.shop_id, c.id) > (%(at)s, %(shop)s, %(id)s)
    order by c.created_at, c.shop_id, c.id limit %(limit)s
"""
_UNRELEASED = """
    select d.due_at, d.shop_id, d.reseller_id, d.email, d.orders from (
        select min(s.available_at) as due_at, s.shop_id, s.reseller_id, r.email,
               count(distinct s.order_id) as orders
        from reseller_sales s join resellers r on r.shop_id = s.shop_id and r.id = s.reseller_id
        where s.status = 'pending' and s.available_at <= %(before)s
        group by s.shop_id, s.reseller_id, r.email
    ) d
    where (d.due_at, d.shop_id, d.reseller_id) > (%(at)s, %(shop)s, %(id)s)
    order by d.due_at, d.shop_id, d.reseller_id limit %(limit)s
"""
