"""Read alerts and mark them as seen."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound

PAGE_MAX = 200


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that needs a person's attention; open until marked as seen."""

    shop: str
    id: int
    kind: str
    message: str
    order_id: int | None
    subject: str
    created_at: datetime
    seen_at: datetime | None
    seen_by: str

    @property
    def title(self) -> str:
        """The kind as a title, such as 'Dispatch failed'."""
        return self.kind.replace("_", " ").capitalize()


_ALERTS = """
    select s.slug, a.id, a.kind, a.message, a.order_id, a.subject, a.created_at, a.seen_at, a.seen_by
    from alerts a join shops s on s.id = a.shop_id
    where (%(shop)s::bigint is null or a.shop_id = %(shop)s)
      and (%(id)s::bigint is null or a.id = %(id)s)
      and (%(seen)s::boolean is null or (a.seen_at is not null) = %(seen)s)
    order by a.seen_at is not null, a.seen_at desc, a.id desc limit %(limit)s
"""


async def list_alerts(
    tx: Transaction,
    *,
    shop_id: int | None = None,
    seen: bool | None = False,
    limit: int = PAGE_MAX,
) -> list[Alert]:
    """Open alerts, newest first, or seen ones, last seen first; None for both, or for all shops."""
    return await _read(tx, shop_id=shop_id, seen=seen, limit=limit)


async def read_alert(tx: Transaction, *, alert_id: int, shop_id: int | None = None) -> Alert:
    """One alert, open or seen. Raises NotFound `not_found`."""
    found = await _read(tx, shop_id=shop_id, alert_id=alert_id, seen=None, limit=1)
    if not found:
        raise NotFound("not_found", f"There is no alert {alert_id}.")
    return found[0]


async def count_before(
    tx: Transaction, *, shop_id: int, alert_id: int, since: datetime, limit: int
) -> int:
    """The number of alerts of the shop between `since` and this one, at most `limit`."""
    return int(
        await tx.value(
            "select count(*) from (select created_at from alerts where shop_id = %s and id < %s"
            " order by id desc limit %s) latest where created_at >= %s",
            (shop_id, alert_id, limit, since),
        )
    )


async def count_open(tx: Transaction) -> dict[str, int]:
    """The number of open alerts by kind, over all shops."""
    return dict(
        await tx.all("select kind, count(*) from alerts where seen_at is null group by kind")
    )


async def mark_seen(
    tx: Transaction, *, shop_id: int | None, alert_ids: Sequence[int] | None, by: str, now: datetime
) -> int:
    """Close these alerts, or all open ones for None; returns how many were open.

    After that the same alert can be raised again. `by` is who has seen them.
    """
    return await tx.run(
        "update alerts set seen_at = %s, seen_by = %s where seen_at is null"
        " and (%s::bigint is null or shop_id = %s) and (%s::bigint[] is null or id = any(%s))",
        (
            now,
            by,
            shop_id,
            shop_id,
            None if alert_ids is None else list(alert_ids),
            None if alert_ids is None else list(alert_ids),
        ),
    )


async def _read(
    tx: Transaction,
    *,
    shop_id: int | None,
    seen: bool | None,
    limit: int,
    alert_id: int | None = None,
) -> list[Alert]:
    rows = await tx.all(_ALERTS, {"shop": shop_id, "id": alert_id, "seen": seen, "limit": limit})
    return [Alert(**dict(zip(Alert.__struct_fields__, row, strict=True))) for row in rows]
