"""Tell of prices that the clock alone changes: a sale or a promotion begins or ends."""

from datetime import datetime
from typing import Final

from crossdock.db.unit_of_work import Database
from crossdock.kit.slices import slices
from crossdock.shop.alerts import isolated
from crossdock.shop.events import PriceChanged, write_event

JOB: Final = "tell_prices"
VARIANTS_AT_ONCE: Final = 1_000


async def tell_prices(db: Database, *, now: datetime) -> int:
    """Write `price.changed` for the variants whose price changed by the clock since the last run; how many.

    A shop's cursor and its events are one transaction, so that each moment is told of once, whatever dies; two
    runs at once do not wait for each other. A clock that is set back tells of nothing twice.
    """
    async with db.statement() as tx:
        shops = [row[0] for row in await tx.all(_SHOPS, {"now": now})]
    told = 0
    for shop_id in shops:
        async with isolated(db, job=JOB, shop_id=shop_id, now=now):
            told += await _tell(db, shop_id=shop_id, now=now)
    return told


async def _tell(db: Database, *, shop_id: int, now: datetime) -> int:
    async with db.begin() as tx:
        await tx.run(_BEGIN, (shop_id,))
        since = await tx.value(_LOCK, (shop_id,))
        if since is None or since >= now:
            return 0
        rows = await tx.all(_CHANGED, {"shop": shop_id, "since": since, "now": now})
        for some in slices([row[0] for row in rows], size=VARIANTS_AT_ONCE):
            event = PriceChanged(variant_ids=list(some))
            await write_event(tx, shop_id=shop_id, event=event, now=now)
        await tx.run(
            "update price_boundaries set told_until = %s where shop_id = %s", (now, shop_id)
        )
    return len(rows)


# A shop without a cursor is told of from its beginning.
_SHOPS = """
    select s.id from shops s left join price_boundaries b on b.shop_id = s.id
    cross join lateral (select coalesce(b.told_until, s.created_at) as since) c
    where exists (select from variants v where v.shop_id = s.id
                  and v.sale_starts_at > c.since and v.sale_starts_at <= %(now)s)
       or exists (select from variants v where v.shop_id = s.id
                  and v.sale_ends_at > c.since and v.sale_ends_at <= %(now)s)
       or exists (select from promotions q where q.shop_id = s.id
                  and q.starts_at > c.since and q.starts_at <= %(now)s)
       or exists (select from promotions q where q.shop_id = s.id
                  and q.ends_at > c.since and q.ends_at <= %(now)s)
    order by s.id
"""
_BEGIN = """
    insert into price_boundaries (shop_id, told_until) select id, created_at from shops where id = %s
    on conflict do nothing
"""
_LOCK = "select told_until from price_boundaries where shop_id = %s for no key update skip locked"
_CHANGED = """
    select v.id from variants v
    where v.shop_id = %(shop)s and v.sale_starts_at > %(since)s and v.sale_starts_at <= %(now)s
    union
    select v.id from variants v
    where v.shop_id = %(shop)s and v.sale_ends_at > %(since)s and v.sale_ends_at <= %(now)s
    union
    select q.variant_id from promotions q
    where q.shop_id = %(shop)s and q.starts_at > %(since)s and q.starts_at <= %(now)s
    union
    select q.variant_id from promotions q
    where q.shop_id = %(shop)s and q.ends_at > %(since)s and q.ends_at <= %(now)s
    order by 1
"""
