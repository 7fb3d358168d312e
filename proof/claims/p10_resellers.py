"""P10 for resellers: each serial is delivered once, even if shops hang up and send their fulfilment again."""

import asyncio
import random
from collections import Counter

from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    STOCK_GONE,
    Books,
    Licence,
    Reseller,
    Told,
    ask,
    make_licence,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand
from tests.support.factories import level, make_shop
from tests.support.raw_http import Connection

RESELLERS = 4
CLIENTS = 40
CREDIT = 10**9
HANGS_UP_EVERY = 3
PATIENCE_S = (0.0, 0.05)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Twice as many fulfilments as serials; every third hangs up on its first try, and each is sent twice."""
    findings, counts = Findings(), Counter[str]()
    serials = numbered("KEY", size["serials"])
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        licence = await make_licence(tx, shop=shop, serials=serials)
        resellers = [
            await make_reseller(tx, shop=shop, credit_minor=CREDIT) for _ in range(RESELLERS)
        ]
    numbers = iter(range(2 * len(serials)))
    delivered: list[tuple[int, str]] = []

    async def client(chance: random.Random) -> None:
        connection = await Connection.open(stand.server.port)
        for number in numbers:
            reseller = resellers[number % RESELLERS]
            if number % HANGS_UP_EVERY == 0:
                await _hang_up(stand, reseller, licence, number, chance)
                counts["hung_up"] += 1
            told = await _twice(connection, reseller, licence, number, findings)
            counts["refused" if told.code else "delivered"] += 1
            delivered.extend((reseller.id, serial) for serial in told.serials)
        connection.close()

    await asyncio.gather(*(client(random.Random(rng.random())) for _ in range(CLIENTS)))
    found = sorted(serial for _, serial in delivered)
    findings.expect(found == serials, "not every serial was delivered exactly once")
    findings.expect(counts["refused"] == len(serials), f"{dict(counts)}")
    bought = Counter(reseller_id for reseller_id, _ in delivered)
    async with stand.database.statement() as tx:
        left = await level(tx, shop_id=shop.id, variant_id=licence.variant_id)
        findings.expect(left == (0, 0, 0, 0), f"the level is {left}")
        for reseller in resellers:
            books = await Books.read(tx, reseller)
            right = Books.of(bought[reseller.id], credit_minor=CREDIT)
            findings.expect(books == right, f"reseller {reseller.id}: {books} instead of {right}")
    return findings.result(serials=len(serials), **counts)


async def _hang_up(
    stand: Stand, reseller: Reseller, licence: Licence, number: int, chance: random.Random
) -> None:
    """Send a fulfilment and close the connection, mostly before the answer: nobody knows what became of it."""
    connection = await Connection.open(stand.server.port)
    task = asyncio.create_task(connection.exchange(_request(reseller, licence, number)))
    await asyncio.wait([task], timeout=chance.uniform(*PATIENCE_S))
    connection.close()
    await asyncio.gather(task, return_exceptions=True)


async def _twice(
    connection: Connection, reseller: Reseller, licence: Licence, number: int, findings: Findings
) -> Told:
    """Send a fulfilment until it is answered, and once more: it is told the same again."""
    first, again = [await ask(connection, _request(reseller, licence, number)) for _ in range(2)]
    is_refused = first.code == again.code == STOCK_GONE
    same = (first.id, first.serials, first.balance_after) == (
        again.id,
        again.serials,
        again.balance_after,
    )
    is_delivered = same and len(first.serials) == 1 and again.reused
    findings.expect(is_refused or is_delivered, f"fulfilment {number}: {first}, then {again}")
    return first


def _request(reseller: Reseller, licence: Licence, number: int) -> bytes:
    """Half have a key, half are known by their order's number."""
    key = f"K-{number}" if number % 2 else None
    return reseller.fulfil(licence, order=f"O-{number}", key=key)


CLAIM = Claim(
    id="P10",
    door=CHANNEL,
    title="serials",
    workload="1,000 serials and twice as many fulfilments of four resellers by 40 clients, a third of which hang up "
    "and send theirs again, each repeated once it is answered",
    must_hold="each serial delivered once and debited once, the repeat told the same, the rest refused cleanly",
    full={"serials": 1_000},
    quick={"serials": 100},
    run=run,
)
