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
from datetime import timedelta

import msgspec
import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Unavailable
from crossdock.kit.clock import Clock
from crossdock.shop.dispatch.connecting import Connectors
from crossdock.shop.dispatch.contract import (
    DispatchFailed,
    DispatchOrder,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.dispatch.recording import (
    Claim,
    hand_back,
    record_failure,
    record_sent,
    record_withdrawn,
)

RETRY_WAITS_S = (60, 300, 900, 3600, 21_600, 86_400)
CLAIM_S = 300
_SEND_DEADLINE_S = 180

_log = structlog.get_logger(__name__)


class Dispatching(msgspec.Struct, frozen=True, kw_only=True):
    """What sending needs besides the order; `waits_s` come before the second and further attempts."""

    db: Database
    clock: Clock
    connectors: Connectors
    waits_s: tuple[int, ...] = RETRY_WAITS_S


async def send_dispatch(
    service: Dispatching, *, shop_id: int, order_id: int, attempt: int = 0
) -> str:
    """Send the order if it is this attempt's turn; the dispatch's status, or '' if it was not.

    Safe to run any number of times: only one run claims an attempt, and a connector does not
    create a second order. Raises only when the database cannot be reached; cancelled in the middle,
    it leaves the next attempt to another worker.
    """
    claim = await _claim(service, shop_id=shop_id, order_id=order_id, attempt=attempt)
    if claim is None:
        return ""
    try:
        outcome = await _attempt(service, claim)
    except asyncio.CancelledError:
        async with service.db.begin() as tx:
            await hand_back(tx, claim=claim, now=service.clock.now())
        raise
    now = service.clock.now()
    async with service.db.begin() as tx:
        if isinstance(outcome, Sent):
            return await record_sent(tx, claim=claim, sent=outcome, now=now)
        if isinstance(outcome, _Withdrawn):
            return await record_withdrawn(tx, claim=claim, now=now)
        return await record_failure(
            tx, claim=claim, failure=outcome, waits_s=service.waits_s, now=now
        )


class _Withdrawn:
    """The order was cancelled before it was sent."""


async def _claim(
    service: Dispatching, *, shop_id: int, order_id: int, attempt: int
) -> Claim | None:
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
    return Claim(shop_id, order_id, *row) if row else None


async def _attempt(service: Dispatching, claim: Claim) -> Sent | DispatchFailed | _Withdrawn:
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
