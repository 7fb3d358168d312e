"""P11: refunds never exceed what was captured, here and in the provider's records."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    Paying,
    capture,
    read_payment,
    refund,
    settle_payments,
)
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.factories import make_shop
from tests.support.ledger import balances
from tests.support.paying import GOOD, LOST_REFUND, authorised, paying

CAPTURED = 10_000
ASKED = 6_000
CONNECTIONS = 24

BOOKS = """
    select coalesce(sum(amount_minor) filter (where action = 'refund' and approved), 0)::bigint
    from sandbox_operations where shop_id = %s and reference = %s
"""


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a captured payment and many refunds at once; in every third round answers are lost."""
    findings, counts = Findings(), Counter[str]()
    clock = FrozenClock(datetime.now(UTC))
    async with stand.database.begin() as tx:
        shop_id = (await make_shop(tx)).id
    database = Database(stand.url, min_size=4, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    service = paying(database, clock)
    for number in range(size["rounds"]):
        loses = number % 3 == 2
        await _round(service, shop_id, size["refunds"], loses, findings, counts)
        clock.move(timedelta(seconds=61))
    async with database.statement() as tx:
        found = await balances(tx, shop_id=shop_id)
    await database.close()
    refunded = size["rounds"] * ASKED
    findings.expect(
        found
        == {
            "clearing sandbox EUR": refunded - size["rounds"] * CAPTURED,
            "receivable customer:1 EUR": size["rounds"] * CAPTURED,
            "refunds EUR": -refunded,
        },
        f"the ledger has {found}",
    )
    return findings.result(
        rounds=size["rounds"], **{k.replace(" ", "_"): counts[k] for k in counts}
    )


async def _round(
    service: Paying,
    shop_id: int,
    refunds: int,
    loses: bool,
    findings: Findings,
    counts: Counter[str],
) -> None:
    payment = await authorised(
        service, shop_id, amount_minor=CAPTURED, number=LOST_REFUND if loses else GOOD
    )
    await capture(service, shop_id=shop_id, payment_id=payment.id)
    outcomes = Counter(
        await asyncio.gather(*(_refund(service, shop_id, payment.id) for _ in range(refunds)))
    )
    if loses:
        assert isinstance(service.clock, FrozenClock)  # the claim's own
        service.clock.move(timedelta(seconds=61))
        await settle_payments(service, follow=NOTHING_FOLLOWS)
    async with service.db.statement() as tx:
        after = await read_payment(tx, shop_id=shop_id, payment_id=payment.id)
        booked = await tx.value(BOOKS, (shop_id, payment.reference))
    counts.update({"given": outcomes["given"], "answers lost": outcomes["payment_unsettled"]})
    counts["refused"] += outcomes["refund_exceeds_capture"]
    first = outcomes["payment_unsettled" if loses else "given"]
    findings.expect(first == 1, f"payment {payment.id}: {dict(outcomes)}")
    findings.expect(
        outcomes["refund_exceeds_capture"] == refunds - 1, f"payment {payment.id}: {dict(outcomes)}"
    )
    findings.expect(
        (after.refunded_minor, after.refunding_minor, booked) == (ASKED, 0, ASKED),
        f"payment {payment.id}: refunded {after.refunded_minor}, provider {booked}",
    )


async def _refund(service: Paying, shop_id: int, payment_id: int) -> str:
    try:
        await refund(service, shop_id=shop_id, payment_id=payment_id, amount_minor=ASKED)
    except CrossdockError as error:
        return error.code
    return "given"


CLAIM = Claim(
    id="P11",
    title="refund ceiling",
    workload="100.00 captured, 50 refunds of 60.00 at once; in every third round the provider's answers "
    "are lost and looked up",
    must_hold="one refund is given, the others refused; payment, provider's books and ledger agree",
    full={"rounds": 100, "refunds": 50},
    quick={"rounds": 5, "refunds": 50},
    run=run,
    server=False,
)
