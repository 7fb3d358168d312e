"""The consumer that notes what happened in the words of a channel, and queues a call for each subscription.

What it notes is the pull feed, for shops that have a partner of the channel. A subscription that is paused
is told of nothing; its owner reads the feed from where the calls ended.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.deliveries import queue_deliveries
from crossdock.shop.events import Batch, Consumer
from crossdock.shop.webhooks.dialect import Dialect, Message

FEED_DAYS = 90
PAGE_MAX = 1_000
_BATCH = 2_000


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, with its number in the feed of a shop and channel."""

    sequence: int
    name: str
    data: dict[str, Any]
    happened_at: datetime


def webhook_consumer(dialect: Dialect) -> Consumer:
    """The consumer of the channel's events."""

    async def take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        if not await _is_heard(tx, dialect=dialect, shop_id=batch.shop_id):
            return None
        messages, upto = await dialect.read(tx, batch=batch)
        if messages:
            await _relay(tx, dialect=dialect, shop_id=batch.shop_id, messages=messages, now=now)
        return None if upto == batch.events[-1].sequence else upto

    return Consumer(name=dialect.kind, topics=dialect.topics, take=take)


async def read_webhook_feed(
    tx: Transaction, *, dialect: Dialect, shop_id: int, after: int = 0, limit: int = 100
) -> list[FeedItem]:
    """What is numbered above `after`, at most PAGE_MAX, in order: without gap or repeat, for FEED_DAYS."""
    rows = await tx.all(
        "select sequence, name, data, happened_at from webhook_events"
        " where shop_id = %s and channel = %s and sequence > %s order by sequence limit %s",
        (shop_id, dialect.channel, after, min(limit, PAGE_MAX)),
    )
    names = FeedItem.__struct_fields__
    return [FeedItem(**dict(zip(names, row, strict=True))) for row in rows]


async def purge_webhook_feeds(tx: Transaction, *, now: datetime) -> int:
    """Delete what was noted more than FEED_DAYS ago, in batches; how many.

    By `now` and by the database's clock, so that a clock set ahead deletes nothing.
    """
    total = 0
    kept = timedelta(days=FEED_DAYS)
    while count := await tx.run(_PURGE, {"now": now, "kept": kept, "limit": _BATCH}):
        total += count
    return total


async def _is_heard(tx: Transaction, *, dialect: Dialect, shop_id: int) -> bool:
    """Whether the shop has a partner who could read the feed, or a subscription."""
    values = {"shop": shop_id, "channel": dialect.channel}
    return bool(await tx.value(_HEARD, values))


async def _relay(
    tx: Transaction, *, dialect: Dialect, shop_id: int, messages: Sequence[Message], now: datetime
) -> None:
    await _note(tx, dialect=dialect, shop_id=shop_id, messages=messages, now=now)
    invoices = sorted({each.invoice_id for each in messages if each.invoice_id is not None})
    listeners = await tx.all(
        _LISTENERS, {"shop": shop_id, "channel": dialect.channel, "invoices": invoices}
    )
    calls: list[tuple[str, str | None, dict[str, Any]]] = [
        (str(subscription_id), None, call_payload(message))
        for message in messages
        for subscription_id, names, invoice_id in listeners
        if message.name in names and invoice_id in {None, message.invoice_id}
    ]
    if calls:
        await queue_deliveries(
            tx, shop_id=shop_id, kind=dialect.kind, objects=calls, delay_s=0, now=now
        )


def call_payload(message: Message) -> dict[str, Any]:
    """What a delivery keeps of a message, so that every attempt has the same body."""
    at = int(message.happened_at.timestamp())
    return {"event": message.name, "data": message.data, "created_at": at}


async def _note(
    tx: Transaction, *, dialect: Dialect, shop_id: int, messages: Sequence[Message], now: datetime
) -> None:
    """The cursor of the consumer is locked, so that numbers become visible in their order."""
    last = await tx.value(
        _NUMBER, {"shop": shop_id, "channel": dialect.channel, "count": len(messages)}
    )
    rows = [
        {
            "sequence": sequence,
            "name": message.name,
            "data": message.data,
            "happened_at": message.happened_at.isoformat(),
        }
        for sequence, message in enumerate(messages, start=last - len(messages) + 1)
    ]
    await tx.run(
        _NOTE, {"shop": shop_id, "channel": dialect.channel, "rows": Jsonb(rows), "now": now}
    )


_HEARD = """
    select exists (select 1 from partners where shop_id = %(shop)s and channel = %(channel)s)
        or exists (select 1 from webhook_subscriptions
                   where shop_id = %(shop)s and channel = %(channel)s and deleted_at is null)
"""
_LISTENERS = """
    select id, names, invoice_id from webhook_subscriptions
    where shop_id = %(shop)s and channel = %(channel)s and deleted_at is null and paused_at is null
      and invoice_id is null
    union all
    select id, names, invoice_id from webhook_subscriptions
    where shop_id = %(shop)s and channel = %(channel)s and deleted_at is null and paused_at is null
      and invoice_id = any(%(invoices)s::bigint[])
    order by 1
"""
_NUMBER = """
    insert into webhook_feeds as f (shop_id, channel, last_sequence) values (%(shop)s, %(channel)s, %(count)s)
    on conflict (shop_id, channel) do update set last_sequence = f.last_sequence + excluded.last_sequence
    returning last_sequence
"""
_NOTE = """
    insert into webhook_events (shop_id, channel, sequence, name, data, happened_at, noted_at)
    select %(shop)s, %(channel)s, m.sequence, m.name, m.data, m.happened_at, %(now)s
    from jsonb_to_recordset(%(rows)s) as m (sequence bigint, name text, data jsonb, happened_at timestamptz)
"""
_PURGE = """
    delete from webhook_events where (shop_id, channel, sequence) in (
        select shop_id, channel, sequence from webhook_events
        where noted_at < least(%(now)s, clock_timestamp()) - %(kept)s
        order by noted_at limit %(limit)s for update skip locked)
"""
