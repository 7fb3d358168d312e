"""Record the outcome of an attempt: state, log, event and alert in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
import structlog
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.logging import redact_text
from crossdock.shop.alerts import raise_alert
from crossdock.shop.deliveries.contract import (
    HEADER_CHARS,
    HEADERS_MAX,
    Claim,
    DeliveryFailed,
    DeliveryKind,
    Failure,
    Headers,
    Sent,
)

ERROR_CHARS = 500
ANSWER_CHARS = 300

_log = structlog.get_logger(__name__)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A claim after its attempt; backoff counts from `due`, None for the database's clock."""

    claim: Claim
    kind: DeliveryKind
    started_at: datetime
    took_ms: int
    due: datetime | None
    now: datetime


async def record_sent(tx: Transaction, *, attempt: Attempt, sent: Sent) -> str:
    """Record a success, even if the claim was lost meanwhile, because the other side has it."""
    claim = attempt.claim
    await attempt.kind.lock(tx, claim=claim)
    log = _line(attempt, "sent", status=sent.status, answer=sent.answer, headers=sent.headers)
    if not await _write(
        tx, attempt=attempt, status="sent", result=sent.external_id, error="", log=log
    ):
        return ""
    await attempt.kind.sent(tx, claim=claim, sent=sent, now=attempt.now)
    _log.info("delivery.sent", **_facts(claim), external_id=sent.external_id)
    return "sent"


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """A successful attempt of a kind without consequences."""

    attempt: Attempt
    sent: Sent


async def record_successes(tx: Transaction, *, successes: Sequence[Success]) -> list[str]:
    """`record_sent` for many in one statement, so that the disk is flushed once."""
    rows = [
        {
            "number": number,
            "shop_id": success.attempt.claim.shop_id,
            "id": success.attempt.claim.id,
            "attempt": success.attempt.claim.attempt,
            "result": success.sent.external_id,
            "log": _facts_of_line(
                success.attempt,
                "sent",
                status=success.sent.status,
                answer=success.sent.answer,
                headers=success.sent.headers,
            ),
            "now": success.attempt.now.isoformat(),
        }
        for number, success in enumerate(successes)
    ]
    changed = [
        row[0] for row in await tx.all(_SUCCESSES, (Jsonb(rows, dumps=msgspec.json.encode),))
    ]
    for success, has_changed in zip(successes, changed, strict=True):
        if has_changed:
            facts = _facts(success.attempt.claim)
            _log.info("delivery.sent", **facts, external_id=success.sent.external_id)
    return ["sent" if has_changed else "" for has_changed in changed]


_SUCCESSES = """
    select record_delivery(r.shop_id, r.id, r.attempt, 'sent', null, r.result, '', r.log, null, r.now)
    from jsonb_to_recordset(%s) as r (number integer, shop_id bigint, id bigint, attempt integer, result text,
                                      log jsonb, now timestamptz)
    order by r.number
"""


async def record_failure(tx: Transaction, *, attempt: Attempt, failed: DeliveryFailed) -> str:
    """Requeue with the time of the next attempt, or fail with an alert."""
    claim, kind = attempt.claim, attempt.kind
    wait_s = kind.wait_s(claim.attempt, failed)
    failure = Failure(error=redact_text(str(failed))[:ERROR_CHARS], wait_s=wait_s)
    status = "failed" if failure.is_final else "queued"
    log = _line(
        attempt,
        status,
        error=failure.error,
        status=failed.status,
        answer=failed.answer,
        headers=failed.headers,
    )
    await kind.lock(tx, claim=claim)
    if not await _write(
        tx, attempt=attempt, status=status, wait_s=wait_s, error=failure.error, log=log
    ):
        return ""
    if failure.is_final:
        await _alert(tx, attempt=attempt, error=failure.error)
    await kind.failed(tx, claim=claim, failure=failure, now=attempt.now)
    _log.warning("delivery.failed", **_facts(claim), error=failure.error, retry_in_s=wait_s)
    return status


async def record_withdrawn(tx: Transaction, *, attempt: Attempt) -> str:
    """Record that there was nothing to send any more: no call was made and none will be."""
    return "withdrawn" if await _write(tx, attempt=attempt, status="withdrawn") else ""


async def hand_back(tx: Transaction, *, attempt: Attempt) -> None:
    """Requeue because this worker stops: the outcome is unknown, so the next attempt looks it up."""
    log = _line(attempt, "stopped", error="its worker was stopped")
    await _write(tx, attempt=attempt, status="queued", wait_s=0, log=log)


async def _write(
    tx: Transaction,
    *,
    attempt: Attempt,
    status: str,
    wait_s: int | None = None,
    result: str | None = None,
    error: str | None = None,
    log: Jsonb | None = None,
) -> bool:
    claim = attempt.claim
    return bool(
        await tx.value(
            "select record_delivery(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                claim.shop_id,
                claim.id,
                claim.attempt,
                status,
                wait_s,
                result,
                error,
                log,
                attempt.due,
                attempt.now,
            ),
        )
    )


def _line(
    attempt: Attempt,
    outcome: str,
    *,
    error: str = "",
    status: int | None = None,
    answer: str = "",
    headers: Headers | None = None,
) -> Jsonb:
    return Jsonb(
        _facts_of_line(attempt, outcome, error=error, status=status, answer=answer, headers=headers)
    )


def _facts_of_line(
    attempt: Attempt,
    outcome: str,
    *,
    error: str = "",
    status: int | None = None,
    answer: str = "",
    headers: Headers | None = None,
) -> dict[str, object]:
    """A line of the log, truncated and without secrets."""
    noted = {} if headers is None else {
        "request_headers": _bounded(headers.request),
        "answer_headers": _bounded(headers.answer),
    }  # fmt: skip
    return {
        "outcome": outcome,
        "started_at": attempt.started_at.isoformat(),
        "took_ms": attempt.took_ms,
        "http_status": status,
        "error": error,
        "answer": redact_text(answer.replace("\x00", ""))[:ANSWER_CHARS],
        **noted,
    }


def _bounded(headers: dict[str, str]) -> dict[str, str]:
    """The first HEADERS_MAX headers, each of at most HEADER_CHARS and without secrets."""
    return {
        name[:HEADER_CHARS]: _redacted(value.replace("\x00", ""))[:HEADER_CHARS]
        for name, value in list(headers.items())[:HEADERS_MAX]
    }


_redacted = lru_cache(maxsize=256)(redact_text)  # most headers are those of the call before


async def _alert(tx: Transaction, *, attempt: Attempt, error: str) -> None:
    claim, kind = attempt.claim, attempt.kind
    to = await kind.name_target(tx, claim=claim)
    await raise_alert(
        tx,
        shop_id=claim.shop_id,
        kind=f"{claim.kind}_failed",
        message=f"{_named(attempt)} was not sent to {to}: {error} (delivery {claim.id})",
        order_id=claim.subject_id if kind.is_about_order else None,
        subject=_alert_subject(attempt),
        now=attempt.now,
    )


def _alert_subject(attempt: Attempt) -> str:
    claim, kind = attempt.claim, attempt.kind
    is_of_target = kind.is_about_order or kind.one_alert
    return claim.target if is_of_target else f"{claim.target} {claim.subject_id}"


def _named(attempt: Attempt) -> str:
    """What was to be sent, such as 'Order 10001' or 'Reply 10003 of ticket 10002'."""
    claim = attempt.claim
    number = "" if claim.subject_id is None else f" {claim.subject_id}"
    of = f" of {claim.object_key}" if claim.object_key else ""
    return f"{attempt.kind.subject}{number}{of}"


def _facts(claim: Claim) -> dict[str, object]:
    return {
        "kind": claim.kind,
        "target": claim.target,
        "delivery_id": claim.id,
        "subject_id": claim.subject_id,
        "attempt": claim.attempt,
    }
