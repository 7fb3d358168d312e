"""Middleware around every request (id, body limit, access log, last-resort errors); health, metrics."""

from crossdock.edge.metrics import Metrics
from crossdock.edge.operating import Operating, check_ready
from crossdock.edge.requests import Edge

__all__ = ["Edge", "Metrics", "Operating", "check_ready"]
