"""A shop with webhooks in a made-up dialect, and a receiver of them on a real socket."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.alerts import list_alerts, raise_alert
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due
from crossdock.shop.events import Batch, number_events
from crossdock.shop.webhooks import (
    Attempt,
    Dialect,
    FeedItem,
    LoggedWebhook,
    Message,
    Subscribing,
    Subscription,
    WebhookCalling,
    page_webhook_log,
    read_subscription,
    read_webhook_feed,
    subscribe,
    webhook_consumer,
)
from tests.support.factories import ShopFixture, box, make_shop
from tests.support.simulators.http import HttpSimulator, Outcome, Reply, Request

ALERTED, OTHER = "alert:raised", "alert:other"
KIND = "test"


async def _read(tx: Transaction, *, batch: Batch) -> tuple[list[Message], int]:
    messages = [
        Message(name=ALERTED, data={"alert": event.subject_id}, happened_at=event.created_at)
        for event in batch.events
        if event.payload["alert_kind"] == KIND
    ]
    return messages, batch.events[-1].sequence


def _body(name: str, *, data: Mapping[str, Any], at: int) -> bytes:
    return msgspec.json.encode({"event": name, "data": data, "at": at})


def _sign(attempt: Attempt) -> dict[str, str]:
    at = str(int(attempt.now.timestamp()))
    signed = f"{attempt.delivery_id}.{at}.".encode() + attempt.body
    proof = hmac.new(attempt.secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Id": attempt.delivery_id, "X-Time": at, "X-Proof": proof}


def _wire_id(key: bytes, *, delivery_id: int) -> str:
    return f"toy_{delivery_id}"


def _sample(name: str, *, now: datetime) -> dict[str, Any]:
    return {"sample": name}


DIALECT = Dialect(
    channel="toy",
    names=(ALERTED, OTHER),
    topics=("alerts",),
    read=_read,
    body=_body,
    sign=_sign,
    wire_id=_wire_id,
    sample=_sample,
    hidden=frozenset({"x-proof"}),
)


class Receiver(HttpSimulator):
    """Keeps what arrives; `moods` are the next answers, and else it is 200."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.moods: list[Outcome] = []

    async def _answer(self, request: Request) -> Outcome:
        return self.moods.pop(0) if self.moods else Reply(200, {"ok": True})

    def ids(self) -> list[str]:
        """The ids of the deliveries that arrived, in order."""
        return [request.headers["x-id"] for request in self.requests]


def is_signed(request: Request, secret: str) -> bool:
    """Whether a receiver with this secret believes the request."""
    signed = f"{request.headers['x-id']}.{request.headers['x-time']}.".encode() + request.body
    proof = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(proof, request.headers["x-proof"])


@dataclass
class Hooked:
    """Lets the worker's parts run for one shop."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture
    outbound: Outbound
    receiver: Receiver
    dialect: Dialect = DIALECT
    numbers: list[int] = field(default_factory=list)

    @property
    def service(self) -> Subscribing:
        """What makes subscriptions."""
        return Subscribing(outbound=self.outbound, box=box(), ids=RandomIds())

    async def add(self, *names: str, url: str = "") -> tuple[Subscription, str]:
        """A subscription to these names, and its secret."""
        async with self.db.begin() as tx:
            return await subscribe(
                tx, service=self.service, dialect=self.dialect, shop_id=self.shop.id,
                url=url or f"{self.receiver.url}/in", names=names or (ALERTED,),
                now=self.clock.now(),
            )  # fmt: skip

    async def happen(self, count: int = 1) -> None:
        """So many events."""
        async with self.db.begin() as tx:
            for _ in range(count):
                self.numbers.append(len(self.numbers))
                await raise_alert(
                    tx, shop_id=self.shop.id, kind=KIND, message="Look.",
                    subject=str(len(self.numbers)), now=self.clock.now(),
                )  # fmt: skip

    async def consume(self) -> None:
        """Let the consumer read what happened."""
        async with self.db.begin() as tx:
            await number_events(tx, shop_id=self.shop.id)
        consumers = [webhook_consumer(self.dialect)]
        while await run_consumers(self.db, consumers=consumers, now=self.clock.now()):
            pass

    async def deliver(self) -> list[str]:
        """Make the calls that are due; the statuses by the deliveries' ids."""
        calling = WebhookCalling(outbound=self.outbound, box=box(), clock=self.clock)
        service = Delivering(
            db=self.db, clock=self.clock, turns=self.clock,
            kinds=DeliveryKinds([calling.kind(self.dialect)]),
        )  # fmt: skip
        found = await deliver_due(service, limit=50, shop_id=self.shop.id)
        return [found[delivery_id] for delivery_id in sorted(found)]

    async def work(self) -> list[str]:
        """Read what happened, and make one round of calls."""
        await self.consume()
        return await self.deliver()

    async def log(self) -> list[LoggedWebhook]:
        """All deliveries, newest first."""
        async with self.db.statement() as tx:
            return (await page_webhook_log(tx, dialect=self.dialect, shop_id=self.shop.id))[0]

    async def feed(self, after: int = 0) -> list[FeedItem]:
        """What the feed has."""
        async with self.db.statement() as tx:
            return await read_webhook_feed(
                tx, dialect=self.dialect, shop_id=self.shop.id, after=after
            )

    async def subscription(self, subscription_id: int) -> Subscription:
        """It as it is now."""
        async with self.db.statement() as tx:
            return await read_subscription(
                tx, dialect=self.dialect, shop_id=self.shop.id, subscription_id=subscription_id
            )

    async def alerts(self, kind: str) -> list[str]:
        """The messages of open alerts of the kind."""
        async with self.db.statement() as tx:
            found = await list_alerts(tx, shop_id=self.shop.id)
        return [alert.message for alert in found if alert.kind == kind]


@asynccontextmanager
async def hooked(db: Database, clock: FrozenClock) -> AsyncIterator[Hooked]:
    """A shop whose webhooks reach a receiver of this machine."""
    async with db.begin() as tx:
        shop = await make_shop(tx)
    async with Receiver() as receiver, Outbound(allowed_hosts=[receiver.host]) as outbound:
        yield Hooked(db=db, clock=clock, shop=shop, outbound=outbound, receiver=receiver)
