"""P14: requests for what belongs to somebody else get the same answers as for what does not exist."""

import itertools
import json
import random
import re
import time
import uuid

from proof.claim import Claim, Findings, Result, Size
from proof.doors import signed_request
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

ROLES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "read": ("products.read",),
    "order": ("orders.create",),
    "both": ("products.read", "orders.create"),
}
CHANGING = re.compile(rb"\r\n(?:x-request-id|date):[^\r]*", re.IGNORECASE)


class Prober:
    """Sends requests with every caller's credentials."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.compared = 0

    async def order(
        self, partner: PartnerFixture, *lines: tuple[int, int], number: str = ""
    ) -> Reply:
        """An order over these lines."""
        items = [{"product_id": variant, "quantity": quantity} for variant, quantity in lines]
        number = number or f"PO-{uuid.uuid4().hex}"
        body = json.dumps({"items": items, "id_order_partner": number}).encode()
        return await self._signed(partner, "POST", body)

    async def listed(self, partner: PartnerFixture) -> Reply:
        """The partner's product list."""
        return await self._signed(partner, "GET", b"")

    async def page(self, order_id: int, key: str) -> Reply:
        """An order's page."""
        path = f"/order-detail/?order_id={order_id}&key={key}"
        return await self._connection.exchange(request_bytes("GET", path))

    async def _signed(self, partner: PartnerFixture, method: str, body: bytes) -> Reply:
        request = signed_request(
            partner, method, timestamp=int(time.time()), nonce=uuid.uuid4().hex, body=body
        )
        return await self._connection.exchange(request)

    def same(self, foreign: Reply, unknown: Reply, *ids: object) -> bool:
        """Whether two answers are the same bytes, except request id, date and the requested id."""
        self.compared += 1
        return plain(foreign, ids) == plain(unknown, ids)


def plain(reply: Reply, ids: tuple[object, ...]) -> bytes:
    """An answer without request id and date, and with ID in place of the requested id."""
    whole = CHANGING.sub(b"", reply.head) + b"\r\n\r\n" + reply.body
    for asked in ids:
        whole = whole.replace(str(asked).encode(), b"ID")
    return whole


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Try every operation x everything foreign x every set of permissions."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop, other_shop = await make_shop(tx), await make_shop(tx)
        own = await make_variant(tx, shop=shop, own=10**6)
        hidden_merchant = await make_merchant(tx, shop_id=shop.id)
        hidden = await make_variant(tx, shop=shop, own=50, merchant_id=hidden_merchant)
        foreign = await make_variant(tx, shop=other_shop, own=50)
        disabled = await make_variant(tx, shop=shop, own=50, listed=False)
        partners = {
            role: await make_partner(
                tx, shop=shop, permissions=permissions, visible_merchants=(shop.merchant_id,)
            )
            for role, permissions in ROLES.items()
        }
        neighbour = await make_partner(tx, shop=shop)
        stranger = await make_partner(tx, shop=other_shop)
    variants = {"another shop's": foreign, "a hidden merchant's": hidden, "unpublished": disabled}
    prober = Prober(await Connection.open(stand.server.port))
    written = await _counts(stand)
    orders = await _place_others(prober, neighbour, stranger, own=own, foreign=foreign)
    for (role, partner), (kind, variant_id) in itertools.product(
        partners.items(), variants.items()
    ):
        await _probe_variant(prober, findings, partner, variant_id, own, where=f"{role}, {kind}")
    for role, partner in partners.items():
        await _probe_list(prober, findings, partner, set(variants.values()), role=role)
        await _probe_numbers(prober, findings, partner, orders, own=own, role=role)
    await _probe_pages(prober, findings, orders)
    await _nothing_foreign(stand, findings, shop, other_shop, before=written)
    return findings.result(
        answers_compared=prober.compared, roles=len(ROLES), foreign=len(variants)
    )


async def _place_others(
    prober: Prober,
    neighbour: PartnerFixture,
    stranger: PartnerFixture,
    *,
    own: int,
    foreign: int,
) -> dict[str, tuple[int, str, str]]:
    """Place an order of another partner of the shop, and one of another shop: (id, key, number)."""
    orders = {}
    for kind, partner, variant_id in (
        ("neighbour", neighbour, own),
        ("stranger", stranger, foreign),
    ):
        number = f"PO-{kind}"
        reply = (await prober.order(partner, (variant_id, 1), number=number)).json()
        orders[kind] = (reply["order_id"], reply["order_key"], number)
    return orders


async def _probe_variant(
    prober: Prober,
    findings: Findings,
    partner: PartnerFixture,
    variant_id: int,
    own: int,
    *,
    where: str,
) -> None:
    """Order it alone, with an own one, and in a huge quantity."""
    nobody = _unknown(variant_id)
    for lines in (((0, 1),), ((own, 1), (0, 1)), ((0, 999_999),), ((0, 1), (0, 2))):
        replies = []
        for asked in (variant_id, nobody):
            chosen = [(line[0] or asked, line[1]) for line in lines]
            replies.append(await prober.order(partner, *chosen))
        findings.expect(
            prober.same(*replies, variant_id, nobody),
            f"{where}, {lines}: {replies[0].body!r} but {replies[1].body!r}",
        )
        findings.expect(replies[0].status in {403, 404}, f"{where}: {replies[0].status}")


async def _probe_list(
    prober: Prober, findings: Findings, partner: PartnerFixture, foreign: set[int], *, role: str
) -> None:
    reply = await prober.listed(partner)
    if "products.read" not in ROLES[role]:
        findings.expect(reply.status == 403, f"{role}: the list answers {reply.status}")
        return
    shown = {row["id"] for row in reply.json()}
    findings.expect(not shown & foreign, f"{role}: the list shows {shown & foreign}")


async def _probe_numbers(
    prober: Prober,
    findings: Findings,
    partner: PartnerFixture,
    orders: dict[str, tuple[int, str, str]],
    *,
    own: int,
    role: str,
) -> None:
    """Another partner's order number can be used: it is no conflict and does not lead to its order."""
    for kind, (order_id, key, number) in orders.items():
        reply = await prober.order(partner, (own, 1), number=number)
        wanted = 201 if "orders.create" in ROLES[role] else 403
        findings.expect(reply.status == wanted, f"{role}, {kind}'s number: {reply.status}")
        told = str(order_id).encode() in reply.body.replace(number.encode(), b"")
        findings.expect(key.encode() not in reply.body, f"{role} was told {kind}'s key")
        findings.expect(not told, f"{role} was told {kind}'s order id: {reply.body!r}")


async def _probe_pages(
    prober: Prober, findings: Findings, orders: dict[str, tuple[int, str, str]]
) -> None:
    """Only the right id and key open a page; a wrong key does not show whether the order exists."""
    keys = {kind: key for kind, (_, key, _) in orders.items()}
    wrong = {**keys, "nobody's": f"wc_order_{uuid.uuid4().hex[:13]}", "none": ""}
    for (kind, (order_id, key, _)), (whose, other) in itertools.product(
        orders.items(), wrong.items()
    ):
        if other == key:
            reply = await prober.page(order_id, key)
            findings.expect(reply.status == 200, f"{kind}'s own page: {reply.status}")
            continue
        nobody = _unknown(order_id)
        found, missing = await prober.page(order_id, other), await prober.page(nobody, other)
        findings.expect(
            found.status == 404 and prober.same(found, missing, order_id, nobody),
            f"{kind}'s page with {whose} key: {found.status}, unlike an unknown order's",
        )


async def _nothing_foreign(
    stand: Stand,
    findings: Findings,
    shop: ShopFixture,
    other_shop: ShopFixture,
    *,
    before: dict[int, int],
) -> None:
    """The other shop still has its one order: the probes wrote nothing there."""
    after = await _counts(stand)
    grown = after.get(other_shop.id, 0) - before.get(other_shop.id, 0)
    findings.expect(grown == 1, f"the other shop has {grown} orders, not 1")
    async with stand.database.statement() as tx:
        crossed = await tx.value(
            "select count(*) from order_lines l join variants v on v.id = l.variant_id"
            " where l.shop_id <> v.shop_id or (l.shop_id = %s and v.merchant_id <> %s)",
            (shop.id, shop.merchant_id),
        )
    findings.expect(crossed == 0, f"{crossed} order lines are over foreign goods")


async def _counts(stand: Stand) -> dict[int, int]:
    async with stand.database.statement() as tx:
        return dict(await tx.all("select shop_id, count(*) from orders group by shop_id"))


def _unknown(known: int) -> int:
    """An id of the same length that does not exist."""
    return 10 ** len(str(known)) - 1


CLAIM = Claim(
    id="P14",
    title="tenant isolation",
    workload="every operation of the channel with another shop's, a hidden merchant's and an "
    "unpublished variant, another partner's number, another's order page, for every set of permissions",
    must_hold="the same bytes as for an id that nobody has, but for request id, date and the asked id",
    full={},
    quick={},
    run=run,
)
