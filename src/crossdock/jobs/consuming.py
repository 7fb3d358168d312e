"""Run the consumers of events, each batch in its own transaction."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import WAITS_S, Consumer, advance, list_due, note_failure, read_new

log = structlog.get_logger("crossdock.jobs")


async def run_consumers(db: Database, *, consumers: Iterable[Consumer], now: datetime) -> int:
    """Let each consumer read one batch of new events per shop; returns how many events were read.

    A consumer that fails keeps its cursor and waits, while the others continue; after as many failures
    as WAITS_S has waits, the alert `consumer_stuck` is raised.
    """
    by_name = {consumer.name: consumer for consumer in consumers}
    async with db.statement() as tx:
        due = await list_due(tx, names=by_name, now=now)
    taken = 0
    for shop_id, name in due:
        try:
            taken += await _take(db, shop_id=shop_id, consumer=by_name[name], now=now)
        except CrossdockError as error:
            log.warning("a consumer failed", consumer=name, shop_id=shop_id, code=error.code)
            await _note(db, shop_id=shop_id, name=name, error=str(error), now=now)
        except Exception as error:
            log.exception("a consumer failed", consumer=name, shop_id=shop_id)
            await _note(db, shop_id=shop_id, name=name, error=repr(error), now=now)
    return taken


async def _take(db: Database, *, shop_id: int, consumer: Consumer, now: datetime) -> int:
    async with db.begin() as tx:
        batch = await read_new(tx, shop_id=shop_id, consumer=consumer)
        if batch is None:
            return 0
        upto = await consumer.take(tx, batch=batch, now=now) if batch.events else None
        if upto is not None:
            batch = msgspec.structs.replace(batch, upto=upto)
        await advance(tx, batch=batch, consumer=consumer, now=now)
        return len(batch.events)


async def _note(db: Database, *, shop_id: int, name: str, error: str, now: datetime) -> None:
    async with db.begin() as tx:
        failures = await note_failure(tx, shop_id=shop_id, name=name, error=error, now=now)
        if failures >= len(WAITS_S):
            await raise_alert(
                tx,
                shop_id=shop_id,
                kind="consumer_stuck",
                message=f"{name} has failed {failures} times at the same events; see the log.",
                subject=name,
                now=now,
            )
