"""Queue deliveries in the transaction of the change that they report."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction


async def queue_delivery(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str,
    target: str,
    subject_id: int | None,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    is_done_by_hand: bool = False,
    object_key: str | None = None,
) -> int | None:
    """Queue a delivery; its id, or None if this subject was already queued for this target."""
    found = await tx.value(
        "select queue_delivery(%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            shop_id,
            kind,
            target,
            subject_id,
            Jsonb(dict(payload or {})),
            is_done_by_hand,
            now,
            object_key,
        ),
    )
    return None if found is None else int(found)


async def queue_deliveries(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str,
    objects: Sequence[tuple[str, str | None, Mapping[str, Any]]],
    delay_s: int,
    now: datetime,
) -> int:
    """Queue one for each (target, object key, payload), to leave after `delay_s` seconds; how many.

    An object whose last delivery is still waiting for its first attempt gets no other: the kind reads
    what it sends when it leaves. Each object is named once; what has no object key is always queued.
    """
    rows = [
        {"target": target, "object_key": object_key, "payload": dict(payload)}
        for target, object_key, payload in objects
    ]
    return int(
        await tx.value(
            "select queue_deliveries(%s, %s, %s, %s, %s)",
            (shop_id, kind, Jsonb(rows), delay_s, now),
        )
    )


async def newest_payload(
    tx: Transaction, *, shop_id: int, kind: str, target: str, object_key: str
) -> dict[str, Any] | None:
    """What was queued last of an object for a target, None if nothing is known of it."""
    found = await tx.value(
        "select payload from deliveries where shop_id = %s and kind = %s and target = %s and object_key = %s"
        " order by id desc limit 1",
        (shop_id, kind, target, object_key),
    )
    return None if found is None else dict(found)
