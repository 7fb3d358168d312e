"""P12 for webhooks: receivers fail, hang and redirect, senders are killed; a merchant is told of everything."""

import asyncio
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.signatures import signature
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.webhooks import Subscribing, subscribe
from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    Licence,
    Reseller,
    ask,
    call,
    make_licence,
    make_merchant_key,
    make_reseller,
    numbered,
    open_programme,
)
from proof.senders import hurrying, kill_senders, settle
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, box, make_shop
from tests.support.raw_http import Connection
from tests.support.simulators.http import Hang, HttpSimulator, Outcome, Reply, Request

SHOPS = 4
CREDIT = 10**9
FAILS, HANGS, REDIRECTS = 0.30, 0.03, 0.05
FULFIL_EVERY = 3
CREATED, DELIVERED = "product:created", "reseller:api_fulfillment_delivered"


class Receiver(HttpSimulator):
    """Receives signed calls; some it answers with an error, a redirect, or not at all."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(self._answer)
        self.accepted: dict[str, Any] = {}
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.answered: Counter[str] = Counter()
        self.secrets: dict[str, str] = {}
        self.forged = 0
        self._rng = rng

    async def _answer(self, request: Request) -> Outcome:
        if request.path not in self.secrets:
            self.answered["followed"] += 1
            return Reply(200)
        delivery = request.headers["x-shoppex-delivery"]
        self.bodies[delivery].add(hashlib.sha256(request.body).digest())
        self.forged += not self._is_signed(request, delivery)
        fate = self._rng.random()
        if fate < FAILS:
            self.answered["failed"] += 1
            return Reply(503)
        if fate < FAILS + HANGS:
            self.answered["hung"] += 1
            return Hang()
        if fate < FAILS + HANGS + REDIRECTS:
            self.answered["redirected"] += 1
            return Reply(302, b"", {"location": f"{self.url}/elsewhere"})
        self.answered["again" if delivery in self.accepted else "taken"] += 1
        self.accepted[delivery] = request.json()
        return Reply(200, {})

    def _is_signed(self, request: Request, delivery: str) -> bool:
        scheme, stamp, digest = request.headers["x-shoppex-signature-v2"].split(",")
        right = signature(
            self.secrets[request.path],
            delivery_id=delivery,
            timestamp=int(stamp.removeprefix("t=")),
            body=request.body,
        )
        return (scheme, digest) == ("v1", f"h={right}")


@dataclass(frozen=True)
class House:
    """A shop with a back office that is told of everything, and a reseller who buys."""

    shop: ShopFixture
    merchant: PartnerFixture
    reseller: Reseller
    licence: Licence


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Add products and buy serials while the sender is killed; then let the queue run empty."""
    async with Receiver(random.Random(rng.random())) as receiver:
        async with Outbound(allowed_hosts=[receiver.host]) as outbound:
            service = Subscribing(outbound=outbound, box=box(), ids=RandomIds())
            houses = [
                await _open(stand, service, receiver, count=size["events"], path=f"/{n}")
                for n in range(SHOPS)
            ]
        with stand.serving(allowed_outbound_hosts=receiver.host):
            async with hurrying(stand):
                working = asyncio.create_task(_work(stand, houses, count=size["events"]))
                most = size["events"] // (2 * size["kills"])
                await kill_senders(stand, receiver, count=size["kills"], most=most, rng=rng)
                made = await working
                ids, kind = [house.shop.id for house in houses], create_dialect().kind
                await settle(stand, shop_ids=ids, kind=kind, count=len(made))
            feeds = [await _feed(stand, house) for house in houses]
        return await _account(stand, receiver, made, feeds, kills=size["kills"])


async def _open(
    stand: Stand, service: Subscribing, receiver: Receiver, *, count: int, path: str
) -> House:
    dialect = create_dialect()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        merchant = await make_merchant_key(tx, shop=shop)
        reseller = await make_reseller(tx, shop=shop, credit_minor=CREDIT)
        licence = await make_licence(tx, shop=shop, serials=numbered("KEY", count))
        made, secret = await subscribe(
            tx, service=service, dialect=dialect, shop_id=shop.id, url="https://receiver.example/",
            names=dialect.names, now=datetime.now(UTC),
        )  # fmt: skip
        await tx.run(
            "update webhook_subscriptions set url = %s where id = %s",
            (f"{receiver.url}{path}", made.id),
        )
    receiver.secrets[path] = secret
    return House(shop, merchant, reseller, licence)


async def _work(stand: Stand, houses: list[House], *, count: int) -> set[tuple[str, str]]:
    """Do so many things; (event, id) of what merchants must be told."""
    made: set[tuple[str, str]] = set()
    numbers = iter(range(count))

    async def work(house: House) -> None:
        connection = await Connection.open(stand.server.port)
        for number in numbers:
            if number % FULFIL_EVERY:
                made.add((CREATED, await _add_product(connection, house, number)))
            else:
                order = f"O-{number}"
                request = house.reseller.fulfil(house.licence, order=order, key=order)
                told = await ask(connection, request)
                made.add((DELIVERED, told.id))
        connection.close()

    await asyncio.gather(*(work(house) for house in houses))
    return made


async def _add_product(connection: Connection, house: House, number: int) -> str:
    body = {"title": f"Product {number}", "price": 1, "type": "SERVICE"}
    key = {"Idempotency-Key": f"P-{number}"}
    while True:
        request = call(house.merchant.secret, "POST", "/dev/v1/products", body, **key)
        reply = await connection.exchange(request)
        if reply.status == 201:
            return str(reply.json()["data"]["id"])
        if reply.status != 503:
            raise RuntimeError(f"{reply.status} {reply.body[:200]!r}")


async def _feed(stand: Stand, house: House) -> list[dict[str, Any]]:
    """The shop's feed as its back office reads it, page by page."""
    connection = await Connection.open(stand.server.port)
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["sequence"] if found else 0
        path = f"/dev/v1/webhooks/feed?after={after}&limit=100"
        reply = await connection.exchange(call(house.merchant.secret, "GET", path))
        page = reply.json()["data"]
        found += page
        if not page:
            connection.close()
            return found


def _facts(items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(event, id) of what is told; what is not about a product or a fulfilment of ours is left out."""
    names = {CREATED: "id", DELIVERED: "fulfillment_id"}
    for item in items:
        if (name := names.get(item["event"])) is not None:
            yield item["event"], str(item["data"][name])


async def _account(
    stand: Stand,
    receiver: Receiver,
    made: set[tuple[str, str]],
    feeds: list[list[dict[str, Any]]],
    *,
    kills: int,
) -> Result:
    findings = Findings()
    async with stand.database.statement() as tx:
        statuses = dict(await tx.all("select status, count(*) from deliveries group by status"))
    happened = [item for feed in feeds for item in feed]
    told = list(_facts(list(receiver.accepted.values())))
    findings.expect(
        statuses == {"sent": len(happened)}, f"{statuses} of {len(happened)} happenings"
    )
    findings.expect(len(receiver.accepted) == len(happened), f"{len(receiver.accepted)} arrived")
    for what, found in (("the receiver", told), ("the feeds", list(_facts(happened)))):
        lost = made - set(found)
        doubled = [each for each, times in Counter(found).items() if times > 1]
        findings.expect(not lost, f"{what}: {len(lost)} of {len(made)} lost: {sorted(lost)[:3]}")
        findings.expect(not doubled, f"{what}: told twice under two ids: {doubled[:3]}")
    for feed in feeds:
        numbers = [item["sequence"] for item in feed]
        dense = list(range(1, len(numbers) + 1))
        findings.expect(numbers == dense, "a feed has a gap or a repeat")
    differing = [name for name, bodies in receiver.bodies.items() if len(bodies) > 1]
    findings.expect(not differing, f"one id with different bodies: {differing[:3]}")
    findings.expect(not receiver.forged, f"{receiver.forged} calls with a wrong signature")
    findings.expect(not receiver.answered["followed"], "a redirect was followed")
    answers = " ".join(f"{what}:{count}" for what, count in sorted(receiver.answered.items()))
    return findings.result(made=len(made), told=len(happened), kills=kills, answers=answers)


CLAIM = Claim(
    id="P12",
    door=CHANNEL,
    title="webhooks under failing receivers",
    workload="merchants of four shops add products and their resellers buy serials, while a receiver fails 30 %, hangs "
    "3 % and redirects 5 % of the calls and their sender is killed by SIGKILL; minutes pass at once, and what was "
    "given up is sent again by hand",
    must_hold="every happening arrives under one id with one body and a right signature, and is in the feed once, "
    "without a gap; no redirect is followed",
    full={"events": 10_000, "kills": 50},
    quick={"events": 160, "kills": 3},
    run=run,
    server=False,
)
