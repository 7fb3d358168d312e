"""Hold stock for a limited time; an order converts a hold (see `convert_holds` in orders/placing.sql)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import DatabaseUnavailable, NotFound
from crossdock.shop.alerts import isolated
from crossdock.shop.stock.posting import Posting, post_stock

_EXPIRED_MAX = 500
log = structlog.get_logger(__name__)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one level that is reserved until `expires_at`."""

    id: int
    shop_id: int
    variant_id: int
    pool: str
    quantity: int
    expires_at: datetime


async def hold_stock(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    ttl_s: int,
    now: datetime,
    pool: str = "own",
    reference: str = "",
) -> Hold:
    """Hold available stock. Raises Refused `stock_limit_exceeded`, and then holds nothing."""
    expires_at = now + timedelta(seconds=ttl_s)
    await tx.run(
        "insert into stock_levels (shop_id, variant_id, pool) values (%s, %s, %s) on conflict do nothing",
        (shop_id, variant_id, pool),
    )
    hold_id = await tx.value(
        "insert into holds (shop_id, variant_id, pool, quantity, reference, expires_at, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning id",
        (shop_id, variant_id, pool, quantity, reference, expires_at, now),
    )
    hold = Hold(
        id=hold_id,
        shop_id=shop_id,
        variant_id=variant_id,
        pool=pool,
        quantity=quantity,
        expires_at=expires_at,
    )
    posting = _posting(hold, kind="hold", held=quantity, floor=True)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason=reference or "hold", now=now)
    return hold


async def release_hold(tx: Transaction, *, shop_id: int, hold_id: int, now: datetime) -> Hold:
    """Release a hold before it expires. Raises NotFound `hold_not_found` if it is closed."""
    hold = await _close(tx, shop_id=shop_id, hold_id=hold_id, status="released", now=now)
    posting = _posting(hold, kind="release", held=-hold.quantity)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason="hold released", now=now)
    return hold


async def expire_all_holds(db: Database, *, now: datetime) -> int:
    """Release expired holds, batch by batch until none is left; returns how many. Safe to run concurrently.

    If a batch fails, what is due is released one by one, so that a hold that cannot be released keeps no other:
    it raises an alert.
    """
    count = 0
    try:
        while batch := await _expire_some(db, now=now):
            count += batch
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("holds are released one by one")
        count += await _expire_each(db, now=now)
    return count


async def expire_holds(tx: Transaction, *, now: datetime, limit: int = _EXPIRED_MAX) -> int:
    """Release a batch of expired holds and return how many there were. Safe to run concurrently."""
    due = await tx.all(
        "select shop_id, id from holds where status = 'held' and expires_at <= %s"
        " order by id limit %s for update skip locked",
        (now, limit),
    )
    return await _expire(tx, due=due, now=now)


async def _expire_some(db: Database, *, now: datetime) -> int:
    async with db.begin() as tx:
        return await expire_holds(tx, now=now)


async def _expire_each(db: Database, *, now: datetime) -> int:
    count = 0
    async for _, shop_id, hold_id in walk_due(db, _DUE, values={"now": now}):
        async with (
            isolated(db, job="expire_holds", shop_id=shop_id, about=f"hold {hold_id}", now=now),
            db.begin() as tx,
        ):
            count += await _expire(tx, due=[(shop_id, hold_id)], now=now)
    return count


async def _expire(tx: Transaction, *, due: Sequence[tuple[Any, ...]], now: datetime) -> int:
    """Release those of these holds, by shop and id, that are still held; how many."""
    if not due:
        return 0
    rows = await tx.all(
        "update holds h set status = 'expired', closed_at = %s"
        " from unnest(%s::bigint[], %s::bigint[]) as due (shop_id, id)"
        " where h.shop_id = due.shop_id and h.id = due.id and h.status = 'held'"
        f" returning {_COLUMNS}",
        (now, [shop_id for shop_id, _ in due], [hold_id for _, hold_id in due]),
    )
    by_shop: defaultdict[int, list[Posting]] = defaultdict(list)
    for row in rows:
        hold = Hold(**dict(zip(Hold.__struct_fields__, row, strict=True)))
        by_shop[hold.shop_id].append(_posting(hold, kind="expire", held=-hold.quantity))
    for shop_id, postings in sorted(by_shop.items()):
        await post_stock(tx, shop_id=shop_id, postings=postings, reason="hold expired", now=now)
    return len(rows)


_DUE = """
    select expires_at, shop_id, id from holds
    where status = 'held' and expires_at <= %(now)s
      and expires_at >= %(at)s and (expires_at, shop_id, id) > (%(at)s, %(shop)s, %(id)s)
    order by expires_at, shop_id, id limit %(limit)s
"""
_COLUMNS = "h.id, h.shop_id, h.variant_id, h.pool, h.quantity, h.expires_at"


async def _close(
    tx: Transaction, *, shop_id: int, hold_id: int, status: str, now: datetime
) -> Hold:
    row = await tx.one(
        "update holds h set status = %s, closed_at = %s"
        f" where h.shop_id = %s and h.id = %s and h.status = 'held' returning {_COLUMNS}",
        (status, now, shop_id, hold_id),
    )
    if row is None:
        raise NotFound("hold_not_found")
    return Hold(**dict(zip(Hold.__struct_fields__, row, strict=True)))


def _posting(
    hold: Hold, *, kind: str, held: int, committed: int = 0, floor: bool = False
) -> Posting:
    return Posting(
        variant_id=hold.variant_id,
        pool=hold.pool,
        kind=kind,
        held=held,
        committed=committed,
        floor=floor,
        hold_id=hold.id,
    )
