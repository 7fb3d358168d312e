"""A shop with webhooks."""

from collections.abc import AsyncIterator

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.hooked import Hooked, hooked


@pytest.fixture
async def hook(database: Database, clock: FrozenClock) -> AsyncIterator[Hooked]:
    async with hooked(database, clock) as made:
        yield made
