"""Run the consumers of events, each batch in its own transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Unavailable
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import (
    WAITS_S,
    Batch,
    Consumer,
    Event,
    Waiting,
    advance,
    list_due,
    list_waiting,
    list_waiting_subjects,
    lock_waiting,
    note_again,
    note_failure,
    read_events,
    read_new,
    set_aside,
    set_aside_failed,
    subject_of,
    take_in,
)

log = structlog.get_logger("crossdock.jobs")

PROBES = 20
"""How many events of different subjects must fail in a row before the fault is the consumer's."""
STEPS = 200
_Failed = list[tuple[Event, Exception]]


async def run_consumers(db: Database, *, consumers: Iterable[Consumer], now: datetime) -> int:
    """Let each consumer read one batch of new events per shop; returns how many events were read.

    A consumer that fails keeps its cursor and waits, while the others continue. Then it takes its events one by one:
    one that fails is set aside with the alert `event_set_aside` once a later one was taken, and tried again by
    itself. A consumer that takes none raises the alert `consumer_stuck` after as many failures as WAITS_S has waits.
    """
    by_name = {consumer.name: consumer for consumer in consumers}
    async with db.statement() as tx:
        waiting = await list_waiting(tx, names=by_name, now=now)
        due = await list_due(tx, names=by_name, now=now)
    taken = 0
    for event in waiting:
        taken += await _try_again(db, event, consumer=by_name[event.consumer], now=now)
    for shop_id, name, failures in due:
        take = _take_apart if failures else _take
        try:
            taken += await take(db, shop_id=shop_id, consumer=by_name[name], now=now)
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
        blocked = await list_waiting_subjects(tx, shop_id=shop_id, consumer=consumer.name)
        free = [event for event in batch.events if subject_of(event) not in blocked]
        upto = None
        if free:
            part = msgspec.structs.replace(batch, events=free)
            upto = await consumer.take(tx, batch=part, now=now)
        if upto is not None:
            batch = msgspec.structs.replace(batch, upto=upto)
        behind = [
            event
            for event in batch.events
            if event.sequence <= batch.upto and subject_of(event) in blocked
        ]
        await set_aside(tx, shop_id=shop_id, consumer=consumer.name, events=behind, now=now)
        await advance(tx, batch=batch, consumer=consumer, now=now)
        return len(batch.events)


async def _take_apart(db: Database, *, shop_id: int, consumer: Consumer, now: datetime) -> int:
    """Take events one by one, past those that fail. Raises what the first raised if none after it is taken."""
    failed: _Failed = []
    taken = 0
    for _ in range(STEPS):
        step = _Step(consumer=consumer, failed=failed)
        try:
            async with db.begin() as tx:
                goes_on = await step.take_one(tx, shop_id=shop_id, now=now)
        except Unavailable:
            raise
        except Exception as error:
            if step.tried is None:
                raise
            log.warning("an event was not taken", consumer=consumer.name, error=_words(error))
            failed.append((step.tried, error))
            if len(failed) == PROBES:
                break
            continue
        if not goes_on:
            break
        taken += step.tried is not None
        failed.clear()
    if failed and not taken:
        raise failed[0][1]
    return taken


class _Step:
    """One event in a transaction, after those that `failed` in transactions that were rolled back."""

    def __init__(self, *, consumer: Consumer, failed: _Failed) -> None:
        self._consumer = consumer
        self._failed = failed
        self.tried: Event | None = None

    async def take_one(self, tx: Transaction, *, shop_id: int, now: datetime) -> bool:
        """Take the next event of a subject that nothing is set aside of; False if there is none."""
        batch = await read_new(tx, shop_id=shop_id, consumer=self._consumer)
        if batch is None:
            return False
        name = self._consumer.name
        blocked = await list_waiting_subjects(tx, shop_id=shop_id, consumer=name)
        blocked |= {subject_of(event) for event, _ in self._failed}
        passed: list[Event] = []
        for event in batch.events:
            if subject_of(event) not in blocked:
                self.tried = event
                break
            passed.append(event)
        if self.tried is None and self._failed:
            return False
        if self.tried is not None:
            batch = Batch(shop_id=shop_id, events=[self.tried], upto=self.tried.sequence)
            await _take_whole(tx, batch=batch, consumer=self._consumer, now=now)
        await self._set_aside(tx, shop_id=shop_id, passed=passed, now=now)
        await advance(tx, batch=batch, consumer=self._consumer, now=now)
        return True

    async def _set_aside(
        self, tx: Transaction, *, shop_id: int, passed: Sequence[Event], now: datetime
    ) -> None:
        name = self._consumer.name
        for event, error in self._failed:
            await set_aside_failed(
                tx, shop_id=shop_id, consumer=name, event=event, error=_words(error), now=now
            )
            about = subject_of(event)
            await raise_alert(
                tx,
                shop_id=shop_id,
                kind="event_set_aside",
                message=f"{name} cannot take {event.kind} of {about}; the others go on, and it is tried again: see"
                " the log.",
                subject=f"{name} {about}",
                now=now,
            )
        await set_aside(tx, shop_id=shop_id, consumer=name, events=passed, now=now)


async def _try_again(db: Database, waiting: Waiting, *, consumer: Consumer, now: datetime) -> int:
    """Take an event that was set aside; how many were."""
    try:
        async with db.begin() as tx:
            if not await lock_waiting(tx, waiting=waiting):
                return 0
            events = await read_events(
                tx, shop_id=waiting.shop_id, after=waiting.sequence - 1, upto=waiting.sequence
            )
            if events:
                batch = Batch(shop_id=waiting.shop_id, events=events, upto=waiting.sequence)
                await _take_whole(tx, batch=batch, consumer=consumer, now=now)
            await take_in(tx, waiting=waiting)
    except Exception as error:
        log.exception(
            "an event was not taken again", consumer=consumer.name, number=waiting.sequence
        )
        async with db.begin() as tx:
            await note_again(tx, waiting=waiting, error=_words(error), now=now)
        return 0
    return 1


async def _take_whole(tx: Transaction, *, batch: Batch, consumer: Consumer, now: datetime) -> None:
    """Take all of a batch in this transaction, however many parts the consumer takes it in."""
    while True:
        upto = await consumer.take(tx, batch=batch, now=now)
        if upto is None or upto >= batch.upto:
            return


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, CrossdockError) else repr(error)


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
