"""A shop's events as people look at them: the newest first, filtered, a page at a time."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.events.feed import Event
from crossdock.shop.events.kinds import Topic

SEEN_MAX: Final = 20_000


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; None for all. The moments are from `since` (inclusive) to `until` (exclusive)."""

    kind: str | None = None
    topic: str | None = None
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the newest first; `older` is the number before which the next page begins, None at the end.

    A page looks through at most SEEN_MAX events, so it may have few of a rare kind, or none, and go on.
    """

    events: list[Event]
    older: int | None


async def browse_events(
    tx: Transaction,
    *,
    shop_id: int,
    chosen: EventFilter,
    before: int | None = None,
    limit: int = 50,
    without: Collection[Topic] = (),
) -> EventPage:
    """The shop's events that were numbered before `before`, but for the topics `without`."""
    values = msgspec.structs.asdict(chosen) | {
        "shop": shop_id, "before": before, "size": limit + 1, "most": SEEN_MAX,
        "without": list(without),
    }  # fmt: skip
    rows = await tx.all(_BROWSE, values)
    found = [_event(row[1:]) for row in rows if row[1] is not None]
    last_seen: int | None = rows[0][0] if rows else None
    if len(found) > limit:
        return EventPage(events=found[:limit], older=found[limit - 1].sequence)
    return EventPage(events=found, older=last_seen)


async def read_event(
    tx: Transaction, *, shop_id: int, sequence: int, without: Collection[Topic] = ()
) -> Event:
    """One event by its number, but for the topics `without`. Raises NotFound `not_found`."""
    row = await tx.one(
        "select sequence, kind, topic, subject_id, payload, created_at from events"
        " where shop_id = %s and sequence = %s and topic <> all(%s::text[])",
        (shop_id, sequence, list(without)),
    )
    if row is None:
        raise NotFound("not_found", f"There is no event {sequence}.", {"sequence": sequence})
    return _event(row)


def _event(row: tuple[Any, ...]) -> Event:
    return Event(**dict(zip(Event.__struct_fields__, row, strict=True)))


# The first column is the last number that was looked at, where there are more behind it.
_BROWSE = """
    with seen as materialized (
        select sequence, kind, topic, subject_id, created_at from events
        where shop_id = %(shop)s and sequence is not null
          and (%(before)s::bigint is null or sequence < %(before)s)
        order by sequence desc limit %(most)s),
    edge as (select case when count(*) = %(most)s then min(sequence) end as last from seen),
    found as (
        select sequence from seen
        where (%(kind)s::text is null or kind = %(kind)s) and (%(topic)s::text is null or topic = %(topic)s)
          and topic <> all(%(without)s::text[])
          and (%(subject_id)s::bigint is null or subject_id = %(subject_id)s)
          and (%(since)s::timestamptz is null or created_at >= %(since)s)
          and (%(until)s::timestamptz is null or created_at < %(until)s)
        order by sequence desc limit %(size)s)
    select edge.last, e.sequence, e.kind, e.topic, e.subject_id, e.payload, e.created_at
    from edge left join (found join events e on e.shop_id = %(shop)s and e.sequence = found.sequence) on true
    order by e.sequence desc nulls last
"""
