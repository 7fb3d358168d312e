"""The log of acts, newest first, in pages by number."""

from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction

ACTS_MAX: Final = 200


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """One act; `person_id` is None for a command."""

    id: int
    done_at: datetime
    person_id: int | None
    actor: str
    act: str
    subject: str
    details: dict[str, str]
    source: str


class ActFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts: of one actor, by the beginning of their name, of days; '' and None are all."""

    actor: str = ""
    act: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def list_acts(
    tx: Transaction,
    *,
    shop_id: int | None,
    filters: ActFilters,
    before: int | None = None,
    limit: int = 50,
) -> tuple[list[ActView], bool]:
    """The acts of a shop, or of all and of none without one; and whether older ones follow."""
    values: dict[str, Any] = {
        "shop": shop_id,
        "actor": filters.actor.strip().lower(),
        "act": filters.act,
        "since": filters.since,
        "until": filters.until,
        "before": before,
        "limit": min(limit, ACTS_MAX) + 1,
    }
    rows = await tx.all(_LIST, values)
    found = [ActView(**dict(zip(ActView.__struct_fields__, row, strict=True))) for row in rows]
    return found[: values["limit"] - 1], len(found) == values["limit"]


_LIST: Final = """
    select id, done_at, person_id, actor, act, subject, details, source from acts
    where (%(shop)s::bigint is null or shop_id = %(shop)s)
      and (%(before)s::bigint is null or id < %(before)s)
      and (%(actor)s = '' or lower(actor) = %(actor)s)
      and (%(act)s = '' or starts_with(act, %(act)s))
      and (%(since)s::timestamptz is null or done_at >= %(since)s)
      and (%(until)s::timestamptz is null or done_at < %(until)s)
    order by id desc limit %(limit)s
"""
