"""Hold stock for a limited time; an order converts a hold (see `convert_holds` in orders/placing.sql)."""

from collections import defaultdict
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.stock.posting import Posting, post_stock

_EXPIRED_MAX = 500


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


async def expire_holds(tx: Transaction, *, now: datetime, limit: int = _EXPIRED_MAX) -> int:
    """Release expired holds and return how many there were. Safe to run concurrently."""
    rows = await tx.all(
        "update holds h set status = 'expired', closed_at = %(now)s"
        " from (select shop_id, id from holds where status = 'held' and expires_at <= %(now)s"
        "       order by id limit %(limit)s for update skip locked) due"
        " where h.shop_id = due.shop_id and h.id = due.id"
        f" returning {_COLUMNS}",
        {"now": now, "limit": limit},
    )
    by_shop: defaultdict[int, list[Posting]] = defaultdict(list)
    for row in rows:
        hold = Hold(**dict(zip(Hold.__struct_fields__, row, strict=True)))
        by_shop[hold.shop_id].append(_posting(hold, kind="expire", held=-hold.quantity))
    for shop_id, postings in sorted(by_shop.items()):
        await post_stock(tx, shop_id=shop_id, postings=postings, reason="hold expired", now=now)
    return len(rows)


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
