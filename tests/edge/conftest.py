"""What the tests of the edge share."""

import pytest

from crossdock.edge.metrics import Metrics


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    """The process's metrics; there is one set of them."""
    return Metrics()
