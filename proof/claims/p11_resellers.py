"""P11 for the reseller programme: refunds of what was paid on its invoices never exceed what was captured."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from crossdock.channels.shoppex_reseller import NAME
from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.invoices import (
    Invoice,
    create_invoice,
    pay_invoice,
    read_invoice,
    refund_invoice,
    settle_every_payment,
)
from crossdock.shop.payments import Paying, read_payment
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p11_refunds import ASKED, BOOKS, CAPTURED, CONNECTIONS
from proof.stand import Stand
from tests.support.factories import make_shop
from tests.support.ledger import balances
from tests.support.paying import GOOD, LOST_REFUND, card, paying

REFUSED = frozenset({"refund_exceeds_capture", "payment_state", "invoice_state"})
LOST = "payment_unsettled"


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a payment by card and many refunds of it at once; in every third one answers are lost."""
    findings, counts = Findings(), Counter[str]()
    async with stand.database.begin() as tx:
        shop_id = (await make_shop(tx)).id
    database = Database(stand.url, min_size=4, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    clock = FrozenClock(datetime.now(UTC))
    service = paying(database, clock)
    for number in range(size["rounds"]):
        loses = number % 3 == 2
        paid = await _pay(service, shop_id, number=LOST_REFUND if loses else GOOD)
        outcomes = Counter(
            await asyncio.gather(*(_refund(service, paid) for _ in range(size["refunds"])))
        )
        clock.move(timedelta(seconds=61))
        await settle_every_payment(service)
        counts.update(outcomes)
        first = outcomes[LOST] if loses else outcomes["given"]
        others = sum(outcomes[code] for code in REFUSED)
        findings.expect(
            (first, others) == (1, size["refunds"] - 1), f"invoice {paid.id}: {dict(outcomes)}"
        )
        await _account(database, paid, findings)
    async with database.statement() as tx:
        found = await balances(tx, shop_id=shop_id)
    await database.close()
    booked = sum(amount for name, amount in found.items() if name.startswith("refunds "))
    findings.expect(booked == -size["rounds"] * ASKED, f"the ledger has {found}")
    return findings.result(rounds=size["rounds"], **counts)


async def _pay(service: Paying, shop_id: int, *, number: str) -> Invoice:
    now = service.clock.now()
    async with service.db.begin() as tx:
        asked = await create_invoice(
            tx, shop_id=shop_id, purpose="payment", subject_id=None, title="Fee", quantity=1,
            unit_minor=CAPTURED, currency="EUR", email="buyer@example.com", expires_at=None,
            ids=RandomIds(), now=now,
        )  # fmt: skip
    return await pay_invoice(
        service, shop_id=shop_id, invoice_id=asked.id, provider="sandbox", card=card(number)
    )


async def _refund(service: Paying, paid: Invoice) -> str:
    try:
        await refund_invoice(service, shop_id=paid.shop_id, invoice_id=paid.id, amount_minor=ASKED)
    except CrossdockError as error:
        return error.code
    return "given"


async def _account(database: Database, paid: Invoice, findings: Findings) -> None:
    """Payment, provider and invoice say that one refund was given."""
    async with database.statement() as tx:
        invoice = await read_invoice(tx, shop_id=paid.shop_id, invoice_id=paid.id)
        payment = await read_payment(tx, shop_id=paid.shop_id, payment_id=paid.payment_id or 0)
        booked = await tx.value(BOOKS, (paid.shop_id, payment.reference))
    told = (payment.refunded_minor, payment.refunding_minor, booked, invoice.state)
    findings.expect(told == (ASKED, 0, ASKED, "partially_refunded"), f"invoice {paid.id}: {told}")


CLAIM = Claim(
    id="P11",
    door=NAME,
    title="refund ceiling of invoices",
    workload="a payment of 100.00 that the programme asked for, paid by card, and refunds of 60.00 of it at once; in "
    "every third round the provider's answers are lost and looked up",
    must_hold="one refund is given, the others refused; invoice, payment, provider's books and ledger agree",
    full={"rounds": 100, "refunds": 50},
    quick={"rounds": 5, "refunds": 50},
    run=run,
    server=False,
)
