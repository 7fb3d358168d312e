"""What the tests of the edge share."""

import pytest

from crossdock.edge.metrics import Metrics
from crossdock.edge.room import Room


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    """The process's metrics; there is one set of them."""
    return Metrics()


@pytest.fixture
def room() -> Room:
    """Room for every request that a test sends."""
    return Room(requests_max=100, per_address_max=100)
