"""P13 for drop shippers: replies and notices open no socket to private addresses, whatever a partner's setting says."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppo.building import FACTS
from crossdock.channels.shoppo.calling import Calling
from crossdock.channels.shoppo.notifying import TOGGLED, URLS, notice_kinds
from crossdock.channels.shoppo.replying import REPLY, REPLY_URL, reply_kind
from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due, queue_delivery
from crossdock.shop.partners.wording import Wording, read_terms
from crossdock.shop.shops import read_shop
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p13_private_addresses import REBINDING, REDIRECTS, Resolver, Trap
from proof.drop_shippers import CHANNEL, make_drop_shipper
from proof.stand import Stand
from tests.support.factories import box
from tests.support.nasty_urls import NAMED, NASTY
from tests.support.simulators.http import HttpSimulator, Reply, Request
from tests.support.ticketing import Helpdesk

KINDS = {REPLY: REPLY_URL, **URLS}
"""The setting with the address of each kind of call."""
BATCH = 20


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Make every kind of call to each of the addresses, which are in the settings without a check."""
    trap, findings = Trap(), Findings()
    clock = FrozenClock(datetime.now(UTC))
    desk = await Helpdesk.open(stand.database, clock)
    urls = [*NASTY, *(f"https://{name}/hook" for name in NAMED), f"http://{REBINDING}/"]
    async with HttpSimulator(_redirect) as receiver:
        redirecting = [f"{receiver.url}/{number}" for number in range(len(REDIRECTS))]
        outbound = Outbound(allowed_hosts=[receiver.host], resolver=Resolver())
        await _queue(desk, [*urls, *redirecting])
        refused = await _set(desk, urls, findings, outbound=outbound)
        calling = Calling(outbound=outbound, box=box(), clock=clock)
        kinds = DeliveryKinds([reply_kind(calling), *notice_kinds(calling)])
        service = Delivering(db=stand.database, clock=clock, kinds=kinds)
        with trap.set():
            while await deliver_due(service, limit=BATCH, shop_id=desk.shop.id):
                pass
        await outbound.close()
        asked = len(receiver.requests)
        allowed = {str(("127.0.0.1", receiver.port))}
    opened = [address for address in trap.opened if address not in allowed]
    findings.expect(not opened, f"sockets were opened to {sorted(set(opened))[:5]}")
    findings.expect(asked == len(REDIRECTS) * len(KINDS), f"{asked} calls of the receiver")
    async with stand.database.statement() as tx:
        rows = dict(await tx.all("select status, count(*) from deliveries group by status"))
        ours = await tx.value(
            "select count(*) from deliveries where last_error like '%answered 302%'"
        )
    right = {"failed": (len(urls) - 1) * len(KINDS) + 1, "queued": len(REDIRECTS) * len(KINDS)}
    findings.expect(rows == right, f"the calls are {rows} instead of {right}")
    findings.expect(ours == right["queued"], f"{ours} calls were answered by a redirect")
    return findings.result(
        addresses=len(urls), kinds=len(KINDS), refused_when_set=refused, sockets=len(opened)
    )


async def _redirect(request: Request) -> Reply:
    return Reply(302, b"", {"location": REDIRECTS[int(request.path[1:])]})


async def _queue(desk: Helpdesk, urls: list[str]) -> None:
    """For each of the addresses, a partner who has it for everything, and one call of every kind."""
    ticket_id = await desk.ticket()
    for action, words in (("assign", None), ("answer", "Which size?")):
        await desk.act(ticket_id, action, words)  # type: ignore[arg-type]
    order_id = await desk.order()
    payload = {"ticket_id": ticket_id, "number": 1, "timestamp": 1, "time_updated": 1}
    for url in urls:
        async with desk.db.begin() as tx:
            settings = dict.fromkeys(KINDS.values(), url)
            partner = await make_drop_shipper(tx, shop=desk.shop, settings=settings)
            # The name that changes its address is asked for once: the second time it is a public one.
            for kind in [REPLY] if REBINDING in url else KINDS:
                await queue_delivery(
                    tx,
                    shop_id=desk.shop.id,
                    kind=kind,
                    target=str(partner.id),
                    subject_id=None if kind == TOGGLED else order_id,
                    object_key="the object",
                    payload={**payload, "merchant_id": desk.shop.merchant_id},
                    now=desk.clock.now(),
                )


async def _set(desk: Helpdesk, urls: list[str], findings: Findings, *, outbound: Outbound) -> int:
    """How many settings are refused when an operator makes them; names are resolved later."""
    refused = 0
    async with desk.db.statement() as tx:
        shop = await read_shop(tx, slug=desk.shop.slug)
        wording = Wording(
            shop=shop, permissions=FACTS.permissions, settings=FACTS.settings, outbound=outbound
        )
        for name, url in _settings(urls):
            try:
                await read_terms(tx, wording=wording, words={name: url})
            except Invalid:
                refused += 1
            else:
                is_name = any(each in url for each in (*NAMED, REBINDING))
                findings.expect(is_name, f"{name}={url} may be set")
    return refused


def _settings(urls: list[str]) -> Iterator[tuple[str, Any]]:
    """Every setting with each address, over TLS as well."""
    for name in KINDS.values():
        for url in urls:
            yield name, url
            if url.startswith("http://"):
                yield name, url.replace("http://", "https://", 1)


CLAIM = Claim(
    id="P13",
    door=CHANNEL,
    title="no socket to private places",
    workload="replies to tickets and every kind of notice to URLs of private, mapped, disguised and metadata "
    "addresses, to names that lead there, to a name that changes its address, and to redirects there; the same "
    "URLs set by an operator",
    must_hold="no socket is opened to any of them; the calls have failed for good, redirects are not followed; "
    "only names may be set",
    full={"rounds": 1},
    quick={"rounds": 1},
    run=run,
    server=False,
)
