"""Read a shop's events in order, from any point, without gap or repeat."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events.kinds import KINDS, Payload, Topic

PAGE_MAX = 1_000


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the shop with its sequence number."""

    sequence: int
    kind: str
    topic: str
    subject_id: int | None
    payload: dict[str, Any]
    created_at: datetime

    def decode(self) -> Payload:
        """The payload as the struct of its kind; raises ValidationError if it is not one."""
        return msgspec.convert(self.payload, KINDS[self.kind])


async def read_events(
    tx: Transaction,
    *,
    shop_id: int,
    after: int = 0,
    upto: int | None = None,
    topics: Sequence[Topic] | None = None,
    kind: str | None = None,
    subject_id: int | None = None,
    limit: int = PAGE_MAX,
) -> list[Event]:
    """The events numbered above `after`, at most PAGE_MAX, in order; None for every topic.

    Only committed events get numbers, one after another, so a reader that continues from its last
    number misses nothing and reads nothing twice.
    """
    rows = await tx.all(
        "select sequence, kind, topic, subject_id, payload, created_at from events"
        " where shop_id = %s and sequence > %s and (%s::bigint is null or sequence <= %s)"
        " and (%s::text[] is null or topic = any(%s)) and (%s::text is null or kind = %s)"
        " and (%s::bigint is null or subject_id = %s) order by sequence limit %s",
        (
            shop_id,
            after,
            upto,
            upto,
            None if topics is None else list(topics),
            None if topics is None else list(topics),
            kind,
            kind,
            subject_id,
            subject_id,
            min(limit, PAGE_MAX),
        ),
    )
    return [Event(**dict(zip(Event.__struct_fields__, row, strict=True))) for row in rows]


async def number_events(tx: Transaction, *, shop_id: int) -> int:
    """Number the shop's committed events now; returns how many there were."""
    return int(await tx.value("select number_events(%s)", (shop_id,)))
