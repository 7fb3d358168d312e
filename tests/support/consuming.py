"""What the worker does with the events of one shop."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.shop.events import Consumer, advance, number_events, read_new
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import delivery_consumer
from tests.support.factories import box


async def consume(db: Database, *, shop_id: int, consumer: Consumer, now: datetime) -> None:
    """Have the consumer take every event that it has not read, as often as it asks to be called again."""
    while True:
        async with db.begin() as tx:
            await number_events(tx, shop_id=shop_id)
            batch = await read_new(tx, shop_id=shop_id, consumer=consumer)
            if batch is None:
                return
            upto = await consumer.take(tx, batch=batch, now=now) if batch.events else None
            if upto is not None:
                batch = msgspec.structs.replace(batch, upto=upto)
            await advance(tx, batch=batch, consumer=consumer, now=now)


async def deliver_by_worker(db: Database, *, shop_id: int, now: datetime) -> None:
    """What the worker delivers of a shop's orders, without a mail server."""
    mailing = Mailing(box=box(), mailer=None, host="localhost")
    consumer = delivery_consumer(lambda: mailing)
    await consume(db, shop_id=shop_id, consumer=consumer, now=now)


async def make_virtual(db: Database, *variant_ids: int) -> None:
    """The products of these variants are not shipped from now on."""
    async with db.begin() as tx:
        await tx.run(
            "update products p set virtual = true from variants v"
            " where v.id = any(%s) and p.shop_id = v.shop_id and p.id = v.product_id",
            (list(variant_ids),),
        )
