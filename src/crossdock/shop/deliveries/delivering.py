"""The engine of all outgoing calls: claim, call, record.

    queued -> sending -> sent
       ^         |
       +---------+------> failed (alert, waits for `resend`)

Claiming and recording are separate transactions, and the call is made between them. Deliveries have
no jobs: their rows contain the due time. A claim lasts for its kind's deadline plus a margin; if
its worker dies, `requeue_lost` requeues the delivery.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Unavailable
from crossdock.kit.batching import Batcher
from crossdock.kit.clock import Clock
from crossdock.shop.deliveries.claiming import claim_deliveries
from crossdock.shop.deliveries.contract import (
    BuildTogether,
    Call,
    Claim,
    DeliveryFailed,
    DeliveryKind,
    DeliveryKinds,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.deliveries.recording import (
    Attempt,
    Success,
    hand_back,
    record_failure,
    record_sent,
    record_successes,
    record_withdrawn,
)

RECORD_AGAIN_S = 2
_RECORD_TRIES = 30

_log = structlog.get_logger(__name__)


class Delivering(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of sending. `turns` is the clock for due times; None uses the database's clock."""

    db: Database
    clock: Clock
    kinds: DeliveryKinds
    turns: Clock | None = None


class _Withdrawn:
    """There is nothing to send any more."""


Outcome = Sent | DeliveryFailed | _Withdrawn


class Together:
    """What the deliveries of one worker do in one statement: those that ask during one share the next.

    `record` records successes, `build` reads the content of kinds that can read several.
    """

    def __init__(self, service: Delivering) -> None:
        self._db = service.db
        self.record = Batcher(self._record)
        self._builders = {
            kind.name: Batcher(self._reader(kind.build_together))
            for kind in service.kinds
            if kind.build_together
        }

    async def build(self, kind: DeliveryKind, claim: Claim) -> Call | None:
        """The call of a claim; None if there is nothing to send any more."""
        if kind.name in self._builders:
            return await self._builders[kind.name](claim)
        async with self._db.statement() as tx:
            return await kind.build(tx, claim=claim)

    async def _record(self, successes: list[Success]) -> list[str]:
        async with self._db.statement() as tx:
            return await record_successes(tx, successes=successes)

    def _reader(
        self, build: BuildTogether
    ) -> Callable[[list[Claim]], Awaitable[Sequence[Call | None]]]:
        async def read(claims: list[Claim]) -> Sequence[Call | None]:
            async with self._db.statement() as tx:
                return await build(tx, claims=claims)

        return read


async def claim_due(service: Delivering, *, limit: int, shop_id: int | None = None) -> list[Claim]:
    """Claim up to `limit` due deliveries of one shop or of all; the caller must deliver each."""
    due = service.turns.now() if service.turns else None
    async with service.db.statement() as tx:
        return await claim_deliveries(
            tx,
            kinds=service.kinds,
            limit=limit,
            due=due,
            now=service.clock.now(),
            shop_id=shop_id,
        )


async def deliver(service: Delivering, claim: Claim, *, together: Together | None = None) -> str:
    """Make the claimed attempt and record it; returns the new status, '' if the claim was lost.

    With `together`, content is read and successes of kinds without consequences are recorded in
    batches. If it is cancelled during the call, the delivery is requeued for another worker. Raises only if the
    database is unavailable.
    """
    kind, started_at = service.kinds[claim.kind], service.clock.now()
    loop = asyncio.get_running_loop()
    begun = loop.time()

    def attempt() -> Attempt:
        return Attempt(
            claim=claim,
            kind=kind,
            started_at=started_at,
            took_ms=round((loop.time() - begun) * 1000),
            due=service.turns.now() if service.turns else None,
            now=service.clock.now(),
        )

    try:
        outcome = await _attempt(kind, claim, together=together or Together(service))
    except (asyncio.CancelledError, Unavailable):
        async with service.db.statement() as tx:
            await hand_back(tx, attempt=attempt())
        raise
    return await _finished(_record(service, attempt(), outcome, together=together))


async def _attempt(kind: DeliveryKind, claim: Claim, *, together: Together) -> Outcome:
    """Read the content, then call with no transaction open."""
    try:
        call = await together.build(kind, claim)
        if call is None:
            return _Withdrawn()
        async with asyncio.timeout(kind.deadline_s):
            return await call()
    except DeliveryFailed as failure:
        return failure
    except TimeoutError:
        return Retryable(f"no answer within {kind.deadline_s} s")
    except Unavailable:
        raise
    except CrossdockError as error:
        return Permanent(error.message)
    except Exception as error:  # noqa: BLE001 - a sender's bug must not leave the row in sending
        _log.exception("delivery.bug", kind=claim.kind, delivery_id=claim.id, target=claim.target)
        return Retryable(f"{type(error).__name__} in the sender")


async def _record(
    service: Delivering, attempt: Attempt, outcome: Outcome, *, together: Together | None
) -> str:
    """Record the outcome; retries for a minute if the database is unavailable, since the call was made."""
    tries = 0
    while True:
        try:
            if together and isinstance(outcome, Sent) and not attempt.kind.adds_to_success:
                return await together.record(Success(attempt=attempt, sent=outcome))
            async with service.db.begin() as tx:
                return await _write(tx, attempt=attempt, outcome=outcome)
        except Unavailable:
            tries += 1
            if tries == _RECORD_TRIES:
                raise
            await asyncio.sleep(RECORD_AGAIN_S)


async def _write(tx: Transaction, *, attempt: Attempt, outcome: Outcome) -> str:
    match outcome:
        case Sent():
            return await record_sent(tx, attempt=attempt, sent=outcome)
        case _Withdrawn():
            return await record_withdrawn(tx, attempt=attempt)
        case _:
            return await record_failure(tx, attempt=attempt, failed=outcome)


async def _finished(recording: Awaitable[str]) -> str:
    """Finish the write even if this worker is stopped meanwhile."""
    task = asyncio.ensure_future(recording)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def deliver_due(
    service: Delivering, *, limit: int, shop_id: int | None = None
) -> dict[int, str]:
    """One round: claim, then deliver concurrently; returns status by id."""
    claims = await claim_due(service, limit=limit, shop_id=shop_id)
    statuses = await asyncio.gather(*(deliver(service, claim) for claim in claims))
    return {claim.id: status for claim, status in zip(claims, statuses, strict=True)}
