"""P13 for webhooks: calls of subscriptions open no socket to private addresses, whatever their URL says."""

import random
from datetime import UTC, datetime

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due
from crossdock.shop.invoices import create_invoice
from crossdock.shop.webhooks import (
    SUBSCRIPTIONS_MAX,
    Dialect,
    Subscribing,
    WebhookCalling,
    send_test,
    subscribe,
    unsubscribe,
)
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p13_private_addresses import PUBLIC, REBINDING, REDIRECTS, Resolver, Trap
from proof.stand import Stand
from tests.support.factories import box, make_shop
from tests.support.nasty_urls import NAMED, NASTY
from tests.support.simulators.http import HttpSimulator, Reply, Request

BATCH = 20


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """A subscription to each of the addresses, past the check when it is made, and one call of each.

    Every second one is of a single payment.
    """
    trap, findings = Trap(), Findings()
    clock, dialect = FrozenClock(datetime.now(UTC)), create_dialect()
    urls = [*NASTY, *(f"https://{name}/hook" for name in NAMED), f"http://{REBINDING}/"]
    async with HttpSimulator(_redirect) as receiver:
        redirecting = [f"{receiver.url}/{number}" for number in range(len(REDIRECTS))]
        outbound = Outbound(allowed_hosts=[receiver.host], resolver=Resolver())
        service = Subscribing(outbound=outbound, box=box(), ids=RandomIds())
        refused = await _refused(stand, service, dialect, urls=urls)
        await _queue(stand, service, dialect, urls=[*urls, *redirecting])
        calling = WebhookCalling(outbound=outbound, box=box(), clock=clock)
        kinds = DeliveryKinds([calling.kind(dialect)])
        engine = Delivering(db=stand.database, clock=clock, kinds=kinds)
        with trap.set():
            while await deliver_due(engine, limit=BATCH):
                pass
        await outbound.close()
        asked = len(receiver.requests)
        allowed = {str(("127.0.0.1", receiver.port))}
    opened = [address for address in trap.opened if address not in allowed]
    findings.expect(not opened, f"sockets were opened to {sorted(set(opened))[:5]}")
    findings.expect(asked == len(REDIRECTS), f"{asked} calls of the receiver")
    async with stand.database.statement() as tx:
        rows = dict(await tx.all("select status, count(*) from deliveries group by status"))
        arrived = await tx.value("select count(*) from deliveries where status = 'sent'")
    findings.expect(arrived == 0, f"{arrived} calls count as taken")
    findings.expect(sum(rows.values()) == len(urls) + len(REDIRECTS), f"the calls are {rows}")
    return findings.result(
        addresses=len(urls), refused_when_set=refused, redirects=len(REDIRECTS), sockets=len(opened)
    )


async def _redirect(request: Request) -> Reply:
    return Reply(302, b"", {"location": REDIRECTS[int(request.path[1:])]})


async def _shop(stand: Stand) -> int:
    async with stand.database.begin() as tx:
        return (await make_shop(tx)).id


async def _refused(stand: Stand, service: Subscribing, dialect: Dialect, *, urls: list[str]) -> int:
    """How many of the addresses are refused when they are set; names are resolved later."""
    shop_id, refused = await _shop(stand), 0
    for url in urls:
        async with stand.database.begin() as tx:
            try:
                made, _ = await subscribe(
                    tx, service=service, dialect=dialect, shop_id=shop_id, url=url,
                    names=dialect.names[:1], now=datetime.now(UTC),
                )  # fmt: skip
                single = await _of_a_payment(tx, service, dialect, shop_id=shop_id, url=url)
            except Invalid:
                refused += 1
            else:
                for each in (made.id, single):
                    await unsubscribe(
                        tx, dialect=dialect, shop_id=shop_id, subscription_id=each,
                        now=datetime.now(UTC),
                    )  # fmt: skip
    return refused


async def _of_a_payment(
    tx: Transaction, service: Subscribing, dialect: Dialect, *, shop_id: int, url: str
) -> int:
    """A subscription to a payment's own address; its number."""
    now = datetime.now(UTC)
    payment = await create_invoice(
        tx, shop_id=shop_id, purpose="payment", subject_id=None, title="Fee", quantity=1,
        unit_minor=100, currency="EUR", email="buyer@example.com", expires_at=None, ids=service.ids,
        now=now,
    )  # fmt: skip
    made, _ = await subscribe(
        tx, service=service, dialect=dialect, shop_id=shop_id, url=url, names=dialect.names[:1],
        invoice_id=payment.id, now=now,
    )  # fmt: skip
    return made.id


async def _queue(stand: Stand, service: Subscribing, dialect: Dialect, *, urls: list[str]) -> None:
    """A subscription with each address, set past the check, and a call of it."""
    now, shop_id = datetime.now(UTC), 0
    for number, url in enumerate(urls):
        if number % SUBSCRIPTIONS_MAX == 0:
            shop_id = await _shop(stand)
        async with stand.database.begin() as tx:
            public = PUBLIC.replace("http:", "https:")
            if number % 2:
                made = await _of_a_payment(tx, service, dialect, shop_id=shop_id, url=public)
            else:
                whole, _ = await subscribe(
                    tx, service=service, dialect=dialect, shop_id=shop_id, url=public,
                    names=dialect.names[:1], now=now,
                )  # fmt: skip
                made = whole.id
            await tx.run("update webhook_subscriptions set url = %s where id = %s", (url, made))
            await send_test(tx, dialect=dialect, shop_id=shop_id, subscription_id=made, now=now)


CLAIM = Claim(
    id="P13",
    door=NAME,
    title="webhooks reach no private place",
    workload="one call of a merchant's subscription, or of a single payment's, to each of 60 and more "
    "addresses, names of private addresses, a name that changes its address, and a receiver that redirects to "
    "private ones",
    must_hold="no socket is opened to any of them, and none counts as taken",
    full={"rounds": 1},
    quick={"rounds": 1},
    run=run,
    server=False,
)
