"""The write paths of the core: what each needs, what it does, and in how many transactions."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from crossdock.channels.shoppex_partner.app import RULES
from crossdock.db.unit_of_work import Database
from crossdock.imports.running import ImportOrder, run_import
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.customers import Assigning, assign_sales_rep
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due, requeue_lost
from crossdock.shop.dispatch import Configuring, Connectors, add_connector, dispatch_kind
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import OrderItem, OrderRequest, cancel_order, place, place_for_customer
from crossdock.shop.partners import Terms, add_credential, add_partner, rotate_secret
from crossdock.shop.payments import Paying
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import expire_holds, hold_stock, release_hold
from tests.support.drafts import draft_of, line_of
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    box,
    make_customer,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.ordering import placing, read_partner
from tests.support.paying import paying
from tests.support.simulators.webhook import WebhookReceiver

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
LOST = timedelta(seconds=61)
UNCLAIMED = timedelta(seconds=1_000)
ORDERED = "select count(*) = 1 and sum(total_minor) = 5997 from orders"


@dataclass
class Scene:
    """What a path works on."""

    shop: ShopFixture
    variants: list[int]
    partner: PartnerFixture
    receiver: WebhookReceiver
    folder: Path
    numbers: dict[str, int] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    """What preparing a path made, for its acts to read; numbers are for acts to write too."""

    @property
    def outbound(self) -> Outbound:
        """A client that is allowed to call the receiver."""
        return Outbound(allowed_hosts=("127.0.0.1",))


Step = Callable[[Database, Scene], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class WritePath:
    """`commits` is the number of transactions by design: 1 means all or nothing.

    `recover` does what follows a crash between two of them; the SQL `settled` is true if the work was
    then done exactly once.
    """

    name: str
    prepare: Step | None = None
    act: Step
    commits: int = 1
    recover: Step | None = None
    settled: str = ""


async def furnish(database: Database, *, receiver: WebhookReceiver, folder: Path) -> Scene:
    """Create a shop with goods, a partner, sales reps and a webhook connector."""
    async with database.begin() as tx:
        shop = await make_shop(tx, slug="crash")
        variants = [
            await make_variant(tx, shop=shop, own=10, supplier=5, origin="*") for _ in range(2)
        ]
        sales_rep = await tx.value(
            "insert into sales_reps (shop_id, name, email) values (%s, 'Ana', 'ana@shop.example')"
            " returning id",
            (shop.id,),
        )
        stored = await make_customer(tx, shop_id=shop.id, sales_rep_id=sales_rep)
        partner = await make_partner(tx, shop=shop, customer_id=stored)
        await add_connector(
            tx,
            service=Configuring(outbound=Outbound(allowed_hosts=("127.0.0.1",)), box=box()),
            shop_id=shop.id,
            name="hook",
            kind="webhook",
            settings={"url": f"{receiver.url}/orders"},
            secret=SECRET,
        )
    return Scene(shop, variants, partner, receiver, folder)


def seeded_paying(database: Database, *, later: timedelta = timedelta()) -> Paying:
    """The payment service with ids that are the same in every run, and different ones after a crash."""
    service = paying(database, FrozenClock(NOW + later))
    return msgspec.structs.replace(service, ids=SeededIds(f"proof {later}"))


async def settle_later(database: Database, _scene: Scene) -> None:
    """Settle payments as the worker does, one minute and fifteen minutes after the crash."""
    for later in (LOST, UNCLAIMED):
        await settle_every_payment(seeded_paying(database, later=later))
        async with database.begin() as tx:
            await expire_holds(tx, now=NOW + later)


async def _place(database: Database, scene: Scene) -> None:
    service = placing(database, FrozenClock(NOW))
    partner = await read_partner(database, scene.partner)
    items = [OrderItem(variant_id=scene.variants[0], quantity=1)]
    items.append(OrderItem(variant_id=scene.variants[1], quantity=2))
    request = OrderRequest(partner_order_id="PO-1", items=tuple(items), source="proof")
    placed = await place_for_customer(service, partner=partner, request=request, rules=RULES)
    scene.numbers["order"] = placed.id


async def _without_sales_rep(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await tx.run(
            "update customers set sales_rep_id = null, sales_rep_source = null where shop_id = %s",
            (scene.shop.id,),
        )


async def _with_backorder(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await tx.run("update partners set backorder = true")
        await tx.run("select post_stock(%s, %s::jsonb, 'sold', null, %s)", _sold_out(scene))


def _sold_out(scene: Scene) -> tuple[int, str, datetime]:
    posting = {"variant_id": scene.variants[1], "pool": "own", "kind": "adjust", "on_hand": -9}
    return scene.shop.id, json.dumps([posting]), NOW


async def _without_levels(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        scene.variants[1] = await make_variant(tx, shop=scene.shop, own=None, origin="SC")
        await tx.run("update partners set backorder = true")
        await tx.run(
            "insert into holds (shop_id, variant_id, pool, quantity, expires_at, status)"
            " select shop_id, variant_id, pool, 1, now(), 'released' from stock_levels limit 1"
        )


async def _cancel(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=scene.shop.id, order_id=scene.numbers["order"], now=NOW)


async def _hold(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        hold = await hold_stock(
            tx,
            shop_id=scene.shop.id,
            variant_id=scene.variants[0],
            quantity=3,
            ttl_s=60,
            now=NOW,
        )
    scene.numbers["hold"] = hold.id


async def _release(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await release_hold(tx, shop_id=scene.shop.id, hold_id=scene.numbers["hold"], now=NOW)


async def _convert(database: Database, scene: Scene) -> None:
    line = line_of(
        scene.variants[0], shop=scene.shop, quantity=3, take="hold", hold_id=scene.numbers["hold"]
    )
    async with database.statement() as tx:
        await place(tx, draft=draft_of(line, shop=scene.shop, number="HELD"), now=NOW)


async def _expire(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await expire_holds(tx, now=NOW + timedelta(hours=1))


async def _import(database: Database, scene: Scene) -> None:
    path = scene.folder / "crash.jsonl"
    lines = [
        {
            "handle": f"h{number}",
            "name": f"Imported {number}",
            "variants": [
                {
                    "sku": f"I-{number}",
                    "retail_minor": 500,
                    "stock": [{"pool": "own", "on_hand": 7}],
                }
            ],
        }
        for number in range(3)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    async with database.begin() as tx:
        shop = await read_shop(tx, slug=scene.shop.slug)
    order = ImportOrder(path=path, format="jsonl", shop=shop, merchant="main")
    await run_import(database, order=order, clock=FrozenClock(NOW))


async def _assign(database: Database, scene: Scene) -> None:
    service = Assigning(db=database, clock=FrozenClock(NOW), outbound=scene.outbound)
    await assign_sales_rep(
        service,
        shop_id=scene.shop.id,
        customer_id=scene.shop.customer_id,
        email="new@buyer.example",
    )


async def _send(database: Database, scene: Scene) -> None:
    await _deliver(database, scene, now=NOW)


async def _send_in_vain(database: Database, scene: Scene) -> None:
    scene.receiver.moods = [500]
    await _deliver(database, scene, now=NOW)
    scene.receiver.moods = []


async def _send_again(database: Database, scene: Scene) -> None:
    """Requeue the claim of a dead worker, and send again."""
    scene.receiver.moods = []
    later = NOW + timedelta(hours=1)
    async with database.begin() as tx:
        await requeue_lost(tx, now=later, due=later)
    await _deliver(database, scene, now=later)


async def _deliver(database: Database, scene: Scene, *, now: datetime) -> None:
    connectors = Connectors(outbound=scene.outbound, box=box(), clock=FrozenClock(NOW))
    kinds = DeliveryKinds([dispatch_kind(connectors)])
    clock = FrozenClock(now)
    service = Delivering(db=database, clock=clock, turns=clock, kinds=kinds)
    await deliver_due(service, limit=1, shop_id=scene.shop.id)


async def _add_partner(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=scene.shop.id,
            channel="shoppex_partner",
            name="Newcomer",
            terms=Terms(permissions=("products.read",), customer_id=scene.shop.customer_id),
        )
        await add_credential(tx, partner_id=partner_id, ids=SeededIds(7), box=box())


async def _rotate(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await rotate_secret(
            tx, key=scene.partner.key, ids=SeededIds(8), box=box(), now=NOW, overlap_s=60
        )


WRITE_PATHS = (
    WritePath(name="place", act=_place),
    WritePath(
        name="place and assign",
        prepare=_without_sales_rep,
        act=_place,
        commits=2,
        recover=_place,
        settled=ORDERED,
    ),
    WritePath(name="place with backorder", prepare=_with_backorder, act=_place),
    WritePath(name="place on a new level", prepare=_without_levels, act=_place),
    WritePath(name="cancel", prepare=_place, act=_cancel),
    WritePath(name="hold", act=_hold),
    WritePath(name="release a hold", prepare=_hold, act=_release),
    WritePath(name="order what a hold keeps", prepare=_hold, act=_convert),
    WritePath(name="expire holds", prepare=_hold, act=_expire),
    WritePath(
        name="import",
        act=_import,
        commits=2,
        recover=_import,
        settled="select count(*) = 3 from variants where sku like 'I-%'",
    ),
    WritePath(name="assign a sales rep", act=_assign),
    WritePath(
        name="send to fulfilment",
        prepare=_place,
        act=_send,
        commits=2,
        recover=_send_again,
        settled="select bool_and(status = 'sent') from deliveries",
    ),
    WritePath(
        name="fail to send",
        prepare=_place,
        act=_send_in_vain,
        commits=2,
        recover=_send_again,
        settled="select bool_and(status = 'sent') from deliveries",
    ),
    WritePath(name="add a partner", act=_add_partner),
    WritePath(name="rotate a secret", act=_rotate),
)
