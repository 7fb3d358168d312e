"""P8 for resellers: fulfilments and top-ups in three currencies leave a ledger that adds up, and a true statement."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from crossdock.errors import Refused
from crossdock.kit.money import format_minor
from crossdock.shop.ledger import verify_ledger
from crossdock.shop.resellers import credit, read_statement, stream_lines
from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    MONEY_GONE,
    STOCK_GONE,
    Licence,
    Reseller,
    ask,
    make_licence,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand
from tests.support.factories import make_shop
from tests.support.raw_http import Connection

WRITERS = 8
CURRENCIES = ("EUR", "JPY", "KWD")
AMOUNT_MAX = 4_000
TOP_UP_MAX = 5 * AMOUNT_MAX
UNITS_MAX = 3
SHARE_OF_FULFILMENTS = 0.6
_SUMS = """
    select currency, sum(balance_minor)::bigint, min(balance_minor - floor_minor) from accounts group by currency
"""


@dataclass(frozen=True)
class House:
    """A shop of one currency with a reseller and what it buys."""

    currency: str
    reseller: Reseller
    licence: Licence


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Writers buy, top up and take back at random; each currency is summed after every commit."""
    findings, counts = Findings(), Counter[str]()
    houses = []
    for currency in CURRENCIES:
        async with stand.database.begin() as tx:
            shop = await make_shop(tx, currency=currency)
            await open_programme(tx, shop)
            licence = await make_licence(
                tx, shop=shop, serials=numbered("KEY", size["serials"]), currency=currency
            )
            reseller = await make_reseller(tx, shop=shop, credit_minor=AMOUNT_MAX)
        houses.append(House(currency, reseller, licence))
    told: dict[str, str] = {}
    numbers = iter(range(size["postings"]))

    async def write(chance: random.Random) -> None:
        connection = await Connection.open(stand.server.port)
        for number in numbers:
            house = chance.choice(houses)
            if chance.random() < SHARE_OF_FULFILMENTS:
                await _buy(connection, house, number, chance, told, counts, findings)
            else:
                await _credit(stand, house, chance, counts)
            await _look(stand, findings)
        connection.close()

    await asyncio.gather(*(write(random.Random(rng.random())) for _ in range(WRITERS)))
    for house in houses:
        await _examine(stand, house, told, findings)
    findings.expect(counts["fulfilled"] == len(told), f"{len(told)} orders, {dict(counts)}")
    findings.expect(counts["short_of_money"] > 0, "no floor was tried")
    return findings.result(postings=size["postings"], **counts)


async def _buy(
    connection: Connection,
    house: House,
    number: int,
    chance: random.Random,
    told: dict[str, str],
    counts: Counter[str],
    findings: Findings,
) -> None:
    """Buy some; what the balance was after it is noted by the order's number."""
    order = f"{house.currency}-{number}"
    quantity = chance.randint(1, UNITS_MAX)
    answer = await ask(
        connection, house.reseller.fulfil(house.licence, order=order, quantity=quantity)
    )
    if answer.is_made:
        counts["fulfilled"] += 1
        told[order] = answer.balance_after
        return
    words = {MONEY_GONE: "short_of_money", STOCK_GONE: "short_of_serials"}
    findings.expect(answer.code in words, f"{order}: {answer}")
    counts[words.get(answer.code, "strange")] += 1


async def _credit(stand: Stand, house: House, chance: random.Random, counts: Counter[str]) -> None:
    """Top up, or take back, perhaps more than there is."""
    amount = chance.choice((chance.randint(1, TOP_UP_MAX), -chance.randint(1, AMOUNT_MAX)))
    try:
        async with stand.database.begin() as tx:
            await credit(
                tx,
                shop_id=house.reseller.partner.shop_id,
                reseller_id=house.reseller.id,
                amount_minor=amount,
                now=datetime.now(UTC),
            )
    except Refused:
        counts["short_of_money"] += 1
    else:
        counts["topped_up" if amount > 0 else "taken_back"] += 1


async def _look(stand: Stand, findings: Findings) -> None:
    """The committed balances of each currency sum to zero, and none is below its floor."""
    async with stand.database.statement() as tx:
        rows = await tx.all(_SUMS)
    for currency, total, above_floor in rows:
        findings.expect(total == 0, f"the balances in {currency} sum to {total}")
        findings.expect(above_floor is None or above_floor >= 0, f"a floor in {currency} is passed")


async def _examine(stand: Stand, house: House, told: dict[str, str], findings: Findings) -> None:
    """Rebuilt balances are the stored ones; the statement runs on, and has what each buyer was told."""
    shop_id, reseller_id = house.reseller.partner.shop_id, house.reseller.id
    async with stand.database.begin() as tx:
        differences = await verify_ledger(tx, shop_id=shop_id)
        statement = await read_statement(
            tx, shop_id=shop_id, reseller_id=reseller_id, until=datetime.max.replace(tzinfo=UTC)
        )
    lines = [line async for line in stream_lines(stand.database, statement=statement)]
    findings.expect(not differences, f"rebuilt is not stored: {differences[:3]}")
    balance = 0
    for line in lines:
        balance += line.amount_minor
        findings.expect(line.balance_minor == balance, f"{line}: the balance was {balance}")
    stated = {
        line.external_order_id: format_minor(line.balance_minor, line.currency)
        for line in lines
        if line.external_order_id
    }
    right = {order: after for order, after in told.items() if order.startswith(house.currency)}
    wrong = {order for order in right | stated if right.get(order) != stated.get(order)}
    findings.expect(
        not wrong, f"{len(wrong)} fulfilments are stated otherwise: {sorted(wrong)[:3]}"
    )


CLAIM = Claim(
    id="P8",
    door=CHANNEL,
    title="ledger of prepaid balances",
    workload="8 writers buy serials through resellers' shops, top balances up and take back, at random, in currencies "
    "with 0, 2 and 3 decimals; the balances summed after each commit",
    must_hold="debits = credits per currency after each commit, rebuilt = stored, no balance below zero, the "
    "statement has every debit with the balance that the buyer was told",
    full={"postings": 20_000, "serials": 10_000},
    quick={"postings": 600, "serials": 400},
    run=run,
)
