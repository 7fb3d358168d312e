"""What is around every request: id, size bound, access log, last errors; health and metrics."""

from crossdock.edge.metrics import Metrics
from crossdock.edge.operating import Operating, check_ready
from crossdock.edge.requests import Edge

__all__ = ["Edge", "Metrics", "Operating", "check_ready"]
