"""A warehouse per test, and the doctor's visit at the end of each."""

from collections.abc import AsyncIterator

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.warehousing import Warehouse, differences


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(database, clock)


@pytest.fixture(autouse=True)
async def _the_doctor_finds_nothing(database: Database) -> AsyncIterator[None]:
    async with database.statement() as tx:
        before = await tx.value("select coalesce(max(id), 0) from shops")
    yield
    async with database.statement() as tx:
        assert await differences(tx, after_shop=before) == []
