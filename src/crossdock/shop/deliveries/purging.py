"""Delete deliveries that were sent long ago, with the log of their attempts."""

from datetime import datetime, timedelta

from crossdock.db.unit_of_work import Transaction
from crossdock.settings import DeliveriesSection

BATCH = 2_000


def history_of(section: DeliveriesSection) -> timedelta | None:
    """How long sent deliveries are kept; None for ever."""
    return timedelta(days=section.history_days) if section.history_days else None


async def purge_deliveries(tx: Transaction, *, kept: timedelta | None, now: datetime) -> int:
    """Delete what was sent more than `kept` ago, in batches; how many. See purging.sql.

    By `now` and by the database's clock, so that a clock set ahead deletes nothing. What was not
    sent stays: it waits for its turn or for a person, or says why it never went out.
    """
    if kept is None:
        return 0
    total = 0
    while count := int(await tx.value(_PURGE, (now, kept, BATCH))):
        total += count
        if count < BATCH:
            break
    return total


_PURGE = "select purge_sent_deliveries(least(%s, clock_timestamp()) - %s, %s)"
