"""Read a shop's events in order, from any point, without gap or repeat."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction

PAGE_MAX = 1_000


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the shop, with its number in the order that readers see."""

    sequence: int
    kind: str
    subject_id: int | None
    payload: dict[str, Any]
    created_at: datetime


async def read_events(
    tx: Transaction, *, shop_id: int, after: int = 0, limit: int = PAGE_MAX
) -> list[Event]:
    """The events numbered above `after`, at most PAGE_MAX, in order.

    Numbers are given to committed events only, one after another, so whoever goes on from the
    last number it saw skips nothing and sees nothing twice.
    """
    rows = await tx.all(
        "select sequence, kind, subject_id, payload, created_at from events"
        " where shop_id = %s and sequence > %s order by sequence limit %s",
        (shop_id, after, min(limit, PAGE_MAX)),
    )
    return [Event(**dict(zip(Event.__struct_fields__, row, strict=True))) for row in rows]


async def number_events(tx: Transaction, *, shop_id: int) -> int:
    """Give the shop's committed events their numbers now; how many there were."""
    return int(await tx.value("select number_events(%s)", (shop_id,)))
