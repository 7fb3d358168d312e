"""Middleware around every request (id, body limit, access log, last-resort errors); health, metrics."""

from crossdock.edge.metrics import Metrics
from crossdock.edge.operating import Operating, check_ready
from crossdock.edge.requests import Edge
from crossdock.edge.room import Client, Room

__all__ = ["Client", "Edge", "Metrics", "Operating", "Room", "check_ready"]
