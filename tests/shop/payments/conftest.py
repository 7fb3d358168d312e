"""A shop, and the service with the sandbox."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import Paying
from tests.support.factories import ShopFixture, make_shop
from tests.support.paying import paying


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def service(database: Database, clock: FrozenClock) -> Paying:
    return paying(database, clock)
