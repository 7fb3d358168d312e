"""P13: deliveries to private addresses open no socket, however the address is written or changes."""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg.types.json import Jsonb

from crossdock.errors import Invalid
from crossdock.kit.clock import SystemClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due, queue_delivery
from crossdock.shop.dispatch import Configuring, Connectors, add_connector, dispatch_kind
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.factories import box, make_partner, make_shop, make_variant
from tests.support.nasty_urls import NAMED, NASTY
from tests.support.ordering import order, placing, read_partner
from tests.support.simulators.http import HttpSimulator, Reply, Request

PUBLIC = "http://93.184.216.34/"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
REBINDING = "rebind.example"
REDIRECTS = ("http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/")


class Trap:
    """Records every socket connection that the interpreter's audit hook reports, once it is switched on."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._is_set = False
        sys.addaudithook(self._hear)

    @contextmanager
    def set(self) -> Iterator[None]:
        """Record while the block runs; an audit hook cannot be removed."""
        self._is_set = True
        try:
            yield
        finally:
            self._is_set = False

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self._is_set and event in {"socket.connect", "socket.sendto"}:
            self.opened.append(str(args[1]))


class Resolver:
    """A resolver with names of private addresses, and a name whose address changes with every query."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        if host == REBINDING:
            self.asked += 1
            return ["93.184.216.34"] if self.asked % 2 == 0 else ["127.0.0.1"]
        return NAMED.get(host, [host.strip("[]")])


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Queue one order's delivery to each of the addresses."""
    trap, findings = Trap(), Findings()
    urls = [*NASTY, *(f"http://{name}/hook" for name in NAMED), f"http://{REBINDING}/"]
    async with HttpSimulator(_redirect) as receiver:
        redirecting = [f"{receiver.url}/{number}" for number in range(len(REDIRECTS))]
        outbound = Outbound(allowed_hosts=[receiver.host], resolver=Resolver())
        shop_id = await _queue(stand, [*urls, *redirecting], outbound=outbound)
        refused = await _configure(stand, urls, shop_id=shop_id, outbound=outbound)
        connectors = Connectors(outbound=outbound, box=box(), clock=SystemClock())
        service = Delivering(
            db=stand.database,
            clock=SystemClock(),
            kinds=DeliveryKinds([dispatch_kind(connectors)]),
        )
        with trap.set():
            while await deliver_due(service, limit=20, shop_id=shop_id):
                pass
        await outbound.close()
        asked = len(receiver.requests)
        allowed = {str(("127.0.0.1", receiver.port))}
    opened = [address for address in trap.opened if address not in allowed]
    findings.expect(not opened, f"sockets were opened to {sorted(set(opened))[:5]}")
    findings.expect(asked == len(REDIRECTS), f"{asked} calls to the redirecting receiver")
    async with stand.database.statement() as tx:
        rows = await tx.all("select target, status, last_error from deliveries")
    wrong = [
        f"{target} is {status}: {error}" for target, status, error in rows if status != "failed"
    ]
    findings.expect(not wrong, f"not refused: {wrong[:3]}")
    return findings.result(
        addresses=len(urls), refused_when_set=refused, redirects=len(REDIRECTS), sockets=len(opened)
    )


async def _redirect(request: Request) -> Reply:
    return Reply(302, b"", {"location": REDIRECTS[int(request.path[1:])]})


async def _queue(stand: Stand, urls: list[str], *, outbound: Outbound) -> int:
    """Create a connector and a delivery for each URL, without the checks; returns the order's shop."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=9)
        made = await make_partner(tx, shop=shop)
    partner = await read_partner(stand.database, made)
    service = placing(stand.database, SystemClock())
    placed = await order(service, partner=partner, number="PO", **{f"v{variant_id}": 1})
    async with stand.database.begin() as tx:
        for number, url in enumerate(urls):
            await add_connector(
                tx,
                service=Configuring(outbound=outbound, box=box()),
                shop_id=shop.id,
                name=f"to {number}",
                kind="webhook",
                settings={"url": PUBLIC},
                secret=SECRET,
            )
            await tx.run(
                "update connectors set settings = %s where shop_id = %s and name = %s",
                (Jsonb({"url": url}), shop.id, f"to {number}"),
            )
            await queue_delivery(
                tx,
                shop_id=shop.id,
                kind="dispatch",
                target=f"to {number}",
                subject_id=placed.id,
                now=SystemClock().now(),
            )
    return shop.id


async def _configure(stand: Stand, urls: list[str], *, shop_id: int, outbound: Outbound) -> int:
    """How many of the URLs are refused when an operator sets them; names are resolved later."""
    refused = 0
    for number, url in enumerate(urls):
        try:
            async with stand.database.begin() as tx:
                await add_connector(
                    tx,
                    service=Configuring(outbound=outbound, box=box()),
                    shop_id=shop_id,
                    name=f"set {number}",
                    kind="webhook",
                    settings={"url": url},
                    secret=SECRET,
                )
        except Invalid:
            refused += 1
    return refused


CLAIM = Claim(
    id="P13",
    title="no socket to private places",
    workload="an order is delivered to URLs of private, mapped, disguised and metadata addresses, to "
    "names that lead there, to a name that changes its address, and to redirects there",
    must_hold="no socket is opened to any of them, and every delivery has failed for good",
    full={"rounds": 1},
    quick={"rounds": 1},
    run=run,
    server=False,
)
