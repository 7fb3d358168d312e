"""Write events: the Python twin of `write_event` in writing.sql."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events.kinds import Payload


async def write_event(
    tx: Transaction, *, shop_id: int, event: Payload, now: datetime, subject_id: int | None = None
) -> None:
    """Write the event in this transaction; it gets its number after the commit."""
    await tx.run(
        "select write_event(%s, %s, %s, %s::jsonb, %s)",
        (shop_id, event.kind, subject_id, msgspec.json.encode(event).decode(), now),
    )
