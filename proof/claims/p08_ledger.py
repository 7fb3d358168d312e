"""P8: after every commit debits equal credits, and no balance is below its floor."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.shop.ledger import Account, Transfer, post_transfers, verify_ledger
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.factories import make_shop

WRITERS = 8
CURRENCIES = ("EUR", "JPY", "KWD")
CUSTOMERS = 20
AMOUNT_MAX = 5_000
TRANSFERS_MAX = 4

_BALANCE = """
    select currency, sum(balance_minor)::bigint, min(balance_minor - floor_minor)
    from accounts where shop_id = %s group by currency
"""
_COUNTED = """
    select (select coalesce(sum(amount_minor), 0) from ledger_entries where shop_id = %(shop)s),
           (select count(*) from ledger_entries where shop_id = %(shop)s)
"""


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Writers post random transfers; each currency is summed after every commit, every row at the end."""
    findings, counts = Findings(), Counter[str]()
    async with stand.database.begin() as tx:
        shop_id = (await make_shop(tx)).id
    database = Database(stand.url, min_size=1, max_size=WRITERS + 1)
    await database.open()
    share = size["postings"] // WRITERS
    await asyncio.gather(
        *(
            _write(database, shop_id, share, random.Random(rng.random()), findings, counts)
            for _ in range(WRITERS)
        )
    )
    async with database.begin() as tx:
        await tx.run("set local statement_timeout = 0")
        differences = await verify_ledger(tx, shop_id=shop_id)
        row = await tx.one(_COUNTED, {"shop": shop_id})
    await database.close()
    findings.expect(not differences, f"rebuilt is not stored: {differences[:3]}")
    findings.expect(row == (counts["amount"], counts["rows"]), f"{row}, posted {dict(counts)}")
    findings.expect(counts["refused"] > 0, "no floor was tried")
    return findings.result(
        postings=counts["posted"],
        refused_at_a_floor=counts["refused"],
        rows=counts["rows"],
        sums_after_a_commit=counts["posted"] + counts["refused"],
    )


async def _write(
    database: Database,
    shop_id: int,
    share: int,
    rng: random.Random,
    findings: Findings,
    counts: Counter[str],
) -> None:
    for _ in range(share):
        transfers = [_transfer(rng) for _ in range(rng.randint(1, TRANSFERS_MAX))]
        try:
            async with database.begin() as tx:
                await post_transfers(
                    tx, shop_id=shop_id, transfers=transfers, now=datetime.now(UTC)
                )
        except Refused:
            counts["refused"] += 1
        else:
            counts["posted"] += 1
            counts["rows"] += len(transfers)
            counts["amount"] += sum(transfer.amount_minor for transfer in transfers)
        await _look(database, shop_id, findings)


async def _look(database: Database, shop_id: int, findings: Findings) -> None:
    """Check that the committed balances of each currency sum to zero and none is below its floor."""
    async with database.statement() as tx:
        rows = await tx.all(_BALANCE, (shop_id,))
    for currency, total, above_floor in rows:
        findings.expect(total == 0, f"the balances in {currency} sum to {total}")
        findings.expect(above_floor is None or above_floor >= 0, f"a floor in {currency} is passed")


def _transfer(rng: random.Random) -> Transfer:
    """A random sale, payment, purchase or top-up of a prepaid balance; some are too large."""
    customer = f"customer:{rng.randrange(CUSTOMERS)}"
    reseller = f"reseller:{rng.randrange(CUSTOMERS)}"
    debit, credit = rng.choice(
        (
            (Account("receivable", customer), Account("sales", "merchant:1")),
            (Account("clearing", "sandbox"), Account("receivable", customer)),
            (Account("bank"), Account("prepaid", reseller)),
            (Account("prepaid", reseller), Account("sales", "merchant:1")),
            (Account("sales", "merchant:1"), Account("commission", "merchant:1")),
        )
    )
    return Transfer(
        debit=debit,
        credit=credit,
        amount_minor=rng.randint(1, AMOUNT_MAX),
        currency=rng.choice(CURRENCIES),
        kind="proof",
    )


CLAIM = Claim(
    id="P8",
    title="ledger",
    workload="random postings of one to four transfers, 8 writers, 3 currencies, accounts with and "
    "without a floor; the balances summed after each commit",
    must_hold="debits = credits per currency after each commit, rebuilt = stored, no floor broken, "
    "every row as posted",
    full={"postings": 100_000},
    quick={"postings": 2_000},
    run=run,
    server=False,
)
