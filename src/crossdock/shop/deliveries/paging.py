"""The log of a kind's deliveries, page by page: what was sent, and how the last attempt ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction


class LoggedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with its payload; from `attempts` on, all of its attempts and the last one that was made.

    `attempts` counts over resends, without those whose result was lost.
    """

    id: int
    target: str
    status: str
    payload: dict[str, Any]
    last_error: str
    queued_at: datetime
    sent_at: datetime | None
    attempts: int
    http_status: int | None
    took_ms: int | None
    answer: str
    request_headers: dict[str, str] | None
    answer_headers: dict[str, str] | None


async def page_deliveries(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str,
    target: str | None = None,
    statuses: Sequence[str] | None = None,
    holding: Mapping[str, Any] | None = None,
    delivery_id: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[LoggedDelivery], int]:
    """Deliveries of the kind, newest first, and how many there are; `holding` is a part of their payload."""
    values = {
        "shop": shop_id,
        "kind": kind,
        "target": target,
        "statuses": None if statuses is None else list(statuses),
        "holding": None if holding is None else Jsonb(dict(holding)),
        "id": delivery_id,
        "limit": limit,
        "offset": offset,
    }
    total = int(await tx.value(f"select count(*) {_CHOSEN}", values))
    rows = await tx.all(_PAGE, values) if total > offset else []
    names = LoggedDelivery.__struct_fields__
    return [LoggedDelivery(**dict(zip(names, row, strict=True))) for row in rows], total


_CHOSEN = """
    from deliveries d
    where d.shop_id = %(shop)s and d.kind = %(kind)s
      and (%(target)s::text is null or d.target = %(target)s)
      and (%(statuses)s::text[] is null or d.status = any(%(statuses)s))
      and (%(holding)s::jsonb is null or d.payload @> %(holding)s::jsonb)
      and (%(id)s::bigint is null or d.id = %(id)s)
"""
_PAGE = f"""
    select p.id, p.target, p.status, p.payload, p.last_error, p.queued_at, p.sent_at, n.count,
           a.http_status, a.took_ms, coalesce(a.answer, ''), a.request_headers, a.answer_headers
    from (select d.* {_CHOSEN} order by d.id desc limit %(limit)s offset %(offset)s) p
    cross join lateral (
        select count(*) as count from delivery_attempts c
        where c.shop_id = p.shop_id and c.delivery_id = p.id and c.outcome in ('sent', 'queued', 'failed')
    ) n
    left join lateral (
        select * from delivery_attempts l
        where l.shop_id = p.shop_id and l.delivery_id = p.id and l.outcome in ('sent', 'queued', 'failed')
        order by l.id desc limit 1
    ) a on true
    order by p.id desc
"""
