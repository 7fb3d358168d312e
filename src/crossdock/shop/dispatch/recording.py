"""Write down what became of an attempt: state, event and the next job in one transaction."""

from datetime import datetime, timedelta

import msgspec
import structlog

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.logging import redact_text
from crossdock.shop.alerts import raise_alert
from crossdock.shop.dispatch.contract import DispatchFailed, Permanent, Sent
from crossdock.shop.dispatch.manual import EXTERNAL_ID
from crossdock.shop.dispatch.retrying import defer_attempt
from crossdock.shop.events import DispatchAttemptFailed, DispatchSent, Payload, write_event

_ERROR_CHARS = 500

_log = structlog.get_logger(__name__)


class Claim(msgspec.Struct, frozen=True):
    """One worker's turn: attempt number `attempt` (from 1) to send an order."""

    shop_id: int
    order_id: int
    connector: str
    attempt: int
    may_exist: bool


async def record_sent(tx: Transaction, *, claim: Claim, sent: Sent, now: datetime) -> str:
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
    event = DispatchSent(connector=claim.connector, external_id=sent.external_id)
    await _record_event(tx, claim=claim, event=event, now=now)
    _log.info(
        event.kind, order_id=claim.order_id, attempt=claim.attempt, **msgspec.structs.asdict(event)
    )
    return "sent"


async def record_withdrawn(tx: Transaction, *, claim: Claim, now: datetime) -> str:
    """The order was cancelled before its turn: nothing was sent and nothing will be."""
    await tx.run(
        "update dispatches set status = 'withdrawn', next_attempt_at = null, updated_at = %s"
        " where shop_id = %s and order_id = %s and status = 'sending'",
        (now, claim.shop_id, claim.order_id),
    )
    return "withdrawn"


async def record_failure(
    tx: Transaction,
    *,
    claim: Claim,
    failure: DispatchFailed,
    waits_s: tuple[int, ...],
    now: datetime,
) -> str:
    """Back to queued with a job for the next attempt, or failed with an alert and no more jobs."""
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
    event = DispatchAttemptFailed(
        connector=claim.connector,
        attempt=claim.attempt,
        error=error,
        final=is_final,
        retry_in_s=None if is_final else wait_s,
    )
    await _record_event(tx, claim=claim, event=event, now=now)
    _log.warning(event.kind, order_id=claim.order_id, **msgspec.structs.asdict(event))
    return status


async def hand_back(tx: Transaction, *, claim: Claim, now: datetime) -> None:
    """This worker is stopping: whether the order arrived is unknown, so the next attempt looks first."""
    if await tx.run(
        "update dispatches set status = 'queued', next_attempt_at = %s, updated_at = %s"
        " where shop_id = %s and order_id = %s and status = 'sending' and attempts = %s",
        (now, now, claim.shop_id, claim.order_id, claim.attempt),
    ):
        await defer_attempt(
            tx, shop_id=claim.shop_id, order_id=claim.order_id, attempt=claim.attempt
        )


async def _alert(tx: Transaction, *, claim: Claim, error: str, now: datetime) -> None:
    await raise_alert(
        tx,
        shop_id=claim.shop_id,
        kind="dispatch_failed",
        message=f"Order {claim.order_id} was not sent to {claim.connector}: {error}",
        order_id=claim.order_id,
        now=now,
    )


async def _record_event(tx: Transaction, *, claim: Claim, event: Payload, now: datetime) -> None:
    await write_event(tx, shop_id=claim.shop_id, event=event, subject_id=claim.order_id, now=now)
