"""Consumers: parts that are told of every event of their topics, once and in order.

A consumer has a place in each shop's feed. What it writes and the move of its place are one
transaction: after a failure both are as before, and the same events come again. So it calls nobody
outside; what must go out it queues as a delivery. The place's row is locked meanwhile, so that of
several workers one reads, and the others pass on.
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
_ERROR_CHARS = 500


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one shop in their order; with them everything up to number `upto` is read."""

    shop_id: int
    events: list[Event]
    upto: int


class Take(Protocol):
    """What a consumer does with a batch of at least one event, in the transaction that moves its place."""

    def __call__(self, tx: Transaction, *, batch: Batch, now: datetime) -> Awaitable[None]: ...


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A name for ever, the topics that it wants, and what it does with their events."""

    name: str
    topics: tuple[Topic, ...]
    take: Take


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a consumer is in a shop: `behind` numbers of the feed are not read yet."""

    shop: str
    consumer: str
    position: int
    behind: int
    failures: int
    last_error: str
    next_attempt_at: datetime | None


async def read_new(
    tx: Transaction, *, shop_id: int, consumer: Consumer, limit: int = BATCH
) -> Batch | None:
    """What is new for the consumer; its place is locked until the transaction ends.

    None where nothing is, or another worker is at it.
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
    """The consumer has done the batch; in the transaction that read it."""
    await tx.run(
        "update event_consumers set position = %s, failures = 0, last_error = '',"
        " next_attempt_at = null, updated_at = %s where shop_id = %s and consumer = %s",
        (batch.upto, now, batch.shop_id, consumer.name),
    )


async def list_due(
    tx: Transaction, *, names: Iterable[str], now: datetime
) -> list[tuple[int, str]]:
    """(shop id, consumer) of every place that has something before it and need not wait."""
    return [
        (shop_id, name) for shop_id, name in await tx.all(_DUE, {"names": list(names), "now": now})
    ]


async def list_places(tx: Transaction, *, shop_id: int | None = None) -> list[Place]:
    """Where every consumer is that has read anything yet, by shop and name; None for all shops."""
    rows = await tx.all(
        "select s.slug, c.consumer, c.position, s.last_sequence - c.position, c.failures,"
        " c.last_error, c.next_attempt_at from event_consumers c join shops s on s.id = c.shop_id"
        " where %s::bigint is null or s.id = %s order by 1, 2",
        (shop_id, shop_id),
    )
    return [Place(**dict(zip(Place.__struct_fields__, row, strict=True))) for row in rows]


async def count_unread(tx: Transaction) -> dict[str, int]:
    """How many numbers of the feed each consumer has not read yet, in all shops together."""
    rows = await tx.all(
        "select c.consumer, sum(s.last_sequence - c.position)::bigint from event_consumers c"
        " join shops s on s.id = c.shop_id group by c.consumer"
    )
    return dict(rows)


_DUE = """
    select s.id, n.name from shops s cross join unnest(%(names)s::text[]) as n (name)
    left join event_consumers c on c.shop_id = s.id and c.consumer = n.name
    where s.last_sequence > coalesce(c.position, 0)
      and (c.next_attempt_at is null or c.next_attempt_at <= %(now)s)
    order by s.id, n.name
"""


async def note_failure(
    tx: Transaction, *, shop_id: int, name: str, error: str, now: datetime
) -> int:
    """How often the consumer has failed at what comes next; it waits longer after each time.

    The wait is kept in the database, so that every worker keeps it.
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
        (redact_text(error)[:_ERROR_CHARS], now + wait, now, shop_id, name),
    )
    return int(failures)
