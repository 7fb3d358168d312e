"""P14 for publishers: requests for others' carts, orders and goods get the same answers as for what does not exist."""

import asyncio
import json
import random
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from crossdock.channels.shoppable.numbers import order_number
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import SystemClock
from crossdock.shop.pricing import CouponTerms, add_coupon
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p14_tenants import plain
from proof.doors import SOLD, Door, ShoppexPartnerDoor, buy
from proof.publishers import (
    CHANNEL,
    ShoppableDoor,
    checkout,
    feed,
    get,
    log_in,
    make_publisher,
    make_reader,
    post,
)
from proof.stand import Stand
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shopper import RIGHTS

INDEX_S = 60.0
ROLES: dict[str, tuple[str, ...]] = {
    "sees all": RIGHTS,
    "sees some": RIGHTS,
    "reads": ("catalog.read", "orders.read", "orders.feed"),
    "nothing": (),
}
WORDS = {"another shop's": "zeppelin", "a hidden merchant's": "gondola", "unlisted": "kayak"}
# The length is left out because one of the others has more digits at times; the bodies are compared.
_CHANGING = re.compile(
    rb'"query_time":\d+|"as_of":\d+|"modified_on":"[^"]*"|\r\ncontent-length:[^\r]*', re.IGNORECASE
)


@dataclass(frozen=True)
class Good:
    """A variant under all its names, a word that its product alone has, and a coupon for it alone."""

    id: int
    product_id: int
    upc: str
    merchant: str
    word: str
    coupon: str


@dataclass
class Scene:
    """Publishers who ask, and what others have."""

    shop: ShopFixture
    own: int
    asking: dict[str, PartnerFixture]
    readers: dict[str, tuple[str, str]]
    neighbour: PartnerFixture
    stranger: PartnerFixture
    reseller: PartnerFixture
    foreign: int
    goods: dict[str, Good] = field(default_factory=dict)
    carts: dict[str, str] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


Question = tuple[str, bytes, bytes]
"""What is asked, the request with the foreign name, the request with an unknown one."""


class Prober:
    """Requests what is foreign and what does not exist, and compares the answers."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self.compared = 0
        self.operations: set[str] = set()
        self._connection = connection
        self._findings = findings

    async def ask(self, request: bytes) -> Reply:
        """One call."""
        return await self._connection.exchange(request)

    async def compare(
        self, question: Question, *, names: tuple[object, object], where: str
    ) -> Reply:
        """Expect both answers to be the same bytes, but for date, request id, times and the name."""
        what, foreign, unknown = question
        replies = [await self.ask(request) for request in (foreign, unknown)]
        self.compared += 1
        self.operations.add(what)
        first, second = (
            _CHANGING.sub(b"", plain(reply, (name,)))
            for reply, name in zip(replies, names, strict=True)
        )
        self._findings.expect(first == second, f"{where}, {what}: {first!r} but {second!r}")
        clean = replies[0].status in {200, 400, 401, 403, 404}
        self._findings.expect(clean, f"{where}, {what}: {replies[0].status}")
        return replies[0]


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try every operation x everything foreign, for publishers with different rights and sights."""
    findings = Findings()
    async with stand.database.begin() as tx:
        scene = await _furnish(tx)
    connection = await Connection.open(stand.server.port)
    prober = Prober(connection, findings)
    await _fill(connection, scene)
    await _until_indexed(prober, scene)
    before = await _others_state(stand, scene)
    for role, partner in scene.asking.items():
        for kind, cart_id in scene.carts.items():
            await _probe_cart(prober, scene, partner, cart_id, where=f"{role}, {kind} cart")
        for kind, order_id in scene.orders.items():
            await _probe_order(prober, partner, order_id, where=f"{role}, {kind} order")
        await _probe_goods(prober, scene, partner, findings, role=role)
        await _probe_lists(prober, scene, partner, findings, role=role)
        await _probe_feed(prober, scene, findings, role=role)
    findings.expect(
        await _others_state(stand, scene) == before, "the others' carts, orders or stock changed"
    )
    connection.close()
    return findings.result(
        answers_compared=prober.compared,
        operations=len(prober.operations),
        publishers=len(scene.asking),
        foreign_carts=len(scene.carts),
        foreign_orders=len(scene.orders),
        foreign_goods=len(scene.goods),
    )


async def _furnish(tx: Transaction) -> Scene:
    """All goods in one transaction, so that the first index has them."""
    shop, other_shop = await make_shop(tx), await make_shop(tx)
    hidden_merchant = await make_merchant(tx, shop_id=shop.id)
    own = await make_variant(tx, shop=shop, own=10**6)
    made = {
        "another shop's": await make_variant(tx, shop=other_shop, own=50),
        "a hidden merchant's": await make_variant(
            tx, shop=shop, own=50, merchant_id=hidden_merchant
        ),
        "unlisted": await make_variant(tx, shop=shop, own=50, listed=False),
    }
    sight = {"sees some": {"visible_merchants": (shop.merchant_id,)}}
    asking = {
        role: await make_publisher(tx, shop=shop, permissions=rights, **sight.get(role, {}))
        for role, rights in ROLES.items()
    }
    scene = Scene(
        shop,
        own,
        asking,
        readers={role: await make_reader(tx, partner=each) for role, each in asking.items()},
        neighbour=await make_publisher(tx, shop=shop),
        stranger=await make_publisher(tx, shop=other_shop),
        reseller=await make_partner(tx, shop=shop),
        foreign=made["another shop's"],
    )
    for kind, variant_id in made.items():
        scene.goods[kind] = await _named(tx, variant_id, word=WORDS[kind])
    for kind, each in (("a neighbour's", scene.neighbour), ("a stranger's", scene.stranger)):
        scene.names[kind], _ = await make_reader(tx, partner=each)
    return scene


async def _named(tx: Transaction, variant_id: int, *, word: str) -> Good:
    """The good with a name of its own and a coupon of its merchant's."""
    await tx.run(
        "update products p set name = %s, brand = %s from variants v"
        " where v.id = %s and p.shop_id = v.shop_id and p.id = v.product_id",
        (word.title(), word.title(), variant_id),
    )
    row = await tx.one(
        "select v.id, v.product_id, v.upc, m.name, m.id, m.shop_id, p.handle from variants v"
        " join products p on p.shop_id = v.shop_id and p.id = v.product_id"
        " join merchants m on m.shop_id = v.shop_id and m.id = v.merchant_id where v.id = %s",
        (variant_id,),
    )
    assert row is not None
    number, product_id, upc, merchant, merchant_id, shop_id, handle = row
    good = Good(number, product_id, upc, merchant, word, coupon=f"{word.upper()}10")
    terms = CouponTerms(code=good.coupon, kind="percent_off", percent_bp=1_000)
    await add_coupon(
        tx,
        shop_id=shop_id,
        terms=terms,
        merchant_id=merchant_id,
        product=handle,
        now=SystemClock().now(),
    )
    return good


async def _fill(connection: Connection, scene: Scene) -> None:
    """Others' open carts, ordered carts and orders, and an order of the wholesale channel."""
    doors: dict[str, tuple[Door, int]] = {
        "a neighbour's": (ShoppableDoor(scene.neighbour), scene.own),
        "a stranger's": (ShoppableDoor(scene.stranger), scene.foreign),
    }
    for kind, (door, variant_id) in doors.items():
        for state in ("open", "ordered"):
            number = await door.begin(connection, variant_id, quantity=2, number="")
            scene.carts[f"{kind} {state}"] = number
        reply = await connection.exchange(checkout(door.partner, number))
        scene.orders[kind] = _placed(door.outcome(reply).order_id, kind)
    wholesale = ShoppexPartnerDoor(scene.reseller)
    bought = await buy(
        connection, wholesale, scene.own, quantity=2, number=f"PO-{uuid.uuid4().hex}"
    )
    scene.orders["a reseller's"] = _placed(bought.order_id * (bought.kind == SOLD), "a reseller's")
    for role in ("sees all", "sees some"):
        bought = await buy(
            connection, ShoppableDoor(scene.asking[role]), scene.own, quantity=1, number=""
        )
        _placed(bought.order_id * (bought.kind == SOLD), role)


def _placed(order_id: int, kind: str) -> int:
    if not order_id:
        raise RuntimeError(f"{kind} order was not placed")
    return order_id


async def _until_indexed(prober: Prober, scene: Scene) -> None:
    """Wait until the worker has indexed both shops."""
    until = time.monotonic() + INDEX_S
    for partner in (scene.asking["sees all"], scene.stranger):
        while not (await _page(prober, partner)).get("count"):
            if time.monotonic() > until:
                raise RuntimeError("the worker has built no index")
            await asyncio.sleep(0.2)


async def _page(prober: Prober, partner: PartnerFixture, **query: str) -> dict[str, Any]:
    reply = await prober.ask(get(partner, f"/v3/catalog/?{urlencode(query)}"))
    page: dict[str, Any] = reply.json()
    return page


async def _probe_cart(
    prober: Prober, scene: Scene, partner: PartnerFixture, cart_id: str, *, where: str
) -> None:
    nobody = str(uuid.uuid4())
    theirs, unknown = (_about_cart(partner, each, own=scene.own) for each in (cart_id, nobody))
    for (what, foreign), (_, missing) in zip(theirs, unknown, strict=True):
        await prober.compare((what, foreign, missing), names=(cart_id, nobody), where=where)


def _about_cart(partner: PartnerFixture, cart_id: str, *, own: int) -> Iterator[tuple[str, bytes]]:
    """Every request that names a cart."""
    one = f"/v3/cart/{cart_id}"
    yield "read a cart", get(partner, one)
    yield "put", get(partner, f"{one}/put/{own}/qty/1")
    yield "put as in version 2", get(partner, f"{one}/put/{own}/qty/1/idLookupType/sku/productId/1")
    bundle = {"id": cart_id, "items": [{"sku": str(own), "qty": 1}]}
    yield "put several", post(partner, "/v3/cart/put/bundling", bundle)
    yield "remove", get(partner, f"{one}/delete/{own}")
    yield "clear", get(partner, f"{one}/clear")
    yield "delete a cart", get(partner, f"{one}/deleteCart")
    yield "check out", checkout(partner, cart_id)
    page = f"/checkout?{urlencode({'cart': cart_id, 'apiToken': partner.secret})}"
    yield "hosted checkout", request_bytes("GET", page)


async def _probe_order(
    prober: Prober, partner: PartnerFixture, order_id: int, *, where: str
) -> None:
    names = order_number(order_id), order_number(999_999_999)
    foreign, unknown = (get(partner, f"/v3/order/{name}") for name in names)
    reply = await prober.compare(("read an order", foreign, unknown), names=names, where=where)
    if reply.status == 200:
        raise RuntimeError(f"{where}: it was answered, as was an unknown one")


async def _probe_goods(
    prober: Prober, scene: Scene, partner: PartnerFixture, findings: Findings, *, role: str
) -> None:
    """Read, find, buy and filter by what is not in sight."""
    reply = await prober.ask(get(partner, "/v3/cart/"))
    cart_id = reply.json()["cart"]["id"] if reply.status == 200 else str(uuid.uuid4())
    for kind, good in scene.goods.items():
        if role != "sees some" and kind == "a hidden merchant's":
            continue
        for what, path, names in _about_good(good, cart_id=cart_id):
            requests = [get(partner, path.replace("NAME", str(name))) for name in names]
            question = (what, requests[0], requests[1])
            answer = await prober.compare(question, names=names, where=f"{role}, {kind} good")
            document = answer.json()
            if what.startswith("search") and answer.status == 200:
                findings.expect(document["count"] == 0, f"{role}, {kind}, {what}: found")
        names = good.id, _unknown(good.id)
        foreign, unknown = (_bundle(partner, cart_id, scene.own, name) for name in names)
        question = ("put several", foreign, unknown)
        await prober.compare(question, names=names, where=f"{role}, {kind} good")


def _bundle(partner: PartnerFixture, cart_id: str, own: int, other: int) -> bytes:
    items = [{"sku": str(own), "qty": 1}, {"sku": str(other), "qty": 1}]
    return post(partner, "/v3/cart/put/bundling", {"id": cart_id, "items": items})


def _about_good(good: Good, *, cart_id: str) -> Iterator[tuple[str, str, tuple[object, object]]]:
    """(what, path with NAME in it, the good's name and an unknown one)."""
    variant, product = (good.id, _unknown(good.id)), (good.product_id, _unknown(good.product_id))
    upc = good.upc, "9" * len(good.upc)
    word = good.word, "q" * len(good.word)
    yield "product by part number", "/v3/product/NAME", product
    yield "products by part numbers", "/v3/product?part_numbers=NAME", product
    yield "products by UPC", "/v3/product?upcs=NAME", upc
    cart = f"/v3/cart/{cart_id}"
    yield "put", f"{cart}/put/NAME/qty/2", variant
    yield "remove", f"{cart}/delete/NAME", variant
    yield "search by word", "/v3/catalog/?search=NAME", word
    yield "search by prefix", f"/v3/catalog/?search={word[0][:3]}*&brands=NAME", word
    yield "search by name", "/v3/catalog/?search=name:NAME", word
    yield "search by SKU", "/v3/catalog/?search=sku:NAME", variant
    yield "search by UPC", "/v3/catalog/?search=upc:NAME", upc
    yield "search with a UPC", "/v3/catalog/?upc=NAME", upc
    yield "search with a part number", "/v3/catalog/?part_numbers=NAME", product
    yield "search with a brand", "/v3/catalog/?brands=NAME&navigation_type=all", word
    yield "search with a coupon", "/v3/catalog/?coupons=NAME", (good.coupon, "NOBODYS10")


async def _probe_lists(
    prober: Prober, scene: Scene, partner: PartnerFixture, findings: Findings, *, role: str
) -> None:
    """Catalogue, facets and a new cart's merchants tell of nothing foreign."""
    hidden = [
        good
        for kind, good in scene.goods.items()
        if kind == "another shop's" or role == "sees some" or kind == "unlisted"
    ]
    for path in ("/v3/catalog/?rows=100&navigation_type=all", "/v3/cart/"):
        reply = await prober.ask(get(partner, path))
        if reply.status != 200:
            right = {"catalog": "catalog.read", "cart": "carts.write"}[path.split("/")[2]]
            findings.expect(right not in ROLES[role], f"{role}, {path}: {reply.status}")
            continue
        told = json.dumps(reply.json()).lower()
        for good in hidden:
            names = [good.word, good.coupon.lower(), f'"{good.upc}"']
            if role == "sees some" and good.word == WORDS["a hidden merchant's"]:
                names.append(f'"{good.merchant.lower()}"')
            leaked = [name for name in names if name in told]
            findings.expect(not leaked, f"{role}, {path}: told of {leaked}")


async def _probe_feed(prober: Prober, scene: Scene, findings: Findings, *, role: str) -> None:
    """The feed has the publisher's own orders alone, and a foreign name is no better than an unknown one."""
    name, password = scene.readers[role]
    for kind, theirs in scene.names.items():
        nobody = theirs[:-4] + "0000"
        question = ("log in", log_in(theirs, password), log_in(nobody, password))
        await prober.compare(question, names=(theirs, nobody), where=f"{role}, {kind} name")
    access = (await prober.ask(log_in(name, password))).json()[0]["token"]
    for request in (feed(access, rows=1000), feed(access, rows=1000, after=0)):
        reply = await prober.ask(request)
        if "orders.feed" not in ROLES[role]:
            findings.expect(reply.status == 403, f"{role}: the feed answers {reply.status}")
            continue
        own = {line["partner_name"] for line in reply.json()}
        told = {int(line["order_number"].removeprefix("R")) for line in reply.json()}
        foreign = told & set(scene.orders.values())
        findings.expect(not foreign and len(own) <= 1, f"{role}: the feed has {foreign} of {own}")
        bought = len(told) == (role in {"sees all", "sees some"})
        findings.expect(bought, f"{role}: the feed has {len(told)} orders of its own")


async def _others_state(stand: Stand, scene: Scene) -> list[tuple[Any, ...]]:
    """The others' carts with their items, orders, and the other shop's levels."""
    partners = [scene.neighbour.id, scene.stranger.id, scene.reseller.id]
    async with stand.database.statement() as tx:
        carts = await tx.all(
            "select to_jsonb(c), (select jsonb_agg(i order by i.variant_id) from cart_lines i"
            " where i.shop_id = c.shop_id and i.cart_id = c.id) from carts c"
            " where c.partner_id = any(%s) order by c.id",
            (partners,),
        )
        orders = await tx.all(
            "select id, fulfilment_state, payment_state, total_minor from orders"
            " where partner_id = any(%s) order by id",
            (partners,),
        )
        levels = await tx.all(
            "select variant_id, on_hand, held, committed from stock_levels where shop_id = %s",
            (scene.stranger.shop_id,),
        )
    return [*carts, *orders, *levels]


def _unknown(known: int) -> int:
    """An id of the same length that does not exist."""
    return 10 ** len(str(known)) - 1


CLAIM = Claim(
    id="P14",
    door=CHANNEL,
    title="tenant isolation",
    workload="every operation with a neighbour's and a stranger's carts, open and ordered, orders of both and "
    "of the wholesale channel, another shop's, a hidden merchant's and unlisted goods under each of their "
    "names, others' names for the feed; the hosted page as well; for every set of rights",
    must_hold="the same bytes as for what nobody has, but for request id, date, times and the asked name; "
    "others' carts, orders and stock are as before; lists, facets and feed have nothing of others",
    full={},
    quick={},
    run=run,
)
