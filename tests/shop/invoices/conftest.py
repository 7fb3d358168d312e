"""A shop that asks for money, and its ledger's balances."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.invoicing import Invoicing


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Invoicing:
    return await Invoicing.open(database, clock)
