"""Release orders whose stock is available, and recall them when it is not."""

from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import NotFound, Refused
from crossdock.shop.alerts import isolated
from crossdock.shop.events import defer_job
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.states import OVER
from crossdock.shop.payments import is_given_back
from crossdock.shop.stock import Posting, post_stock

TASK = "run_releases"
_PAGE = 500
_Place = tuple[int, int]
_BEFORE_ALL: _Place = (0, 0)
_AFTER_ALL: _Place = (2**63 - 1, 2**63 - 1)
_log = structlog.get_logger(__name__)


async def release_order(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime, looks: bool = True
) -> str:
    """Release a waiting or reserved order; returns its state afterwards (spec shopwedo 14.2).

    `processing` if all its stock was available and is now committed, `reserved` if some was short
    and nothing is committed. An order that was released before stays as it is. Without `looks` own
    stock may go below zero. Raises NotFound `order_not_found`, Refused `order_state` for an order
    that is closed, not paid yet, or delivered without a warehouse.
    """
    before = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if before.payment == "awaiting":
        raise Refused("order_state", "An order that is not paid yet cannot be released.")
    state = await _release(tx, shop_id=shop_id, order_id=order_id, now=now, looks=looks)
    if state is None:
        raise NotFound("order_not_found")
    if state == "waiting_for_release":
        raise Refused(
            "order_state", "No warehouse sends this order, so it is delivered, not released."
        )
    if state in OVER:
        raise Refused("order_state", f"An order that is {state} cannot be released.")
    return state


async def _release(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime, looks: bool = True
) -> str | None:
    """Release an order of the stock run; one that was cancelled meanwhile is no error."""
    state: str | None = await tx.value(
        "select release_order(%s, %s, %s, %s)", (shop_id, order_id, looks, now)
    )
    return state


async def wake_releases(tx: Transaction, *, shop_id: int) -> bool:
    """Defer a stock run after this transaction if an order of the shop waits for stock."""
    waits = bool(await tx.value(_ANYBODY_WAITS, (shop_id,)))
    if waits:
        await defer_job(tx, task=TASK, queue="default", args={"timestamp": 0})
    return waits


async def run_releases(db: Database, *, now: datetime) -> int:
    """The stock run: release the orders that wait for stock, oldest first; returns how many.

    First it recalls orders that were released without a check and are short, newest first, so that
    older ones keep their stock. The query skips orders whose stock is not available, so that many of
    them do not slow the run down. Paid orders whose time has come are released as well.
    """
    recalled, released = 0, await _release_due(db, now=now)
    async for shop_id, order_id in _walk(db, query=_SHORT, start=_AFTER_ALL):
        async with (
            isolated(db, job=TASK, shop_id=shop_id, order_id=order_id, now=now),
            db.begin() as tx,
        ):
            recalled += await _recall(tx, shop_id=shop_id, order_id=order_id, now=now)
    async for shop_id, order_id in _walk(db, query=_WAITING, start=_BEFORE_ALL):
        async with isolated(db, job=TASK, shop_id=shop_id, order_id=order_id, now=now):
            async with db.statement() as tx:
                state = await _release(tx, shop_id=shop_id, order_id=order_id, now=now)
            released += state == "processing"
    if recalled or released:
        _log.info("stock run", recalled=recalled, released=released)
    return released


async def _release_due(db: Database, *, now: datetime) -> int:
    """Release the orders that were paid long enough ago, the longest ago first.

    What was refunded as a whole, or is to be, is not sent by itself: staff release it, or cancel it.
    """
    released = 0
    async for _, shop_id, order_id in walk_due(db, _DUE, values={"now": now}):
        async with (
            isolated(db, job=TASK, shop_id=shop_id, order_id=order_id, now=now),
            db.begin() as tx,
        ):
            state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
            if state.payment != "refunded" and not await is_given_back(
                tx, shop_id=shop_id, order_id=order_id
            ):
                after = await _release(tx, shop_id=shop_id, order_id=order_id, now=now)
                released += after == "processing"
    return released


async def _walk(db: Database, *, query: str, start: _Place) -> AsyncIterator[_Place]:
    """Every (shop id, order id) of the query, page by page, without locks in between."""
    place = start
    while True:
        async with db.statement() as tx:
            page = await tx.all(query, {"shop": place[0], "order": place[1], "limit": _PAGE})
        for shop_id, order_id in page:
            yield shop_id, order_id
        if len(page) < _PAGE:
            return
        place = page[-1][0], page[-1][1]


async def _recall(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> bool:
    """Recall a released order if one of its levels is still below zero."""
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    still_short = await tx.value(
        "select exists (select 1 from order_allocations a"
        " join stock_levels l using (shop_id, variant_id, pool)"
        " where a.shop_id = %s and a.order_id = %s and a.status = 'committed' and l.available < 0)",
        (shop_id, order_id),
    )
    if state != "processing" or not still_short:
        return False
    rows = await tx.all(
        "delete from order_allocations where shop_id = %s and order_id = %s and status = 'committed'"
        " returning variant_id, pool, quantity",
        (shop_id, order_id),
    )
    await move_order(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        to="waiting_for_release",
        details={"reason": "short of stock"},
        now=now,
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
    return True


_DUE = """
    select o.release_at, o.shop_id, o.id from orders o
    where o.release_at <= %(now)s and o.fulfilment_state = 'waiting_for_release'
      and o.payment_state <> 'refunded'
      and o.release_at >= %(at)s and (o.release_at, o.shop_id, o.id) > (%(at)s, %(shop)s, %(id)s)
    order by o.release_at, o.shop_id, o.id limit %(limit)s
"""
_SHORT = """
    select o.shop_id, o.id from orders o
    where o.fulfilment_state = 'processing' and o.release_policy = 'immediate'
      and (o.shop_id, o.id) < (%(shop)s, %(order)s)
      and exists (
        select 1 from order_allocations a
        join stock_levels l on l.shop_id = a.shop_id and l.variant_id = a.variant_id and l.pool = a.pool
        where a.shop_id = o.shop_id and a.order_id = o.id and a.status = 'committed' and l.available < 0)
    order by o.shop_id desc, o.id desc limit %(limit)s
"""

_WAITING = """
    select o.shop_id, o.id from orders o
    where o.fulfilment_state in ('reserved', 'waiting_for_release') and o.payment_state <> 'awaiting'
      and (o.fulfilment_state = 'reserved' or o.release_policy = 'immediate')
      and (o.shop_id, o.id) > (%(shop)s, %(order)s)
      and not exists (
        select 1 from order_demand(o.shop_id, o.id) wanted
        left join stock_levels l
          on l.shop_id = o.shop_id and l.variant_id = wanted.variant_id and l.pool = 'own'
        where coalesce(l.available, 0) < wanted.quantity)
    order by o.shop_id, o.id limit %(limit)s
"""

_ANYBODY_WAITS = """
    select exists (
        select 1 from orders o
        where o.shop_id = %s and o.fulfilment_state in ('reserved', 'waiting_for_release')
          and (o.fulfilment_state = 'reserved' or o.release_policy = 'immediate'))
"""
