"""Consumers: parts that read every event of their topics, once and in order.

A consumer has a cursor in each shop's feed. What it writes and the move of its cursor are one
transaction: a failure rolls both back, and the same events are read again. So a consumer makes no
outgoing calls but queues deliveries. The cursor's row is locked meanwhile, so that of several workers
one reads and the others skip it.
"""

from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.logging import redact_text
from crossdock.shop.events.feed import Event, read_events
from crossdock.shop.events.kinds import Topic

BATCH = 200
WAITS_S = (1, 5, 30, 60, 300)
ERROR_CHARS = 500


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one shop in their order; with them everything up to number `upto` is read."""

    shop_id: int
    events: list[Event]
    upto: int


class Take(Protocol):
    """Handle a batch of at least one event, in the transaction that moves the cursor.

    Returns the number of the last event that it took, if the others are for another call: a number before the
    first where it remembers how far it is within that one.
    """

    def __call__(
        self, tx: Transaction, *, batch: Batch, now: datetime
    ) -> Awaitable[int | None]: ...


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A permanent name, topics, and the function that handles their events."""

    name: str
    topics: tuple[Topic, ...]
    take: Take


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer's cursor in a shop; `behind` events of the feed are not read yet, and `set_aside` are tried again."""

    shop: str
    consumer: str
    position: int
    behind: int
    set_aside: int
    failures: int
    last_error: str
    next_attempt_at: datetime | None


async def read_new(
    tx: Transaction, *, shop_id: int, consumer: Consumer, limit: int = BATCH
) -> Batch | None:
    """The new events of the consumer; its cursor is locked until the end of the transaction.

    None if there are none, or another worker is reading them.
    """
    await tx.run(
        "insert into event_consumers (shop_id, consumer) values (%s, %s) on conflict do nothing",
        (shop_id, consumer.name),
    )
    position = await tx.value(
        "select position from event_consumers where shop_id = %s and consumer = %s"
        " for no key update skip locked",
        (shop_id, consumer.name),
    )
    # The last number first: whatever is numbered between the two reads belongs to the next batch.
    last = await tx.value("select last_sequence from shops where id = %s", (shop_id,))
    if position is None or last == position:
        return None
    events = await read_events(
        tx, shop_id=shop_id, after=position, upto=last, topics=consumer.topics, limit=limit
    )
    upto = events[-1].sequence if len(events) == limit else last
    return Batch(shop_id=shop_id, events=events, upto=upto)


async def advance(tx: Transaction, *, batch: Batch, consumer: Consumer, now: datetime) -> None:
    """Move the cursor past the batch, in the transaction that read it."""
    await tx.run(
        "update event_consumers set position = %s, failures = 0, last_error = '',"
        " next_attempt_at = null, updated_at = %s where shop_id = %s and consumer = %s",
        (batch.upto, now, batch.shop_id, consumer.name),
    )


async def list_due(
    tx: Transaction, *, names: Iterable[str], now: datetime
) -> list[tuple[int, str, int]]:
    """(shop id, consumer, failures in a row) of every cursor with unread events and no wait."""
    rows = await tx.all(_DUE, {"names": list(names), "now": now})
    return [(shop_id, name, failures) for shop_id, name, failures in rows]


async def list_places(tx: Transaction, *, shop_id: int | None = None) -> list[Place]:
    """The cursors of all consumers that have read something, by shop and name; None for all shops."""
    rows = await tx.all(
        "select s.slug, c.consumer, c.position, s.last_sequence - c.position,"
        " (select count(*) from event_backlog b where b.shop_id = c.shop_id and b.consumer = c.consumer),"
        " c.failures, c.last_error, c.next_attempt_at from event_consumers c join shops s on s.id = c.shop_id"
        " where %s::bigint is null or s.id = %s order by 1, 2",
        (shop_id, shop_id),
    )
    return [Place(**dict(zip(Place.__struct_fields__, row, strict=True))) for row in rows]


async def count_unread(tx: Transaction) -> dict[str, int]:
    """The number of events that each consumer has not taken yet, over all shops."""
    rows = await tx.all(
        "select c.consumer, (sum(s.last_sequence - c.position) + (select count(*) from event_backlog b"
        " where b.consumer = c.consumer))::bigint from event_consumers c"
        " join shops s on s.id = c.shop_id group by c.consumer"
    )
    return dict(rows)


_DUE = """
    select s.id, n.name, coalesce(c.failures, 0) from shops s cross join unnest(%(names)s::text[]) as n (name)
    left join event_consumers c on c.shop_id = s.id and c.consumer = n.name
    where s.last_sequence > coalesce(c.position, 0)
      and (c.next_attempt_at is null or c.next_attempt_at <= %(now)s)
    order by s.id, n.name
"""


async def note_failure(
    tx: Transaction, *, shop_id: int, name: str, error: str, now: datetime
) -> int:
    """Record a failure and return how many there were in a row; each makes the wait longer.

    The wait is stored in the database, so that every worker respects it.
    """
    failures = await tx.value(
        "insert into event_consumers as c (shop_id, consumer, failures) values (%s, %s, 1)"
        " on conflict (shop_id, consumer) do update set failures = c.failures + 1"
        " returning failures",
        (shop_id, name),
    )
    wait = timedelta(seconds=WAITS_S[min(failures, len(WAITS_S)) - 1])
    await tx.run(
        "update event_consumers set last_error = %s, next_attempt_at = %s, updated_at = %s"
        " where shop_id = %s and consumer = %s",
        (redact_text(error)[:ERROR_CHARS], now + wait, now, shop_id, name),
    )
    return int(failures)
