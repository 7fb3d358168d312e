"""A warehouse per test, and the doctor's visit at the end of each: for its own tests and those of orders."""

from collections.abc import AsyncIterator

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.warehousing import Warehouse, differences


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> AsyncIterator[Warehouse]:
    """A fresh shop; when the test is over the doctor finds nothing wrong in it and later ones."""
    opened = await Warehouse.open(database, clock)
    yield opened
    async with database.statement() as tx:
        assert await differences(tx, after_shop=opened.shop.id - 1) == []
