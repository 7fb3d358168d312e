"""Events that a consumer cannot take are set aside, so that those of other subjects go on.

An event is set aside only once the consumer has taken a later one: a consumer that fails at all of them stands still,
as its fault is its own. Later events of the same subject wait behind it, so that each subject stays in order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.logging import redact_text
from crossdock.shop.events.consumers import ERROR_CHARS, WAITS_S
from crossdock.shop.events.feed import Event

RETRIES_AT_ONCE = 50


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was set aside and is due to be tried again."""

    shop_id: int
    consumer: str
    sequence: int


def subject_of(event: Event) -> str:
    """What the event is about, such as 'orders:17'; one about nothing in particular is a subject of its own."""
    about = f"number {event.sequence}" if event.subject_id is None else str(event.subject_id)
    return f"{event.topic}:{about}"


async def list_waiting_subjects(tx: Transaction, *, shop_id: int, consumer: str) -> set[str]:
    """The subjects of which something is set aside; the caller holds the consumer's cursor."""
    rows = await tx.all(
        "select distinct subject from event_backlog where shop_id = %s and consumer = %s",
        (shop_id, consumer),
    )
    return {subject for (subject,) in rows}


async def set_aside(
    tx: Transaction, *, shop_id: int, consumer: str, events: Sequence[Event], now: datetime
) -> None:
    """Set events aside that wait behind others of their subject."""
    for event in events:
        await tx.run(_SET_ASIDE, (shop_id, consumer, event.sequence, subject_of(event), 0, "", now))


async def set_aside_failed(
    tx: Transaction, *, shop_id: int, consumer: str, event: Event, error: str, now: datetime
) -> None:
    """Set an event aside that the consumer could not take, to be tried again as WAITS_S says."""
    at = now + timedelta(seconds=WAITS_S[0])
    kept = redact_text(error)[:ERROR_CHARS]
    await tx.run(_SET_ASIDE, (shop_id, consumer, event.sequence, subject_of(event), 1, kept, at))


async def list_waiting(tx: Transaction, *, names: Iterable[str], now: datetime) -> list[Waiting]:
    """The first event of each subject that is due to be tried again, the longest due first."""
    rows = await tx.all(_DUE, {"names": list(names), "now": now, "limit": RETRIES_AT_ONCE})
    return [
        Waiting(shop_id=shop_id, consumer=consumer, sequence=sequence)
        for shop_id, consumer, sequence in rows
    ]


async def lock_waiting(tx: Transaction, *, waiting: Waiting) -> bool:
    """Lock an event that was set aside, and the consumer's cursor; False if another worker has either."""
    names = (waiting.shop_id, waiting.consumer)
    cursor = await tx.value(
        "select 1 from event_consumers where shop_id = %s and consumer = %s"
        " for no key update skip locked",
        names,
    )
    row = await tx.value(
        "select 1 from event_backlog where shop_id = %s and consumer = %s and sequence = %s"
        " for no key update skip locked",
        (*names, waiting.sequence),
    )
    return cursor is not None and row is not None


async def take_in(tx: Transaction, *, waiting: Waiting) -> None:
    """An event that was set aside is taken now."""
    await tx.run(
        "delete from event_backlog where shop_id = %s and consumer = %s and sequence = %s",
        (waiting.shop_id, waiting.consumer, waiting.sequence),
    )


async def note_again(tx: Transaction, *, waiting: Waiting, error: str, now: datetime) -> None:
    """An event that was set aside failed again; each time the wait is longer."""
    await tx.run(
        _AGAIN,
        {
            "shop": waiting.shop_id,
            "consumer": waiting.consumer,
            "sequence": waiting.sequence,
            "error": redact_text(error)[:ERROR_CHARS],
            "now": now,
            "waits": list(WAITS_S),
        },
    )


_SET_ASIDE = """
    insert into event_backlog (shop_id, consumer, sequence, subject, failures, last_error, next_attempt_at)
    values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_DUE = """
    select f.shop_id, f.consumer, f.sequence from (
        select distinct on (b.shop_id, b.consumer, b.subject) b.shop_id, b.consumer, b.sequence, b.next_attempt_at
        from event_backlog b where b.consumer = any(%(names)s)
        order by b.shop_id, b.consumer, b.subject, b.sequence
    ) f where f.next_attempt_at <= %(now)s order by f.next_attempt_at, f.sequence limit %(limit)s
"""
_AGAIN = """
    update event_backlog
    set failures = failures + 1, last_error = %(error)s,
        next_attempt_at = %(now)s + interval '1 second'
            * (%(waits)s::integer[])[least(failures + 1, cardinality(%(waits)s::integer[]))]
    where shop_id = %(shop)s and consumer = %(consumer)s and sequence = %(sequence)s
"""
