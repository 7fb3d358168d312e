"""Send an order to its fulfilment system: claim, call, record.

    queued -> sending -> sent
       ^         |
       +---------+------> failed (alert, waits for `resend`)

The claim and the record are transactions of their own and the call stands between them. A retry is
a new job in the transaction that records the failure, so state and job never disagree. A claim
lasts CLAIM_S; whoever dies with one leaves the row to `requeue_lost`. Stock is not looked at again
(spec shoppex_partner 4.4).
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.logging import redact_text
from crossdock.shop.events.queueing import defer_job
from crossdock.shop.fulfilment.connecting import Connectors
from crossdock.shop.fulfilment.contract import (
    DispatchFailed,
    DispatchOrder,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.fulfilment.manual import EXTERNAL_ID

TASK = "send_dispatch"
QUEUE = "dispatch"
RETRY_WAITS_S = (60, 300, 900, 3600, 21_600, 86_400)
CLAIM_S = 300
_SEND_DEADLINE_S = 180
_OVERDUE_S = 900
_ERROR_CHARS = 500

_log = structlog.get_logger(__name__)


class Dispatching(msgspec.Struct, frozen=True, kw_only=True):
    """What sending needs besides the order; `waits_s` come before the second and further attempts."""

    db: Database
    clock: Clock
    connectors: Connectors
    waits_s: tuple[int, ...] = RETRY_WAITS_S


class _Claim(msgspec.Struct, frozen=True):
    shop_id: int
    order_id: int
    connector: str
    attempt: int
    may_exist: bool


async def send_dispatch(
    service: Dispatching, *, shop_id: int, order_id: int, attempt: int = 0
) -> str:
    """Send the order if it is this attempt's turn; the dispatch's status, or '' if it was not.

    Safe to run any number of times: only one run claims an attempt, and a connector does not
    create a second order. Raises only when the database cannot be reached.
    """
    claim = await _claim(service, shop_id=shop_id, order_id=order_id, attempt=attempt)
    if claim is None:
        return ""
    outcome = await _attempt(service, claim)
    now = service.clock.now()
    async with service.db.begin() as tx:
        if isinstance(outcome, Sent):
            return await _record_sent(tx, claim=claim, sent=outcome, now=now)
        if isinstance(outcome, _Withdrawn):
            return await _record_withdrawn(tx, claim=claim, now=now)
        return await _record_failure(
            tx, claim=claim, failure=outcome, waits_s=service.waits_s, now=now
        )


class _Withdrawn:
    """The order was cancelled before it was sent."""


async def _claim(
    service: Dispatching, *, shop_id: int, order_id: int, attempt: int
) -> _Claim | None:
    now = service.clock.now()
    async with service.db.statement() as tx:
        row = await tx.one(
            "update dispatches set status = 'sending', attempts = attempts + 1, updated_at = %(now)s,"
            " next_attempt_at = %(until)s"
            " where shop_id = %(shop)s and order_id = %(order)s and status = 'queued' and attempts = %(attempt)s"
            " returning connector, attempts, attempts > 1 or last_error <> ''",
            {
                "shop": shop_id,
                "order": order_id,
                "attempt": attempt,
                "now": now,
                "until": now + timedelta(seconds=CLAIM_S),
            },
        )
    return _Claim(shop_id, order_id, *row) if row else None


async def _attempt(service: Dispatching, claim: _Claim) -> Sent | DispatchFailed | _Withdrawn:
    """Read the order, then call with no transaction open."""
    try:
        async with service.db.statement() as tx:
            order = await read_dispatch_order(
                tx, shop_id=claim.shop_id, order_id=claim.order_id, may_exist=claim.may_exist
            )
            connector = await service.connectors.read(
                tx, shop_id=claim.shop_id, name=claim.connector
            )
        if order.state == "cancelled":
            return _Withdrawn()
        async with asyncio.timeout(_SEND_DEADLINE_S):
            return await connector.send(order)
    except DispatchFailed as failure:
        return failure
    except TimeoutError:
        return Retryable(f"no answer within {_SEND_DEADLINE_S} s")
    except Unavailable:
        raise
    except CrossdockError as error:
        return Permanent(error.message)
    except Exception as error:  # noqa: BLE001 - a connector's bug must not leave the row in sending
        _log.exception("dispatch.bug", order_id=claim.order_id, connector=claim.connector)
        return Retryable(f"{type(error).__name__} in the connector")


async def read_dispatch_order(
    tx: Transaction, *, shop_id: int, order_id: int, may_exist: bool = False
) -> DispatchOrder:
    """The order with its lines, in one query."""
    text = await tx.value(_ORDER, {"shop": shop_id, "order": order_id, "may_exist": may_exist})
    return msgspec.json.decode(text, type=DispatchOrder)


async def _record_sent(tx: Transaction, *, claim: _Claim, sent: Sent, now: datetime) -> str:
    """A success counts even if the claim was lost meanwhile: the other side has the order.

    The order's row is locked before the dispatch's, as cancelling does.
    """
    await tx.run(
        "select 1 from orders where shop_id = %s and id = %s for no key update",
        (claim.shop_id, claim.order_id),
    )
    changed = await tx.run(
        "update dispatches set status = 'sent', external_id = %s, last_error = '', next_attempt_at = null,"
        " sent_at = %s, updated_at = %s where shop_id = %s and order_id = %s and status in ('queued', 'sending')",
        (sent.external_id, now, now, claim.shop_id, claim.order_id),
    )
    if not changed:
        return ""
    if sent.external_id != EXTERNAL_ID:
        await tx.run(
            "update orders set state = 'in_fulfilment', updated_at = %s"
            " where shop_id = %s and id = %s and state = 'processing'",
            (now, claim.shop_id, claim.order_id),
        )
    payload = {"connector": claim.connector, "external_id": sent.external_id}
    await _record_event(tx, claim=claim, kind="dispatch.sent", payload=payload, now=now)
    _log.info("dispatch.sent", order_id=claim.order_id, attempt=claim.attempt, **payload)
    return "sent"


async def _record_withdrawn(tx: Transaction, *, claim: _Claim, now: datetime) -> str:
    await tx.run(
        "update dispatches set status = 'withdrawn', next_attempt_at = null, updated_at = %s"
        " where shop_id = %s and order_id = %s and status = 'sending'",
        (now, claim.shop_id, claim.order_id),
    )
    return "withdrawn"


async def _record_failure(
    tx: Transaction,
    *,
    claim: _Claim,
    failure: DispatchFailed,
    waits_s: tuple[int, ...],
    now: datetime,
) -> str:
    """Back to queued with a job for the next attempt, or failed with an alert."""
    is_final = isinstance(failure, Permanent) or claim.attempt > len(waits_s)
    wait_s = 0 if is_final else max(waits_s[claim.attempt - 1], failure.retry_after_s)
    error = redact_text(str(failure))[:_ERROR_CHARS]
    status = "failed" if is_final else "queued"
    changed = await tx.run(
        "update dispatches set status = %s, last_error = %s, next_attempt_at = %s, updated_at = %s"
        " where shop_id = %s and order_id = %s and status = 'sending' and attempts = %s",
        (
            status,
            error,
            None if is_final else now + timedelta(seconds=wait_s),
            now,
            claim.shop_id,
            claim.order_id,
            claim.attempt,
        ),
    )
    if not changed:
        return ""
    if is_final:
        await _alert(tx, claim=claim, error=error, now=now)
    else:
        await defer_attempt(
            tx,
            shop_id=claim.shop_id,
            order_id=claim.order_id,
            attempt=claim.attempt,
            delay_s=wait_s,
        )
    payload = {"connector": claim.connector, "attempt": claim.attempt, "error": error}
    payload |= {"final": is_final, "retry_in_s": None if is_final else wait_s}
    await _record_event(tx, claim=claim, kind="dispatch.failed", payload=payload, now=now)
    _log.warning("dispatch.failed", order_id=claim.order_id, **payload)
    return status


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


async def defer_attempt(
    tx: Transaction, *, shop_id: int, order_id: int, attempt: int, delay_s: int = 0
) -> None:
    """The job that tries after `attempt` attempts were made. It takes no lock: the claim is one."""
    args = {"shop_id": shop_id, "order_id": order_id, "attempt": attempt}
    await defer_job(tx, task=TASK, queue=QUEUE, args=args, delay_s=delay_s)


async def _alert(tx: Transaction, *, claim: _Claim, error: str, now: datetime) -> None:
    await tx.run(
        "insert into alerts (shop_id, kind, message, order_id, created_at) values (%s, 'dispatch_failed', %s, %s, %s)",
        (
            claim.shop_id,
            f"Order {claim.order_id} was not sent to {claim.connector}: {error}",
            claim.order_id,
            now,
        ),
    )


async def _record_event(
    tx: Transaction, *, claim: _Claim, kind: str, payload: dict[str, Any], now: datetime
) -> None:
    await tx.run(
        "insert into events (shop_id, kind, subject_id, payload, created_at) values (%s, %s, %s, %s, %s)",
        (claim.shop_id, kind, claim.order_id, Jsonb(payload), now),
    )


_ORDER = """
    select jsonb_build_object(
        'shop_id', o.shop_id, 'order_id', o.id, 'partner_order_id', o.partner_order_id, 'state', o.state,
        'currency', o.currency, 'subtotal_minor', o.subtotal_minor, 'tax_minor', o.tax_minor,
        'shipping_minor', o.shipping_minor, 'discount_minor', o.discount_minor, 'total_minor', o.total_minor,
        'email', coalesce(nullif(o.billing ->> 'email', ''), c.email, ''),
        'billing', o.billing, 'shipping', o.shipping, 'comments', o.comments, 'tax_id', o.tax_id,
        'resale_tax', o.resale_tax, 'is_test', o.is_test, 'placed_at', o.placed_at,
        'may_exist', %(may_exist)s::boolean,
        'lines', (
            select jsonb_agg(jsonb_build_object(
                'line_no', l.line_no, 'sku', l.sku, 'name', l.name, 'upc', l.upc, 'quantity', l.quantity,
                'unit_price_minor', l.unit_price_minor, 'total_minor', l.total_minor, 'note', l.note)
                order by l.line_no)
            from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id)
    )::text
    from orders o
    left join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
    where o.shop_id = %(shop)s and o.id = %(order)s
"""
