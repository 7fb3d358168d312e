"""Claim due deliveries, and requeue those whose worker died."""

from datetime import datetime

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.deliveries.contract import Claim, DeliveryKinds


async def claim_deliveries(
    tx: Transaction,
    *,
    kinds: DeliveryKinds,
    limit: int,
    due: datetime | None,
    now: datetime,
    shop_id: int | None = None,
) -> list[Claim]:
    """Claim at most `limit` deliveries due at `due`, None for the database's clock; see claiming.sql."""
    known = [
        {
            "name": kind.name,
            "ordering": kind.ordering,
            "calls": kind.calls_per_target,
            "claim_s": kind.claim_s,
        }
        for kind in kinds
    ]
    rows = await tx.all(
        "select * from claim_deliveries(%s, %s, %s, %s, %s)",
        (Jsonb(known), limit, shop_id, due, now),
    )
    return [Claim(**dict(zip(Claim.__struct_fields__, row, strict=True))) for row in rows]


async def requeue_lost(tx: Transaction, *, now: datetime, due: datetime | None = None) -> int:
    """Requeue the deliveries whose claim has expired at `due`; returns how many."""
    return int(await tx.value("select requeue_lost_deliveries(%s, %s)", (due, now)))
