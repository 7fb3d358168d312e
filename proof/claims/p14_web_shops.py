"""P14 for web shops: requests for others' goods, orders and texts get the same answers as for what does not exist."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crossdock.db.unit_of_work import Transaction
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p14_tenants import plain
from proof.doors import SOLD, Door, ShoppexPartnerDoor, buy
from proof.stand import Stand
from proof.web_shops import ShopWeDoDoor, call_bytes, make_web_shop
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.raw_http import Connection, Reply
from tests.support.shopwedo_client import order_of

GOODS = "select id, product_id, sku, upc from variants where id = any(%s)"


@dataclass(frozen=True)
class Good:
    """A variant under all its names."""

    id: int
    product_id: int
    sku: str
    upc: str


@dataclass
class Scene:
    """Several web shops, and what each of them has."""

    shop: ShopFixture
    other_shop: ShopFixture
    own: int
    asking: dict[str, PartnerFixture]
    neighbour: PartnerFixture
    stranger: PartnerFixture
    reseller: PartnerFixture
    goods: dict[str, Good] = field(default_factory=dict)
    orders: dict[str, tuple[int, str]] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)


class Prober:
    """Requests what is foreign and what does not exist, and compares the answers."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self.compared = 0
        self._connection = connection
        self._findings = findings

    async def ask(self, partner: PartnerFixture, method: str, data: Any) -> Reply:
        """One call."""
        return await self._connection.exchange(call_bytes(partner, method, data))

    async def compare(
        self,
        partner: PartnerFixture,
        method: str,
        *,
        foreign: tuple[Any, object],
        unknown: tuple[Any, object],
        where: str,
    ) -> None:
        """Expect both answers to be the same bytes, except date, request id and the requested name.

        `foreign` and `unknown` are each the data to send and the name in it.
        """
        replies = [await self.ask(partner, method, data) for data, _ in (foreign, unknown)]
        self.compared += 1
        first, second = (
            plain(reply, (asked,))
            for reply, (_, asked) in zip(replies, (foreign, unknown), strict=True)
        )
        self._findings.expect(first == second, f"{where}, {method}: {first!r} but {second!r}")
        clean = replies[0].status in {200, 400}
        self._findings.expect(clean, f"{where}, {method}: {replies[0].status}")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try every method x everything foreign, as a web shop that sees all goods of its shop and one that sees some."""
    findings = Findings()
    async with stand.database.begin() as tx:
        scene = await _furnish(tx)
    connection = await Connection.open(stand.server.port)
    await _place_orders(connection, scene)
    prober = Prober(connection, findings)
    before = await _others_state(stand, scene)
    for role, partner in scene.asking.items():
        for kind, good in scene.goods.items():
            if not (role == "sees all" and kind == "a hidden merchant's"):
                await _probe_good(prober, scene, partner, good, where=f"{role}, {kind} good")
        for kind, (order_id, number) in scene.orders.items():
            where = f"{role}, {kind} order"
            await _probe_order(prober, scene, partner, order_id, number, where=where)
        for method_field, text_id in scene.texts.items():
            method, name = method_field.split(".")
            nobody = _unknown(text_id)
            await prober.compare(
                partner,
                method,
                foreign=({name: text_id}, text_id),
                unknown=({name: nobody}, nobody),
                where=role,
            )
        await _probe_lists(prober, scene, partner, findings, role=role)
        await _probe_numbers(prober, scene, partner, findings, role=role)
    findings.expect(
        await _others_state(stand, scene) == before, "the others' orders or stock are not as before"
    )
    connection.close()
    return findings.result(
        answers_compared=prober.compared,
        web_shops=len(scene.asking),
        foreign_goods=len(scene.goods),
        foreign_orders=len(scene.orders),
    )


async def _furnish(tx: Transaction) -> Scene:
    shop, other_shop = await make_shop(tx), await make_shop(tx)
    merchant = await make_merchant(tx, shop_id=shop.id)
    own = await make_variant(tx, shop=shop, own=10**6)
    foreign = await make_variant(tx, shop=other_shop, own=50)
    hidden = await make_variant(tx, shop=shop, own=50, merchant_id=merchant)
    scene = Scene(
        shop,
        other_shop,
        own,
        asking={
            "sees all": await make_web_shop(tx, shop=shop),
            "sees some": await make_web_shop(tx, shop=shop, visible_merchants=(shop.merchant_id,)),
        },
        neighbour=await make_web_shop(tx, shop=shop),
        stranger=await make_web_shop(tx, shop=other_shop),
        reseller=await make_partner(tx, shop=shop),
    )
    goods = {row[0]: Good(*row) for row in await tx.all(GOODS, ([foreign, hidden],))}
    scene.goods = {"another shop's": goods[foreign], "a hidden merchant's": goods[hidden]}
    for method_field, insert in _TEXTS.items():
        scene.texts[method_field] = await tx.value(insert, {"shop": other_shop.id})
    return scene


_TEXTS = {
    "getCategories.category_id": "insert into categories (shop_id, id, name, slug, path, id_path, depth)"
    " overriding system value"
    " values (%(shop)s, 70001, 'Theirs', 'theirs', 'theirs', '{70001}', 1) returning id",
    "getProducts.category_id": "insert into categories (shop_id, id, name, slug, path, id_path, depth)"
    " overriding system value"
    " values (%(shop)s, 70002, 'Theirs too', 'theirs-too', 'theirs-too', '{70002}', 1) returning id",
    "getBlogPosts.post_id": "insert into blog_posts (shop_id, id, slug, title, content, language, published_at)"
    " overriding system value"
    " values (%(shop)s, 70003, 'theirs', 'Theirs', '<p>Theirs</p>', 'en', now()) returning id",
}


async def _place_orders(connection: Connection, scene: Scene) -> None:
    """Place an order of another web shop, one of another shop, and one through the wholesale channel."""
    sellers: dict[str, tuple[Door, int]] = {
        "a neighbour's": (ShopWeDoDoor(scene.neighbour), scene.own),
        "a stranger's": (ShopWeDoDoor(scene.stranger), scene.goods["another shop's"].id),
        "a reseller's": (ShoppexPartnerDoor(scene.reseller), scene.own),
    }
    for kind, (door, variant_id) in sellers.items():
        number = f"N-{uuid.uuid4().hex}"
        bought = await buy(connection, door, variant_id, quantity=2, number=number)
        if bought.kind != SOLD:
            raise RuntimeError(f"{kind} order: {bought}")
        scene.orders[kind] = bought.order_id, number


async def _probe_good(
    prober: Prober, scene: Scene, partner: PartnerFixture, good: Good, *, where: str
) -> None:
    """Order it and read it, by each of its names."""
    for method, foreign, unknown, asked in _about_good(good, own=scene.own):
        await prober.compare(
            partner,
            method,
            foreign=(foreign, asked[0]),
            unknown=(unknown, asked[1]),
            where=where,
        )


def _about_good(good: Good, *, own: int) -> Iterator[tuple[str, Any, Any, tuple[object, object]]]:
    """(method, data with the good, data with what does not exist, the two names)."""
    names: dict[str, tuple[object, object]] = {
        "": (good.id, _unknown(good.id)),
        "reference": (good.sku, "SKU-none"),
        "barcode": (good.upc, "999999999999"),
    }
    for kind, (theirs, nobody) in names.items():
        made = []
        for name in (theirs, nobody):
            line = {"sku": name, "amount": 1, **({"skuType": kind} if kind else {})}
            document = order_of((own, 1), number=f"P-{uuid.uuid4().hex}", release=True)
            made.append(document | {"items": [*document["items"], line]})
        yield "createOrder", made[0], made[1], (theirs, nobody)
    product = good.product_id, _unknown(good.product_id)
    yield "getStock", {"sku": good.id}, {"sku": names[""][1]}, names[""]
    yield "getStock", {"reference": good.sku}, {"reference": "SKU-none"}, names["reference"]
    yield "getProducts", {"product_id": good.id}, {"product_id": names[""][1]}, names[""]
    yield "getProducts", {"product_id": [product[0]]}, {"product_id": [product[1]]}, product


async def _probe_order(
    prober: Prober,
    scene: Scene,
    partner: PartnerFixture,
    order_id: int,
    number: str,
    *,
    where: str,
) -> None:
    """Read, cancel and return it, by its id and by its owner's number."""
    nobody, no_number = _unknown(order_id), f"N-{uuid.uuid4().hex}"
    items = [{"sku": scene.own, "amount": 1, "reason": "broken"}]
    for method, more in (
        ("getOrder", {}),
        ("cancelOrder", {}),
        ("createRetourAnnouncement", {"items": items}),
    ):
        for asked, missing in ((order_id, nobody), (f"ORD_{order_id}", f"ORD_{nobody}")):
            await prober.compare(
                partner,
                method,
                foreign=({"order_id": asked, **more}, order_id),
                unknown=({"order_id": missing, **more}, nobody),
                where=where,
            )
    await prober.compare(
        partner,
        "getOrder",
        foreign=({"external_order_id": number}, number),
        unknown=({"external_order_id": no_number}, no_number),
        where=where,
    )


async def _probe_lists(
    prober: Prober, scene: Scene, partner: PartnerFixture, findings: Findings, *, role: str
) -> None:
    """Lists contain nothing foreign."""
    hidden = {"another shop's"} | ({"a hidden merchant's"} if role == "sees some" else set())
    foreign = {
        name for kind in hidden for name in (scene.goods[kind].id, scene.goods[kind].product_id)
    }
    stock = (await prober.ask(partner, "getStock", {})).json()
    products = (await prober.ask(partner, "getProducts", {})).json()
    told = {int(sku) for sku in stock} | {product["product_id"] for product in products}
    findings.expect(not told & foreign, f"{role}: told of {told & foreign}")
    findings.expect(scene.own in told, f"{role}: not told of its own goods")
    for method in ("getCategories", "getBlogPosts"):
        found = (await prober.ask(partner, method, {})).json()
        findings.expect(found == [], f"{role}, {method}: {found}")


async def _probe_numbers(
    prober: Prober, scene: Scene, partner: PartnerFixture, findings: Findings, *, role: str
) -> None:
    """Another web shop's number can be used, and leads only to the caller's own order."""
    for kind, (order_id, number) in scene.orders.items():
        document = order_of((scene.own, 1), number=number)
        made = await prober.ask(partner, "createOrder", document)
        findings.expect(made.status == 201, f"{role}, {kind} number: {made.body!r}")
        found = await prober.ask(partner, "getOrder", {"external_order_id": number})
        mine = found.json()[0][0]["order_id"]
        findings.expect(
            mine == made.json().get("order_id") != order_id, f"{role}, {kind} number: order {mine}"
        )


async def _others_state(stand: Stand, scene: Scene) -> list[tuple[Any, ...]]:
    """The others' orders, and the other shop's levels."""
    ids = [order_id for order_id, _ in scene.orders.values()]
    async with stand.database.statement() as tx:
        orders = await tx.all(
            "select id, fulfilment_state, updated_at from orders"
            " where id = any(%s) or shop_id = %s order by id",
            (ids, scene.other_shop.id),
        )
        levels = await tx.all(
            "select variant_id, on_hand, committed from stock_levels where shop_id = %s",
            (scene.other_shop.id,),
        )
    return orders + levels


def _unknown(known: int) -> int:
    """An id of the same length that does not exist."""
    return 10 ** len(str(known)) - 1


CLAIM = Claim(
    id="P14",
    door="shopwedo",
    title="tenant isolation",
    workload="every method with another shop's and a hidden merchant's goods under each of their names, "
    "orders of a neighbour, of a stranger and of the wholesale door, another shop's categories and posts",
    must_hold="the same bytes as for what nobody has, but for request id, date and the asked name; the "
    "others' orders and stock are as before",
    full={},
    quick={},
    run=run,
)
