"""What happened: the outbox, its sequence numbers, and jobs written with the change."""

from crossdock.shop.events.feed import Event, number_events, read_events
from crossdock.shop.events.queueing import defer_job

__all__ = ["Event", "defer_job", "number_events", "read_events"]
