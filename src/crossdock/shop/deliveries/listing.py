"""List deliveries, and the log of one's attempts."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound

STATUSES = ("queued", "sending", "sent", "failed", "withdrawn")
ATTEMPTS_MAX = 1_000


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a delivery, without its payload, which may contain personal data."""

    id: int
    kind: str
    target: str
    subject_id: int | None
    object_key: str | None
    status: str
    attempts: int
    result: str | None
    last_error: str
    next_attempt_at: datetime | None
    queued_at: datetime
    sent_at: datetime | None
    updated_at: datetime


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log. `attempt` counts from 1 since the delivery was queued or resent.

    `outcome` is sent, queued (will be retried), failed, stopped (the worker was stopped), or lost
    (the worker died and the result is unknown).
    """

    attempt: int
    started_at: datetime | None
    took_ms: int | None
    outcome: str
    http_status: int | None
    error: str
    answer: str


async def list_deliveries(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str | None = None,
    target: str | None = None,
    status: str | None = None,
    subject_id: int | None = None,
    object_key: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """The shop's deliveries, newest first, queued from `since` (inclusive) to `until` (exclusive).

    `before` leaves out the delivery with this id and all later ones.
    """
    rows = await tx.all(
        _DELIVERY + _CHOSEN,
        {
            "shop": shop_id,
            "kind": kind,
            "target": target,
            "status": status,
            "subject": subject_id,
            "object": object_key,
            "since": since,
            "until": until,
            "before": before,
            "limit": limit,
        },
    )
    return [_delivery(row) for row in rows]


async def count_failed(tx: Transaction) -> dict[str, int]:
    """How many deliveries of which kind have failed and wait for a person, in all shops together."""
    return dict(
        await tx.all("select kind, count(*) from deliveries where status = 'failed' group by kind")
    )


class OpenDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of a kind to a target wait, and how many have failed and wait for a person."""

    kind: str
    target: str
    waiting: int
    failed: int


async def count_open(tx: Transaction, *, shop_id: int) -> list[OpenDeliveries]:
    """What is not sent yet, by kind and target."""
    rows = await tx.all(
        "select kind, target, count(*) filter (where status <> 'failed'), count(*) filter (where status = 'failed')"
        " from (select kind, target, status from deliveries where shop_id = %s and status in ('queued', 'sending')"
        " union all select kind, target, status from deliveries where shop_id = %s and status = 'failed') d"
        " group by kind, target order by kind, target",
        (shop_id, shop_id),
    )
    names = OpenDeliveries.__struct_fields__
    return [OpenDeliveries(**dict(zip(names, row, strict=True))) for row in rows]


async def show_delivery(
    tx: Transaction, *, shop_id: int, delivery_id: int
) -> tuple[Delivery, list[DeliveryAttempt]]:
    """One delivery and the log of its attempts, the latest ATTEMPTS_MAX. Raises NotFound `not_found`."""
    row = await tx.one(_DELIVERY + " and id = %(id)s", {"shop": shop_id, "id": delivery_id})
    if row is None:
        raise NotFound("not_found", f"There is no delivery {delivery_id}.")
    lines = await tx.all(
        "select attempt, started_at, took_ms, outcome, http_status, error, answer"
        " from delivery_attempts where shop_id = %s and delivery_id = %s"
        " order by id desc limit %s",
        (shop_id, delivery_id, ATTEMPTS_MAX),
    )
    names = DeliveryAttempt.__struct_fields__
    log = [DeliveryAttempt(**dict(zip(names, line, strict=True))) for line in reversed(lines)]
    return _delivery(row), log


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(**dict(zip(Delivery.__struct_fields__, row, strict=True)))


_DELIVERY = """
    select id, kind, target, subject_id, object_key, status, attempts, result, last_error, next_attempt_at,
           queued_at, sent_at, updated_at
    from deliveries where shop_id = %(shop)s
"""
_CHOSEN = """
    and (%(kind)s::text is null or kind = %(kind)s) and (%(target)s::text is null or target = %(target)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(subject)s::bigint is null or subject_id = %(subject)s)
    and (%(object)s::text is null or object_key = %(object)s)
    and (%(since)s::timestamptz is null or queued_at >= %(since)s)
    and (%(until)s::timestamptz is null or queued_at < %(until)s)
    and (%(before)s::bigint is null or id < %(before)s)
    order by id desc limit %(limit)s
"""
