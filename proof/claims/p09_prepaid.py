"""P9: a prepaid balance is spent once, however many purchases run at the same time."""

import asyncio
import random
from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.shop.ledger import Account, Transfer, list_accounts, post_transfers
from proof.claim import Claim, Findings, Result, Size
from proof.stand import Stand
from tests.support.factories import make_shop

COVERED = 10
PRICE = 1_999
CONNECTIONS = 32


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a new balance for ten purchases, and many more purchases at once."""
    findings, sold, refused = Findings(), 0, 0
    async with stand.database.begin() as tx:
        shop_id = (await make_shop(tx)).id
    database = Database(stand.url, min_size=CONNECTIONS, max_size=CONNECTIONS, wait_s=60)
    await database.open()
    for number in range(size["rounds"]):
        account = Account("prepaid", f"reseller:{number}")
        extra = rng.randrange(PRICE)
        top_up = _transfer(Account("bank"), account, COVERED * PRICE + extra)
        await _post(database, shop_id, top_up)
        outcomes = await asyncio.gather(
            *(
                _post(database, shop_id, _transfer(account, Account("sales", "merchant:1"), PRICE))
                for _ in range(size["debits"])
            )
        )
        sold, refused = sold + sum(outcomes), refused + outcomes.count(False)
        findings.expect(sum(outcomes) == COVERED, f"round {number}: {sum(outcomes)} were sold")
        async with database.statement() as tx:
            (found,) = await list_accounts(tx, shop_id=shop_id, owner=account.owner)
        findings.expect(
            found.balance_minor == extra, f"round {number}: {found.balance_minor} are left"
        )
    await database.close()
    return findings.result(rounds=size["rounds"], sold=sold, refused=refused)


async def _post(database: Database, shop_id: int, transfer: Transfer) -> bool:
    """Post a purchase; whether the balance was enough."""
    try:
        async with database.begin() as tx:
            await post_transfers(tx, shop_id=shop_id, transfers=[transfer], now=datetime.now(UTC))
    except Refused as refused:
        if refused.code != "balance_insufficient":
            raise
        return False
    return True


def _transfer(debit: Account, credit: Account, amount_minor: int) -> Transfer:
    return Transfer(
        debit=debit, credit=credit, amount_minor=amount_minor, currency="EUR", kind="proof"
    )


CLAIM = Claim(
    id="P9",
    title="prepaid double spend",
    workload="a balance for 10 purchases, 200 at once over 32 connections",
    must_hold="exactly 10 are sold each round, the others are refused cleanly, the rest is left",
    full={"rounds": 50, "debits": 200},
    quick={"rounds": 5, "debits": 200},
    run=run,
    server=False,
)
