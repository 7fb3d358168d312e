"""Give orders to the warehouse when their goods are there, and take them back when they are not."""

from datetime import datetime

import structlog
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import NotFound
from crossdock.shop.stock import Posting, post_stock

_RUN_MAX = 500
_log = structlog.get_logger(__name__)


async def release_order(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime, looks: bool = True
) -> str:
    """Release a waiting or reserved order; the state it is in afterwards (spec shopwedo 14.2).

    `processing` when all its goods were available and are committed now, `reserved` when some
    were short: it keeps nothing then. Without `looks` it is released unseen and own stock may go
    below zero. Raises NotFound `order_not_found`.
    """
    state = await tx.value("select release_order(%s, %s, %s, %s)", (shop_id, order_id, looks, now))
    if state is None:
        raise NotFound("order_not_found")
    return str(state)


async def run_releases(db: Database, *, now: datetime) -> int:
    """The stock run: release what waits for stock, oldest first; how many orders were released.

    Orders that were released unseen and are short go back to waiting first, the newest first, so
    that older ones keep their goods.
    """
    async with db.statement() as tx:
        short = await tx.all(_SHORT, (_RUN_MAX,))
    for shop_id, order_id in short:
        async with db.begin() as tx:
            await _recall(tx, shop_id=shop_id, order_id=order_id, now=now)
    async with db.statement() as tx:
        waiting = await tx.all(_WAITING, (_RUN_MAX,))
    released = 0
    for shop_id, order_id in waiting:
        async with db.statement() as tx:
            state = await release_order(tx, shop_id=shop_id, order_id=order_id, now=now)
        released += state == "processing"
    if short or released:
        _log.info("stock run", recalled=len(short), released=released)
    return released


async def _recall(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Put a released order back to waiting if one of its levels is still below zero."""
    state = await tx.value(
        "select state from orders where shop_id = %s and id = %s for no key update",
        (shop_id, order_id),
    )
    still_short = await tx.value(
        "select exists (select 1 from order_allocations a"
        " join stock_levels l using (shop_id, variant_id, pool)"
        " where a.shop_id = %s and a.order_id = %s and a.status = 'committed' and l.available < 0)",
        (shop_id, order_id),
    )
    if state != "processing" or not still_short:
        return
    rows = await tx.all(
        "delete from order_allocations where shop_id = %s and order_id = %s and status = 'committed'"
        " returning variant_id, pool, quantity",
        (shop_id, order_id),
    )
    await tx.run(
        "update orders set state = 'waiting_for_release', updated_at = %s"
        " where shop_id = %s and id = %s",
        (now, shop_id, order_id),
    )
    await tx.run(
        "insert into events (shop_id, kind, subject_id, payload, created_at)"
        " values (%s, 'order.recalled', %s, %s, %s)",
        (shop_id, order_id, Jsonb({"reason": "short of stock"}), now),
    )
    postings = [
        Posting(variant_id=variant_id, pool=pool, kind="uncommit", committed=-quantity)
        for variant_id, pool, quantity in rows
    ]
    await post_stock(
        tx,
        shop_id=shop_id,
        postings=postings,
        reason="order waits for stock",
        order_id=order_id,
        now=now,
    )


_SHORT = """
    select o.shop_id, o.id from orders o
    where o.state = 'processing' and (o.details ->> 'released_unseen')::boolean and exists (
        select 1 from order_allocations a
        join stock_levels l on l.shop_id = a.shop_id and l.variant_id = a.variant_id and l.pool = a.pool
        where a.shop_id = o.shop_id and a.order_id = o.id and a.status = 'committed' and l.available < 0)
    order by o.id desc limit %s
"""

_WAITING = """
    select o.shop_id, o.id from orders o
    where o.state = 'reserved'
       or (o.state = 'waiting_for_release' and (o.details ->> 'released_unseen')::boolean)
    order by o.id limit %s
"""
