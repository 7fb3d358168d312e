"""B9 for webhooks: signed calls per second, compared with the HTTP client posting bodies of the same size."""

import random
from datetime import UTC, datetime

from bench.measure import Bench, Measured, Size, alternate, compare
from bench.runs.b09_deliveries import BODY, FLOOR, SHOPS, Engine, post_alone, receiving
from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import DeliveryKind, queue_deliveries
from crossdock.shop.webhooks import Subscribing, WebhookCalling, subscribe
from proof.stand import Ground
from tests.support.factories import box


class Webhooks(Engine):
    """The worker's loop with the webhooks of merchants, one subscription in each shop."""

    async def furnish(self) -> None:
        """Create the shops with their subscriptions."""
        await super().furnish()
        service = Subscribing(outbound=self.outbound, box=box(), ids=RandomIds())
        self.dialect = create_dialect()
        self.targets: dict[int, str] = {}
        async with self.stand.database.begin() as tx:
            for shop_id in self.shops:
                made, _ = await subscribe(
                    tx, service=service, dialect=self.dialect, shop_id=shop_id, url=self.url,
                    names=self.dialect.names, now=datetime.now(UTC),
                )  # fmt: skip
                self.targets[shop_id] = str(made.id)

    def kind(self) -> DeliveryKind:
        """What is sent."""
        calling = WebhookCalling(outbound=self.outbound, box=box(), clock=SystemClock())
        return calling.kind(self.dialect)

    async def fill(self, first: int) -> None:
        """Queue all deliveries."""
        payload = {"event": self.dialect.names[0], "data": BODY, "created_at": first}
        share = self.count // SHOPS
        async with self.stand.database.begin() as tx:
            for shop_id, target in self.targets.items():
                await queue_deliveries(
                    tx, shop_id=shop_id, kind=self.dialect.kind,
                    objects=[(target, None, payload)] * share, delay_s=0, now=datetime.now(UTC),
                )  # fmt: skip
            await tx.run("analyze deliveries")


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Four shops with one subscription each; the client makes as many calls at once."""
    async with ground.stand("b9w") as stand, Outbound(allowed_hosts=["127.0.0.1"]) as outbound:
        with receiving() as url:
            engine = Webhooks(stand, outbound, url, count=size["deliveries"])
            await engine.furnish()

            async def alone() -> float:
                return await post_alone(outbound, url, count=size["deliveries"])

            ours, theirs = await alternate(engine.empty, alone, pairs=size["pairs"])
    return Measured(
        lines=(compare("webhooks", "/s", ours, theirs, floor=FLOOR),),
        faults=engine.faults,
    )


BENCH = Bench(
    id="B9",
    title="webhooks a second",
    compared_with="the HTTP client alone posting bodies of the same size",
    full={"deliveries": 4_000, "pairs": 5},
    quick={"deliveries": 400, "pairs": 2},
    run=run,
)
