"""Jobs for further attempts: planned ones, those asked for by hand, and those of senders that died."""

from datetime import datetime, timedelta

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.events import defer_job

TASK = "send_dispatch"
QUEUE = "dispatch"
_OVERDUE_S = 900


async def defer_attempt(
    tx: Transaction, *, shop_id: int, order_id: int, attempt: int, delay_s: int = 0
) -> None:
    """The job that tries after `attempt` attempts were made. It takes no lock: the claim is one."""
    args = {"shop_id": shop_id, "order_id": order_id, "attempt": attempt}
    await defer_job(tx, task=TASK, queue=QUEUE, args=args, delay_s=delay_s)


async def resend(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Start over with a failed dispatch; the connector first looks for what earlier attempts left.

    Raises Refused `order_state` for one that is sent, withdrawn, or still being tried.
    """
    changed = await tx.run(
        "update dispatches set status = 'queued', attempts = 0, next_attempt_at = %s, updated_at = %s,"
        " last_error = case when last_error = '' then 'resent by hand' else last_error end"
        " where shop_id = %s and order_id = %s and status = 'failed'",
        (now, now, shop_id, order_id),
    )
    if not changed:
        raise Refused("order_state", "Only a failed dispatch can be sent again.")
    await defer_attempt(tx, shop_id=shop_id, order_id=order_id, attempt=0)


async def requeue_lost(tx: Transaction, *, now: datetime) -> int:
    """Give a new job to dispatches whose sender died or whose job went missing; how many there were.

    A claim that has run out goes back to queued. A row that waits 15 minutes longer than it
    should gets one more job; if the first comes after all, only one of them claims the attempt.
    """
    rows = await tx.all(
        "update dispatches set status = 'queued', updated_at = %(now)s, next_attempt_at = %(now)s"
        " where (status = 'sending' and next_attempt_at < %(now)s)"
        " or (status = 'queued' and next_attempt_at < %(overdue)s)"
        " returning shop_id, order_id, attempts",
        {"now": now, "overdue": now - timedelta(seconds=_OVERDUE_S)},
    )
    for shop_id, order_id, attempts in rows:
        await defer_attempt(tx, shop_id=shop_id, order_id=order_id, attempt=attempts)
    return len(rows)
