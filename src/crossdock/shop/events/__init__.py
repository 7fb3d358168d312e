"""What happened: the outbox, its kinds and sequence numbers, and jobs written with the change."""

from crossdock.shop.events.feed import Event, number_events, read_events
from crossdock.shop.events.kinds import (
    KINDS,
    CatalogueChanged,
    DispatchAttemptFailed,
    DispatchSent,
    Level,
    OrderPicked,
    PackageDelivered,
    PackagePacked,
    PackageShipped,
    Payload,
    PriceChanged,
    ReturnAnnounced,
    ReturnReceived,
    StockChanged,
    Topic,
)
from crossdock.shop.events.queueing import defer_job
from crossdock.shop.events.writing import write_event

__all__ = [
    "KINDS",
    "CatalogueChanged",
    "DispatchAttemptFailed",
    "DispatchSent",
    "Event",
    "Level",
    "OrderPicked",
    "PackageDelivered",
    "PackagePacked",
    "PackageShipped",
    "Payload",
    "PriceChanged",
    "ReturnAnnounced",
    "ReturnReceived",
    "StockChanged",
    "Topic",
    "defer_job",
    "number_events",
    "read_events",
    "write_event",
]
