"""What the tests of the edge share."""

import pytest

from crossdock.edge.guests import Guests
from crossdock.edge.metrics import Metrics
from crossdock.edge.room import Room
from crossdock.kit.clock import FrozenClock
from tests.conftest import NOON


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    """The process's metrics; there is one set of them."""
    return Metrics()


@pytest.fixture
def room() -> Room:
    """Room for every request that a test sends."""
    return Room(requests_max=100, per_address_max=100)


@pytest.fixture
def guests() -> Guests:
    """Doors without keys below /open, for three calls a minute of each address."""
    return Guests(["/open"], clock=FrozenClock(NOON), per_minute=3, proxies=["192.0.2.1/32"])
