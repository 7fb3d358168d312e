"""Deliveries of a made-up kind, posted to a receiver on loopback."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound, OutboundError
from crossdock.shop.deliveries import (
    Call,
    Claim,
    Delivering,
    DeliveryKind,
    DeliveryKinds,
    Permanent,
    Retryable,
    Sent,
    queue_delivery,
)
from tests.support.factories import make_shop
from tests.support.simulators.http import HttpSimulator, Outcome, Reply, Request

KIND = "post"


class Receiver(HttpSimulator):
    """Keeps what arrives; `moods` names the next answers of a path, and else it is 200."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.moods: dict[str, list[Outcome]] = {}

    @property
    def arrived(self) -> list[tuple[str, Any]]:
        """(target, payload) of each request, in order."""
        return [(request.path[1:], request.json()) for request in self.requests]

    async def _answer(self, request: Request) -> Outcome:
        moods = self.moods.get(request.path[1:])
        return moods.pop(0) if moods else Reply(200, {"id": len(self.requests)})


class Poster:
    """How the made-up kind is built and sent."""

    def __init__(self, outbound: Outbound, receiver: Receiver) -> None:
        self._outbound = outbound
        self._receiver = receiver

    async def build(self, tx: Transaction, *, claim: Claim) -> Call | None:
        """Nothing is sent where the payload is empty."""
        return (lambda: self._post(claim)) if claim.payload else None

    async def _post(self, claim: Claim) -> Sent:
        url = f"{self._receiver.url}/{claim.target}"
        headers = {"delivery-id": str(claim.id)}
        content = msgspec.json.encode(claim.payload)
        try:
            answer = await self._outbound.request("POST", url, headers=headers, content=content)
        except OutboundError as error:
            raise Retryable(str(error)) from error
        if not answer.is_success:
            failure = Retryable if answer.status >= 500 else Permanent
            message = f"answered {answer.status}: {answer.text()}"
            raise failure(message, status=answer.status, answer=answer.text())
        return Sent(str(answer.json()["id"]), answer.status, answer.text())


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    client = Outbound(allowed_hosts=["127.0.0.1"], deadline_s=5.0)
    yield client
    await client.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as server:
        yield server


@pytest.fixture
def kind(outbound: Outbound, receiver: Receiver) -> DeliveryKind:
    """Three attempts, after 10 and 20 seconds."""
    return DeliveryKind(
        name=KIND, build=Poster(outbound, receiver).build, waits_s=(10, 20), calls_per_target=3
    )


@pytest.fixture
def engine(database: Database, clock: FrozenClock, kind: DeliveryKind) -> Delivering:
    """The engine, whose turns come by the test's clock."""
    return Delivering(db=database, clock=clock, turns=clock, kinds=DeliveryKinds([kind]))


@pytest.fixture
async def shop_id(database: Database) -> int:
    async with database.begin() as tx:
        return (await make_shop(tx)).id


class Box:
    """Puts deliveries of one shop into the queue, and looks at them."""

    def __init__(self, database: Database, *, shop_id: int, clock: FrozenClock) -> None:
        self.database = database
        self.shop_id = shop_id
        self.clock = clock
        self._subjects = 0

    async def put(
        self,
        target: str = "a",
        *,
        key: str | None = None,
        kind: str = KIND,
        payload: dict[str, Any] | None = None,
    ) -> int:
        """A new delivery's id; its payload counts up."""
        self._subjects += 1
        async with self.database.begin() as tx:
            delivery_id = await queue_delivery(
                tx,
                shop_id=self.shop_id,
                kind=kind,
                target=target,
                subject_id=self._subjects,
                payload={"number": self._subjects} if payload is None else payload,
                object_key=key,
                now=self.clock.now(),
            )
        assert delivery_id
        return delivery_id

    async def status(self, delivery_id: int) -> str:
        return str((await self.row(delivery_id))["status"])

    async def row(self, delivery_id: int) -> dict[str, Any]:
        """Everything that is stored of it."""
        async with self.database.statement() as tx:
            row = await tx.value(
                "select to_jsonb(d) from deliveries d where id = %s", (delivery_id,)
            )
        return dict(row)

    async def due_in_s(self, delivery_id: int) -> int | None:
        """Seconds until its next attempt, or its claim's end."""
        text = (await self.row(delivery_id))["next_attempt_at"]
        if text is None:
            return None
        return round((datetime.fromisoformat(text) - self.clock.now()).total_seconds())

    async def log(self, delivery_id: int) -> list[dict[str, Any]]:
        """The lines of its log, oldest first."""
        async with self.database.statement() as tx:
            rows = await tx.all(
                "select to_jsonb(a) from delivery_attempts a where delivery_id = %s order by id",
                (delivery_id,),
            )
        return [row[0] for row in rows]


@pytest.fixture
def box(database: Database, shop_id: int, clock: FrozenClock) -> Box:
    return Box(database, shop_id=shop_id, clock=clock)
