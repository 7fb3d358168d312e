"""A shop with a partner and an agent."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.ticketing import Helpdesk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Helpdesk:
    return await Helpdesk.open(database, clock)
