"""A credit of a reseller's balance..."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.shop.resellers import credit, read_balance
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import Reselling


async def test_by_a_reference_is_booked_once_whoever_books_it_at_once(
    database: Database, clock: FrozenClock
) -> None:
    selling = await Reselling.open(database, clock)
    first, _ = await selling.reseller()
    second, _ = await selling.reseller("other@example.com")

    async def book(reseller_id: int, amount_minor: int) -> int:
        async with database.begin() as tx:
            balance = await credit(
                tx, shop_id=selling.shop.id, reseller_id=reseller_id, amount_minor=amount_minor,
                reference="transfer 1", now=clock.now(),
            )  # fmt: skip
        return balance.balance_minor

    async with database.begin() as tx:
        await credit(
            tx, shop_id=selling.shop.id, reseller_id=first.id, amount_minor=500,
            reference="transfer 1", now=clock.now(),
        )  # fmt: skip
        again = asyncio.create_task(book(first.id, 500))
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(CrossdockError) as refused:
        await again
    assert (refused.value.code, refused.value.data) == ("invalid_input", {"field": "reference"})
    with pytest.raises(CrossdockError):
        await book(first.id, -100)
    assert await book(second.id, 700) == 700
    async with database.statement() as tx:
        kept = await read_balance(tx, shop_id=selling.shop.id, reseller_id=first.id)
    assert kept.balance_minor == 500
