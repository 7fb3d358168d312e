"""Prometheus metrics. Each process writes to files in one folder; a scrape aggregates them.

The folder must be set before prometheus_client is first imported, so only this module imports it.
"""

import os
from collections.abc import Mapping
from datetime import datetime

from crossdock.db.unit_of_work import Database
from crossdock.edge.metrics_folder import FOLDER_VARIABLE, take_room
from crossdock.kit.storage import Space
from crossdock.shop.alerts import count_open
from crossdock.shop.deliveries import count_failed
from crossdock.shop.events import count_unread
from crossdock.shop.search import Searching, read_lags

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_BACKLOG_SQL = """
select (select count(*) from procrastinate_jobs where status = 'todo'),
       (select count(*) from procrastinate_jobs where status = 'doing'),
       (select count(*) from procrastinate_jobs where status = 'failed'),
       (select count(*) from events where sequence is null)
"""
_BACKLOG = (
    ("crossdock_jobs_waiting", "Background jobs that are queued or scheduled."),
    ("crossdock_jobs_running", "Background jobs that are being run."),
    ("crossdock_jobs_failed", "Background jobs that have used up their attempts."),
    ("crossdock_events_unnumbered", "Committed events without a sequence number."),
)
_ALERTS = ("crossdock_alerts_open", "Alerts that nobody has marked as seen, by kind.")
_DEAD = ("crossdock_deliveries_failed", "Deliveries that nobody has resent or withdrawn, by kind.")
_FREE = ("crossdock_disk_free_bytes", "Room left for the data folder or the embedded database.")
_UNREAD = ("crossdock_events_unread", "Numbered events that a consumer has not read yet.")

_INDEXED = ("crossdock_search_documents", "SKUs in the search index of this machine.")
_BEHIND = ("crossdock_search_unread_events", "Events of the catalogue that the index has not read.")
_BEHIND_S = ("crossdock_search_lag_seconds", "Age of the oldest of them.")


class Metrics:
    """The metrics of one web process."""

    def __init__(self) -> None:
        take_room()
        from prometheus_client import Counter, Gauge, Histogram

        labels = ("channel", "route")
        self._requests = Counter("crossdock_requests", "Requests answered.", (*labels, "status"))
        self._seconds = Histogram(
            "crossdock_request_seconds", "Time from request to answer.", labels, buckets=BUCKETS
        )
        self._in_flight = Gauge(
            "crossdock_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum"
        )
        self._pool = {
            name: Gauge(f"crossdock_{name}", text, multiprocess_mode="livesum")
            for name, text in (
                ("pool_size", "Open database connections."),
                ("pool_available", "Idle database connections."),
                ("requests_waiting", "Requests that wait for a database connection."),
            )
        }
        self._seen: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, *, channel: str, route: str, status: int, seconds: float) -> None:
        """Record one answered request."""
        key = (channel, route, status)
        found = self._seen.get(key)
        if found is None:
            found = (
                self._requests.labels(channel, route, str(status)),
                self._seconds.labels(channel, route),
            )
            self._seen[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def note(self, database: Database, *, in_flight: int) -> None:
        """Set the gauges: the pool's statistics, and the requests in flight."""
        self._in_flight.set(in_flight)
        stats = database.pool.get_stats()
        for name, gauge in self._pool.items():
            gauge.set(stats.get(name, 0))


async def render(
    database: Database, *, searching: Searching, space: Space | None, now: datetime
) -> bytes:
    """All metrics as text: the sum over the processes, the room left, the backlog of database and indexes."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY  # of this process only
    if FOLDER_VARIABLE in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    async with database.statement() as tx:
        row = await tx.one(_BACKLOG_SQL)
        alerts = await count_open(tx)
        failed = await count_failed(tx)
        unread = await count_unread(tx)
        lags = await read_lags(tx, searching=searching, now=now)
    lines = [
        _gauge(name, text, f" {n}") for (name, text), n in zip(_BACKLOG, row or (), strict=True)
    ]
    lines.append(_labelled(*_ALERTS, label="kind", counts=alerts))
    lines.append(_labelled(*_DEAD, label="kind", counts=failed))
    if space:
        lines.append(_gauge(*_FREE, f" {space.free_bytes}"))
    lines.append(_labelled(*_UNREAD, label="consumer", counts=unread))
    for metric, counts in (
        (_INDEXED, {lag.shop: lag.documents or 0 for lag in lags}),
        (_BEHIND, {lag.shop: lag.unread for lag in lags}),
        (_BEHIND_S, {lag.shop: lag.oldest_s for lag in lags}),
    ):
        lines.append(_labelled(*metric, label="shop", counts=counts))
    return generate_latest(registry) + "".join(lines).encode()


def _labelled(name: str, text: str, *, label: str, counts: Mapping[str, int]) -> str:
    values = (f'{{{label}="{value}"}} {count}' for value, count in sorted(counts.items()))
    return _gauge(name, text, *values)


def _gauge(name: str, text: str, *values: str) -> str:
    lines = "".join(f"{name}{value}\n" for value in values)
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n{lines}"
