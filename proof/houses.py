"""Shops with all that their merchants and resellers have, for the claim that others see nothing of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.shops import read_shop
from crossdock.shop.webhooks import Subscribing, send_test, subscribe
from proof.resellers import (
    Licence,
    Reseller,
    call,
    make_licence,
    make_merchant_key,
    make_reseller,
    open_programme,
    wire_ids,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, box, make_shop
from tests.support.raw_http import Connection

CREDIT = 100_000


@dataclass
class Belongings:
    """What a shop, or a reseller, has: its ids by kind, and texts that nobody else may read."""

    ids: dict[Kind, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def add(self, kind: Kind, shown: str) -> None:
        """Note an id."""
        self.ids.setdefault(kind, []).append(shown)


@dataclass(frozen=True)
class House:
    """A shop with a back office and two resellers, and what all of them have."""

    shop: ShopFixture
    wire: WireIds
    merchant: PartnerFixture
    reseller: Reseller
    neighbour: Reseller
    licence: Licence
    goods: Belongings
    neighbours: Belongings


async def furnish(stand: Stand, name: str) -> House:
    """A shop with a product of serials, one with variants, two resellers, a webhook and a delivery of it."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        wire = await wire_ids(tx, shop)
        licence = await make_licence(tx, shop=shop, serials=[f"{name}-{n}" for n in range(5)])
        resellers = [await make_reseller(tx, shop=shop, credit_minor=CREDIT) for _ in range(2)]
        merchant = await make_merchant_key(tx, shop=shop)
        goods, neighbours = Belongings(), Belongings()
        goods.texts += [f"{name}-{n}" for n in range(5)]
        for reseller, theirs in zip(resellers, (goods, neighbours), strict=True):
            theirs.add(Kind.RELATIONSHIP, wire.write(Kind.RELATIONSHIP, reseller.id))
        await _add_goods(tx, shop, wire, licence, goods)
        await _add_webhook(tx, shop, wire, name, goods)
    return House(shop, wire, merchant, resellers[0], resellers[1], licence, goods, neighbours)


async def _add_goods(
    tx: Transaction, shop: ShopFixture, wire: WireIds, licence: Licence, goods: Belongings
) -> None:
    variants = tuple(
        VariantRecord(sku=f"CARD-{worth}", retail_minor=worth, options={"Worth": f"{worth}"})
        for worth in (10, 20)
    )
    record = ProductRecord(
        handle="card", name="Card", merchant="Main", currency="USD", virtual=True,
        option_names=("Worth",), variants=variants,
    )  # fmt: skip
    whole = await read_shop(tx, slug=shop.slug)
    await upsert_products(tx, shop=whole, records=[record], now=datetime.now(UTC))
    rows = await tx.all(
        "select product_id, id from variants where shop_id = %s and sku like 'CARD-%%' order by id",
        (shop.id,),
    )
    goods.add(Kind.PRODUCT, wire.write(Kind.PRODUCT, rows[0][0]))
    goods.add(Kind.PRODUCT, wire.write(Kind.PRODUCT, licence.product_id))
    for _, variant_id in rows:
        goods.add(Kind.VARIANT, wire.write(Kind.VARIANT, variant_id))


async def _add_webhook(
    tx: Transaction, shop: ShopFixture, wire: WireIds, name: str, goods: Belongings
) -> None:
    dialect, now = create_dialect(), datetime.now(UTC)
    url = f"https://{name.lower()}.receiver.example/hook"
    async with Outbound() as outbound:
        service = Subscribing(outbound=outbound, box=box(), ids=RandomIds())
        made, _ = await subscribe(
            tx, service=service, dialect=dialect, shop_id=shop.id, url=url,
            names=dialect.names[:1], now=now,
        )  # fmt: skip
    await send_test(tx, dialect=dialect, shop_id=shop.id, subscription_id=made.id, now=now)
    log_id = await tx.value("select max(id) from deliveries where shop_id = %s", (shop.id,))
    goods.add(Kind.WEBHOOK, wire.write(Kind.WEBHOOK, made.id))
    goods.add(Kind.WEBHOOK_LOG, wire.write(Kind.WEBHOOK_LOG, log_id))
    goods.texts.append(url)


async def buy_stock(connection: Connection, house: House) -> None:
    """A transfer to the reseller, paid and allocated, with its item; and a campaign."""
    path = f"/dev/v1/resellers/{house.wire.write(Kind.RELATIONSHIP, house.reseller.id)}"

    async def ask_merchant(method: str, path: str, body: Any = None) -> Any:
        reply = await connection.exchange(call(house.merchant.secret, method, path, body))
        if reply.status not in {200, 201}:
            raise RuntimeError(f"{path}: {reply.status} {reply.body[:200]!r}")
        return reply.json()["data"]

    wanted = {"product_id": house.wire.write(Kind.PRODUCT, house.licence.product_id), "quantity": 1}
    made = (await ask_merchant("POST", f"{path}/stock-purchases", wanted))["id"]
    for act in ("mark-paid", "allocate"):
        await ask_merchant("POST", f"{path}/stock-transfers/{made}/{act}")
    [item] = await ask_merchant("GET", f"{path}/inventory")
    campaign = await ask_merchant("POST", f"{path}/embed-campaigns", {"name": "Launch"})
    house.goods.add(Kind.CAMPAIGN, campaign["id"])
    house.goods.add(Kind.TRANSFER, made)
    house.goods.add(Kind.ITEM, item["id"])


async def add_orders(stand: Stand, house: House) -> None:
    """The orders of the fulfilments, which the shop sees, and its customer."""
    shop = house.shop
    async with stand.database.statement() as tx:
        rows = await tx.all("select id from orders where shop_id = %s order by id", (shop.id,))
    for (order_id,) in rows:
        house.goods.add(Kind.ORDER, house.wire.write(Kind.ORDER, order_id))
    house.goods.add(Kind.CUSTOMER, house.wire.write(Kind.CUSTOMER, shop.customer_id))
