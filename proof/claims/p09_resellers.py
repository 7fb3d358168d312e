"""P9 for resellers: a prepaid balance for ten is spent by ten fulfilments, however many come at once."""

import asyncio
import random
from collections import Counter

from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    MONEY_GONE,
    PRICE,
    Books,
    Told,
    ask,
    make_licence,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand
from tests.support.factories import make_shop

COVERED = 10
BY_ADDRESS_EVERY = 4


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a new reseller with a balance for ten, and many more fulfilments at once."""
    findings, counts = Findings(), Counter[str]()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        serials = numbered("KEY", 2 * COVERED * size["rounds"])
        licence = await make_licence(tx, shop=shop, serials=serials)
    connections = await stand.connect(size["debits"])
    for number in range(size["rounds"]):
        extra = rng.randrange(PRICE)
        credit = COVERED * PRICE + extra
        async with stand.database.begin() as tx:
            reseller = await make_reseller(tx, shop=shop, credit_minor=credit)
        requests = [
            reseller.fulfil_by_address(licence, order=f"O-{place}")
            if place % BY_ADDRESS_EVERY == 0
            else reseller.fulfil(licence, order=f"O-{place}", key=f"K-{place}")
            for place in range(size["debits"])
        ]
        rng.shuffle(requests)
        told = await asyncio.gather(
            *(ask(each, request) for each, request in zip(connections, requests, strict=True))
        )
        _judge(told, findings, counts, extra=extra, where=f"round {number}")
        async with stand.database.statement() as tx:
            found = await Books.read(tx, reseller)
        right = Books.of(COVERED, credit_minor=credit)
        findings.expect(found == right, f"round {number}: {found} instead of {right}")
    for connection in connections:
        connection.close()
    return findings.result(rounds=size["rounds"], debits=size["debits"], **counts)


def _judge(
    told: list[Told], findings: Findings, counts: Counter[str], *, extra: int, where: str
) -> None:
    """Ten are told balances that follow each other down to what is left, the others that it is not enough."""
    made = sorted((each for each in told if each.is_made), key=lambda each: each.balance_after)
    balances = {each.balance_after for each in made}
    right = {f"{(extra + PRICE * left) / 100:.2f}" for left in range(COVERED)}
    findings.expect(len(made) == COVERED, f"{where}: {len(made)} were fulfilled")
    findings.expect(balances == right, f"{where}: told of {balances} instead of {right}")
    refused = [each for each in told if not each.is_made]
    strange = [each for each in refused if (each.status, each.code) != (402, MONEY_GONE)]
    findings.expect(not strange, f"{where}: {len(strange)} x {strange[:1]}")
    counts["fulfilled"] += len(made)
    counts["refused"] += len(refused)


CLAIM = Claim(
    id="P9",
    door=CHANNEL,
    title="prepaid double spend",
    workload="a reseller's balance for 10 fulfilments, 200 at once, a quarter of them by an address alone",
    must_hold="exactly 10 are fulfilled each round and told each balance on the way down, the others are refused "
    "cleanly, the rest is left",
    full={"rounds": 50, "debits": 200},
    quick={"rounds": 3, "debits": 200},
    run=run,
)
